//! The table of one language, and how a text is found in it.

use std::collections::HashMap;

use crate::{
    fragments::{fragments, prefixed},
    matching::{self, Held},
    pattern::{Pattern, Piece},
    po, spans,
};

/// The texts of one language by the English ones.
#[derive(Debug, Default)]
pub struct Catalog {
    exact: HashMap<String, String>,
    patterns: Vec<Known>,
    /// The patterns that begin with a letter, by that letter; those that begin with a hole have
    /// none. The one with the most letters of its own comes first.
    by_start: HashMap<Option<char>, Vec<usize>>,
}

#[derive(Debug)]
struct Known {
    english: Pattern,
    other: Pattern,
    /// The longest piece that is always the same: what has it not cannot match.
    longest: String,
}

impl Known {
    /// Returns whether it begins with this hole, and the joint is in it: then it is two clauses.
    fn begins(&self, held: &Held<'_, '_>, joint: &str) -> bool {
        let is_first = matches!(self.english.pieces().first(), Some(Piece::Hole(_)));
        is_first && held.text.contains(joint)
    }
}

/// What holds what is no text: names that the user has given, and paths.
const DATA: &[&str] = &[
    "account",
    "address",
    "command",
    "directory",
    "file",
    "folder",
    "group",
    "host",
    "id",
    "instance",
    "key",
    "name",
    "path",
    "pid",
    "program",
    "provider",
    "service",
    "unit",
    "url",
    "user",
    "value",
    "voter",
    "zone",
];

/// What holds one of a few words of ours, which are labels in the table.
const WORDS: &[&str] = &["hard", "soft", "verdict"];

/// What stands between two texts.
const JOINTS: &[&str] = &["; ", ". ", ": ", ", "];

/// What stands behind a text.
const ENDS: &[&str] = &[".", ":", "…", "?"];

/// What stands before the last item of a list.
const LAST: &[&str] = &[" or ", " and "];

/// What stands before a sign in the table: what joins texts, ends them and stands around them.
pub const SIGN: &str = "sign\u{4}";

/// What stands before a label in the table.
pub const LABEL: &str = "label\u{4}";

/// How often a text is taken apart; deeper ones stay as they are.
const DEPTH_MAX: usize = 8;

/// A pattern with no more letters than these matches almost everything.
const LETTERS_FEW: usize = 8;

/// The longest fragment that is looked at: people say less.
const LETTERS_MAX: usize = 8_192;

impl Catalog {
    /// Reads a table from its files; what has no other text yet stays English.
    pub fn of(files: &[&str]) -> Result<Self, po::PoError> {
        let mut catalog = Self::default();
        for file in files {
            for entry in po::parse(file)? {
                if !entry.id.is_empty() && !entry.text.is_empty() {
                    catalog.add(&entry);
                }
            }
        }
        catalog.sort();
        Ok(catalog)
    }

    fn add(&mut self, entry: &po::Entry) {
        let english = Pattern::of(&entry.id);
        let other = Pattern::of(&entry.text);
        if english.holes().is_empty() {
            self.exact.insert(english.with_holes(""), other.with_holes(""));
            return;
        }
        let literals = english.pieces().iter().filter_map(literal);
        let longest = literals.max_by_key(|text| text.len()).unwrap_or_default().to_owned();
        self.patterns.push(Known { english, other, longest });
    }

    fn sort(&mut self) {
        self.patterns.sort_by_key(|known| std::cmp::Reverse(known.english.weight()));
        for (at, known) in self.patterns.iter().enumerate() {
            let start = known.english.pieces().first().and_then(literal);
            let start = start.and_then(|text| text.chars().next());
            self.by_start.entry(start).or_default().push(at);
        }
    }

    /// Returns a text of any number of lines and cells in the other language, as far as it is
    /// known.
    pub fn told(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let hint = self.exact("hint").unwrap_or_default().to_owned() + self.sign(": ");
        for fragment in fragments(text) {
            // Both signs are as wide as the blanks that align hints with errors.
            let is_aligned = fragment.before == "  " && told.ends_with(&hint);
            told.push_str(if is_aligned { "" } else { fragment.before });
            told.push_str(&self.fragment(fragment.text));
        }
        told
    }

    /// Returns one line or cell in the other language, as far as it is known.
    pub fn fragment(&self, text: &str) -> String {
        if text.len() > LETTERS_MAX {
            return text.to_owned();
        }
        self.found(text, 0).unwrap_or_else(|| text.to_owned())
    }

