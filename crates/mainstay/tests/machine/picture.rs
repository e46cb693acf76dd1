//! Output without what is different each time, to be compared as a whole.

use crate::sandbox::Sandbox;

/// What may stand around a word.
const MARKS: &[char] = &['(', ')', ',', '.', ';', ':', '`'];

/// Returns a text with `DIR`, `TIME`, `SPAN` and `PID` for what they stand for, and one space
/// between words: the width of columns follows the numbers in them.
pub(crate) fn of(sandbox: &Sandbox, text: &str) -> String {
    let status = sandbox.status();
    let units = status.units.iter().filter_map(|unit| unit.pid);
    let pids: Vec<String> = [status.keeper.pid, status.agent.pid]
        .into_iter()
        .chain(units)
        .map(|pid| pid.to_string())
        .collect();
    let text = text.replace(&sandbox.folder().display().to_string(), "DIR");
    text.lines().map(|line| line_of(line, &pids) + "\n").collect()
}

fn line_of(line: &str, pids: &[String]) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let is_unit = matches!(word.trim_matches(MARKS), "ms" | "s" | "min");
        let number = words.pop_if(|last| is_unit && last.bytes().all(|byte| byte.is_ascii_digit()));
        // `5 s` is as good as `5s`.
        words.push(word_of(&(number.unwrap_or_default() + word), pids));
    }
    " ".repeat(indent) + &words.join(" ")
}

fn word_of(word: &str, pids: &[String]) -> String {
    let bare = word.trim_matches(MARKS);
    let name = if pids.iter().any(|pid| pid == bare) {
        "PID"
    } else if is_time(bare) {
        "TIME"
    } else if is_span(bare) {
        "SPAN"
    } else {
        bare
    };
    if bare.is_empty() { word.to_owned() } else { word.replacen(bare, name, 1) }
}

/// `2026-01-31T23:59:59.999Z`.
fn is_time(word: &str) -> bool {
    let shape: String =
        word.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    shape == "0000-00-00T00:00:00.000Z"
}

/// `340ms`, `5s`, `2m`.
fn is_span(word: &str) -> bool {
    let unit = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
    unit.len() < word.len() && matches!(unit, "ms" | "s" | "m" | "h" | "d")
}

#[test]
fn a_picture_keeps_everything_but_numbers_that_change() {
    let pids = ["4711".to_owned()];
    let check = |line: &str, expected: &str| assert_eq!(line_of(line, &pids), expected);
    check("  web   running   12s    4711", "  web running SPAN PID");
    check("since 2026-11-21T07:18:01.176Z (0s):", "since TIME (SPAN):");
    check("run 5 ended with code 3 after 12 ms.", "run 5 ended with code 3 after SPAN.");
}
