//! A pretend agent: the real core, and around it what the real agent does with its effects.

mod hooks;
mod looks;
mod reload;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use mainstay_core::{
    Action, Adopted, AdoptedPhase, Command, Effect, Exit, Hook, HookEnd, Input, Memo, Moment,
    Notice, Outcome, Probe, Prune, Rung, Service, Supervisor, UnitName, UnitView, Wish,
    check::{CheckAction, CheckRole, ReadyBy},
};

use hooks::Ordered;

use crate::{
    agenda::Happening,
    beside::{self, all_hooks, is_hook},
    disk::{Event, Unsynced},
    ground::{Died, Ground},
    mistakes::mistake_memos,
    plant::Plant,
    told::Told,
    wire::{Key, Report, Request, Signal, USED},
};

/// What is said once an event is on the disk.
#[derive(Debug)]
enum Later {
    Ack(Key),
    Forget(UnitName),
}

/// What one turn is about to do.
#[derive(Debug, Default)]
struct Outbox {
    requests: Vec<Request>,
    answers: Vec<(UnitName, bool)>,
    /// What this turn promises of units: up, down, or nothing any more.
    promises: BTreeMap<UnitName, Option<bool>>,
}

#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) life: u64,
    pub(crate) core: Supervisor,
    /// It heard from its keeper and the link holds.
    pub(crate) is_connected: bool,
    pub(crate) has_begun: bool,
    /// The life of the keeper that it talks to or calls.
    pub(crate) link: Option<u64>,
    wishes: BTreeMap<UnitName, Wish>,
    settled: BTreeMap<UnitName, u64>,
    later: VecDeque<(u64, Later)>,
    exits: BTreeMap<UnitName, u64>,
    unsynced: Unsynced,
    last_event: u64,
    synced: u64,
    outbox: Outbox,
    /// Ends of hooks that were never ordered.
    pretended: Vec<Input>,
    /// When hooks were ordered first.
    begun: BTreeMap<Key, Moment>,
    /// What looks have shown while there was no keeper.
    pub(crate) mail: Vec<(Key, Probe, Outcome)>,
}

type Step = Result<(), Died>;

impl Agent {
    /// Begins with what is on the disk.
    pub(crate) fn begin(ground: &mut Ground, life: u64) -> Self {
        ground.checker.new_agent();
        let mut agent = Self {
            life,
            core: Supervisor::new(ground.chance.number()),
            is_connected: false,
            has_begun: false,
            link: None,
            wishes: ground.disk.wishes.clone(),
            settled: BTreeMap::new(),
            later: VecDeque::new(),
            exits: BTreeMap::new(),
            unsynced: Unsynced::new(),
            last_event: 0,
            synced: 0,
            outbox: Outbox::default(),
            pretended: Vec::new(),
            begun: BTreeMap::new(),
            mail: Vec::new(),
        };
        for event in &ground.disk.events {
            agent.note(event);
        }
        agent
    }

    /// Calls a keeper, unless it has one.
    pub(crate) fn call(&mut self, ground: &mut Ground, keeper: u64) {
        if self.link.is_none() {
            self.link = Some(keeper);
            self.send(ground, Request::Hello);
        }
    }

    fn send(&self, ground: &mut Ground, request: Request) {
        if let Some(to) = self.link {
            ground.send_to_keeper(self.life, to, request);
        }
    }

    /// Returns whether it is this agent and talks to that keeper.
    pub(crate) fn is_linked(&self, keeper: u64, life: u64) -> bool {
        self.life == life && self.link == Some(keeper)
    }

    /// Its keeper is gone; until it has another it does nothing.
    pub(crate) fn lose_link(&mut self) {
        (self.link, self.is_connected) = (None, false);
    }

    pub(crate) fn next_deadline(&self, ground: &Ground) -> Option<Moment> {
        let is_stopping = || self.core.units().any(|unit| unit.state() == "stopping");
        if !self.is_connected || (ground.has(Plant::KillOnce) && is_stopping()) {
            return None;
        }
        self.core.next_deadline()
    }