    /// Returns the other text of exactly this one.
    pub fn exact(&self, text: &str) -> Option<&str> {
        self.exact.get(text).map(String::as_str)
    }

    /// Returns the other text of a word that stands alone, as a heading or before a value: such a
    /// word is in the table under `label`, and is taken for no part of any text.
    pub fn label<'t>(&'t self, text: &'t str) -> &'t str {
        self.exact(&format!("{LABEL}{text}")).unwrap_or(text)
    }

    fn found(&self, text: &str, depth: usize) -> Option<String> {
        if depth > DEPTH_MAX || !text.contains(|letter: char| letter.is_ascii_alphabetic()) {
            return None;
        }
        if let Some((colour, inside)) = coloured(text) {
            return Some(format!("{colour}{}\u{1b}[0m", self.found(inside, depth + 1)?));
        }
        let whole = self.exact(text).map(str::to_owned);
        whole
            .or_else(|| self.by_span(text, depth))
            .or_else(|| self.by_prefix(text, depth))
            .or_else(|| self.by_stop(text, depth))
            .or_else(|| self.by_pattern(text, depth, is_one_part))
            .or_else(|| self.by_end(text, depth))
            .or_else(|| self.by_list(text))
            .or_else(|| self.by_parts(text, depth))
            .or_else(|| self.by_pattern(text, depth, |_| true))
    }

    /// `error: …` and its like say whose words follow.
    fn by_prefix(&self, text: &str, depth: usize) -> Option<String> {
        let (prefix, rest) = prefixed(text)?;
        let rest = self.found(rest, depth + 1).unwrap_or_else(|| rest.to_owned());
        Some(format!("{}{}{rest}", self.exact(prefix)?, self.sign(": ")))
    }

    /// `may_begin` says what the holes may hold that a pattern begins with: `{} is {}` would else
    /// take every text with an `is` in its last sentence.
    fn by_pattern(&self, text: &str, depth: usize, may_begin: fn(&str) -> bool) -> Option<String> {
        let of = |start: Option<char>| self.by_start.get(&start).map_or(&[][..], Vec::as_slice);
        let mut fitting: Vec<usize> =
            of(text.chars().next()).iter().chain(of(None)).copied().collect();
        // The patterns are sorted, and so are their numbers.
        fitting.sort_unstable();
        fitting.iter().find_map(|&at| {
            let known = self.patterns.get(at)?;
            let held =
                text.contains(&known.longest).then(|| matching::held(&known.english, text))??;
            let begin = begin(&known.english, &held);
            begin.into_iter().all(may_begin).then(|| self.filled(known, &held, depth))?
        })
    }

    /// Returns the text with what is in the holes, told as well. A pattern of a few letters counts
    /// only where each hole has one word, or one that is known: else it says too little. No hole
    /// holds two clauses: those are told one by one.
    fn filled(&self, known: &Known, held: &[Held<'_, '_>], depth: usize) -> Option<String> {
        let is_weak = known.english.weight() <= LETTERS_FEW;
        let is_torn = |(at, one): (usize, &Held<'_, '_>)| {
            let is_clause = known.begins(one, ": ") || is_weak && known.begins(one, ", ");
            !one.is_name
                && (one.text.contains("; ") || at == 0 && is_clause || ends_sentence(one.text))
        };
        if held.iter().enumerate().any(is_torn) {
            return None;
        }
        let mut told = HashMap::new();
        for one in held {
            let is_data = one.is_name || DATA.contains(&one.hole);
            let is_word = WORDS.contains(&one.hole);
            let word = is_word.then(|| self.label(one.text)).filter(|word| *word != one.text);
            let found = if is_data { None } else { self.found(one.text, depth + 1) };
            let found = word.map(str::to_owned).or(found);
            let is_word = is_data || !one.text.contains(' ');
            if found.is_none() && !is_word && is_weak {
                return None;
            }
            told.entry(one.hole).or_insert_with(|| found.unwrap_or_else(|| one.text.to_owned()));
        }
        Some(known.other.filled(|hole| told.get(hole).cloned().unwrap_or_default()))
    }

    /// A span of time within a sentence; one that stands alone in a cell is short in every language.
    fn by_span(&self, text: &str, depth: usize) -> Option<String> {
        let unit = |name: &str| self.exact.get(&format!("{LABEL}{name}")).map(String::as_str);
        (depth > 0 || spans::is_sentence(text)).then(|| spans::told(text, unit))?
    }

