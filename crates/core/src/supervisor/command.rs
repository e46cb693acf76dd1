//! What operators ask for, and what is refused.

use super::{Phase, Supervisor, units_of};
use crate::{
    effect::{Action, Refusal},
    hook::Hook,
    input::{Command, Wish},
    name::UnitName,
    service::StartType,
    time::Moment,
    unit::{Event, Place, State, Then, Unit, Wanted},
};

/// Why a unit rests that an operator wants to rest.
pub(super) const STOPPED: &str = "an operator stopped it";
/// Why a unit runs that was paused.
const RESUMED: &str = "an operator resumed it";
/// Why a unit rests that an operator did not want to ask.
const KILLED: &str = "an operator killed it";

impl Supervisor {
    /// Does what was asked, or refuses; the answer comes last, after what it promises.
    pub(super) fn command(&mut self, now: Moment, name: &UnitName, command: Command) {
        let answer = self.refusal(now, name, command).map_or(Ok(()), Err);
        if answer.is_ok() {
            match command {
                Command::Start => self.start(now, name),
                Command::Stop => {
                    self.stop(now, name);
                    self.stop_parts(now, &name.service, "an operator stopped");
                }
                Command::Restart => {
                    self.restart(now, name);
                    self.restart_parts(now, &name.service);
                }
                Command::Kill => {
                    self.kill(now, name);
                    self.stop_parts(now, &name.service, "an operator killed");
                }
                Command::Reset => self.reset(now, name),
                Command::Reload => self.apply(now, name, Event::Reload),
                Command::Pause => self.apply(now, name, Event::Pause),
                Command::Resume => self.apply(now, name, Event::Resume(RESUMED.to_owned())),
            }
        }
        self.effect(Some(name), Action::Answer(answer));
    }

    fn refusal(&self, now: Moment, name: &UnitName, command: Command) -> Option<Refusal> {
        let reason = match (self.units.get(name), command) {
            (None, _) => Some(format!("there is no unit `{name}`; `mainstay status` lists all")),
            (Some(unit), Command::Start | Command::Restart) => {
                self.forbids_start(now, unit, command)
            }
            (Some(unit), Command::Kill) if !unit.state.is_active() => {
                Some(format!("`{name}` {}; there is nothing to kill", unit.state.phrase()))
            }
            (Some(unit), Command::Reload) => self.forbids_reload(unit),
            (Some(unit), Command::Pause) => unit.forbids_pause(),
            (Some(unit), Command::Resume) => unit.forbids_resume(),
            (Some(_), Command::Kill | Command::Stop | Command::Reset) => None,
        };
        reason.map(|reason| Refusal { reason })
    }

    /// Returns why nobody may start a unit, and the remedy.
    fn forbids_start(&self, now: Moment, unit: &Unit, command: Command) -> Option<String> {
        let name = &unit.name;
        if matches!(self.phase, Phase::Closing | Phase::Closed) {
            return Some("the instance is shutting down; start it again first".to_owned());
        }
        let service = self.services.get(&name.service);
        if command == Command::Start && unit.state == State::Paused {
            return Some(format!("`{name}` is paused; `mainstay resume {name}` lets it go on"));
        }
        if service.is_some_and(|service| service.start == StartType::Disabled) {
            let remedy = "set `start = \"manual\"` to allow it";
            return Some(format!("`{}` is disabled; {remedy}", name.service));
        }
        match unit.place {
            Place::Configured => {}
            Place::Orphaned => {
                return Some(format!("`{name}` is not configured any more; `add` it again first"));
            }
            Place::Pruned => return Some(format!("`{name}` is being removed")),
        }
        let spent = service.filter(|_| unit.state == State::Failed)?;
        let spent = unit.spent(now, spent)?;
        Some(format!("`{name}` has failed: {spent}; `mainstay reset {name}` tries again"))
    }

    /// Returns why a unit cannot read its configuration anew, and the remedy.
    fn forbids_reload(&self, unit: &Unit) -> Option<String> {
        let name = &unit.name;
        let service = self.service(&name.service)?;
        if service.care.reload.is_none() {
            let remedy = "set `reload = { signal = \"HUP\" }` or `reload = { command = [...] }`";
            return Some(format!("`{name}` cannot reload; {remedy}, or restart it"));
        }
        if unit.state != State::Running {
            let phrase = unit.state.phrase();
            return Some(format!("`{name}` {phrase}; there is nothing that could reload"));
        }
        (!unit.reload.is_idle()).then(|| format!("`{name}` is reloading already"))
    }

    fn start(&mut self, now: Moment, name: &UnitName) {
        // What is stopped for it may reach it as a part; what is wished for it comes last.
        self.stop_opponents(now, name);
        self.want(name);
        self.hurry(name);
        self.lift_holds(now, name);
        self.start_or_follow(now, name);
    }