    /// Remembers which exits were told.
    fn note(&mut self, event: &Event) {
        let Event::Exited((unit, run)) = event else { return };
        match self.exits.get_mut(unit) {
            Some(last) => *last = *run,
            None => {
                self.exits.insert(unit.clone(), *run);
            }
        }
    }

    fn tell(&mut self, event: Event) {
        self.note(&event);
        self.last_event += 1;
        self.unsynced.push_back((self.last_event, event));
    }

    /// The disk has everything up to an event.
    pub(crate) fn synced(&mut self, ground: &mut Ground, up_to: u64) {
        self.synced = self.synced.max(up_to);
        while self.unsynced.front().is_some_and(|(number, _)| *number <= up_to) {
            ground.disk.events.extend(self.unsynced.pop_front().map(|(_, event)| event));
        }
    }

    /// Dies; of what was not synced, the first part may have reached the disk.
    pub(crate) fn die(self, ground: &mut Ground) {
        let reached = ground.chance.below(u64::try_from(self.unsynced.len() + 1).unwrap_or(1));
        let reached = usize::try_from(reached).unwrap_or_default();
        let events = self.unsynced.into_iter().map(|(_, event)| event);
        ground.disk.events.extend(events.take(reached));
        // What was promised to nobody may hold or not.
        for unit in self.outbox.promises.keys() {
            ground.checker.unsure(unit);
        }
    }

    pub(crate) fn hear(&mut self, ground: &mut Ground, report: Report) -> Step {
        match report {
            Report::Welcome(runs) => {
                self.welcomed(ground, runs);
                self.finish_turn(ground)?;
                // What a keeper may have lost is written again, and has left.
                ground.flushed = ground.agenda.latest();
                ground.memos_repeated();
                return Ok(());
            }
            Report::Started { key, .. } if is_hook(&key) => {}
            Report::NotStarted { key, why } if is_hook(&key) => {
                let end = match why {
                    USED => HookEnd::Known,
                    _ => HookEnd::NotStarted(why.to_owned()),
                };
                self.hook_ended(ground, &key, end);
            }
            Report::Exited { key, exit, .. } if is_hook(&key) => {
                self.hook_ended(ground, &key, HookEnd::Exited(exit));
            }
            Report::Amended { key, .. } | Report::Cleared(key) if is_hook(&key) => {}
            Report::Started { key: (unit, run), pid } => {
                self.take(ground, Input::Started { unit, run, pid });
            }
            Report::NotStarted { key: (unit, run), why } => {
                self.take(ground, Input::NotStarted { unit, run, reason: why.to_owned() });
            }
            Report::Exited { key: (unit, run), exit, strays } => {
                self.take(ground, Input::Exited { unit, run, exit, strays });
            }
            Report::Amended { key: (unit, run), exit } => {
                self.take(ground, Input::ExitAmended { unit, run, exit });
            }
            Report::Cleared((unit, run)) => self.take(ground, Input::Cleared { unit, run }),
            Report::Rotated(unit) => {
                if self.core.unit(&unit).is_some() {
                    ground.checker.occurs(&unit, Hook::AfterRotate, ground.now);
                }
                self.take(ground, Input::Rotated { unit });
            }
        }
        self.finish_turn(ground)
    }

    /// Hears what programs have said: each word is taken only when what follows from it was sent.
    pub(crate) fn read(&mut self, ground: &mut Ground) -> Step {
        while let Some(((unit, run), notice)) = ground.said.front().cloned() {
            if ground.has(Plant::TakenEarly) {
                ground.said.pop_front();
            }
            let is_missed = (ground.has(Plant::LeavingIgnored) && notice == Notice::Stopping)
                || (ground.has(Plant::AliveIgnored) && notice == Notice::Alive);
            let is_believed = ground.has(Plant::ReloadBelieved) && notice == Notice::Reloading;
            let notice = if is_believed { Notice::Ready } else { notice };
            if !is_missed {
                self.take(ground, Input::Noticed { unit, run, notice });
            }
            self.finish_turn(ground)?;
            if !ground.has(Plant::TakenEarly) {
                ground.flushed = ground.agenda.latest();
                ground.said.pop_front();
            }
        }
        Ok(())
    }

