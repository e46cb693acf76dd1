//! What a provider's own error codes mean: one table of rules each.

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    failure::{Class, Failure, Reach},
    wire::Response,
};

use super::answer;

/// What a code means; one that ends in `*` stands for all that begin like it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    code: &'static str,
    class: Class,
    reach: Reach,
}

/// Only configuration helps, and it concerns this name alone.
pub(super) const fn parked(code: &'static str) -> Rule {
    Rule { code, class: Class::Parked, reach: Reach::Binding }
}

/// Only configuration helps, and it concerns the whole account: credentials, rights, a debt.
pub(super) const fn account(code: &'static str) -> Rule {
    Rule { code, class: Class::Parked, reach: Reach::Account }
}

/// It asks for patience, with everything of the account.
pub(super) const fn limited(code: &'static str) -> Rule {
    Rule { code, class: Class::RateLimited, reach: Reach::Account }
}

/// The clocks differ.
pub(super) const fn clock(code: &'static str) -> Rule {
    Rule { code, class: Class::Clock, reach: Reach::Account }
}

/// It may be over soon.
pub(super) const fn transient(code: &'static str) -> Rule {
    Rule { code, class: Class::Transient, reach: Reach::Binding }
}

/// What a provider says when it refuses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// Who says it.
    pub(super) whom: &'static str,
    /// Its code.
    pub(super) code: &'a str,
    /// Its words.
    pub(super) message: &'a str,
    /// The whole answer.
    pub(super) response: &'a Response,
    /// When it came, by our clock.
    pub(super) now: Timestamp,
}

impl Told<'_> {
    /// Returns the failure by the first rule that fits, or else by the status of the answer.
    pub(super) fn judge(&self, rules: &[Rule]) -> Failure {
        let (class, reach) = match rules.iter().find(|rule| rule.fits(self.code)) {
            Some(rule) => (rule.class, rule.reach),
            None => self.by_status(),
        };
        let message = answer::shortened(self.message);
        let code = if self.message.contains(self.code) {
            String::new()
        } else {
            format!(" ({})", self.code)
        };
        let skew = match class {
            Class::Clock => format!("; {}", skew(self.response, self.now)),
            Class::Transient | Class::RateLimited | Class::Parked => String::new(),
        };
        let words = format!("{} refuses: {message}{code}{skew}", self.whom);
        let wait = answer::retry_after(self.response);
        let code = match self.code {
            "" => format!("HTTP {}", self.response.status),
            code => code.to_owned(),
        };
        Failure { reach, ..Failure::new(class, code, words).after(wait) }
    }

    const fn by_status(&self) -> (Class, Reach) {
        match self.response.status {
            429 => (Class::RateLimited, Reach::Account),
            401 => (Class::Parked, Reach::Account),
            // It came too late or too early, or somebody else was quicker.
            408 | 409 | 423 | 425 => (Class::Transient, Reach::Binding),
            400..=499 => (Class::Parked, Reach::Binding),
            _ => (Class::Transient, Reach::Binding),
        }
    }
}

/// How a provider wraps what it says in JSON.
#[derive(Debug)]
pub(super) struct Envelope {
    /// Who says it.
    pub(super) whom: &'static str,
    /// Where its code is.
    pub(super) code: &'static str,
    /// Where its words are.
    pub(super) message: &'static str,
    /// What its codes mean.
    pub(super) rules: &'static [Rule],
}

impl Envelope {
    /// Takes out what came of a change; nothing at all is a success, too, when the status is one.
    pub(super) fn done(&self, response: &Response, now: Timestamp) -> Result<(), Failure> {
        if matches!(response.status, 200..=299) && response.body.is_empty() {
            return Ok(());
        }
        self.open(response, now).map(|_| ())
    }

    /// Takes out what came of a question; nothing at all is no answer.
    pub(super) fn open(&self, response: &Response, now: Timestamp) -> Result<Value, Failure> {
        let body = answer::json(response)?;
        if matches!(response.status, 200..=299) {
            return Ok(body);
        }
        let code = answer::id_at(&body, self.code).unwrap_or_default();
        let message = answer::text_at(&body, self.message);
        if code.is_empty() && message.is_empty() {
            answer::check_status(response)?;
        }
        Err(Told { whom: self.whom, code: &code, message, response, now }.judge(self.rules))
    }
}

impl Rule {
    fn fits(&self, code: &str) -> bool {
        match self.code.strip_suffix('*') {
            Some(beginning) => code.starts_with(beginning),
            None => code == self.code,
        }
    }
}

/// Says how far our clock is from the other side's, as the header `Date` tells.
fn skew(response: &Response, now: Timestamp) -> String {
    let Some(theirs) = answer::date(response) else {
        return format!("our clock says {}", now.strftime("%Y-%m-%dT%H:%M:%SZ"));
    };
    let seconds = now.as_second() - theirs.as_second();
    let apart = span(seconds.unsigned_abs());
    if seconds < 0 {
        format!("our clock is {apart} behind its own")
    } else {
        format!("our clock is {apart} ahead of its own")
    }
}

fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours, minutes, _) => format!("{hours}h {minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &[Rule] =
        &[account("Bad.Key"), clock("Time*"), limited("Slow*"), parked("Bad*"), transient("Down")];

    fn judged(code: &str, status: u16) -> Failure {
        let headers = vec![("date".to_owned(), "Tue, 14 Nov 2023 22:03:15 GMT".to_owned())];
        let response = Response { status, headers, body: Vec::new() };
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let told = Told { whom: "it", code, message: "no", response: &response, now };
        told.judge(RULES)
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let check = |code, class, reach| {
            let failure = judged(code, 200);
            assert_eq!((failure.class, failure.reach), (class, reach), "{code}");
        };
        check("Bad.Key", Class::Parked, Reach::Account);
        check("Bad.Value", Class::Parked, Reach::Binding);
        check("Slow.User", Class::RateLimited, Reach::Account);
        check("Down", Class::Transient, Reach::Binding);
        check("New", Class::Transient, Reach::Binding);
    }

    #[test]
    fn without_a_rule_the_status_decides() {
        assert_eq!(judged("New", 429).class, Class::RateLimited);
        assert_eq!(judged("New", 422).class, Class::Parked);
        assert_eq!(judged("New", 503).class, Class::Transient);
        assert_eq!(judged("New", 409).class, Class::Transient);
        assert_eq!(
            (judged("", 503).code.as_str(), judged("X", 503).code.as_str()),
            ("HTTP 503", "X")
        );
    }

    #[test]
    fn a_wrong_clock_is_told_with_how_wrong_it_is() {
        let failure = judged("TimeExpired", 400);
        assert_eq!(failure.class, Class::Clock);
        assert_eq!(
            failure.words,
            "it refuses: no (TimeExpired); our clock is 10m 5s ahead of its own"
        );
        assert_eq!((span(59), span(7260)), ("59s".to_owned(), "2h 1m".to_owned()));
    }
}
