//! What a failed attempt means for the next one.

use std::time::Duration;

use crate::line;

/// The longest code: it stands in status, facts and metrics.
const CODE_CHARS_MAX: usize = 64;
/// The most words.
const WORDS_CHARS_MAX: usize = 1000;

/// Why something did not work, in the only words that the engine decides by, and in words for
/// people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means for the next attempt.
    pub class: Class,
    /// Whom it concerns.
    pub reach: Reach,
    /// The provider's own code or status, such as `badauth`, `81044` or `HTTP 503`; short, for
    /// status and metrics.
    pub code: String,
    /// What was wanted, on what, and why not: a sentence for people, without any secret.
    pub words: String,
    /// How long the other side asked to be left alone.
    pub retry_after: Option<Duration>,
}

/// What a failure means for the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It may work soon: no network, a time-out, a server's own trouble.
    Transient,
    /// The provider asks for patience. Nothing but time helps, a new network least of all.
    RateLimited,
    /// Only a change of configuration, or an operator, helps: a wrong password, an unknown name.
    Parked,
    /// The clocks of both sides differ too much; it works once ours is right.
    Clock,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Transient, Self::RateLimited, Self::Parked, Self::Clock];

    /// Returns its name in status and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::RateLimited => "rate-limited",
            Self::Parked => "parked",
            Self::Clock => "clock",
        }
    }
}

/// Whom a failure concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This record alone.
    Binding,
    /// Everything of the account: its password is wrong, it is blocked, it asked too often.
    Account,
}

impl Failure {
    /// Returns a failure of this record alone; what others have said in it cannot harm.
    pub fn new(class: Class, code: impl Into<String>, words: impl Into<String>) -> Self {
        let code = line::of(&code.into(), CODE_CHARS_MAX);
        let words = line::of(&words.into(), WORDS_CHARS_MAX);
        Self { class, reach: Reach::Binding, code, words, retry_after: None }
    }

    /// Returns the same, of the whole account.
    #[must_use]
    pub fn of_account(mut self) -> Self {
        self.reach = Reach::Account;
        self
    }

    /// Returns the same under another code.
    #[must_use]
    pub fn with_code(self, code: &str) -> Self {
        Self { code: line::of(code, CODE_CHARS_MAX), ..self }
    }

    /// Returns the same, with the time that the other side asked for.
    #[must_use]
    pub const fn after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_begins_no_line_of_its_own_and_has_an_end() {
        let code = "x\nX_MAINSTAY_FACT=ipv4=6.6.6.6";
        let failure = Failure::new(Class::Parked, code, "y".repeat(100_000));
        assert_eq!(failure.code, "x X_MAINSTAY_FACT=ipv4=6.6.6.6");
        assert_eq!(failure.words.chars().count(), WORDS_CHARS_MAX + 1);
    }
}