    pub(crate) fn network(&mut self, ground: &mut Ground) -> Step {
        let up = !ground.machine.is_alone;
        self.take(ground, Input::Network { up });
        self.finish_turn(ground)
    }

    /// The machine wakes up: all that run are told so.
    pub(crate) fn woke(&mut self, ground: &mut Ground) -> Step {
        for unit in self.core.units().filter(|unit| unit.state() == "running") {
            ground.checker.occurs(unit.name(), Hook::OnPowerResume, ground.now);
        }
        self.take(ground, Input::Woke);
        self.finish_turn(ground)
    }

    pub(crate) fn crowded(&mut self, ground: &mut Ground, permille: u16) -> Step {
        self.take(ground, Input::Crowded { permille });
        self.finish_turn(ground)
    }

    fn welcomed(&mut self, ground: &mut Ground, all: Vec<Adopted>) {
        self.is_connected = true;
        ground.checker.disturbed(ground.now);
        ground.after(Duration::ZERO, Happening::Readable);
        let (mut runs, mut hooks) = beside::part(all);
        for run in &runs {
            if !ground.disk.services.iter().any(|service| service.name == run.unit.service) {
                // Of an orphan nobody knows what it takes to be ready, or well.
                let key = (run.unit.clone(), run.run);
                ground.machine.excuse(&key);
                ground.checker.excuse_readiness(&key, ground.now);
            }
        }
        if ground.has(Plant::HooksForgotten) {
            hooks.clear();
        }
        if std::mem::replace(&mut self.has_begun, true) {
            if !ground.has(Plant::NotReconciled) {
                self.take(ground, Input::Reconcile { runs, hooks });
            }
            let up = !ground.machine.is_alone;
            self.take(ground, Input::Network { up });
            return;
        }
        ground.checker.reloads_passed_on(&runs, &hooks);
        mistake_memos(ground, &mut runs);
        // The keeper of another boot forgot them.
        if !ground.has(Plant::ToldHooksForgotten) {
            let told = self.exits.iter();
            hooks.extend(told.filter_map(|(name, number)| beside::told(name, *number)));
        }
        let programs = self.exits.iter().filter(|(name, _)| beside::owner(name).is_none());
        runs.extend(programs.map(|(unit, run)| Adopted {
            unit: unit.clone(),
            run: *run,
            spec_hash: 0,
            memo: Memo::default(),
            phase: AdoptedPhase::Remembered,
        }));
        let services = configuration(ground);
        self.take(ground, Input::Configure { services, prune: Prune::Keep });
        let width = if ground.has(Plant::GateIgnored) { 0 } else { ground.width };
        self.take(ground, Input::Gate { width });
        self.take(ground, Input::Adopt { runs, wishes: ground.disk.all_wishes(), hooks });
        let up = !ground.machine.is_alone;
        self.take(ground, Input::Network { up });
        self.take(ground, Input::Open);
    }

    pub(crate) fn command(
        &mut self,
        ground: &mut Ground,
        unit: UnitName,
        command: Command,
    ) -> Step {
        self.take(ground, Input::Command { units: vec![unit], command });
        self.finish_turn(ground)
    }

    pub(crate) fn configure(&mut self, ground: &mut Ground, prune: Prune) -> Step {
        let mut services = configuration(ground);
        if ground.has(Plant::WatchdogDropped) {
            for service in &mut services {
                service.care.watchdog = None;
            }
        }
        self.take(ground, Input::Configure { services, prune });
        self.finish_turn(ground)
    }

    /// Whatever has come is heard before anything is judged.
    pub(crate) fn deadline(&mut self, ground: &mut Ground) -> Step {
        self.open_mail(ground)?;
        self.read(ground)?;
        self.take(ground, Input::Deadline);
        self.finish_turn(ground)
    }

    fn take(&mut self, ground: &mut Ground, input: Input) {
        ground.tell(|| format!("agent {} takes {}", self.life, Told(&input)));
        ground.checker.told(&input, ground.now);
        let effects = self.core.handle(ground.now, input);
        for effect in effects {
            self.perform(ground, effect);
        }
        while let Some(input) = self.pretended.pop() {
            self.take(ground, input);
        }
    }

