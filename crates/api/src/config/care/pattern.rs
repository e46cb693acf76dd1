//! A regular expression, compiled once.

use regex_lite::{Regex, RegexBuilder};

/// A longer expression is refused.
const PATTERN_BYTES_MAX: usize = 1024;

/// What an expression may take when it is compiled: the time of a match grows with it.
const COMPILED_BYTES_MAX: usize = 64 * 1024;

/// A regular expression; two are equal when they are written alike.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles an expression, or says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            let count = text.len();
            return Err(format!("the expression has {count} bytes, more than {PATTERN_BYTES_MAX}"));
        }
        let regex = RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).build();
        let regex = regex.map_err(|error| format!("`{text}` is no regular expression: {error}"))?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// Returns whether it is found anywhere in a text.
    pub fn is_found_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Returns the expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}
