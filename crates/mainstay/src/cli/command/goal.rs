//! What was asked for, and how far each unit is on its way there.

use mainstay_api::control::{CommandName, Status, Unit};

/// What was asked for, of whom, and how all was before.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) command: CommandName,
    pub(super) before: Status,
    pub(super) units: Vec<String>,
    pub(super) patience: Patience,
}

/// For what somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Until it is clear what comes of it: a failed attempt is an answer.
    UntilSettled,
    /// Until it is so, or nothing can make it so any more.
    UntilDone,
}

/// How far a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// What was asked for is so.
    There,
    /// It is on its way.
    Open,
    /// It came to something else.
    Elsewhere,
}

impl Goal {
    /// Returns the units that are on their way.
    pub(super) fn open<'a>(&self, status: &'a Status) -> Vec<&'a Unit> {
        self.select(status, Standing::Open)
    }

    /// Returns the units that came to something else.
    pub(super) fn missed<'a>(&self, status: &'a Status) -> Vec<&'a Unit> {
        self.select(status, Standing::Elsewhere)
    }

    /// Returns how many units are where they were asked to be; one that is gone is.
    pub(super) fn reached(&self, status: &Status) -> usize {
        self.units.len() - self.open(status).len() - self.missed(status).len()
    }

    /// Returns the units that were stopped because these were.
    pub(super) fn others_stopped<'a>(&self, status: &'a Status) -> Vec<&'a Unit> {
        if !matches!(self.command, CommandName::Stop | CommandName::Kill) {
            return Vec::new();
        }
        let was_up = |unit: &&Unit| self.former(unit).is_some_and(|former| former.pid.is_some());
        let is_down = |unit: &&Unit| {
            unit.pid.is_none() && matches!(unit.state.as_str(), "stopped" | "waiting")
        };
        let others = status.units.iter().filter(|unit| !self.units.contains(&unit.unit));
        others.filter(was_up).filter(is_down).collect()
    }

    /// Returns the units that a reset has changed nothing of.
    pub(super) fn had_nothing_to_reset(&self) -> Vec<&str> {
        if self.command != CommandName::Reset {
            return Vec::new();
        }
        let meant = self.before.units.iter().filter(|unit| self.units.contains(&unit.unit));
        let has_any = |unit: &&Unit| {
            unit.restarts > 0
                || unit.degraded
                || matches!(unit.state.as_str(), "failed" | "backoff" | "waiting")
        };
        meant.filter(|unit| !has_any(unit)).map(|unit| unit.unit.as_str()).collect()
    }

    fn former(&self, unit: &Unit) -> Option<&Unit> {
        self.before.units.iter().find(|former| former.unit == unit.unit)
    }

    fn select<'a>(&self, status: &'a Status, wanted: Standing) -> Vec<&'a Unit> {
        let meant = status.units.iter().filter(|unit| self.units.contains(&unit.unit));
        meant.filter(|unit| self.standing(unit, status) == wanted).collect()
    }

    /// Returns how far a unit is.
    pub(super) fn standing(&self, unit: &Unit, status: &Status) -> Standing {
        let state = unit.state.as_str();
        let is_moving = matches!(state, "starting" | "stopping");
        match self.command {
            CommandName::Stop | CommandName::Kill => match state {
                "stopped" | "failed" | "completed" => Standing::There,
                _ => Standing::Open,
            },
            CommandName::Reset if is_moving => Standing::Open,
            CommandName::Reset | CommandName::Reload => Standing::There,
            CommandName::Pause if state == "paused" => Standing::There,
            CommandName::Resume if matches!(state, "running" | "starting") => Standing::There,
            CommandName::Pause | CommandName::Resume => Standing::Elsewhere,
            CommandName::Start | CommandName::Restart => match state {
                "completed" if self.is_new_enough(unit) => Standing::There,
                "running" if self.is_new_enough(unit) => self.standing_of_run(unit),
                _ if is_moving || self.may_go_on(unit, status) => Standing::Open,
                _ => Standing::Elsewhere,
            },
        }
    }

    /// Returns how far a run is: a task is ready when it has ended well, and whoever runs while
    /// nobody may rely on it may be so for long.
    fn standing_of_run(&self, unit: &Unit) -> Standing {
        match self.patience {
            _ if unit.task => Standing::Open,
            _ if !unit.unready => Standing::There,
            Patience::UntilDone => Standing::Open,
            Patience::UntilSettled => Standing::Elsewhere,
        }
    }

    /// A restart asks for another run.
    fn is_new_enough(&self, unit: &Unit) -> bool {
        let former = self.former(unit);
        self.command != CommandName::Restart || former.is_none_or(|former| former.run < unit.run)
    }

    /// Returns whether a unit that is not on its way may soon be: something else is about to
    /// change, or somebody waits for whatever comes.
    fn may_go_on(&self, unit: &Unit, status: &Status) -> bool {
        let moves = |other: &Unit| {
            other.clearing || matches!(other.state.as_str(), "starting" | "stopping")
        };
        match (unit.state.as_str(), self.patience) {
            ("waiting" | "backoff", Patience::UntilDone) => true,
            ("waiting", Patience::UntilSettled) => status.units.iter().any(moves),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::control::{FilesStatus, Role};

    use super::*;

    fn unit(name: &str, state: &str, run: u64) -> Unit {
        let text = format!(
            r#"{{"unit":"{name}","service":"{name}","state":"{state}","since":"","since-seconds":0,"why":"","run":{run},"restarts":0,"degraded":false,"orphaned":false}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    /// A unit's name, state and run.
    type Told<'a> = (&'a str, &'a str, u64);

    fn status(units: &[Told<'_>]) -> Status {
        let units = units.iter().map(|(name, state, run)| unit(name, state, *run)).collect();
        let (instance, groups, files) = (String::new(), Vec::new(), FilesStatus::default());
        let (keeper, agent, boot) = (Role::default(), Role::default(), String::new());
        Status { instance, boot, keeper, agent, units, groups, files }
    }

    fn check(command: CommandName, patience: Patience, state: &str, expected: Standing) {
        let before = status(&[("web", "running", 1)]);
        let goal = Goal { command, before, units: vec!["web".to_owned()], patience };
        let after = status(&[("web", state, 2)]);
        assert_eq!(goal.standing(&after.units[0], &after), expected, "{command:?} {state}");
    }

    #[test]
    fn only_what_is_ready_is_started() {
        use Standing::{Elsewhere, Open, There};
        for command in [CommandName::Start, CommandName::Restart] {
            let settled = Patience::UntilSettled;
            check(command, settled, "running", There);
            check(command, settled, "completed", There);
            check(command, settled, "starting", Open);
            check(command, settled, "stopping", Open);
            for state in ["waiting", "backoff", "failed", "stopped"] {
                check(command, settled, state, Elsewhere);
            }
            for state in ["waiting", "backoff"] {
                check(command, Patience::UntilDone, state, Open);
            }
            check(command, Patience::UntilDone, "failed", Elsewhere);
        }
    }

    #[test]
    fn a_task_is_ready_when_it_has_ended_well() {
        let goal = |patience| Goal {
            command: CommandName::Start,
            before: status(&[]),
            units: vec!["web".to_owned()],
            patience,
        };
        for patience in [Patience::UntilSettled, Patience::UntilDone] {
            let mut after = status(&[("web", "running", 1)]);
            after.units[0].task = true;
            assert_eq!(goal(patience).open(&after).len(), 1, "{patience:?}");
            "completed".clone_into(&mut after.units[0].state);
            assert_eq!(goal(patience).reached(&after), 1, "{patience:?}");
        }
    }

    #[test]
    fn who_runs_and_is_not_to_be_relied_on_is_not_ready() {
        let mut after = status(&[("web", "running", 2)]);
        after.units[0].unready = true;
        let waits =
            [(Patience::UntilSettled, Standing::Elsewhere), (Patience::UntilDone, Standing::Open)];
        for command in [CommandName::Start, CommandName::Restart] {
            for (patience, expected) in waits {
                let (before, units) = (status(&[("web", "running", 1)]), vec!["web".to_owned()]);
                let goal = Goal { command, before, units, patience };
                assert_eq!(goal.standing(&after.units[0], &after), expected, "{patience:?}");
            }
        }
    }

    #[test]
    fn only_what_rests_is_stopped() {
        for state in ["stopped", "failed", "completed"] {
            check(CommandName::Stop, Patience::UntilSettled, state, Standing::There);
        }
        for state in ["stopping", "running", "waiting"] {
            check(CommandName::Kill, Patience::UntilSettled, state, Standing::Open);
        }
    }

    #[test]
    fn a_restart_needs_another_run() {
        let before = status(&[("web", "running", 1)]);
        let (units, patience) = (vec!["web".to_owned()], Patience::UntilSettled);
        let goal = Goal { command: CommandName::Restart, before, units, patience };
        let same = status(&[("web", "running", 1)]);
        assert_eq!(goal.standing(&same.units[0], &same), Standing::Elsewhere);
        assert_eq!((goal.reached(&same), goal.missed(&same).len()), (0, 1));
    }

    #[test]
    fn who_waits_for_the_end_of_its_own_past_is_on_its_way() {
        let (units, patience) = (vec!["web".to_owned()], Patience::UntilSettled);
        let goal = Goal { command: CommandName::Restart, before: status(&[]), units, patience };
        let mut after = status(&[("web", "waiting", 1)]);
        assert_eq!(goal.missed(&after).len(), 1);
        after.units[0].clearing = true;
        assert_eq!((goal.open(&after).len(), goal.missed(&after).len()), (1, 0));
    }

    #[test]
    fn who_waits_for_what_moves_is_on_its_way() {
        let before = status(&[]);
        let (units, patience) = (vec!["web".to_owned()], Patience::UntilSettled);
        let goal = Goal { command: CommandName::Start, before, units, patience };
        let moving = status(&[("db", "starting", 1), ("web", "waiting", 0)]);
        assert_eq!(goal.open(&moving).len(), 1);
        let still = status(&[("db", "failed", 1), ("web", "waiting", 0)]);
        assert_eq!((goal.open(&still).len(), goal.missed(&still).len()), (0, 1));
    }
}