    fn perform(&mut self, ground: &mut Ground, effect: Effect) {
        let Effect { unit, action, .. } = effect;
        let Some(unit) = unit else { return };
        ground.tell(|| format!("agent {} decides for {unit}: {action:?}", self.life));
        match action {
            Action::Spawn { run, memo } => self.spawn(ground, &unit, run, memo),
            Action::Ask { run } => self.signal(ground, &unit, run, Signal::Ask),
            Action::Kill { run } => self.signal(ground, &unit, run, Signal::Kill),
            Action::Remember { .. } if ground.has(Plant::NothingWritten) => {}
            Action::Remember { run, memo } => {
                let is_stop = ground.has(Plant::PardonAsStop) && memo.pardoned;
                let memo = Memo { stopping: memo.stopping || is_stop, ..memo };
                self.outbox.requests.push(Request::Memo { key: (unit, run), memo });
            }
            Action::Settle { run, exit } => self.settle(ground, &unit, run, exit),
            Action::Keep(wish) => {
                self.outbox.promises.insert(unit.clone(), Some(wish.up));
                self.wishes.insert(unit, wish);
            }
            Action::Answer(answer) => self.outbox.answers.push((unit, answer.is_ok())),
            Action::Changed => {
                ground.checker.changed(&self.core, &unit, &ground.disk.services);
                let run = self.core.unit(&unit).map_or(0, UnitView::run);
                self.tell(Event::Changed((unit, run)));
            }
            Action::Forget => self.forget(ground, unit),
            Action::Abort { run } => self.signal(ground, &unit, run, Signal::Abort),
            Action::Probe { run, probe } => self.probe(ground, &unit, run, probe),
            Action::Hook { run, hook, number, memo, .. } => {
                let of = Ordered { run, number, memo };
                self.hook(ground, &unit, hook, of);
            }
            Action::EndHook { .. } if ground.has(Plant::LateHooksIgnored) => {}
            Action::EndHook { hook, number, rung } => {
                let name = beside::beside(&unit, hook);
                let key = name.map(|name| (name, number));
                let signal = match rung {
                    Rung::Ask => Signal::Ask,
                    Rung::Kill => Signal::Kill,
                };
                self.outbox.requests.extend(key.map(|key| Request::Signal { key, signal }));
            }
            Action::SettleHook { hook, number, end, .. } => {
                self.settle_hook(ground, &unit, (hook, number), &end);
            }
            Action::Abandon { run, probe } => ground.checker.looks_away(&(unit, run), probe),
            Action::Freeze { run } => {
                ground.checker.freezes(&(unit.clone(), run), ground.now);
                self.outbox.requests.push(Request::Freeze((unit, run)));
            }
            Action::Thaw { run } => {
                ground.checker.thaws(&(unit.clone(), run));
                self.outbox.requests.push(Request::Thaw((unit, run)));
            }
            Action::Reload { run } => self.tell_to_reload(ground, unit, run),
            Action::Health(health) => looks::tell(ground, &unit, &health),
            Action::ExitAmended { .. } | Action::Exit(_) | Action::AllAtRest => {}
        }
    }

    /// Nothing is left of a unit.
    fn forget(&mut self, ground: &mut Ground, unit: UnitName) {
        ground.checker.forget_starts(&unit, ground.now);
        ground.checker.forget_hooks(&unit);
        self.acknowledge_former(&unit);
        self.wishes.remove(&unit);
        self.outbox.promises.insert(unit.clone(), None);
        for name in all_hooks().filter_map(|hook| beside::beside(&unit, hook)) {
            self.later.push_back((self.last_event, Later::Forget(name)));
        }
        self.later.push_back((self.last_event, Later::Forget(unit)));
    }

    fn spawn(&mut self, ground: &mut Ground, unit: &UnitName, run: u64, memo: Memo) {
        let service = ground.disk.services.iter().find(|service| service.name == unit.service);
        let hash = service.map_or(0, |service| service.spec_hash);
        let (key, decided_at) = ((unit.clone(), run), ground.now);
        if !ground.checker.is_begun(&key) {
            ground.checker.decided(unit, &ground.disk.services, ground.now);
            ground.checker.enters(unit, ground.width, ground.now);
        }
        ground.checker.ordered(&key, decided_at, self.wishes.get(unit));
        self.outbox.requests.push(Request::Spawn { key, hash, memo, decided_at });
        self.acknowledge_former(unit);
    }

