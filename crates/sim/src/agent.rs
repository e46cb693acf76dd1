//! A pretend agent: the real core, and around it what the real agent does with its effects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mainstay_core::{
    Action, Adopted, AdoptedPhase, Command, Effect, Exit, Input, Memo, Moment, Prune, Supervisor,
    UnitName, UnitView, Wish,
};

use crate::{
    agenda::Happening,
    disk::{Event, Unsynced},
    ground::{Died, Ground},
    plant::Plant,
    wire::{Key, Report, Request, Signal},
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
    has_begun: bool,
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
        if let Event::Exited((unit, run)) = event {
            self.exits.insert(unit.clone(), *run);
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
            Report::Welcome(runs) => self.welcomed(ground, runs),
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
        }
        self.finish_turn(ground)
    }

    fn welcomed(&mut self, ground: &mut Ground, mut runs: Vec<Adopted>) {
        self.is_connected = true;
        if std::mem::replace(&mut self.has_begun, true) {
            if !ground.has(Plant::NotReconciled) {
                self.take(ground, Input::Reconcile { runs });
            }
            return;
        }
        if ground.has(Plant::MemoIgnored) {
            for run in &mut runs {
                run.memo = Memo::default();
            }
        }
        if ground.has(Plant::MemoOfAnother) {
            let asked: BTreeSet<UnitName> =
                runs.iter().filter(|run| run.memo.stopping).map(|run| run.unit.clone()).collect();
            for run in runs.iter_mut().filter(|run| asked.contains(&run.unit)) {
                run.memo.stopping = true;
            }
        }
        runs.extend(self.exits.iter().map(|(unit, run)| Adopted {
            unit: unit.clone(),
            run: *run,
            spec_hash: 0,
            memo: Memo::default(),
            phase: AdoptedPhase::Remembered,
        }));
        let services = ground.disk.services.clone();
        self.take(ground, Input::Configure { services, prune: Prune::Keep });
        self.take(ground, Input::Adopt { runs, wishes: ground.disk.all_wishes() });
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
        let services = ground.disk.services.clone();
        self.take(ground, Input::Configure { services, prune });
        self.finish_turn(ground)
    }

    pub(crate) fn deadline(&mut self, ground: &mut Ground) -> Step {
        self.take(ground, Input::Deadline);
        self.finish_turn(ground)
    }

    fn take(&mut self, ground: &mut Ground, input: Input) {
        ground.tell(|| format!("agent {} takes {}", self.life, Told(&input)));
        ground.checker.told(&input);
        let effects = self.core.handle(ground.now, input);
        for effect in effects {
            self.perform(ground, effect);
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
            Action::Remember { run, memo } => {
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
            Action::Forget => {
                ground.checker.forget_starts(&unit, ground.now);
                self.acknowledge_former(&unit);
                self.wishes.remove(&unit);
                self.outbox.promises.insert(unit.clone(), None);
                self.later.push_back((self.last_event, Later::Forget(unit)));
            }
            Action::ExitAmended { .. } | Action::Exit(_) | Action::AllAtRest => {}
        }
    }

    fn spawn(&mut self, ground: &mut Ground, unit: &UnitName, run: u64, memo: Memo) {
        ground.checker.decided(unit, &ground.disk.services);
        let service = ground.disk.services.iter().find(|service| service.name == unit.service);
        let hash = service.map_or(0, |service| service.spec_hash);
        let (key, decided_at) = ((unit.clone(), run), ground.now);
        ground.checker.ordered(&key, decided_at, self.wishes.get(unit));
        self.outbox.requests.push(Request::Spawn { key, hash, memo, decided_at });
        self.acknowledge_former(unit);
    }

    fn signal(&mut self, ground: &mut Ground, unit: &UnitName, run: u64, signal: Signal) {
        ground.checker.signalled(&(unit.clone(), run));
        self.outbox.requests.push(Request::Signal { key: (unit.clone(), run), signal });
    }

    fn settle(&mut self, ground: &Ground, unit: &UnitName, run: u64, _exit: Exit) {
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
        let most = std::time::Duration::from_millis(if is_slow { 3000 } else { 20 });
        let after = ground.up_to(most);
        let (life, up_to) = (self.life, self.last_event);
        ground.after(after, Happening::Synced { life, up_to });
    }
}

/// Writes an input as people read it.
struct Told<'a>(&'a Input);

impl std::fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Input::Configure { services, prune } => {
                let all = services.iter().map(|one| format!("{} {}", one.name, one.spec_hash));
                write!(f, "Configure {:?} {prune:?}", all.collect::<Vec<_>>())
            }
            Input::Adopt { runs, .. } | Input::Reconcile { runs } => {
                let all =
                    runs.iter().map(|one| format!("{} {} {:?}", one.unit, one.run, one.phase));
                write!(f, "runs {:?}", all.collect::<Vec<_>>())
            }
            Input::Command { units, command } => {
                let all: Vec<String> = units.iter().map(ToString::to_string).collect();
                write!(f, "{command:?} {}", all.join(" "))
            }
            Input::Started { unit, run, pid } => write!(f, "{unit} {run} started as {pid}"),
            Input::NotStarted { unit, run, .. } => write!(f, "{unit} {run} not started"),
            Input::Exited { unit, run, exit, strays } => {
                write!(f, "{unit} {run} {exit}, strays: {strays}")
            }
            Input::Cleared { unit, run } => write!(f, "{unit} {run} cleared"),
            Input::ExitAmended { unit, run, exit } => write!(f, "{unit} {run} amended: {exit}"),
            Input::Open | Input::Deadline | Input::ShutDown => write!(f, "{:?}", self.0),
        }
    }
}
