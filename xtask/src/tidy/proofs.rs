//! What the page of Windows' capabilities claims is shown: each row names a test that there is, or
//! a check of the script for a real machine; and the page forgets no check.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result};

const PAGE: &str = "docs/reference/windows-support.md";
const SCRIPT: &str = "tools/prove-on-windows.ps1";
/// Where the parts lie that the script reads.
const PARTS: &str = "tools/prove-on-windows";
/// How the table begins.
const HEADER: &str = "| capability |";
/// How a check begins in the script.
const CHECK: &str = "Check '";

/// Reports every row that nothing shows, and every check that no row knows.
pub(super) fn check(root: &Path, sources: &[(String, String)]) -> Result<Vec<String>> {
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| path.to_owned());
    let mut script = read(SCRIPT)?;
    for part in fs::read_dir(root.join(PARTS)).context(PARTS)? {
        script.push_str(&fs::read_to_string(part?.path()).context(PARTS)?);
    }
    Ok(Proofs::of(&script, sources).faults(&read(PAGE)?))
}

/// Everything that a row may name.
struct Proofs {
    /// Names of tests and of what holds tests: functions, files and folders.
    tests: BTreeSet<String>,
    checks: BTreeSet<String>,
}

impl Proofs {
    fn of(script: &str, sources: &[(String, String)]) -> Self {
        let mut tests = BTreeSet::new();
        for (path, text) in sources {
            tests.extend(functions(text).map(str::to_owned));
            let parts: Vec<&str> = path.split('/').collect();
            tests.extend(parts.iter().map(|part| part.trim_end_matches(".rs").to_owned()));
            tests.extend((0..parts.len()).filter_map(|from| Some(parts.get(from..)?.join("/"))));
        }
        let checks = script.lines().filter_map(|line| {
            let (name, _) = line.trim_start().strip_prefix(CHECK)?.split_once('\'')?;
            Some(name.to_owned())
        });
        Self { tests, checks: checks.collect() }
    }

    fn faults(&self, page: &str) -> Vec<String> {
        let rows = page.lines().skip_while(|line| !line.starts_with(HEADER)).skip(2);
        let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        let mut faults: Vec<String> = rows.iter().filter_map(|row| self.fault(row)).collect();
        let told = rows.concat();
        let forgotten = self.checks.iter().filter(|name| !told.contains(&format!("`{name}`: ")));
        faults.extend(forgotten.map(|name| {
            format!("{PAGE}: no row names the check `{name}`; instead: say what it shows")
        }));
        if rows.is_empty() {
            faults
                .push(format!("{PAGE}: there is no table of capabilities; instead: bring it back"));
        }
        faults
    }

    fn fault(&self, row: &str) -> Option<String> {
        let breach = |what: String| Some(format!("{PAGE}: {what}; instead: name what shows it"));
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [capability, under_wine, on_windows] = cells.as_slice() else {
            return breach(format!("a row has not three cells: {row}"));
        };
        let unknown = quoted(under_wine).find(|name| is_test(name) && !self.tests.contains(*name));
        let strange = checks(on_windows).find(|name| !self.checks.contains(*name));
        if let Some(name) = unknown.or(strange) {
            return breach(format!("there is no `{name}`"));
        }
        let is_shown = quoted(under_wine).any(|name| self.tests.contains(name))
            || checks(on_windows).next().is_some();
        if is_shown { None } else { breach(format!("nothing shows `{}`", capability.trim())) }
    }
}

/// Names of functions; helpers among them do no harm.
fn functions(text: &str) -> impl Iterator<Item = &str> {
    let behind = text.lines().filter_map(|line| line.trim_start().split_once("fn "));
    behind.filter_map(|(_, name)| name.split(['(', '<']).next())
}

/// Returns what stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns what stands in backticks before a colon.
fn checks(text: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<&str> = text.split('`').collect();
    let names = parts.windows(2).skip(1).step_by(2).filter_map(|pair| match pair {
        [name, behind] if behind.starts_with(": ") => Some(*name),
        _ => None,
    });
    names.collect::<Vec<_>>().into_iter()
}

/// A sentence in the form of a function's name, or a file.
fn is_test(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_sentence = name.matches('_').count() > 1
        && name.chars().all(|letter| is_plain(letter) || letter == '_');
    is_sentence
        || (name.contains('/') && Path::new(name).extension().is_some_and(|kind| kind == "rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "| capability | under Wine | on a real Windows |\n|---|---|---|\n";

    fn faults(row: &str) -> Vec<String> {
        let sources = [("crates/a/tests/all_die.rs".to_owned(), "    fn it_is_so() {".to_owned())];
        Proofs::of("    Check 'big-day' {\n", &sources).faults(&format!("{HEAD}{row}\n"))
    }

    #[test]
    fn a_row_names_what_shows_it() {
        let check = |row: &str| assert_eq!(faults(row), Vec::<String>::new(), "{row}");
        check("| a | `it_is_so`, `all_die` | `big-day`: not run yet |");
        check("| a | Wine has none | `big-day`: passed on 10.0 on 2026-01-01 |");
    }

    #[test]
    fn what_is_not_there_shows_nothing() {
        let check = |row: &str, expected: &str| {
            let found = faults(row);
            assert!(found.iter().any(|fault| fault.contains(expected)), "{row}: {found:?}");
        };
        check("| a | `it_was_so_once` | `big-day`: not run yet |", "there is no `it_was_so_once`");
        check("| a | `it_is_so` | `small-day`: not run yet |", "there is no `small-day`");
        check("| a | Wine has none | – |", "nothing shows `a`");
        check("| a | `it_is_so` |", "has not three cells");
        check("| a | `it_is_so` | – |", "no row names the check `big-day`");
    }
}
