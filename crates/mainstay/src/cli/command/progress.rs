//! How far a command for several units is: a line that changes on a terminal, one line elsewhere.

use std::time::Duration;

use mainstay_api::control::{CommandName, Unit};

use super::goal::Goal;
use crate::{client::TALK_AFTER, print};

/// So many units are named as those that are waited for.
const NAMED_MAX: usize = 3;

/// What has been said so far.
#[derive(Debug)]
pub(super) struct Progress {
    word: &'static str,
    count: usize,
    /// How long the line on the terminal is; nothing while there is none.
    shown: Option<usize>,
    has_talked: bool,
}

impl Progress {
    pub(super) fn new(goal: &Goal) -> Self {
        let word = match goal.command {
            CommandName::Start => "ready",
            CommandName::Restart => "ready again",
            CommandName::Stop | CommandName::Kill => "at rest",
            CommandName::Reset => "reset",
            CommandName::Reload => "asked",
            CommandName::Pause => "paused",
            CommandName::Resume => "resumed",
        };
        Self { word, count: goal.units.len(), shown: None, has_talked: false }
    }

    /// Says how many are there, and who is not.
    pub(super) fn show(&mut self, reached: usize, open: &[&Unit], waited: Duration) {
        if self.count > 1 && print::is_talk_live() {
            let line = self.line(reached, open);
            self.shown = Some(print::live(&line, self.shown.unwrap_or_default()));
        } else if waited > TALK_AFTER && !self.has_talked {
            let Some(unit) = open.first() else { return };
            self.has_talked = true;
            let (name, state) = (&unit.unit, super::state_of(unit));
            let why = print::harmless(&unit.why);
            print::talk(&format!("still waiting for `{name}`, which is {state}: {why}"));
        }
    }

    /// Says how many are there in the end.
    pub(super) fn finish(self, reached: usize) {
        if let Some(shown) = self.shown {
            print::live("", shown);
        }
        if self.count > 1 {
            print::talk(&self.sum(reached));
        }
    }

    fn sum(&self, reached: usize) -> String {
        format!("{reached}/{} {}", self.count, self.word)
    }

    fn line(&self, reached: usize, open: &[&Unit]) -> String {
        let named = open.iter().take(NAMED_MAX);
        let mut parts: Vec<String> =
            named.map(|unit| format!("{} is {}", unit.unit, super::state_of(unit))).collect();
        let more = open.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            parts.push(format!("{more} more"));
        }
        let separator = if parts.is_empty() { "" } else { ": " };
        format!("{}{separator}{}", self.sum(reached), parts.join(", "))
    }
}