    /// A full stop is no part of any text in the table: the last hole of a pattern is not to take
    /// it.
    fn by_stop(&self, text: &str, depth: usize) -> Option<String> {
        let text = text.strip_suffix('.')?;
        Some(self.found(text, depth + 1)? + self.sign("."))
    }

    fn by_end(&self, text: &str, depth: usize) -> Option<String> {
        ENDS.iter().find_map(|end| {
            let text = text.strip_suffix(end)?;
            Some(self.found(text, depth + 1)? + self.sign(end))
        })
    }

    /// A list of names: `a`, `b` or `c`.
    fn by_list(&self, text: &str) -> Option<String> {
        let split = |last: &&'static str| Some((*last, text.rsplit_once(*last)?));
        let (last, (before, end)) = LAST.iter().find_map(split)?;
        let items = before.split(", ").chain([end]);
        let told = |item| if is_one_name(item) { Some(self.found(item, DEPTH_MAX)) } else { None };
        let told: Vec<String> = items
            .map(|item| Some(told(item)?.unwrap_or_else(|| item.to_owned())))
            .collect::<Option<_>>()?;
        let (end, before) = told.split_last()?;
        Some(before.join(self.sign("list, ")) + self.sign(last) + end)
    }

    /// Returns what is written in the place of a sign.
    pub fn sign<'t>(&'t self, sign: &'t str) -> &'t str {
        self.exact(&format!("{SIGN}{sign}")).unwrap_or(sign)
    }

    fn by_parts(&self, text: &str, depth: usize) -> Option<String> {
        if let Some((before, inside)) = bracketed(text, '(', ')') {
            let open = self.sign(" (");
            return self.joined(&[before, inside], open, depth).map(|text| text + self.sign(")"));
        }
        if let Some(inside) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
            let (open, close) = (self.sign(" ("), self.sign(")"));
            return self.found(inside, depth + 1).map(|text| [open, &text, close].concat());
        }
        if let Some((before, inside)) = bracketed(text, '[', ']') {
            return self.joined(&[before, inside], " [", depth).map(|text| text + "]");
        }
        if let Some(inside) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            return self.found(inside, depth + 1).map(|text| format!("[{text}]"));
        }
        if let Some((item, rest)) = text.strip_prefix("- ").and_then(|text| text.split_once(": ")) {
            return self.found(rest, depth + 1).map(|rest| format!("- {item}: {rest}"));
        }
        // A place, as in `accounts.cf.token: …`, is told of all that follows.
        if let Some((place, what)) = text.split_once(": ").filter(|(place, _)| !place.contains(' '))
            && let Some(told) = self.joined(&[place, what], self.sign(": "), depth)
        {
            return Some(told);
        }
        JOINTS.iter().find_map(|joint| {
            let parts = apart(text, joint);
            (parts.len() > 1).then(|| self.joined(&parts, self.sign(joint), depth))?
        })
    }

    /// Returns the parts, when one of them at least is known.
    fn joined(&self, parts: &[&str], joint: &str, depth: usize) -> Option<String> {
        let found: Vec<Option<String>> =
            parts.iter().map(|part| self.found(part, depth + 1)).collect();
        found.iter().any(Option::is_some).then(|| {
            let each = found.into_iter().zip(parts);
            let each = each.map(|(found, part)| found.unwrap_or_else(|| (*part).to_owned()));
            each.collect::<Vec<_>>().join(joint)
        })
    }

    /// Returns the English texts that are taken for another one: what one pattern has made, with
    /// `filler` in its holes, another one takes first. Of two holes side by side nobody can tell
    /// which one holds what.
    pub fn mistaken(&self, filler: &str) -> Vec<String> {
        let is_clear = |known: &&Known| !known.english.has_holes_side_by_side();
        let wrong = self.patterns.iter().filter(is_clear).filter(|known| {
            let made = known.english.with_holes(filler);
            self.found(&made, 0) != Some(known.other.with_holes(filler))
        });
        wrong.map(|known| known.english.with_holes("{}")).collect()
    }
}

fn literal(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Literal(text) => Some(text),
        Piece::Hole(_) => None,
    }
}

