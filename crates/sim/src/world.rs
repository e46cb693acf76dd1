//! One life: the actors on their ground, the storm, the calm, and what must hold at the end.

use std::time::Duration;

use mainstay_core::{Command, Moment, Notice, Prune, Service, UnitName};

use crate::{
    Life,
    agenda::Happening,
    agent::Agent,
    disk::Event,
    ground::{Died, Ground, Telling},
    keeper::Keeper,
    machine::Identity,
    plant::Plant,
    scene::{Scene, Weather, exit, look_otherwise, watch_otherwise},
    wire::{Key, Report},
};

/// The calm after the storm is so long that everything must have come to rest.
const CALM: Duration = Duration::from_mins(30);
/// Programs with a watchdog say so often that they are alive.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
/// What a frozen program was about to do it does once it has gone on for so long at most.
const FROZEN_FOR: Duration = Duration::from_secs(5);
/// No life has more steps; one that has does not come to rest.
const STEPS_MAX: u64 = 200_000;

/// What a storm is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Whatever can happen.
    Whole,
    /// Actors die, and now and then nothing happens for minutes: nobody wants anything of anybody.
    Quiet,
}

pub(crate) struct World {
    ground: Ground,
    scene: Scene,
    keeper: Option<Keeper>,
    agent: Option<Agent>,
    lives: u64,
    is_keeper_due: bool,
    is_agent_due: bool,
    storms: u64,
    kind: Kind,
    ends_at: Option<Moment>,
}

impl World {
    pub(crate) fn new(seed: u64, plant: Option<Plant>, telling: Telling) -> Self {
        let mut ground = Ground::new(seed, plant, telling);
        let scene = Scene::new(&mut ground.chance);
        ground.disk.services.clone_from(&scene.services);
        ground.checker.know(&ground.disk);
        ground.danger = match ground.chance.below(3) {
            0 => 0,
            _ => 50 + ground.chance.below(2000),
        };
        ground.width = usize::try_from(ground.chance.below(3)).unwrap_or(0);
        let storms = 5 + ground.chance.below(30);
        let kind = if ground.once_in(8) { Kind::Quiet } else { Kind::Whole };
        let mut world = Self {
            ground,
            scene,
            keeper: None,
            agent: None,
            lives: 0,
            is_keeper_due: false,
            is_agent_due: false,
            storms,
            kind,
            ends_at: None,
        };
        world.want_keeper();
        world.plan_storm();
        world
    }

    pub(crate) fn live(mut self) -> Life {
        self.describe();
        let mut steps = 0;
        while self.ground.checker.violation.is_none() && self.advance() {
            steps += 1;
            if steps > STEPS_MAX {
                self.ground.checker.broken("every life comes to rest", String::new());
            }
        }
        if self.ground.checker.violation.is_none() {
            self.judge();
        }
        let violation = self.ground.checker.violation.take();
        Life { violation, steps, story: self.ground.into_story() }
    }

