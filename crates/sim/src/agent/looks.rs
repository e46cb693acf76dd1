//! What looks show to the pretend agent.

use std::time::Duration;

use mainstay_core::{Health, Hook, Input, Outcome, Probe, UnitName};

use super::{Agent, Step};
use crate::{
    agenda::Happening,
    ground::Ground,
    machine::Process,
    plant::Plant,
    scene::{Weather, is_behind},
    wire::Key,
};

/// A core tells that something is otherwise about a unit's health.
pub(super) fn tell(ground: &mut Ground, unit: &UnitName, health: &Health) {
    let Ground { checker, now, .. } = ground;
    match health {
        Health::Hangs { .. } => checker.occurs(unit, Hook::OnUnhealthy, *now),
        Health::Bad { check, .. } => checker.turns_bad(unit, check, *now),
        Health::Reloaded | Health::NotReloaded { .. } => checker.reload_told(unit, health),
        Health::Good { .. } | Health::Unknown { .. } | Health::Patient { .. } => {}
    }
}

impl Agent {
    /// Looks at a run: one that works answers soon, one that does not answers wrongly or never.
    pub(super) fn probe(&self, ground: &mut Ground, unit: &UnitName, run: u64, probe: Probe) {
        let key = (unit.clone(), run);
        ground.checker.looks(&key, probe);
        let works = |it: &Process| !it.manner.is_sick && !it.is_frozen;
        let works = ground.machine.carrier(&key).is_some_and(works);
        let is_behind = is_behind(self.core.service(&unit.service), probe);
        let outcome = match (works, ground.weather, ground.chance.below(20)) {
            (_, Weather::Storm, 0) => Outcome::Unknown("too many open files".to_owned()),
            (_, Weather::Calm, _) if is_behind => Outcome::Passed,
            (true, Weather::Storm, 1..10) if is_behind => Outcome::Failed("it is away".to_owned()),
            (true, ..) => Outcome::Passed,
            (false, ..) if ground.has(Plant::AlwaysPassed) => Outcome::Passed,
            (false, _, 1..10) => return,
            (false, ..) => Outcome::Failed("it does not answer".to_owned()),
        };
        let after = ground.up_to(Duration::from_secs(1));
        let life = self.life;
        ground.after(after, Happening::Seen { life, key, probe, outcome });
    }

    /// Hears what looks have shown.
    pub(crate) fn open_mail(&mut self, ground: &mut Ground) -> Step {
        for (key, probe, outcome) in std::mem::take(&mut self.mail) {
            self.seen(ground, key, probe, outcome)?;
        }
        Ok(())
    }

    /// A look has shown something.
    fn seen(
        &mut self,
        ground: &mut Ground,
        (unit, run): Key,
        probe: Probe,
        outcome: Outcome,
    ) -> Step {
        ground.checker.seen(&(unit.clone(), run), probe, &outcome, ground.now);
        let run = match self.core.unit(&unit) {
            Some(view) if ground.has(Plant::SeenOfAnother) => view.run(),
            _ => run,
        };
        self.take(ground, Input::Probed { unit, run, probe, outcome });
        self.finish_turn(ground)
    }
}
