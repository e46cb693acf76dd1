//! The rules for one source file.

use std::path::Path;

use crate::source::{self, Line, mentions};

/// The longest a source file may be, tests included.
const FILE_LINES_MAX: usize = 600;

/// Tables that one would only make worse by splitting them.
const LONG_FILES: &[&str] = &[];

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: &[&str] =
    &["mod", "util", "utils", "common", "helpers", "misc", "manager", "handler"];

/// Words inside a `cfg` that choose an operating system.
const OS_CONDITIONS: &[&str] =
    &["windows", "unix", "target_os", "target_family", "target_env", "target_vendor"];

/// Paths into one operating system; only `platform` may use them.
const OS_PATHS: &[&str] =
    &["std::os", "os::fd", "os::unix", "os::windows", "os::linux", "libc", "windows_sys", "winapi"];

/// Marks of unfinished work, put together so that this file passes its own rule.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "XXX"];

/// Reports what is wrong with the file at `path`, which is relative to the workspace.
pub(super) fn check(path: &Path, source: &str) -> Vec<String> {
    let lines = source::split(source);
    let mut breaches = Vec::new();
    breaches.extend(check_form(path, source));
    breaches.extend(check_system(path, &lines));
    breaches.extend(check_tests(path, &lines));
    breaches.extend(check_comments(&lines));
    breaches.iter().map(|breach| format!("{}: {breach}", path.display())).collect()
}

fn check_form(path: &Path, source: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let lines = source.lines().count();
    if lines > FILE_LINES_MAX && !LONG_FILES.iter().any(|long| path.ends_with(long)) {
        breaches.push(format!("{lines} lines; instead: split it by idea"));
    }
    if !source.starts_with("//!") {
        breaches.push("no `//!` opening; instead: say what the file is for".into());
    }
    let parts = path.with_extension("");
    for part in parts.iter().filter_map(|part| part.to_str()) {
        if EMPTY_NAMES.contains(&part) {
            breaches.push(format!("`{part}` says nothing; instead: name the file for its idea"));
        }
    }
    breaches
}

fn check_system(path: &Path, lines: &[Line]) -> Vec<String> {
    if path.starts_with("crates/platform") {
        return Vec::new();
    }
    // Joined, because a condition may span lines.
    let code: String = lines.iter().map(|line| line.code.as_str()).collect();
    let conditions = conditions(&code);
    let chosen = OS_CONDITIONS
        .iter()
        .filter(|word| conditions.iter().any(|condition| mentions(condition, word)));
    let used = OS_PATHS.iter().filter(|word| mentions(&code, word));
    chosen
        .chain(used)
        .map(|word| format!("mentions `{word}`; instead: extend mainstay-platform"))
        .collect()
}

/// The insides of every `cfg(…)`, `cfg!(…)` and `cfg_attr(…)`.
fn conditions(code: &str) -> Vec<&str> {
    let starts = ["cfg(", "cfg!(", "cfg_attr("];
    let found = starts.iter().flat_map(|start| {
        code.match_indices(start).map(|(at, text)| code.get(at + text.len()..).unwrap_or_default())
    });
    found.map(until_closed).collect()
}

