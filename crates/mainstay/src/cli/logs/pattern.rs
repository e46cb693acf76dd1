//! What `mainstay logs --grep` looks for.

use regex_lite::Regex;

/// A regular expression; one without special letters is looked for as text, which is faster.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Text(String),
    Expression(Regex),
}

impl Pattern {
    /// Reads one; says in words where it makes no sense.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if regex_lite::escape(text) == text {
            return Ok(Self::Text(text.to_owned()));
        }
        Regex::new(text).map(Self::Expression).map_err(|error| error.to_string())
    }

    /// Returns whether it is anywhere in a line.
    pub(super) fn is_in(&self, line: &str) -> bool {
        match self {
            Self::Text(text) => line.contains(text),
            Self::Expression(expression) => expression.is_match(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_letters_make_an_expression_and_others_a_text() {
        let check = |pattern: &str, line: &str, expected: bool| {
            let found = Pattern::parse(pattern).unwrap().is_in(line);
            assert_eq!(found, expected, "{pattern} {line}");
        };
        check("nix wü", "unix würde", true);
        check("Unix", "unix", false);
        check("(?i)Unix", "unix", true);
        check("a.c", "abc", true);
        check(r"a\.c", "abc", false);
        check("^b", "abc", false);
        check("", "", true);
        assert!(matches!(Pattern::parse("error 7").unwrap(), Pattern::Text(_)));
        assert!(matches!(Pattern::parse("error|panic").unwrap(), Pattern::Expression(_)));
        Pattern::parse("(").unwrap_err();
    }
}
