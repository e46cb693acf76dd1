//! Lines no wider than a terminal, of letters that are not all equally wide.

use mainstay_words::{width, within};

/// Letters that no line begins with.
const NEVER_FIRST: &str = "，。、；：！？）」》…”,.;:!?)]";

/// Wraps each line; what goes on stands below its cell.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| line_within(line, columns)).collect();
    lines.join("\n")
}

fn line_within(line: &str, columns: usize) -> String {
    let indent = indent(line);
    let mut told = String::new();
    let mut rest = line.to_owned();
    // A cell that begins too far to the right is left to the terminal.
    while width(&rest) > columns && indent + 20 < columns {
        let (first, behind) = rest.split_at(break_at(&rest, columns, indent));
        if behind.is_empty() {
            break;
        }
        told = told + first.trim_end() + "\n";
        rest = " ".repeat(indent) + behind.trim_start();
    }
    told + &rest
}

/// Returns where the last cell of a line begins.
fn indent(line: &str) -> usize {
    let last = line.trim_end().rfind("  ").map_or(0, |at| at + 2);
    width(line.get(..last).unwrap_or_default())
}

/// Returns where a line is broken, behind its indent: at a blank or beside a wide letter.
fn break_at(line: &str, columns: usize, indent: usize) -> usize {
    let most = within(line, columns).len();
    let mut best = most;
    let mut before = 'a';
    for (at, letter) in line.char_indices().take_while(|(at, _)| *at <= most) {
        let is_behind_indent = width(line.get(..at).unwrap_or_default()) > indent;
        let is_between = before == ' ' || is_wide(before) || is_wide(letter);
        if is_behind_indent && is_between && !NEVER_FIRST.contains(letter) && letter != ' ' {
            best = at;
        }
        before = letter;
    }
    best
}

fn is_wide(letter: char) -> bool {
    width(letter.encode_utf8(&mut [0; 4])) > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_stands_below_its_cell() {
        let line = "  --lines <N>  显示多少行，或 `all`；默认 50 行";
        assert_eq!(
            wrapped(line, 37),
            "  --lines <N>  显示多少行，或 `all`；\n               默认 50 行"
        );
        assert_eq!(wrapped(line, 80), line);
        assert_eq!(wrapped("one\ntwo", 80), "one\ntwo");
    }

    #[test]
    fn no_line_begins_with_a_full_stop() {
        let told = wrapped("  这是一句话，很长很长很长很长很长。这里继续说下去。", 34);
        assert_eq!(told, "  这是一句话，很长很长很长很长很\n  长。这里继续说下去。");
    }

    #[test]
    fn what_cannot_be_broken_is_cut() {
        assert_eq!(wrapped(&"x".repeat(50), 40), format!("{}\n{}", "x".repeat(40), "x".repeat(10)));
    }
}
