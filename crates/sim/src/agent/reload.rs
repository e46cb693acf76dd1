//! How the pretend agent has programs read their configuration anew.

use mainstay_core::{Command, Input, UnitName, UnitView};

use super::{Agent, Step};
use crate::{ground::Ground, wire::Request};

impl Agent {
    /// An operator wants it.
    pub(crate) fn reload(&mut self, ground: &mut Ground, unit: UnitName) -> Step {
        let run = self.core.unit(&unit).map_or(0, UnitView::run);
        let former = ground.checker.reload_asked(&(unit.clone(), run), ground.now);
        let command = Command::Reload;
        self.take(ground, Input::Command { units: vec![unit], command });
        if self.outbox.answers.last().is_none_or(|(_, is_accepted)| !is_accepted) {
            ground.checker.reload_refused(former);
        }
        self.finish_turn(ground)
    }

    /// The core decided it.
    pub(super) fn tell_to_reload(&mut self, ground: &mut Ground, unit: UnitName, run: u64) {
        ground.checker.reloads(&(unit.clone(), run), ground.now);
        self.outbox.requests.push(Request::Reload((unit, run)));
    }
}