    /// Lets the next thing happen; returns whether there was one.
    fn advance(&mut self) -> bool {
        let deadline = self.agent.as_ref().and_then(|agent| agent.next_deadline(&self.ground));
        let planned = self.ground.agenda.next_at();
        let next = deadline.into_iter().chain(planned).min();
        let Some(at) = next.filter(|at| self.ends_at.is_none_or(|end| *at <= end)) else {
            return false;
        };
        self.ground.now = at.max(self.ground.now);
        if planned.is_some_and(|planned| deadline.is_none_or(|deadline| planned <= deadline)) {
            if let Some((_, happening)) = self.ground.agenda.pop() {
                self.happen(happening);
            }
        } else {
            self.with_agent(Agent::deadline);
        }
        true
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ToKeeper { from, to, request } => {
                self.with_keeper(to, |keeper, ground, _| keeper.hear(ground, from, request));
            }
            Happening::ToAgent { from, to, report } => self.tell_agent(from, to, report),
            Happening::LinkLost { from, to } => self.link_lost(from, to),
            Happening::HungUp { from, to } => {
                self.with_keeper(to, |keeper, _, _| {
                    keeper.hangs_up(from);
                    Ok(())
                });
            }
            Happening::Cloned { life, key } => {
                self.with_keeper(life, |keeper, ground, scene| keeper.cloned(ground, scene, &key));
            }
            Happening::Ends { who, exit } => self.process_ends(who, exit),
            Happening::Swept { life, key } => {
                self.with_keeper(life, |keeper, ground, _| keeper.swept(ground, &key));
            }
            Happening::Drained { life, key } => {
                self.with_keeper(life, |keeper, ground, _| keeper.drained(ground, &key));
            }
            Happening::Amended { life, key, exit } => {
                self.with_keeper(life, |keeper, ground, _| {
                    keeper.amended(ground, &key, exit);
                    Ok(())
                });
            }
            Happening::Says { who, key, notice } => self.says(who, key, notice),
            Happening::Sickens { who } => self.ground.machine.sicken(who),
            Happening::Readable => {
                if self.agent.as_ref().is_some_and(|agent| agent.is_connected) {
                    self.with_agent(Agent::read);
                }
            }
            Happening::Seen { life, key, probe, outcome } => {
                let agent = self.agent.as_mut().filter(|agent| agent.life == life);
                let Some(agent) = agent else { return };
                agent.mail.push((key, probe, outcome));
                if agent.is_connected {
                    self.with_agent(Agent::open_mail);
                }
            }
            Happening::KeeperBorn => self.keeper_born(),
            Happening::AgentBorn => self.agent_born(),
            Happening::Synced { life, up_to } => {
                if let Some(agent) = self.agent.as_mut().filter(|agent| agent.life == life) {
                    agent.synced(&mut self.ground, up_to);
                }
            }
            Happening::Storm => self.storm(),
            Happening::Calm => {
                self.ends_at = Some(self.ground.now + CALM);
                self.ground.machine.is_alone = false;
                if self.agent.as_ref().is_some_and(|agent| agent.is_connected) {
                    self.with_agent(|agent, ground| agent.crowded(ground, 0));
                    self.with_agent(Agent::network);
                }
            }
        }
    }

    /// A program that works says something; where nobody listens it is lost.
    fn says(&mut self, who: Identity, key: Key, notice: Notice) {
        let now = self.ground.now;
        let is_well = self.ground.machine.find(who).is_some_and(|it| !it.manner.is_sick);
        if !is_well {
            return;
        }
        if self.ground.machine.is_frozen(who) {
            return self.ground.after(FROZEN_FOR, Happening::Says { who, key, notice });
        }
        self.ground.checker.said(&key, notice, now);
        if self.agent.is_none() && self.keeper.is_none() {
            self.ground.machine.excuse(&key);
        } else {
            self.ground.said.push_back((key.clone(), notice));
            let delay = self.ground.up_to(Duration::from_millis(1));
            self.ground.after(delay, Happening::Readable);
        }
        match notice {
            Notice::Alive => {
                self.ground.after(ALIVE_EVERY, Happening::Says { who, key, notice });
            }
            Notice::Ailing => self.ground.machine.sicken(who),
            Notice::Stopping => self.leaves(who),
            Notice::Reloading => self.reloads(who, key),
            Notice::Ready | Notice::AliveEvery(_) | Notice::Extend(_) => {}
        }
    }

    /// A program leaves by itself; now and then it only meant to.
    fn leaves(&mut self, who: Identity) {
        if self.ground.once_in(4) {
            return;
        }
        let after = self.ground.up_to(Duration::from_secs(2));
        let exit = exit(&mut self.ground.chance);
        self.ground.after(after, Happening::Ends { who, exit });
    }

    /// A program reads its configuration anew; now and then it never comes to the end of it.
    fn reloads(&mut self, who: Identity, key: Key) {
        if self.ground.weather == Weather::Calm || !self.ground.once_in(6) {
            let delay = self.ground.up_to(Duration::from_secs(2));
            self.ground.after(delay, Happening::Says { who, key, notice: Notice::Ready });
        }
    }

    fn tell_agent(&mut self, from: u64, to: u64, report: Report) {
        if self.agent.as_ref().is_some_and(|agent| agent.is_linked(from, to)) {
            self.with_agent(|agent, ground| agent.hear(ground, report));
        }
    }

    /// The agent calls the next keeper, if there is one already.
    fn link_lost(&mut self, from: u64, to: u64) {
        let Some(agent) = self.agent.as_mut().filter(|agent| agent.is_linked(from, to)) else {
            return;
        };
        agent.lose_link();
        if let Some(keeper) = &self.keeper {
            agent.call(&mut self.ground, keeper.life);
        }
    }

    fn process_ends(&mut self, who: Identity, exit: mainstay_core::Exit) {
        let is_killed = exit == mainstay_core::Exit::Signal(9);
        if self.ground.machine.is_frozen(who) && !is_killed {
            return self.ground.after(FROZEN_FOR, Happening::Ends { who, exit });
        }
        let Some(process) = self.ground.machine.end(who) else { return };
        self.ground.tell(|| format!("machine: process {} ends: {exit}", who.pid));
        self.ground.checker.process_ended(&process, exit, self.ground.now);
        if let Some(life) = self.keeper.as_ref().map(|keeper| keeper.life) {
            self.with_keeper(life, |keeper, ground, _| keeper.ended(ground, &process, exit));
        } else if self.ground.once_in(4) {
            self.ground.machine.start_stranger();
        }
    }

    fn with_keeper(
        &mut self,
        life: u64,
        act: impl FnOnce(&mut Keeper, &mut Ground, &Scene) -> Result<(), Died>,
    ) {
        let Some(keeper) = self.keeper.as_mut().filter(|keeper| keeper.life == life) else {
            return;
        };
        if act(keeper, &mut self.ground, &self.scene).is_err() {
            self.kill_keeper();
        }
    }

    fn with_agent(&mut self, act: impl FnOnce(&mut Agent, &mut Ground) -> Result<(), Died>) {
        let Some(agent) = &mut self.agent else { return };
        if act(agent, &mut self.ground).is_err() {
            self.kill_agent();
        }
    }

    fn want_keeper(&mut self) {
        if !std::mem::replace(&mut self.is_keeper_due, true) {
            let delay = self.ground.up_to(Duration::from_millis(500));
            self.ground.after(delay, Happening::KeeperBorn);
        }
    }

    fn want_agent(&mut self) {
        if !std::mem::replace(&mut self.is_agent_due, true) {
            let delay = self.ground.up_to(Duration::from_millis(500));
            self.ground.after(delay, Happening::AgentBorn);
        }
    }

    fn keeper_born(&mut self) {
        self.is_keeper_due = false;
        self.lives += 1;
        self.ground.tell(|| "a keeper begins".to_owned());
        let Ok(keeper) = Keeper::begin(&mut self.ground, self.lives) else {
            return self.want_keeper();
        };
        let life = keeper.life;
        self.keeper = Some(keeper);
        match &mut self.agent {
            Some(agent) => agent.call(&mut self.ground, life),
            None => self.want_agent(),
        }
    }

    fn agent_born(&mut self) {
        self.is_agent_due = false;
        // A keeper starts it; without one there is nobody who could.
        let Some(keeper) = self.keeper.as_ref().filter(|_| self.agent.is_none()) else { return };
        self.lives += 1;
        self.ground.tell(|| "an agent begins".to_owned());
        let mut agent = Agent::begin(&mut self.ground, self.lives);
        agent.call(&mut self.ground, keeper.life);
        self.agent = Some(agent);
    }

    /// What the agent had written may reach the keeper as far as it was written.
    fn kill_agent(&mut self) {
        let Some(agent) = self.agent.take() else { return };
        self.ground.tell(|| "the agent is killed".to_owned());
        self.ground.checker.disturbed(self.ground.now);
        let life = agent.life;
        let left = self.ground.flushed;
        let is_of =
            |it: &Happening| matches!(it, Happening::ToKeeper { from, .. } if *from == life);
        let last = self.cut_link(left, is_of);
        agent.die(&mut self.ground);
        self.ground.lose_unwritten();
        if self.keeper.is_none() {
            self.ground.lose_what_was_said();
        }
        if let Some(to) = self.keeper.as_ref().map(|keeper| keeper.life) {
            // What has left it is read before its end is.
            let at = last.unwrap_or(self.ground.now).max(self.ground.now);
            self.ground.agenda.plan(at, Happening::HungUp { from: life, to });
        }
        if self.keeper.is_some() {
            self.want_agent();
        }
    }

    fn kill_keeper(&mut self) {
        let Some(keeper) = self.keeper.take() else { return };
        self.ground.tell(|| "the keeper is killed".to_owned());
        self.ground.checker.disturbed(self.ground.now);
        self.ground.lose_memos();
        if self.agent.is_none() {
            self.ground.lose_what_was_said();
        }
        self.ground.agenda.cut(0, |it| matches!(it, Happening::ToKeeper { .. }));
        let last = self.cut_link(0, |it| matches!(it, Happening::ToAgent { .. }));
        if let Some(to) = self.agent.as_ref().map(|agent| agent.life) {
            let at = last.unwrap_or(self.ground.now).max(self.ground.now);
            self.ground.agenda.plan(at, Happening::LinkLost { from: keeper.life, to });
        }
        self.want_keeper();
    }

    /// Loses the last part of what is under way, but nothing that was planned up to a number.
    fn cut_link(&mut self, left: u64, fits: impl Fn(&Happening) -> bool) -> Option<Moment> {
        let left = self.ground.agenda.count_up_to(left, &fits);
        let count = u64::try_from(self.ground.agenda.count(&fits) - left).unwrap_or_default();
        let more = usize::try_from(self.ground.chance.below(count + 1)).unwrap_or_default();
        let keep = left + more;
        self.ground.agenda.cut(keep, fits)
    }

    fn plan_storm(&mut self) {
        let long = self.ground.once_in(2);
        let most = match (long, self.kind) {
            (false, _) => Duration::from_millis(20),
            (true, Kind::Whole) => Duration::from_secs(20),
            (true, Kind::Quiet) => Duration::from_mins(2),
        };
        let delay = self.ground.up_to(most);
        self.ground.after(delay, Happening::Storm);
    }

    fn storm(&mut self) {
        if self.storms == 0 {
            self.ground.weather = Weather::Calm;
            self.ground.tell(|| "the storm is over".to_owned());
            // Whoever is frozen thaws in time; whoever is missing comes back.
            return self.ground.after(Duration::ZERO, Happening::Calm);
        }
        self.storms -= 1;
        let first = match self.kind {
            Kind::Whole => 0,
            Kind::Quiet => 46,
        };
        let what = first + self.ground.chance.below(100 - first);
        match what {
            78 | 79 | 86.. if self.kind == Kind::Quiet => self.kill_agent(),
            0..46 => self.command(),
            46 | 47 => self.rotate(),
            48 | 49 => self.wake(),
            50..65 => self.kill_agent(),
            65..75 => self.kill_keeper(),
            75..78 => {
                self.kill_agent();
                self.kill_keeper();
            }
            78..80 => self.reboot(),
            80..86 => self.upgrade(),
            86 => self.crowd(),
            87 => self.cut_off(),
            88..94 => self.look_otherwise(),
            _ => self.reconfigure(),
        }
        self.plan_storm();
    }

    /// The services of a life, for whoever reads its story.
    fn describe(&mut self) {
        for service in &self.scene.services {
            self.ground.tell(|| format!("service {service:?}"));
        }
    }

    fn command(&mut self) {
        let Some(unit) = self.any_unit() else { return };
        let command = match self.ground.chance.below(13) {
            0..3 => Command::Start,
            3 | 4 => Command::Stop,
            5 => Command::Restart,
            6 => Command::Kill,
            7 => Command::Reset,
            8 | 9 => Command::Reload,
            10 | 11 => Command::Pause,
            _ => Command::Resume,
        };
        if self.agent.as_ref().is_none_or(|agent| !agent.is_connected) {
            return;
        }
        if command == Command::Reset {
            self.ground.checker.forget_starts(&unit, self.ground.now);
        }
        if command == Command::Reload {
            return self.with_agent(|agent, ground| agent.reload(ground, unit));
        }
        self.ground.checker.commanded(&unit, command, self.ground.now);
        self.with_agent(|agent, ground| agent.command(ground, unit, command));
    }

    fn any_unit(&mut self) -> Option<UnitName> {
        let count = u64::try_from(self.ground.disk.services.len()).ok()?;
        let index = usize::try_from(self.ground.chance.below(count)).ok()?;
        let (name, instances) = {
            let service = self.ground.disk.services.get(index)?;
            (service.name.clone(), u64::from(service.instances))
        };
        let copy = 1 + self.ground.chance.below(instances);
        Some(UnitName { service: name, copy: u32::try_from(copy).ok()? })
    }

    fn reboot(&mut self) {
        self.ground.tell(|| "the machine goes down and comes back".to_owned());
        if let Some(agent) = self.agent.take() {
            agent.die(&mut self.ground);
        }
        self.keeper = None;
        self.ground.said.clear();
        let stays = |it: &Happening| matches!(it, Happening::Storm | Happening::Calm);
        self.ground.agenda.cut(0, |it| !stays(it));
        self.ground.machine.reboot();
        self.ground.disk.events.push(Event::Rebooted);
        let Ground { checker, disk, .. } = &mut self.ground;
        checker.rebooted(disk);
        (self.is_keeper_due, self.is_agent_due) = (false, false);
        self.want_keeper();
    }

    /// Segments of a log are closed, be it one right after the other.
    fn rotate(&mut self) {
        let Some(unit) = self.any_unit() else { return };
        for _ in 0..=self.ground.chance.below(3) {
            if let Some(keeper) = &self.keeper {
                keeper.rotates(&mut self.ground, unit.clone());
            }
        }
    }

    fn wake(&mut self) {
        if self.agent.as_ref().is_some_and(|agent| agent.is_connected) {
            self.with_agent(Agent::woke);
        }
    }

    fn crowd(&mut self) {
        let permille = [0, 300, 1000][usize::try_from(self.ground.chance.below(3)).unwrap_or(0)];
        if self.agent.as_ref().is_some_and(|agent| agent.is_connected) {
            self.with_agent(|agent, ground| agent.crowded(ground, permille));
        }
    }

    fn cut_off(&mut self) {
        self.ground.machine.is_alone = self.ground.once_in(2);
        if self.agent.as_ref().is_some_and(|agent| agent.is_connected) {
            self.with_agent(Agent::network);
        }
    }

    fn upgrade(&mut self) {
        let Some(keeper) = &self.keeper else { return };
        self.ground.tell(|| "the keeper is upgraded in place".to_owned());
        match keeper.upgrade(&mut self.ground) {
            Ok(Some(next)) => self.keeper = Some(next),
            Ok(None) => {}
            Err(Died) => self.kill_keeper(),
        }
    }

    /// Changes how a service is looked after, be it while there is no agent.
    fn look_otherwise(&mut self) {
        if self.agent.as_ref().is_some_and(|agent| !agent.is_connected) {
            return;
        }
        if self.ground.once_in(2) {
            self.kill_agent();
        }
        let Ground { disk, chance, checker, .. } = &mut self.ground;
        let count = u64::try_from(disk.services.len()).unwrap_or(1);
        let index = usize::try_from(chance.below(count)).unwrap_or(0);
        let Some(service) = disk.services.get_mut(index) else { return };
        let first = self.scene.services.iter().find(|first| first.name == service.name);
        let Some(first) = first else { return };
        look_otherwise(&mut service.care, first, chance);
        checker.looked_at_otherwise(&service.name);
        self.another_chance();
        self.ground.configured();
        self.with_agent(|agent, ground| agent.configure(ground, Prune::Keep));
    }

    /// Changes a program, takes a service away, or brings one back.
    fn reconfigure(&mut self) {
        if self.agent.as_ref().is_none_or(|agent| !agent.is_connected) {
            return;
        }
        let services = &mut self.ground.disk.services;
        let missing = self.scene.services.iter().find(|service| !has(services, service));
        match (self.ground.chance.below(3), missing.cloned()) {
            (0, Some(missing)) => services.push(missing),
            (1, _) if services.len() > 1 => {
                if let Some(last) = services.pop() {
                    self.ground.checker.promised(&UnitName::first(last.name.clone()), None);
                    self.ground.checker.promised(&UnitName { service: last.name, copy: 2 }, None);
                }
            }
            _ => {
                let count = u64::try_from(services.len()).unwrap_or(1);
                let index = usize::try_from(self.ground.chance.below(count)).unwrap_or(0);
                if let Some(service) = services.get_mut(index) {
                    service.spec_hash += 1;
                    if self.ground.chance.below(3) == 0 {
                        watch_otherwise(service, &mut self.ground.chance);
                        self.ground.disk.watched.insert(service.name.clone());
                        self.ground.checker.looked_at_otherwise(&service.name);
                    }
                }
            }
        }
        self.another_chance();
        let prune = if self.ground.once_in(2) { Prune::Keep } else { Prune::Remove };
        self.ground.configured();
        self.with_agent(|agent, ground| agent.configure(ground, prune));
    }

    /// What is configured otherwise gets another chance.
    fn another_chance(&mut self) {
        for service in &self.scene.services {
            for copy in 1..=service.instances {
                let unit = UnitName { service: service.name.clone(), copy };
                self.ground.checker.forget_starts(&unit, self.ground.now);
            }
        }
    }

    fn judge(&mut self) {
        let Some(agent) = &mut self.agent else {
            return self.ground.checker.broken("there is always an agent again", String::new());
        };
        if agent.finish_turn(&mut self.ground).is_err() {
            return;
        }
        let Ground { checker, machine, disk, .. } = &mut self.ground;
        checker.at_rest(&agent.core, machine, disk);
    }
}

fn has(services: &[Service], service: &Service) -> bool {
    services.iter().any(|other| other.name == service.name)
}
