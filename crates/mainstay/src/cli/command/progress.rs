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
    command: CommandName,
    count: usize,
    /// How long the line on the terminal is; nothing while there is none.
    shown: Option<usize>,
    has_talked: bool,
}

impl Progress {
    pub(super) fn new(goal: &Goal) -> Self {
        Self { command: goal.command, count: goal.units.len(), shown: None, has_talked: false }
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
        let count = self.count;
        match self.command {
            CommandName::Start => format!("{reached}/{count} ready"),
            CommandName::Restart => format!("{reached}/{count} ready again"),
            CommandName::Stop | CommandName::Kill => format!("{reached}/{count} at rest"),
            CommandName::Reset => format!("{reached}/{count} reset"),
            CommandName::Reload => format!("{reached}/{count} asked"),
            CommandName::Pause => format!("{reached}/{count} paused"),
            CommandName::Resume => format!("{reached}/{count} resumed"),
        }
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
