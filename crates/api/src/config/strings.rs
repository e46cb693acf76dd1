//! Which ends of lines of a text of TOML lie in a string, and are part of its value.

/// What begins something in which quotes mean nothing else, the longest first.
const OPENING: [&str; 5] = ["\"\"\"", "'''", "\"", "'", "#"];
/// A string of several lines.
const LONG: usize = 3;

/// Returns for each line of a text whether its end is part of a value.
///
/// An end behind `\` is none: whoever reads TOML leaves it out. Text that is no TOML has no strings
/// either that anybody could rely on.
pub(super) fn ends(text: &str) -> Vec<bool> {
    let mut scan = Scan { open: "", ends: Vec::new() };
    let mut rest = text;
    while !rest.is_empty() {
        let taken = scan.take(rest);
        rest = rest.get(taken..).unwrap_or_default();
    }
    if !text.ends_with('\n') {
        scan.ends.push(false);
    }
    scan.ends
}

struct Scan {
    /// What began that in which we are; nothing outside of strings and comments.
    open: &'static str,
    ends: Vec<bool>,
}

impl Scan {
    /// Takes what comes next; returns its length.
    fn take(&mut self, rest: &str) -> usize {
        if rest.starts_with('\n') {
            self.ends.push(self.open.len() == LONG);
            if self.open.len() < LONG {
                self.open = "";
            }
            return 1;
        }
        if self.open.is_empty() {
            self.open = OPENING.into_iter().find(|open| rest.starts_with(open)).unwrap_or_default();
            return self.open.len().max(letter(rest));
        }
        if self.open.starts_with('"') && rest.starts_with('\\') {
            return self.escaped(rest);
        }
        if self.open != "#" && rest.starts_with(self.open) {
            return self.closed(rest);
        }
        letter(rest)
    }

    /// Takes a backslash and what it is for: a letter, or blanks and the end of the line.
    fn escaped(&mut self, rest: &str) -> usize {
        let behind = rest.get(1..).unwrap_or_default();
        let blanks =
            behind.len().saturating_sub(behind.trim_start_matches([' ', '\t', '\r']).len());
        if self.open.len() == LONG && behind.get(blanks..).is_some_and(|end| end.starts_with('\n'))
        {
            self.ends.push(false);
            return blanks.saturating_add(2);
        }
        if behind.starts_with('\n') { 1 } else { letter(behind).saturating_add(1) }
    }

    /// Takes the end of a string: a long one may have two quotes more before it.
    fn closed(&mut self, rest: &str) -> usize {
        let open = std::mem::take(&mut self.open);
        if open.len() < LONG {
            return open.len();
        }
        let quotes = rest.bytes().take_while(|byte| rest.bytes().next() == Some(*byte)).count();
        quotes.min(LONG + 2)
    }
}

/// Returns the length of the first letter.
fn letter(rest: &str) -> usize {
    rest.chars().next().map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines whose end is part of a value end with `~`.
    fn check(text: &str) {
        let is: Vec<bool> = ends(&text.replace('~', ""));
        let expected: Vec<bool> =
            text.split_inclusive('\n').map(|line| line.trim_end().ends_with('~')).collect();
        assert_eq!(is, expected, "{text}");
    }

    #[test]
    fn an_end_in_a_long_string_is_part_of_it() {
        check("a = 1\nb = \"x\" # it's \"\"\"\nc = 2");
        check("a = \"\"\"~\none~\r\ntwo\"\"\"\nb = '''x~\n\\~\n'''\n");
        check("a = \"\\\nb = 1\r\nc");
        check("a = \"\"\"one\\\n two \\ \t\r\n~\n\\\"\"\"~\n\"\"\"\"\"\nb = 1\n");
        check(
            "a = \"\"\"\"\"\"\nb = ''\nc = \"\\\"\"\n\"#\" = 1\nd = '\\'\n\u{e9} = '''\u{e9}~\n'''",
        );
    }
}