/// Returns what is in the holes that stand before the first word of a pattern.
fn begin<'t>(pattern: &Pattern, held: &[Held<'_, 't>]) -> Vec<&'t str> {
    let is_word = |text: &str| text.contains(char::is_alphabetic);
    let open = pattern.pieces().iter().take_while(|it| !literal(it).is_some_and(is_word));
    let is_open = |one: &&Held<'_, '_>| {
        open.clone().any(|piece| matches!(piece, Piece::Hole(name) if name == one.hole))
    };
    held.iter().filter(is_open).map(|one| one.text).collect()
}

/// Returns whether a text is neither several sentences nor a place and what is said of it.
fn is_one_part(text: &str) -> bool {
    !text.ends_with([';', '.', ':'])
        && ["; ", ". ", ": "].iter().all(|joint| apart(text, joint).len() == 1)
}

/// Returns whether what is in a hole has taken the full stop behind it, as no name does.
fn ends_sentence(text: &str) -> bool {
    let is_number = text.starts_with(|letter: char| letter.is_ascii_digit());
    text.ends_with('.') && !text.ends_with("..") && (is_number || text.contains(' '))
}

/// Returns whether a text is a single word, or stands in backticks.
fn is_one_name(text: &str) -> bool {
    let quoted = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
    quoted.is_some_and(|name| !name.contains('`')) || !text.is_empty() && !text.contains([' ', '`'])
}

/// Returns the colour of a text and what is coloured, when all of it is.
fn coloured(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("\u{1b}[")?.strip_suffix("\u{1b}[0m")?;
    let (code, inside) = inside.split_once('m')?;
    let colour = text.get(..code.len() + 3)?;
    (!inside.contains('\u{1b}')).then_some((colour, inside))
}

/// Returns what stands before the brackets that a text ends with, and inside.
fn bracketed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let (before, inside) = text.strip_suffix(close)?.rsplit_once(open)?;
    let before = before.strip_suffix(' ')?;
    (!before.is_empty() && !inside.contains(close)).then_some((before, inside))
}

