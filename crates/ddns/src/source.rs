//! Where addresses come from, and what a source answers.
//!
//! Each kind of source is one file below `sources/`. A source asks all its voters at once and
//! judges nothing: which answer is believed is decided by the engine.

use std::{fmt, net::IpAddr};

use crate::{address::Family, line, wire::Later};

/// The longest name of a voter, and the most words of one.
const VOTER_CHARS_MAX: usize = 200;
const WORDS_CHARS_MAX: usize = 300;

/// One source of one family's addresses, such as three echo services or one interface.
pub trait Source: fmt::Debug + Send + Sync {
    /// Asks all its voters; the answer has one vote of each, in their order.
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>>;
}

/// What one voter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who: a URL without its query, an interface, a server. Short, for status.
    pub voter: String,
    /// The addresses it tells, best first, or why it tells none, in words for people.
    pub answer: Result<Vec<IpAddr>, String>,
}

impl Vote {
    /// Returns the same, without what could harm whoever reads it: servers choose these words.
    #[must_use]
    pub fn harmless(self) -> Self {
        let voter = line::of(&self.voter, VOTER_CHARS_MAX);
        let answer = self.answer.map_err(|words| line::of(&words, WORDS_CHARS_MAX));
        Self { voter, answer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_server_harm_nobody() {
        let answer = Err(format!("\u{1b}]0;x\u{7}\nSTATUS=fine{}", "!".repeat(9999)));
        let vote = Vote { voter: "a\nb".to_owned(), answer }.harmless();
        assert_eq!(vote.voter, "a b");
        let words = vote.answer.unwrap_err();
        assert!(words.starts_with("]0;x STATUS=fine!!"), "{words}");
        assert_eq!(words.chars().count(), WORDS_CHARS_MAX + 1);
    }
}
