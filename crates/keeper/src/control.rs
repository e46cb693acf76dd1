//! The control thread: one loop, one owner of everything the keeper knows. It never blocks, but
//! for pumps that park: see [`Pumps::park`].

mod ends;
mod follows;
mod freezes;
mod ladders;
mod requests;
mod starts;
mod stores;
mod talk;

use std::{
    io,
    path::PathBuf,
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use mainstay_api::keeper::{Leftover, Report, Welcome};
use mainstay_platform::{
    boot, clock, daemon,
    door::Connection,
    dump, fail,
    lock::FileLock,
    memory::{self, Bursts},
    paths,
    port::{Notices, Port, Ready, Token, Watched},
    process,
    spawn::BaseEnvironment,
};
use mainstay_storage::instance::Instance;

use crate::{
    Company,
    agents::Agents,
    entrance::Entrance,
    guests::GUESTS_MAX,
    journal::{Journal, JournalError},
    note::{Note, Notes, complain},
    notifications::Notifications,
    options::{KeeperOptions, OptionsError},
    owner::Conversation,
    panics,
    pump::Pumps,
    reception::Reception,
    runs::Runs,
    spawner::Spawner,
    store::Store,
    sweep::Sweeps,
    upgrade::{self, Inheritance},
};

/// How long killed programs may take to go when the keeper ends.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// How long a keeper that ends waits for what programs have said last.
const DRAIN_WITHIN: Duration = Duration::from_secs(2);

/// Whoever wakes up so much later than meant stood still: a machine that was paused, most likely.
const OVERSLEPT: Duration = Duration::from_millis(250);

/// The registrations of the control thread's port.
pub(crate) mod token {
    use mainstay_platform::port::Token;

    pub(crate) const NOTICES: Token = Token(1);
    pub(crate) const DOOR: Token = Token(2);
    pub(crate) const AGENT: Token = Token(3);
    pub(crate) const OWNER: Token = Token(4);
    pub(crate) const STRAY: Token = Token(5);
    pub(crate) const EXPECTED: Token = Token(6);
    pub(crate) const LADDER: Token = Token(7);
    pub(crate) const CLIENTS: Token = Token(8);
    pub(crate) const NOTIFICATIONS: Token = Token(10);
    pub(crate) const FORMER: Token = Token(9);
    /// Guests follow from here, runs far behind them.
    pub(crate) const GUESTS: u64 = 1 << 16;
    pub(crate) const RUNS: u64 = 1 << 32;
    /// And whoever notifies beyond all runs.
    pub(crate) const NOTIFIERS: u64 = 1 << 62;
}

/// A keeper that cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeeperError {
    #[error("the command line is wrong")]
    Options(#[from] OptionsError),
    #[error("cannot {doing}")]
    System { doing: &'static str, source: io::Error },
    #[error("the journal is not usable")]
    Journal(#[from] JournalError),
    #[error("what a predecessor left cannot be taken over")]
    Inheritance(#[from] upgrade::InheritanceError),
}

/// Says what was being done when the system refused.
pub(crate) fn doing(doing: &'static str) -> impl Fn(io::Error) -> KeeperError {
    move |source| KeeperError::System { doing, source }
}

/// Everything the keeper knows and holds.
pub(crate) struct Control {
    pub(crate) options: KeeperOptions,
    pub(crate) lock: FileLock,
    pub(crate) port: Port,
    pub(crate) notices: Watched<Notices>,
    pub(crate) door: Entrance,
    pub(crate) reception: Reception,
    pub(crate) notifications: Notifications,
    pub(crate) boot: String,
    pub(crate) epoch: String,
    pub(crate) journal: Journal,
    pub(crate) runs: Runs,
    pub(crate) stored: Store,
    pub(crate) sweeps: Sweeps,
    ladders: ladders::Ladders,
    formers: follows::Formers,
    /// For threads to come.
    pub(crate) notes: Notes,
    pub(crate) pumps: Pumps,
    pub(crate) spawner: Spawner,
    pub(crate) agents: Agents,
    pub(crate) aftermath: ends::Aftermath,
    pub(crate) reports: talk::Reports,
    /// Who still has to hear of the first start, and who may ask us to leave.
    pub(crate) company: Company,
    pub(crate) upgrade: Option<upgrade::Wanted>,
    inbox: Receiver<Note>,
    ending: Option<Ending>,
    pub(crate) bursts: Bursts,
}

/// The keeper is about to end.
#[derive(Debug, Clone, Copy)]
struct Ending {
    until: Duration,
    programs: Leftover,
    /// When nothing ran any more.
    quiet_since: Option<Duration>,
}

/// How a keeper came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As it was told to, with the code of the program whose end was the instance's; else 0.
    Done(u32),
    /// There is one already.
    Taken,
}

/// Runs a keeper until it is told to end, or returns at once when there is one already.
pub(crate) fn run(options: KeeperOptions, company: Company) -> Result<End, KeeperError> {
    if options.probe {
        upgrade::answer_probe()?;
        return Ok(End::Done(0));
    }
    let instance = Instance::new(options.runtime.clone(), PathBuf::new());
    paths::create_private(&options.runtime).map_err(doing("create the runtime folder"))?;
    let inherited = Inheritance::find(&options)?;
    let Some(lock) = upgrade::lock_of(&options, inherited.as_ref(), &instance)? else {
        return Ok(End::Taken);
    };
    memory::be_thrifty();
    panics::survive(&options, &lock);
    daemon::settle_down();
    // Orders hold secrets. Who cannot refuse a dump works all the same.
    drop(dump::refuse());
    process::become_subreaper().map_err(doing("become the parent of orphans"))?;
    let mut control = Control::begin(options, &instance, lock, inherited)?;
    control.company = company;
    control.tell_what_was_found();
    control.work().map(End::Done)
}

impl Control {
    fn begin(
        options: KeeperOptions,
        instance: &Instance,
        lock: FileLock,
        inherited: Option<Inheritance>,
    ) -> Result<Self, KeeperError> {
        let port = Port::new().map_err(doing("wait for events"))?;
        let notices = Notices::new().map_err(doing("watch for signals"))?;
        let notices = port.watch(notices, token::NOTICES).map_err(doing("watch for signals"))?;
        let doors = upgrade::doors(inherited.as_ref(), instance, options.service.as_deref())?;
        let door = Entrance::open(doors.keeper, token::DOOR, &port);
        let door = door.map_err(doing("listen for agents"))?;
        let reception = Reception::open(doors.api, &port).map_err(doing("listen for clients"))?;
        let notifications = Self::listen_to_programs(instance, &port, options.service.as_deref());
        // See `Note` for why it needs no bound.
        let (sender, inbox) = mpsc::channel();
        let notes = Notes::new(sender, port.waker());
        let former = daemon::raise_file_limit().map_or(0, |(former, _)| former);
        let files = inherited.as_ref().and_then(Inheritance::files).unwrap_or(former);
        let spawner = Spawner::new(notes.clone(), BaseEnvironment::new(), files, &lock);
        let boot = boot::identity().map_err(doing("tell this boot from others"))?;
        let journal = Journal::open(&instance.keeper_journal(), &boot)?;
        let agents = Agents::new(&options, &port, clock::monotonic());
        let pumps = Pumps::new(notes.clone(), &boot);
        let epoch = inherited.as_ref().map_or_else(journal_epoch, |state| state.epoch.clone());
        let mut control = Self {
            options,
            lock,
            port,
            notices,
            door,
            reception,
            notifications,
            boot,
            epoch,
            journal,
            runs: Runs::default(),
            stored: Store::default(),
            sweeps: Sweeps::default(),
            ladders: ladders::Ladders::default(),
            formers: follows::Formers::default(),
            notes,
            pumps,
            spawner: spawner.map_err(doing("start a thread"))?,
            agents,
            aftermath: ends::Aftermath::default(),
            reports: talk::Reports::default(),
            company: Company::default(),
            upgrade: None,
            inbox,
            ending: None,
            bursts: Bursts::default(),
        };
        control.settle(inherited)?;
        Ok(control)
    }

    fn work(mut self) -> Result<u32, KeeperError> {
        loop {
            self.look_at_clock();
            // Before the first event too: a predecessor's agent waits for what was asked of it.
            self.flush();
            self.drain_ended();
            if self.is_done() {
                return self.end();
            }
            self.upgrade_if_wanted();
            let deadline = self.next_deadline();
            let timeout = deadline.map(|at| at.saturating_sub(clock::monotonic()));
            let ready = self.port.wait(timeout).map_err(doing("wait for events"))?;
            let ready = ready.to_vec();
            let now = clock::monotonic();
            if deadline.is_some_and(|at| now > at + OVERSLEPT) {
                self.agents.life.excuse(now);
            }
            for event in ready {
                self.turn(event);
            }
            while let Ok(note) = self.inbox.try_recv() {
                self.note(note);
            }
        }
    }

    fn turn(&mut self, event: Ready) {
        match event.token {
            token::NOTICES => self.take_notices(),
            token::DOOR => self.welcome_callers(),
            token::AGENT => self.agent_ended(),
            token::OWNER => self.hear_owner(),
            token::STRAY => self.go_on_sweeping(),
            token::LADDER => self.helpers_ended(),
            token::EXPECTED => self.agents.expected_ended(),
            token::CLIENTS => self.receive_clients(),
            token::NOTIFICATIONS => self.receive_notifiers(),
            Token(number) if number >= token::NOTIFIERS => self.hear_notifier(event.token),
            token::FORMER => self.formers_ended(),
            Token(number) if number >= token::RUNS => self.run_ended(number - token::RUNS),
            guest => self.hear_guest(guest),
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Started(started) => self.started(*started),
            Note::Pump(note) => self.pump_said(note),
            Note::Probed(result) => self.probed(result),
        }
    }

    fn take_notices(&mut self) {
        let noticed = self.notices.take();
        if noticed.child_ended {
            self.reap_strangers();
        }
        if noticed.end_asked && self.company.leave.is_asked() {
            self.leave();
        } else if noticed.end_asked {
            self.tell_owner(Report::StopRequested);
            self.reports.standing.stop_requested = true;
        }
    }

    /// Lets callers in; the others have their turn when these have been heard.
    fn welcome_callers(&mut self) {
        let now = clock::monotonic();
        for _ in 0..GUESTS_MAX {
            let Some(connection) = self.door.next_caller(now) else { return };
            self.admit(connection, now);
        }
    }

    /// Lets in whoever is the same user or the administrator; others are shown the door.
    fn admit(&mut self, connection: Connection, now: Duration) {
        let peer = match connection.peer() {
            Ok(peer) if peer.is_trusted => peer,
            Ok(_) | Err(_) => return,
        };
        if let Err(error) = self.agents.guests.admit(connection, peer, &self.port, now) {
            complain("cannot listen to an agent", &error);
        }
    }

    fn look_at_clock(&mut self) {
        let now = clock::monotonic();
        self.spawner.look(now);
        if self.ending.is_none() {
            self.start_agent_if_due(now);
            self.agents.kill_if_hung(now);
        }
        if self.sweeps.next_deadline().is_some_and(|at| now >= at) {
            self.go_on_sweeping();
        }
        self.amend(now);
        self.aftermath.discarded.look(now);
        self.agents.guests.expire(now);
        self.reception.expire(now);
        self.notifications.look(&self.port, now);
        self.reception.open_if_due(&self.port, now);
        self.door.open_if_due(&self.port, now);
        if self.bursts.end(now) {
            memory::give_back();
        }
    }

    fn next_deadline(&self) -> Option<Duration> {
        let owner = self.agents.owner.as_ref().and_then(Conversation::next_deadline);
        let ending = self.ending.filter(|ending| !self.is_awaited(*ending));
        let ending = ending.map(|ending| ending.until);
        let upgrade = self.upgrade.as_ref().and_then(upgrade::Wanted::gives_up_at);
        // A keeper that ends needs no agent any more.
        let agent = self.agents.life.next_deadline().filter(|_| self.ending.is_none());
        let callers = [self.agents.guests.next_deadline(), self.door.next_deadline()];
        [self.spawner.next_deadline(), agent, self.sweeps.next_deadline()]
            .into_iter()
            .chain([self.aftermath.next_deadline(), self.bursts.next_deadline()])
            .chain([owner, ending, upgrade, self.reception.next_deadline()])
            .chain([self.notifications.next_deadline()])
            .chain(callers)
            .flatten()
            .min()
    }

    /// Describes this keeper.
    pub(crate) fn welcome(&self) -> Welcome {
        Welcome {
            protocol: mainstay_api::keeper::PROTOCOL + fail::raised(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            boot: self.boot.clone(),
            epoch: self.epoch.clone(),
            runs: self.runs.count(),
            recover: self.agents.life.is_recovering(),
            damage: None,
        }
    }

    /// Begins to end: programs are killed or left, then [`is_done`](Self::is_done) comes true.
    pub(crate) fn begin_to_end(&mut self, programs: Leftover) {
        let until = clock::monotonic() + LAST_WAIT;
        self.ending = Some(Ending { until, programs, quiet_since: None });
        if programs == Leftover::Kill {
            self.kill_everything();
        }
    }

    pub(crate) const fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    fn is_done(&mut self) -> bool {
        let is_said = self.agents.is_flushed();
        let (is_quiet, is_drained) = (self.is_quiet(), self.aftermath.draining.is_empty());
        let now = clock::monotonic();
        if self.ending.is_some_and(|ending| self.is_awaited(ending)) {
            return false;
        }
        let Some(ending) = &mut self.ending else { return false };
        if is_quiet {
            // The last words of programs are worth a moment, but no disk that hangs is.
            let since = *ending.quiet_since.get_or_insert(now);
            ending.until = ending.until.min(since + DRAIN_WITHIN);
        }
        let is_left = ending.programs == Leftover::Leave;
        (is_said && (is_left || (is_quiet && is_drained))) || now >= ending.until
    }

    /// Returns whether a start is waited for, however long it takes: a program that is being started
    /// is none that a successor would find, and it would start another one.
    fn is_awaited(&self, ending: Ending) -> bool {
        ending.programs == Leftover::Leave && self.spawner.is_busy()
    }

    /// Returns whether no program is left, nor anything that one has left behind.
    fn is_quiet(&self) -> bool {
        self.sweeps.is_done() && self.runs.iter().all(|run| run.process().is_none())
    }

    fn end(mut self) -> Result<u32, KeeperError> {
        if let Err(error) = self.pumps.park() {
            // What waits in its pipes is lost with the programs; nobody waits for the disk.
            complain("the end of a log is not written", &error);
        }
        if self.ending.is_some_and(|ending| ending.programs == Leftover::Kill) {
            // What survives being killed is found again by the next keeper.
            if self.is_quiet() {
                self.journal.clear()?;
            }
            for path in [self.door.path(), self.reception.path()] {
                // Somebody may have removed it already.
                drop(std::fs::remove_file(path));
            }
        }
        Ok(self.reports.standing.end_with.unwrap_or_default())
    }
}

/// Returns a text that differs for each keeper life.
fn journal_epoch() -> String {
    let now = clock::monotonic();
    format!("{:x}-{:x}", std::process::id(), now.as_nanos())
}
