//! What a look brought.

use mainstay_words::padded;
use serde::Serialize;

use crate::words;

/// How wide the column of verdicts is.
const VERDICT_COLUMNS: usize = 4;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// All is well.
    Ok,
    /// Somebody should know it.
    Hint,
    /// It gets in the way.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// What was found.
    pub(super) what: String,
    /// Why it matters; may be empty.
    pub(super) why: &'static str,
    /// What helps.
    pub(super) remedy: String,
}

impl Finding {
    pub(super) fn ok(what: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, what: what.into(), why: "", remedy: String::new() }
    }

    pub(super) fn hint(what: String, why: &'static str, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Hint, what, why, remedy: remedy.into() }
    }

    pub(super) fn bad(what: String, why: &'static str, remedy: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, what, why, remedy: remedy.into() }
    }

    /// Returns it for people, in their language.
    pub(super) fn told(&self) -> String {
        let word = match self.verdict {
            Verdict::Ok => words::label("ok"),
            Verdict::Hint => words::label("hint"),
            Verdict::Bad => words::label("BAD"),
        };
        let word = padded(word, VERDICT_COLUMNS);
        let mut text = format!("{word} {}\n", words::told(&self.what));
        for line in [self.why, &self.remedy].into_iter().filter(|line| !line.is_empty()) {
            text.push_str(&["     ", &*words::told(line), "\n"].concat());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_what_why_and_what_helps() {
        assert_eq!(Finding::ok("all").told(), "ok   all\n");
        let bad = Finding::bad("a disk is full".to_owned(), "logs wait", "delete something");
        assert_eq!(bad.told(), "BAD  a disk is full\n     logs wait\n     delete something\n");
        let hint = Finding::hint("old".to_owned(), "", "delete it");
        assert_eq!(hint.told(), "hint old\n     delete it\n");
    }
}
