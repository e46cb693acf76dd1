//! What `mainstay logs --grep` looks for, and where in a block it may be.
//!
//! A pattern is about what is shown of a line: without what could steer a terminal. Most bytes are
//! shown as they are, so that a whole block of them is searched at once, and only lines that may
//! fit are cut out of it.

use std::{borrow::Cow, ops::Range};

use mainstay_storage::read::Sieve;
use memchr::{memchr, memchr_iter, memrchr};
use regex::bytes::{Regex, RegexBuilder};

use crate::print;

/// So many matches of a block may reach over the end of their line: each costs a search that may
/// reach to the end of the block.
const RUNAWAYS_MAX: usize = 16;

/// A regular expression.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    regex: Regex,
}

/// Whether capitals matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Kept,
    Ignored,
}

/// What of a line a pattern is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// What is shown of it.
    Shown,
    /// Its bytes.
    Raw,
}

/// Which lines a sieve lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    /// Those that a pattern may fit.
    Fitting,
    /// Those that it may not fit.
    Others,
}

/// How much of some bytes is shown as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plainness {
    /// All of it.
    Plain,
    /// Something is left out, or shown in another way.
    Other,
}

impl Pattern {
    /// Reads one; says in words where it makes no sense.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let regex = build(text, Case::Kept).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// Returns the same, with or without regard to capitals.
    pub(super) fn with(self, case: Case) -> Self {
        // It was read before: letters do not make it wrong.
        let regex = build(&self.text, case).unwrap_or(self.regex);
        Self { text: self.text, regex }
    }

    /// Returns whether it is anywhere in a line.
    pub(super) fn is_in(&self, line: &[u8], view: View) -> bool {
        let line = without_return(line);
        if view == View::Raw || plainness(line) == Plainness::Plain {
            return self.regex.is_match(line);
        }
        self.regex.is_match(print::harmless(&String::from_utf8_lossy(line)).as_bytes())
    }

    /// Returns where it is in a text that is shown.
    pub(super) fn places(&self, shown: &str) -> Vec<Range<usize>> {
        let found = self.regex.find_iter(shown.as_bytes()).map(|found| found.range());
        found.filter(|range| !range.is_empty()).collect()
    }

    /// Returns whether its lines can be found in a whole block: not when it is about where a text
    /// begins or ends, which lines of a block do not.
    fn is_for_blocks(&self) -> bool {
        let flags = self.text.split("(?").skip(1).filter_map(|rest| rest.split([')', ':']).next());
        let is_about_text = |part: &&str| self.text.contains(*part);
        !["\\A", "\\z"].iter().any(is_about_text) && !flags.into_iter().any(|one| one.contains('-'))
    }

    /// Returns the lines of a plain block that may fit.
    fn lines_in(&self, block: &[u8]) -> Vec<Range<usize>> {
        let (mut lines, mut from, mut runaways) = (Vec::new(), 0, 0);
        while from < block.len()
            && let Some(found) = self.regex.find_at(block, from)
        {
            let line = line_around(block, found.start());
            if line.is_empty() {
                break;
            }
            from = line.end;
            runaways += usize::from(found.end() > line.end);
            lines.push(line);
            if runaways > RUNAWAYS_MAX {
                lines.push(from..block.len());
                break;
            }
        }
        lines
    }
}

/// `^` and `$` are at the ends of a line, be it one of many.
fn build(text: &str, case: Case) -> Result<Regex, regex::Error> {
    let mut builder = RegexBuilder::new(text);
    builder.multi_line(true).crlf(true).case_insensitive(case == Case::Ignored).build()
}

/// Sieves blocks for lines in which a pattern may be.
#[derive(Debug)]
pub(super) struct PatternSieve {
    pub(super) pattern: Pattern,
    pub(super) view: View,
    pub(super) sense: Sense,
}

impl Sieve for PatternSieve {
    fn lines(&self, block: &[u8]) -> Vec<Range<usize>> {
        match self.sense {
            Sense::Fitting => self.fitting(block),
            Sense::Others => self.others(block),
        }
    }
}

impl PatternSieve {
    /// Returns the lines of a block that the pattern may fit.
    fn fitting(&self, block: &[u8]) -> Vec<Range<usize>> {
        let is_plain = self.view == View::Raw || plainness_of_lines(block) == Plainness::Plain;
        if is_plain && self.pattern.is_for_blocks() {
            return self.pattern.lines_in(block);
        }
        lines(block).filter(|line| self.fits(block, line)).collect()
    }

