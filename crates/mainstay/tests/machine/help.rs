//! The help of every command in both languages, word by word, so that a change of it is read by
//! somebody. `MAINSTAY_BLESS=1` writes it anew.

use std::{fs, path::PathBuf};

use crate::sandbox::Sandbox;

/// The words of a command.
type Words = Vec<String>;

/// Returns what the binary says; spaces at the ends of lines are nobody's.
fn help(sandbox: &Sandbox, words: &Words, language: &str) -> String {
    let words = words.iter().map(String::as_str).chain(["--help", "--lang", language]);
    let help = sandbox.get(&words.collect::<Vec<_>>());
    help.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// Returns the commands that the help of one lists below it.
fn below(help: &str) -> impl Iterator<Item = &str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        Some(name).filter(|name| !name.is_empty() && *name != "help")
    })
}

/// Returns a command and all below it, as its help says.
fn tree(sandbox: &Sandbox, words: &Words) -> Vec<Words> {
    let help = help(sandbox, words, "en");
    let longer = |name| words.iter().cloned().chain([String::from(name)]).collect::<Words>();
    let all: Vec<Words> = below(&help).map(longer).collect();
    let deeper = all.into_iter().flat_map(|words| tree(sandbox, &words));
    [words.clone()].into_iter().chain(deeper).collect()
}

/// Compares with what is kept, or keeps it.
fn check(language: &str, told: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/machine/help");
    let path = folder.join(format!("{language}.txt"));
    if std::env::var_os("MAINSTAY_BLESS").is_some() {
        fs::write(&path, told).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    let mut pairs = kept.lines().zip(told.lines()).enumerate();
    let first = pairs.find(|(_, (kept, told))| kept != told);
    assert!(
        kept == told,
        "`MAINSTAY_BLESS=1` writes {} anew; the first line that differs: {first:?}",
        path.display()
    );
}

#[test]
fn the_help_of_every_command_is_as_it_was_read_in_both_languages() {
    let sandbox = Sandbox::new("");
    let all = tree(&sandbox, &Words::new());
    assert!(all.len() > 60, "{all:?}");
    for language in ["en", "zh-CN"] {
        let pages = all.iter().map(|words| {
            let line = [&["mainstay".to_owned()], words.as_slice()].concat().join(" ");
            format!("$ {line} --help\n{}\n", help(&sandbox, words, language))
        });
        check(language, &pages.collect::<Vec<_>>().concat());
    }
}

#[test]
fn every_command_has_help_with_examples_of_its_own() {
    let sandbox = Sandbox::new("");
    for words in tree(&sandbox, &Words::new()) {
        let (line, help) = (format!("mainstay {}", words.join(" ")), help(&sandbox, &words, "en"));
        assert!(help.contains(&format!("Usage: {}", line.trim_end())), "{help}");
        let (_, examples) = help.split_once("\nExample").expect(&help);
        assert!(examples.contains(line.trim_end()), "{help}");
    }
    let nothing = sandbox.ask(&[]);
    assert_eq!((nothing.code, nothing.err), (2, sandbox.get(&["--help"])));
}

/// Those that print what is no answer, or that a person speaks with.
const WITHOUT_JSON: &[&str] = &[
    "",
    "up",
    "edit",
    "secret",
    "ddns",
    "ddns setup",
    "ddns run",
    "kind",
    "service",
    "service install",
    "service start",
    "service stop",
    "service restart",
    "service edit",
    "service get",
    "service set",
    "service dump",
    "service remove",
    "service run",
    "install",
    "uninstall",
    "import",
    "notify",
    "completions",
    "man",
    "schema",
];

#[test]
fn whoever_reads_or_changes_units_can_have_the_answer_as_json() {
    let sandbox = Sandbox::new("");
    let all = tree(&sandbox, &Words::new());
    let without = all.iter().filter(|words| !help(&sandbox, words, "en").contains("--json"));
    assert_eq!(without.map(|words| words.join(" ")).collect::<Vec<_>>(), WITHOUT_JSON);
}

#[test]
fn whoever_waits_knows_the_same_words() {
    let sandbox = Sandbox::new("");
    for command in ["start", "stop", "restart", "kill", "reset", "reload"] {
        let help = help(&sandbox, &vec![command.to_owned()], "en");
        for option in ["<NAME>...", "--wait ", "--no-wait ", "--timeout <DURATION>", "--json "] {
            assert!(help.contains(option), "{command} has no {option}: {help}");
        }
        assert!(help.contains("groups such as `@web`; `*` and `?` match"), "{help}");
    }
}