/// Takes a text apart at a joint, but not within backticks; at the first one, if it is a colon.
fn apart<'t>(text: &'t str, joint: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, _) in text.match_indices(joint) {
        let before = text.get(begin..at).unwrap_or_default();
        if before.matches('`').count() % 2 == 1 {
            continue;
        }
        parts.push(before);
        begin = at + joint.len();
        if joint == ": " {
            break;
        }
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[(&str, &str)] = &[
        ("error", "错误"),
        ("running", "运行中"),
        ("default: {value}", "默认值：{value}"),
        ("agent", "代理"),
        ("everything has stopped", "已全部停止"),
        ("cannot start `{name}`", "无法启动 `{name}`"),
        ("cannot start `{name}`: {error}", "无法启动 `{name}`：{error}"),
        ("no such file", "没有这个文件"),
        ("{path} of {name} is {}", "{name} 的 {path} 是 {}"),
        ("{} units", "{} 个单元"),
        (
            "run {number} of `{unit}` ended with code {code}",
            "`{unit}` 第 {number} 次运行以代码 {code} 结束",
        ),
        ("{} in {}", "{1}后{0}"),
        ("run number {number} {what}", "第 {number} 次运行 {what}"),
        ("{} lives in {}", "{} 在 {}"),
        ("{} {name} lives in {}", "{} 里 {name} 在 {}"),
        ("{to}; it was {from}", "{to}；原来是 {from}"),
        ("sign\u{4}; ", "；"),
        ("sign\u{4}. ", "。"),
        ("sign\u{4}: ", "："),
        ("sign\u{4}.", "。"),
        ("sign\u{4} (", "（"),
        ("sign\u{4})", "）"),
        ("sign\u{4}, ", "，"),
        ("sign\u{4}list, ", "、"),
        ("sign\u{4} or ", " 或 "),
        ("label\u{4}log", "日志"),
        ("label\u{4}bad", "不良"),
        ("label\u{4}s", "秒"),
        ("label\u{4}ms", "毫秒"),
        ("the check {name} is {verdict}", "检查 {name} {verdict}"),
    ];

    fn catalog() -> Catalog {
        let entries = TABLE.iter().map(|(id, text)| po::Entry {
            id: (*id).into(),
            text: (*text).into(),
            ..po::Entry::default()
        });
        let file = po::write(&entries.collect::<Vec<_>>());
        Catalog::of(&[&file]).expect("it was just written")
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(catalog().told(text), expected, "{text}");
    }

    #[test]
    fn what_stands_in_the_table_is_told() {
        check("everything has stopped", "已全部停止");
        check("everything has stopped.", "已全部停止。");
        check("nothing is known of this", "nothing is known of this");
        check("", "");
    }

    #[test]
    fn a_label_is_no_part_of_a_text() {
        assert_eq!(
            ["log", "logs"].map(|label| catalog().label(label).to_owned()),
            ["日志", "logs"]
        );
        check("removed: log", "removed: log");
        check("the check bad is bad", "检查 bad 不良");
        check("bad", "bad");
    }

    #[test]
    fn what_is_in_a_hole_is_told_as_well() {
        check("error: cannot start `web`: no such file", "错误：无法启动 `web`：没有这个文件");
        check("cannot start `web`: EACCES", "无法启动 `web`：EACCES");
        check("x of y is \u{1b}[32mrunning\u{1b}[0m", "y 的 x 是 \u{1b}[32m运行中\u{1b}[0m");
    }

    #[test]
    fn a_span_has_its_unit_in_words_within_a_sentence() {
        check("3s", "3s");
        check("3s  running", "3s  运行中");
        check("210.4 ms", "210.4 毫秒");
        check("running (3s)", "运行中（3 秒）");
        check("cannot start `3s`: 3 s", "无法启动 `3s`：3 秒");
        check("default: 3s", "默认值：3s");
    }

    #[test]
    fn names_are_listed_as_the_language_has_it() {
        check("`a`, `b, c` or `d`", "`a`, `b, c` or `d`");
        check("`a`, `b` or `d e`", "`a`、`b` 或 `d e`");
        check("agent or 5", "代理 或 5");
        check("one thing or another", "one thing or another");
    }

    #[test]
    fn a_name_is_no_text() {
        check("cannot start `agent`", "无法启动 `agent`");
        check("agent of running is 3 units", "running 的 agent 是 3 个单元");
        check(
            "run 3 of `agent: running` ended with code 1",
            "`agent: running` 第 3 次运行以代码 1 结束",
        );
    }

    #[test]
    fn the_most_special_pattern_comes_first() {
        check("run 3 of `web` ended with code 1", "`web` 第 3 次运行以代码 1 结束");
        check("run number 3 of `web` went on", "第 3 次运行 of `web` went on");
    }

    #[test]
    fn a_pattern_of_a_few_letters_is_not_believed_where_it_would_tear_a_sentence() {
        check("start in 3s", "3 秒后start");
        check("3 units in 3s", "3 秒后3 个单元");
        check("nobody knows what is in there", "nobody knows what is in there");
    }

    #[test]
    fn sentences_and_cells_are_told_one_by_one() {
        check("3 units; everything has stopped", "3 个单元；已全部停止");
        check("x; y", "x; y");
        check("  agent     3 units\nrunning\n", "  代理     3 个单元\n运行中\n");
        check("3 units (running)", "3 个单元（运行中）");
        check("(running)", "（运行中）");
        check("no such file, and it is in 3s.", "没有这个文件，and it is in 3s。");
        check("run number 3 took 5 ms.", "第 3 次运行 took 5 ms。");
        check("{} of it; 3 units", "{} of it；3 个单元");
        check("3 units [running]", "3 个单元 [运行中]");
        check("- running: 3 units", "- running: 3 个单元");
    }

    #[test]
    fn what_a_pattern_begins_with_is_one_sentence() {
        check("x lives in y; everything has stopped", "x 在 y；已全部停止");
        check("everything has stopped; x lives in y", "已全部停止；x 在 y");
        check("a.b: cannot start `web`; x lives in y", "a.b：无法启动 `web`；x 在 y");
        check("a.b: x; it was y", "a.b：x；原来是 y");
        check("a: b; it was c", "a：b；原来是 c");
        check("a.b: it is x: y lives in z", "a.b：it is x：y 在 z");
    }

    #[test]
    fn hostile_texts_cost_no_more_than_others() {
        let long = "run `".repeat(1_500);
        assert!(catalog().told(&long).contains("run `"));
        let deep = "a: ".repeat(2_000);
        assert_eq!(catalog().told(&deep), deep);
        check("cannot start `", "cannot start `");
        check("cannot start `a` b`", "cannot start `a` b`");
        check("\u{1b}[", "\u{1b}[");
    }

    #[test]
    fn no_pattern_takes_what_another_has_made() {
        assert_eq!(catalog().mistaken("x1"), Vec::<String>::new());
    }
}