    fn fits(&self, block: &[u8], line: &Range<usize>) -> bool {
        let text = block.get(line.clone()).unwrap_or_default();
        self.pattern.is_in(text.strip_suffix(b"\n").unwrap_or(text), self.view)
    }

    /// Returns what is between the lines of a block that the pattern fits.
    fn others(&self, block: &[u8]) -> Vec<Range<usize>> {
        let (mut others, mut from) = (Vec::new(), 0);
        for place in self.fitting(block) {
            let part = block.get(place.clone()).unwrap_or_default();
            let inside = lines(part).map(|line| place.start + line.start..place.start + line.end);
            for line in inside.filter(|line| self.fits(block, line)) {
                others.push(from..line.start);
                from = line.end;
            }
        }
        others.push(from..block.len());
        others.retain(|place| !place.is_empty());
        others
    }
}

/// Returns the lines of a block, each with its end.
fn lines(block: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let ends = memchr_iter(b'\n', block).map(|at| at + 1);
    let rest = block.last().filter(|last| **last != b'\n').map(|_| block.len());
    ends.chain(rest).scan(0, |from, end| Some(std::mem::replace(from, end)..end))
}

/// Returns the line that a place is in, with its end.
fn line_around(block: &[u8], at: usize) -> Range<usize> {
    let (before, behind) = block.split_at_checked(at).unwrap_or((block, &[]));
    let begin = memrchr(b'\n', before).map_or(0, |end| end + 1);
    begin..memchr(b'\n', behind).map_or(block.len(), |end| at + end + 1)
}

/// Windows' line ends have a letter more, which nobody sees.
fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns how lines are shown that end as they end on Unix or on Windows.
fn plainness_of_lines(block: &[u8]) -> Plainness {
    let is_line_end = |at: usize| block.get(at + 1) == Some(&b'\n');
    if !memchr_iter(b'\r', block).all(is_line_end) {
        return Plainness::Other;
    }
    plainness_but(block, |byte| byte == b'\r')
}

fn plainness(line: &[u8]) -> Plainness {
    plainness_but(line, |_| false)
}

/// Returns how bytes are shown, apart from some that the caller knows.
fn plainness_but(bytes: &[u8], is_known: impl Fn(u8) -> bool) -> Plainness {
    // No early end within a piece: so it is done many bytes at a time.
    let steers = |byte: u8| matches!(byte, 0..=8 | 0x0b..=0x1f | 0x7f) && !is_known(byte);
    let mut has_high = false;
    for piece in bytes.chunks(4096) {
        if piece.iter().fold(false, |any, byte| any | steers(*byte)) {
            return Plainness::Other;
        }
        has_high |= !piece.is_ascii();
    }
    // From U+0080 to U+009F there are more of what steers.
    let is_high_control = |at: usize| bytes.get(at + 1).is_some_and(|byte| *byte < 0xa0);
    if has_high && (str::from_utf8(bytes).is_err() || memchr_iter(0xc2, bytes).any(is_high_control))
    {
        return Plainness::Other;
    }
    Plainness::Plain
}