/// The text up to the parenthesis that closes one opened before it.
fn until_closed(text: &str) -> &str {
    let mut depth = 1_usize;
    let end = text.char_indices().find_map(|(at, character)| {
        depth = match character {
            '(' => depth + 1,
            ')' => depth - 1,
            _ => depth,
        };
        (depth == 0).then_some(at)
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn check_tests(path: &Path, lines: &[Line]) -> Vec<String> {
    let is_test_file = path.iter().any(|part| part == "tests" || part == "tests.rs");
    let mut in_tests = is_test_file;
    let mut breaches = Vec::new();
    for (number, line) in (1..).zip(lines) {
        in_tests |= line.code.contains("#[cfg(test)]");
        if line.code.contains("#[ignore") {
            breaches.push(format!("line {number}: an ignored test; instead: assert what happens"));
        }
        let sleeps = ["thread::sleep", "time::sleep"].iter().any(|word| mentions(&line.code, word));
        if in_tests && sleeps {
            breaches.push(format!("line {number}: a test sleeps; instead: wait on a condition"));
        }
    }
    breaches
}

fn check_comments(lines: &[Line]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (number, line) in (1..).zip(lines) {
        for word in UNFINISHED.iter().filter(|word| mentions(&line.comment, word)) {
            breaches.push(format!("line {number}: `{word}`; instead: do it or open an issue"));
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expects exactly one breach with `expected` in it, or none when `expected` is empty.
    fn check_one(path: &str, source: &str, expected: &str) {
        let breaches = check(Path::new(path), source);
        let count = usize::from(!expected.is_empty());
        assert_eq!(breaches.len(), count, "{source}: {breaches:?}");
        assert!(breaches.iter().all(|breach| breach.contains(expected)), "{breaches:?}");
    }

    const UNIT: &str = "crates/core/src/unit.rs";

    #[test]
    fn a_file_says_what_it_is_for() {
        check_one(UNIT, "//! The unit.\nfn f() {}", "");
        check_one(UNIT, "fn f() {}", "no `//!` opening");
    }

    #[test]
    fn a_file_ends_after_600_lines() {
        let lines = |count: usize| format!("//! Long.\n{}", "\n".repeat(count - 1));
        check_one(UNIT, &lines(600), "");
        check_one(UNIT, &lines(601), "601 lines");
    }

    #[test]
    fn a_name_means_something() {
        check_one("crates/core/src/unit/mod.rs", "//! The unit.", "`mod` says nothing");
        check_one("crates/core/src/util.rs", "//! Things.", "`util` says nothing");
        check_one("crates/core/src/helpers/time.rs", "//! Things.", "`helpers` says nothing");
    }

    #[test]
    fn one_room_knows_the_operating_system() {
        for (code, word) in [
            ("#[cfg(windows)]\nfn f() {}", "`windows`"),
            ("#[cfg(all(\n    test,\n    not(unix)\n))]", "`unix`"),
            ("if cfg!(target_os = \"linux\") {}", "`target_os`"),
            ("fn f() { libc::kill(); }", "`libc`"),
            ("use windows_sys::Win32;", "`windows_sys`"),
            ("use std::{io, os::fd::OwnedFd};", "`os::fd`"),
        ] {
            let source = format!("//! The unit.\n{code}");
            check_one(UNIT, &source, word);
            check_one("crates/agent/tests/story.rs", &source, word);
            check_one("crates/platform/src/process.rs", &source, "");
        }
    }

    #[test]
    fn words_outside_of_conditions_choose_nothing() {
        check_one(UNIT, "//! On `cfg(windows)` and libc::kill.\nfn windows() {}", "");
        check_one(UNIT, "//! The unit.\n#[cfg(test)]\nconst WORD: &str = \"cfg(unix)\";", "");
    }

    #[test]
    fn tests_are_never_ignored() {
        check_one(UNIT, "//! The unit.\n#[ignore = \"slow\"]", "line 2: an ignored test");
    }

    #[test]
    fn tests_do_not_sleep() {
        check_one(
            UNIT,
            "//! U.\n#[cfg(test)]\nmod tests { fn f() { thread::sleep(d) } }",
            "sleeps",
        );
        check_one("tests/kill.rs", "//! U.\nfn f() { tokio::time::sleep(d).await }", "sleeps");
        check_one(UNIT, "//! U.\nfn f() { tokio::time::sleep(d).await }", "");
    }

    #[test]
    fn unfinished_work_is_not_hidden_in_comments() {
        for word in UNFINISHED {
            check_one(UNIT, &format!("//! U.\n// {word}: more"), "do it or open an issue");
        }
    }
}
