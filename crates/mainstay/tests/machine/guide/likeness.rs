//! Whether an output is the one that a page shows.
//!
//! `…` stands for any text, alone on a line for any lines. Times, spans and sizes are different each
//! time, and so is the width of columns. A number of four digits and more stands for any number, as
//! that of a process.

use std::sync::LazyLock;

use regex::Regex;

/// Whether numbers have to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Same,
    /// Nought alone has to be nought.
    Differ,
}

/// Patterns, and what stands for them.
type Masks = Vec<(Regex, &'static str)>;

/// What stands for all that looks like it.
const MASKS: &[(&str, &str)] = &[
    (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9:]{5})?",
        "TIME",
    ),
    (r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?", "TIME"),
    (r"[0-9]+(\.[0-9]+)? ?([KMG]iB|bytes)", "SIZE"),
    (r"[0-9]+(\.[0-9]+)? ?(µs|ms|s|min|m|h|d)(?-u:\b)", "SPAN"),
    (r"[0-9]+(\.[0-9]+)? (微秒|毫秒|秒|分钟|小时|天)", "SPAN"),
    (r"[0-9]+ written meanwhile, [0-9]+ of", "LINES of"),
    (r"期间写入 [0-9]+ 行，其中 [0-9]+ 行", "LINES"),
];
/// Numbers on a page that stand for others.
const LONG: (&str, &str) = ("(?-u:\\b)[0-9]{4,}(?-u:\\b)", "(?-u:\\b)[0-9]+(?-u:\\b)");
/// The same, where counts differ.
const COUNT: (&str, &str) = ("[1-9][0-9]*", "[1-9][0-9]*");

/// Returns whether the lines are what is shown.
pub(super) fn is_like(shown: &[String], lines: &[&str], counts: Counts) -> bool {
    let Some((first, rest)) = shown.split_first() else {
        return lines.is_empty();
    };
    if first.trim() == "…" {
        return (0..=lines.len()).any(|at| is_like(rest, &lines[at..], counts));
    }
    let Some((line, after)) = lines.split_first() else {
        return false;
    };
    is_line_like(first, line, counts) && is_like(rest, after, counts)
}

fn is_line_like(shown: &str, line: &str, counts: Counts) -> bool {
    let mut pattern = regex::escape(&masked(shown)).replace('…', ".*");
    // Names take their place first: a pattern has numbers of its own.
    let stand = if counts == Counts::Same { &[LONG][..] } else { &[LONG, COUNT] };
    for ((number, _), name) in stand.iter().zip(["LONG", "COUNT"]) {
        pattern = Regex::new(number).unwrap().replace_all(&pattern, name).into_owned();
    }
    for ((_, any), name) in stand.iter().zip(["LONG", "COUNT"]) {
        pattern = pattern.replace(name, any);
    }
    Regex::new(&format!("^{pattern}$")).unwrap().is_match(&masked(line))
}

/// Returns a line without what is different each time.
fn masked(line: &str) -> String {
    static ALL: LazyLock<Masks> = LazyLock::new(|| {
        MASKS.iter().map(|(pattern, name)| (Regex::new(pattern).unwrap(), *name)).collect()
    });
    let replace = |line: String, (pattern, name): &(Regex, &str)| {
        pattern.replace_all(&line, *name).into_owned()
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    ALL.iter().fold(words.join(" "), replace)
}

#[test]
fn what_differs_each_time_is_alike_and_nothing_else() {
    let check = |shown: &str, line: &str, expected: bool| {
        assert_eq!(is_line_like(shown, line, Counts::Same), expected, "{shown} / {line}");
    };
    check("web  running  12s   4711  0", "web running 340ms 31337 0", true);
    check("web  running  12s   4711  0", "web running 340ms 31337 1", false);
    check("since 2026-11-21T07:18:01.176Z (0s):", "since 2027-01-02T03:04:05Z (2m):", true);
    check("code 3 after 5 s", "code 3 after 5.2 ms", true);
    check("code 3 after 5 s", "code 4 after 5 s", false);
    check("历时 179.6 毫秒", "历时 5 秒", true);
    check("历时 179.6 毫秒", "历时 5 步", false);
    check("pid 4711", "pid 7", true);
    check("code 3", "code 31337", false);
    check("an … of", "an end of", true);
    check("an … of", "an end off", false);
    assert!(is_line_like("3 of 4", "1 of 2", Counts::Differ));
    assert!(!is_line_like("0 lost", "1 lost", Counts::Differ));
}

#[test]
fn lines_that_are_left_out_are_any_and_others_are_all_there() {
    let check = |shown: &[&str], lines: &[&str], expected: bool| {
        let shown: Vec<String> = shown.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(is_like(&shown, lines, Counts::Same), expected, "{shown:?} / {lines:?}");
    };
    check(&["a", "…", "d"], &["a", "b", "c", "d"], true);
    check(&["a", "…"], &["a"], true);
    check(&["a"], &["a", "b"], false);
    check(&[], &["a"], false);
    check(&["…", "c"], &["a", "b"], false);
}