    fn signal(&mut self, ground: &mut Ground, unit: &UnitName, run: u64, signal: Signal) {
        let Ground { checker, machine, now, .. } = ground;
        checker.ends_paused(&(unit.clone(), run));
        checker.signalled(&(unit.clone(), run), signal, machine, *now);
        self.outbox.requests.push(Request::Signal { key: (unit.clone(), run), signal });
    }

    fn settle(&mut self, ground: &mut Ground, unit: &UnitName, run: u64, exit: Exit) {
        ground.checker.met_end(&(unit.clone(), run), exit);
        let is_told = self.exits.get(unit).is_some_and(|told| *told >= run);
        if !is_told || ground.has(Plant::ToldAgain) {
            self.tell(Event::Exited((unit.clone(), run)));
        }
        let has_successor = self.core.unit(unit).is_some_and(|view| view.run() > run);
        if ground.has(Plant::AckBeforeEvent) {
            self.outbox.requests.push(Request::Ack((unit.clone(), run)));
        } else if has_successor || ground.has(Plant::AckBeforeSuccessor) {
            self.later.push_back((self.last_event, Later::Ack((unit.clone(), run))));
        } else {
            self.settled.insert(unit.clone(), run);
        }
    }

    fn acknowledge_former(&mut self, unit: &UnitName) {
        if let Some(run) = self.settled.remove(unit) {
            self.later.push_back((self.last_event, Later::Ack((unit.clone(), run))));
        }
    }

    /// Sends what was decided, keeps wishes, and answers: in this order, and it may die in between.
    pub(crate) fn finish_turn(&mut self, ground: &mut Ground) -> Step {
        while self.later.front().is_some_and(|(number, _)| *number <= self.synced) {
            let Some((_, later)) = self.later.pop_front() else { break };
            self.outbox.requests.push(match later {
                Later::Ack(key) => Request::Ack(key),
                Later::Forget(unit) => Request::Forget(unit),
            });
        }
        for request in std::mem::take(&mut self.outbox.requests) {
            ground.step()?;
            self.send(ground, request);
        }
        ground.step()?;
        if ground.has(Plant::WishAfterAnswer) {
            self.answer(ground);
            ground.step()?;
            ground.disk.wishes.clone_from(&self.wishes);
        } else {
            ground.disk.wishes.clone_from(&self.wishes);
            ground.step()?;
            self.answer(ground);
        }
        self.write_events(ground);
        Ok(())
    }

    fn answer(&mut self, ground: &mut Ground) {
        let Outbox { answers, promises, .. } = std::mem::take(&mut self.outbox);
        for (unit, is_accepted) in answers {
            ground.tell(|| format!("agent {} answers for {unit}: {is_accepted}", self.life));
        }
        for (unit, promise) in promises {
            ground.checker.promised(&unit, promise);
        }
    }

    fn write_events(&self, ground: &mut Ground) {
        if self.unsynced.is_empty() {
            return;
        }
        let is_slow = ground.once_in(40);
        let most = Duration::from_millis(if is_slow { 3000 } else { 20 });
        let after = ground.up_to(most);
        let (life, up_to) = (self.life, self.last_event);
        ground.after(after, Happening::Synced { life, up_to });
    }
}

/// Returns what a core is told of the configuration.
fn configuration(ground: &Ground) -> Vec<Service> {
    let mut services = ground.disk.services.clone();
    if ground.has(Plant::ReadyAtStart) {
        for care in services.iter_mut().map(|service| &mut service.care) {
            care.ready.by = ReadyBy::Started;
            care.checks.retain(|check| check.role == CheckRole::Liveness);
        }
    }
    if ground.has(Plant::MarkAsRestart) {
        for check in services.iter_mut().flat_map(|service| &mut service.care.checks) {
            if check.role == CheckRole::Liveness && check.action == CheckAction::Mark {
                check.action = CheckAction::Restart;
            }
        }
    }
    services
}
