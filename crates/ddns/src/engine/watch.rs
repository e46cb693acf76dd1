//! Whether the authoritative servers have what was published, and when they are asked again.

use std::{net::IpAddr, time::Duration};

use mainstay_core::chance::Chance;

use crate::{
    engine::{backoff, input::Now, quorum::listed},
    failure::Failure,
    provider::Reading,
};

/// The first question after a write.
const FIRST: Duration = Duration::from_secs(5);
/// The longest time between two questions while the answers are not right.
const WAIT_MAX: Duration = Duration::from_mins(5);
/// How often what is visible is looked up.
const DAILY: Duration = Duration::from_hours(24);
/// What is not right for so long is told.
const PATIENCE: Duration = Duration::from_mins(10);
/// Whoever starts does not ask for everything at once.
const START_SPREAD: Duration = Duration::from_mins(1);
/// A question without an answer is asked again.
const ANSWER_MAX: Duration = Duration::from_mins(2);

/// What is known of one record's visibility.
#[derive(Debug)]
pub(super) struct Watch {
    step: Step,
    wait: Duration,
    /// Since when answers are not right.
    wrong_since: Option<Duration>,
    /// The last answer, where it was not right.
    pub(super) wrong: Option<Wrong>,
    /// Whether people know that it is not right.
    pub(super) told: Told,
}

/// An answer that is not right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// They have something else, all of them.
    Differs,
    /// They do not answer, or each says something else.
    Unclear,
}

/// Whether people know something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// They do.
    Yes,
    /// They do not.
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Off,
    Waiting { until: Duration },
    Asking { until: Duration },
}

/// What an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nobody has asked.
    Unasked,
    /// They have what was published.
    Right,
    /// They have not.
    Wrong(Wrong, String),
}

impl Watch {
    /// Returns one that never asks before something is published.
    pub(super) const fn new() -> Self {
        Self { step: Step::Off, wait: FIRST, wrong_since: None, wrong: None, told: Told::No }
    }

    /// Something was written: it will be visible soon.
    pub(super) fn written(&mut self, now: Now) {
        *self = Self::new();
        self.wrong_since = Some(now.at);
        self.step = Step::Waiting { until: now.at + FIRST };
    }

    /// What was published by an earlier engine is looked up as well.
    pub(super) fn begin(&mut self, now: Now, chance: &mut Chance) {
        if self.step == Step::Off {
            self.wrong_since = Some(now.at);
            let until = now.at + FIRST + backoff::up_to(START_SPREAD, chance);
            self.step = Step::Waiting { until };
        }
    }

    /// Returns when something is to be done.
    pub(super) const fn wakes(&self) -> Option<Duration> {
        match self.step {
            Step::Off => None,
            Step::Waiting { until } | Step::Asking { until } => Some(until),
        }
    }

    /// Returns whether a question is under way.
    pub(super) const fn is_asking(&self) -> bool {
        matches!(self.step, Step::Asking { .. })
    }

    /// Returns whether it is to be asked.
    pub(super) fn is_due(&self, now: Now) -> bool {
        matches!(self.step, Step::Waiting { until } if until <= now.at)
    }

    /// It is asked.
    pub(super) fn ask(&mut self, now: Now) {
        self.step = Step::Asking { until: now.at + ANSWER_MAX };
    }

    /// Returns whether an answer does not come any more.
    pub(super) fn is_late(&self, now: Now) -> bool {
        matches!(self.step, Step::Asking { until } if until <= now.at)
    }

    /// Takes an answer.
    pub(super) fn answered(
        &mut self,
        result: &Result<Vec<IpAddr>, Failure>,
        (published, reading): (&[IpAddr], Reading),
        (now, chance): (Now, &mut Chance),
    ) -> Answer {
        if !self.is_asking() {
            return Answer::Unasked;
        }
        let (wrong, words) = match result {
            Ok(found) if is_right(found, published, reading) => {
                *self = Self::new();
                self.step = Step::Waiting { until: now.at + backoff::spread(DAILY, chance) };
                return Answer::Right;
            }
            Ok(found) if found.is_empty() => {
                (Wrong::Differs, "the authoritative servers have no such record".to_owned())
            }
            Ok(found) => {
                (Wrong::Differs, format!("the authoritative servers have {}", listed(found)))
            }
            Err(failure) => (Wrong::Unclear, failure.words.clone()),
        };
        self.wrong_since = self.wrong_since.or(Some(now.at));
        self.wrong = Some(wrong);
        self.step = Step::Waiting { until: now.at + self.wait };
        self.wait = (self.wait * 2).min(WAIT_MAX);
        Answer::Wrong(wrong, words)
    }

    /// Returns whether answers have not been right for long.
    pub(super) fn is_wrong_for_long(&self, now: Now) -> bool {
        let is_long = |since| now.at.saturating_sub(since) >= PATIENCE;
        self.wrong.is_some() && self.wrong_since.is_some_and(is_long)
    }
}

/// Returns whether an answer has what was published.
///
/// Where records are read, others may have records of the same name; elsewhere a name has what it
/// was told last, and nothing else.
fn is_right(found: &[IpAddr], published: &[IpAddr], reading: Reading) -> bool {
    let is_in = |those: &[IpAddr], these: &[IpAddr]| these.iter().all(|one| those.contains(one));
    is_in(found, published) && (reading == Reading::Possible || is_in(published, found))
}