/// Marks places of a text with the codes of a colour.
pub(super) fn marked<'t>(text: &'t str, places: &[Range<usize>]) -> Cow<'t, str> {
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut marked, mut from) = (String::new(), 0);
    for place in places {
        marked.push_str(text.get(from..place.start).unwrap_or_default());
        marked.push_str("\u{1b}[1;31m");
        marked.push_str(text.get(place.clone()).unwrap_or_default());
        marked.push_str("\u{1b}[0m");
        from = place.end;
    }
    marked.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_is_about_what_is_shown() {
        let check = |text: &str, line: &[u8], expected: bool| {
            let found = pattern(text).is_in(line, View::Shown);
            assert_eq!(found, expected, "{text} {line:?}");
        };
        check("nix wü", "unix würde".as_bytes(), true);
        check("Unix", b"unix", false);
        check("(?i)Unix", b"unix", true);
        check("a.c", b"abc", true);
        check(r"a\.c", b"abc", false);
        check("^b", b"abc", false);
        check("", b"", true);
        check("^Bad: 4$", b"\x1b[31mBad\x1b[0m: 4\r", true);
        check("错误", "启动错误".as_bytes(), true);
        check("^.错", "启错误".as_bytes(), true);
        check("a\u{fffd}b", b"a\xffb", true);
        check("ab", "a\u{85}b".as_bytes(), true);
        assert!(pattern(r"\x1b\[31m").is_in(b"\x1b[31mBad", View::Raw));
        assert!(pattern("UNIX").with(Case::Ignored).is_in(b"unix", View::Shown));
        Pattern::parse("(").unwrap_err();
    }

    #[test]
    fn a_sieve_keeps_each_line_that_fits() {
        let patterns = [
            "", "b", "^a", "b$", "^$", r"a\s*b", "a[^x]*b", "[^x]*b", r"\bab\b", r"\Aab", r"ab\z",
            "(?-m)^ab", "A", "é", r"\x1b", "a|b", "x", r"\s", r"b\W*a", "a.b", "(?s)a.b",
        ];
        let letters =
            ["a", "b", "x", " ", "\n", "\r\n", "\r", "\u{1b}[1m", "é", "\u{85}", "\t", "\0"];
        let mut dice = 7_u64;
        let mut roll = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(dice >> 33).unwrap() % sides
        };
        let views = [View::Shown, View::Raw];
        let sieve = |text| {
            let both = [Sense::Fitting, Sense::Others];
            let all = views.into_iter().flat_map(move |view| both.map(|sense| (view, sense)));
            all.map(move |(view, sense)| PatternSieve { pattern: pattern(text), view, sense })
        };
        let sieves: Vec<PatternSieve> = patterns.into_iter().flat_map(sieve).collect();
        for round in 0..200 {
            // Some have nothing special in them, and most blocks are like that.
            let kinds = if round % 2 == 0 { 6 } else { letters.len() };
            let mut block: Vec<u8> =
                (0..roll(60)).flat_map(|_| letters[roll(kinds)].bytes()).collect();
            if round % 7 == 0 {
                block.push(0xff);
            }
            for sieve in &sieves {
                let fits = |line: &Range<usize>| {
                    let line = &block[line.clone()];
                    let line = line.strip_suffix(b"\n").unwrap_or(line);
                    sieve.pattern.is_in(line, sieve.view) == (sieve.sense == Sense::Fitting)
                };
                let expected: Vec<_> = lines(&block).filter(fits).collect();
                let kept = sieve.lines(&block);
                let is_kept = |line: &Range<usize>| {
                    kept.iter().any(|range| range.start <= line.start && line.end <= range.end)
                };
                let text = String::from_utf8_lossy(&block);
                assert!(
                    expected.iter().all(is_kept),
                    "round {round}: {sieve:?} in {text:?}: {kept:?}, not {expected:?}"
                );
                assert!(kept.windows(2).all(|pair| pair[0].end <= pair[1].start), "{kept:?}");
            }
        }
    }

    #[test]
    fn a_sieve_drops_what_cannot_fit() {
        let block = "one line\n".repeat(1000) + "an error\n" + &"one line\n".repeat(1000);
        let check = |text: &str, sense: Sense, expected: &[(usize, usize)]| {
            let sieve = PatternSieve { pattern: pattern(text), view: View::Shown, sense };
            let kept = sieve.lines(block.as_bytes());
            let kept: Vec<_> = kept.iter().map(|line| (line.start, line.end)).collect();
            assert_eq!(kept, expected, "{text}");
        };
        check("error", Sense::Fitting, &[(9000, 9009)]);
        check("^an|panic", Sense::Fitting, &[(9000, 9009)]);
        check("nothing", Sense::Fitting, &[]);
        check("line", Sense::Others, &[(9000, 9009)]);
        check("error", Sense::Others, &[(0, 9000), (9009, 18009)]);
        check("line|error", Sense::Others, &[]);
    }

    #[test]
    fn what_is_found_is_marked() {
        let pattern = pattern("r+|ü");
        let text = "error für";
        let expected = "e\u{1b}[1;31mrr\u{1b}[0mo\u{1b}[1;31mr\u{1b}[0m f\u{1b}[1;31mü\u{1b}[0m\u{1b}[1;31mr\u{1b}[0m";
        assert_eq!(marked(text, &pattern.places(text)), expected);
        assert_eq!(marked("none", &[]), "none");
    }
}
