//! What is typed, in plain text.
//!
//! ```text
//! # the title of a task
//! file mainstay.toml          a file with the lines that follow, each behind `| `
//! | [services.web]
//! $ mainstay status           a line of shell, whose answer is in the transcript
//! until running $ COMMAND     the same again and again, in English and unseen, until it says that
//! & mainstay up               what goes on beside all that follows
//! ctrl-c stopped              ends the last of those once it has said that; its answer
//! ; why it is written so
//! ```

/// Something that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A task begins.
    Title(String),
    /// A file is written.
    File { name: String, text: String },
    /// A line of shell is run.
    Run(String),
    /// A line of shell is run until its answer has some words.
    Until { words: String, line: String },
    /// A line of shell begins.
    Begin(String),
    /// What has begun last gets Ctrl-C once it has said some words.
    End(String),
}

/// Returns what a script asks for.
pub(super) fn parse(text: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(';')) {
        if let Some(more) = line.strip_prefix('|') {
            let text = steps.last_mut().and_then(text_of).unwrap();
            text.push_str(more.strip_prefix(' ').unwrap_or(more));
            text.push('\n');
        } else {
            steps.push(step(line));
        }
    }
    steps
}

/// Returns what a file is to hold.
const fn text_of(step: &mut Step) -> Option<&mut String> {
    if let Step::File { text, .. } = step { Some(text) } else { None }
}

fn step(line: &str) -> Step {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.to_owned();
    match word {
        "#" => Step::Title(rest),
        "file" => Step::File { name: rest, text: String::new() },
        "$" => Step::Run(rest),
        "&" => Step::Begin(rest),
        "ctrl-c" => Step::End(rest),
        other => {
            assert_eq!(other, "until", "`{line}` is no step");
            let (words, line) = rest.split_once(" $ ").unwrap();
            Step::Until { words: words.to_owned(), line: line.to_owned() }
        }
    }
}

#[test]
fn a_script_is_taken_apart() {
    let steps = parse("# one\nfile a\n| b\n|\n; c\n\nuntil d e $ f | g\n$ h\n& i\nctrl-c j\n");
    let text = str::to_owned;
    let expected = [
        Step::Title(text("one")),
        Step::File { name: text("a"), text: text("b\n\n") },
        Step::Until { words: text("d e"), line: text("f | g") },
        Step::Run(text("h")),
        Step::Begin(text("i")),
        Step::End(text("j")),
    ];
    assert_eq!(steps, expected);
}