    /// Starts a unit now, or after the stop that is under way, whatever is in its way until then.
    fn start_or_follow(&mut self, now: Moment, name: &UnitName) {
        if self.units.get(name).is_some_and(|unit| unit.state.is_active()) {
            self.apply(now, name, Event::Start);
        } else {
            self.revive(now, name);
        }
    }

    fn stop(&mut self, now: Moment, name: &UnitName) {
        self.hold(name, STOPPED);
        self.apply(now, name, Event::Stop(Then::Rest, STOPPED.to_owned()));
    }

    fn restart(&mut self, now: Moment, name: &UnitName) {
        // What is stopped for it may reach it as a part; what is wished for it comes last.
        self.stop_opponents(now, name);
        self.want(name);
        self.hurry(name);
        self.lift_holds(now, name);
        let is_active = self.units.get(name).is_some_and(|unit| unit.state.is_active());
        if is_active {
            let why = "an operator restarts it".to_owned();
            self.apply(now, name, Event::Stop(Then::Start, why));
        } else {
            self.revive(now, name);
        }
    }

    /// A kill is a stop that does not ask.
    fn kill(&mut self, now: Moment, name: &UnitName) {
        self.hold(name, KILLED);
        if let Some(unit) = self.units.get_mut(name) {
            KILLED.clone_into(&mut unit.why);
        }
        self.apply(now, name, Event::Kill);
    }

    fn reset(&mut self, now: Moment, name: &UnitName) {
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let (Some(unit), Some(service)) = (self.units.get_mut(name), service) else { return };
        unit.reset();
        let is_up_to = unit.is_wanted() && !unit.state.is_active();
        let (run, mut memo) = (unit.run, unit.memo(service));
        // How the last run ended is no reason to rest any more; that it was asked to stays written
        // on it until what follows from that is over.
        memo.pardoned = is_up_to;
        memo.stopping |= unit.beside.is_to_follow(Hook::AfterStop, run);
        if run > 0 {
            self.effect(Some(name), Action::Remember { run, memo });
        }
        if is_up_to {
            self.revive(now, name);
        }
    }

    /// Notes the wish that a unit is up, which outlives the agent.
    fn want(&mut self, name: &UnitName) {
        let Some(unit) = self.units.get_mut(name) else { return };
        unit.wanted = Wanted::Up;
        let (unit, beyond) = (name.clone(), unit.beyond_this());
        let wish = Wish { unit, up: true, beyond, why: String::new() };
        self.effect(Some(name), Action::Keep(wish));
    }

    /// Notes the wish that a unit rests, and why, which outlive the agent.
    pub(super) fn hold(&mut self, name: &UnitName, why: &str) {
        let Some(unit) = self.units.get_mut(name) else { return };
        unit.wanted = Wanted::Held;
        let (unit, beyond) = (name.clone(), unit.beyond_this());
        let wish = Wish { unit, up: false, beyond, why: why.to_owned() };
        self.effect(Some(name), Action::Keep(wish));
    }

    /// An explicit start asks for what it requires as well, even if that was stopped by hand.
    fn lift_holds(&mut self, now: Moment, name: &UnitName) {
        let mut open = vec![name.service.clone()];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(service) = open.pop() {
            if !seen.insert(service.clone()) {
                continue;
            }
            open.extend(self.comes_along(&service));
            if service == name.service {
                continue;
            }
            let held: Vec<UnitName> = units_of(&self.units, &service)
                .filter(|unit| unit.is_held())
                .map(|unit| unit.name.clone())
                .collect();
            for unit in held {
                self.want(&unit);
                if self.units.get(&unit).is_some_and(|unit| unit.state.is_active()) {
                    self.apply(now, &unit, Event::Start);
                }
                self.queue.push_back(unit);
            }
        }
    }

    fn stop_opponents(&mut self, now: Moment, name: &UnitName) {
        let Some(service) = self.services.get(&name.service) else { return };
        let active: Vec<UnitName> = self
            .opponents(service)
            .flat_map(|other| units_of(&self.units, other))
            .filter(|unit| unit.state.is_active())
            .map(|unit| unit.name.clone())
            .collect();
        for other in active {
            let why = format!("it conflicts with `{name}`, which was started");
            self.hold(&other, &why);
            self.apply(now, &other, Event::Stop(Then::Rest, why));
            self.stop_parts(now, &other.service, "was stopped");
        }
    }
}

impl Unit {
    /// Returns the last run that has ended or is about to: what a wish goes beyond.
    const fn beyond_this(&self) -> u64 {
        match self.state {
            State::Preparing
            | State::Starting
            | State::Settling { .. }
            | State::Running
            | State::Paused => self.run.saturating_sub(1),
            State::Stopped
            | State::Waiting
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => self.run,
        }
    }
}
