//! A reader who does what a page says, from its first block to its last.

use std::process::Command;

use regex::Regex;

use super::{
    likeness::{Counts, is_like},
    pages::{Block, Page},
    terminal::{Outcome, Terminal},
};
use crate::{
    processes::wait_until,
    sandbox::{BINARY, answer_of},
};

/// Commands that only look: what they show may take a moment to come true.
const LOOKS: &[&str] = &[
    "mainstay check",
    "mainstay diff",
    "mainstay env",
    "mainstay events",
    "mainstay get",
    "mainstay logs",
    "mainstay show",
    "mainstay status",
    "mainstay tree",
    "mainstay why",
    "cat ",
    "curl ",
    "docker exec shop mainstay status",
    "docker logs",
    "grep ",
    "ls",
    "tail ",
];
/// Commands that stay open until Ctrl-C.
const STAY: &[&str] = &["mainstay up", "mainstay logs -f", "mainstay events -f"];

/// A command, and what a page shows of it.
#[derive(Debug, Default)]
struct Step {
    /// `^C` is a key that is pressed where the last command stays open.
    command: String,
    shown: Vec<String>,
}

/// Does what a page says.
pub(super) fn follow(page: &Page, terminal: &mut Terminal) {
    for block in &page.blocks {
        match (&block.not_run, block.language.as_str(), &block.file) {
            (Some(_), _, _) => check_words(block),
            (None, _, Some(name)) => terminal.write(name, &block.text()),
            (None, "console", None) => {
                for step in steps(block) {
                    take(&step, block, terminal);
                }
            }
            (None, "sh", None) => {
                for line in &block.lines {
                    run(line, block, terminal);
                }
            }
            (None, "toml", None) => check_fragment(block, terminal),
            (None, _, None) => unreachable!("{}: nobody runs it", block.place),
        }
    }
}

/// Returns the commands of a block of a terminal.
fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in &block.lines {
        let command = line.strip_prefix("$ ").or_else(|| line.strip_prefix('^').map(|_| "^C"));
        if let Some(command) = command {
            steps.push(Step { command: command.to_owned(), shown: Vec::new() });
        } else {
            let step = steps.last_mut().ok_or("a command is missing");
            step.unwrap().shown.push(line.clone());
        }
    }
    // An empty line before the next command is for the eye.
    for step in &mut steps {
        step.shown.pop_if(|last| last.is_empty());
    }
    steps
}

/// The language of a block, its file, whether nobody runs it, and its lines.
type Meant<'a> = (&'a str, Option<&'a str>, bool, Vec<&'a str>);

/// Returns what is the same in every language: all of a block but its comments and what is printed.
pub(super) fn meant(block: &Block) -> Meant<'_> {
    let is_typed = |line: &str| line.starts_with("$ ") || line.starts_with('^');
    let is_shown = |line: &str| block.language == "console" && !is_typed(line);
    let code = |line: &&str| !line.starts_with('#') && !is_shown(line);
    let lines = block.lines.iter().map(|line| line.split(" #").next().unwrap_or(line).trim_end());
    let lines = lines.filter(code).collect();
    (&block.language, block.file.as_deref(), block.not_run.is_some(), lines)
}

fn take(step: &Step, block: &Block, terminal: &mut Terminal) {
    let counts = if block.counts_differ { Counts::Differ } else { Counts::Same };
    let is_meant = |shown: &[String], output: &str| {
        is_like(shown, &output.trim_end().lines().collect::<Vec<&str>>(), counts)
    };
    let begins = |starts: &[&str]| starts.iter().any(|start| step.command.starts_with(start));
    let any = "…".to_owned();
    if step.command == "^C" {
        let said = terminal.interrupt();
        let shown = [&[any], step.shown.as_slice()].concat();
        assert!(is_meant(&shown, &said), "{}: after ^C it said:\n{said}", block.place);
    } else if begins(STAY) {
        terminal.open(&format!("exec {}", step.command));
        let shown = [step.shown.as_slice(), &[any]].concat();
        let what = format!("{}: `{}` says what is shown", block.place, step.command);
        wait_until(&what, || is_meant(&shown, &terminal.said()));
    } else {
        let meant = |output: &str| is_meant(&step.shown, output);
        let outcome = if begins(LOOKS) {
            terminal.look(&step.command, meant)
        } else {
            terminal.run(&step.command)
        };
        let Outcome { output, .. } = &outcome;
        assert!(meant(output), "{}: `{}` printed:\n{output}", block.place, step.command);
    }
}

/// Runs a line of which nothing is shown; of what goes on for ever a first piece is enough.
fn run(line: &str, block: &Block, terminal: &mut Terminal) {
    if line.contains(" -N ") {
        terminal.open(line);
        let what = format!("{}: `{line}` tells something", block.place);
        wait_until(&what, || terminal.said().contains("id:"));
        terminal.interrupt();
        return;
    }
    let outcome = terminal.run(line);
    assert_eq!(outcome.code, 0, "{}: `{line}` printed:\n{}", block.place, outcome.output);
}

/// A piece of a configuration is one, together with the services that it requires.
fn check_fragment(block: &Block, terminal: &Terminal) {
    let missing = Regex::new("requires `([a-z]+)`, which is not defined").unwrap();
    let mut text = block.text();
    loop {
        terminal.write("fragment.toml", &text);
        let outcome = terminal.run("MAINSTAY_LANG=en mainstay check fragment.toml");
        let Some(found) = missing.captures(&outcome.output) else {
            assert_eq!(outcome.code, 0, "{}: {}", block.place, outcome.output);
            break;
        };
        let service = format!("[services.{}]", &found[1]);
        assert!(!text.contains(&service), "{}: {}", block.place, outcome.output);
        text = format!("{text}\n{service}\ncommand = \"true\"\n");
    }
    terminal.run("rm fragment.toml");
}

/// What nobody runs consists at least of words that our command line takes.
fn check_words(block: &Block) {
    for line in &block.lines {
        let words = words_of(line);
        let is_ours = |word: &String| word == "mainstay" || word.starts_with("ExecStart=");
        let Some(at) = words.iter().position(is_ours) else {
            continue;
        };
        let ours = words[at + 1..].iter().take_while(|word| *word != "--");
        let ours: Vec<&String> = ours.collect();
        let answer = answer_of(Command::new(BINARY).args(&ours).arg("--help"));
        assert_eq!(answer.code, 0, "{}: {ours:?}: {}", block.place, answer.err);
    }
}

/// Returns the words of a line up to its comment or its next command.
fn words_of(line: &str) -> Vec<String> {
    let ends = |word: &&str| !matches!(*word, "|" | ";" | "&&" | "#") && !word.starts_with('#');
    let words = line.split_whitespace().take_while(ends);
    words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}
