//! What programs say of themselves: where they say it, what is kept of it, and what they hand over.
//!
//! ```text
//!  program ──datagram──► socket ──looked at──► core, memo, store ──► keeper
//!                          ▲                                           │ all is sent
//!                          └──────────────── taken ◄───────────────────┘
//! ```
//!
//! A message stays in its socket until everything that follows from it is with the keeper, who has
//! the socket as well: whoever dies in between, the next agent reads it again. So a message may be
//! read twice, and nothing that follows from it may count twice. One thing is not waited for: of
//! several statuses within a tenth of a second only the last is written on the run, a moment later.

mod former;
mod hear;
mod post;
mod said;
mod sender;
mod shelf;
mod terms;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

use mainstay_api::{
    keeper::{Entry, Follow, Phase, Request, RunMemo, STORE_SINCE, Spawn, StoreEntry},
    notify::Fault,
};
use mainstay_core::{Memo, UnitName};
use mainstay_platform::{clock, datagram::Inbox, descriptor::Descriptor, fail, notify_pipe};

use crate::{
    daemon::Agent,
    events::{Happening, Level, complain},
    launch,
};

use post::Posts;
pub(crate) use said::Said;
use shelf::Shelf;
use terms::Terms;

/// A status alone is written on a run at most so often.
const WRITE_EVERY: Duration = Duration::from_millis(100);
/// Where a program finds the socket for its notifications.
const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";
/// Where it finds the pipe, on systems without such sockets.
const PIPE_VARIABLE: &str = "MAINSTAY_NOTIFY_PIPE";

/// What programs say and have said.
#[derive(Debug)]
pub(crate) struct Notices {
    posts: Posts,
    shelf: Shelf,
    spoken: BTreeMap<UnitName, Box<Spoken>>,
    /// Units of which something is to be written on their runs.
    due: BTreeSet<UnitName>,
    /// Who is of no run.
    strangers: hear::Refusals,
}

/// What the last run of a unit has said, and what is known of it.
#[derive(Debug, Default)]
struct Spoken {
    run: u64,
    /// What the core wrote on it last.
    memo: Memo,
    said: Said,
    /// Its main process, when it is not the one that was started.
    main: Option<u32>,
    /// Its main process, once that has ended.
    former_main: Option<u32>,
    /// The process that the keeper is asked to follow.
    asked: Option<u32>,
    /// Mistakes that were told.
    told: BTreeSet<Fault>,
    refusals: hear::Refusals,
    talk: hear::Talk,
    /// How often its messages could not be read.
    unread: hear::Refusals,
    /// Its unit rests: there is nobody for whom something could be kept.
    has_let_go: bool,
    wrote_at: Duration,
}

impl Notices {
    /// Must be called inside a runtime.
    pub(crate) fn new() -> io::Result<Self> {
        let (spoken, due) = (BTreeMap::new(), BTreeSet::new());
        let (posts, shelf) = (Posts::new()?, Shelf::default());
        Ok(Self { posts, shelf, spoken, due, strangers: hear::Refusals::default() })
    }

    /// Waits until somebody says something; nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Vec<UnitName> {
        self.posts.ready().await
    }

    /// Returns what a run has said.
    pub(crate) fn said(&self, unit: &UnitName, run: u64) -> Option<&Said> {
        self.spoken.get(unit).filter(|spoken| spoken.run == run).map(|spoken| &spoken.said)
    }

    /// Returns a run's main process, when it is not the one that was started.
    pub(crate) fn main_of(&self, unit: &UnitName, run: u64) -> Option<u32> {
        self.spoken.get(unit).filter(|spoken| spoken.run == run)?.main
    }

    /// A run has ended: what its main process has handed over last is heard all the same.
    pub(crate) fn note_end(&mut self, unit: &UnitName, run: u64, pid: u32) {
        if let Some(spoken) = self.spoken.get_mut(unit).filter(|spoken| spoken.run == run) {
            spoken.former_main = spoken.main.or_else(|| known(pid));
        }
    }

    /// Returns the main process of a run that has ended.
    fn former_main_of(&self, unit: &UnitName, run: u64) -> Option<u32> {
        self.spoken.get(unit).filter(|spoken| spoken.run == run)?.former_main
    }

    /// Notes what the core writes on a run; what was said goes along.
    pub(crate) fn remember(&mut self, unit: &UnitName, run: u64, memo: Memo) {
        if let Some(spoken) = self.spoken.get_mut(unit).filter(|spoken| spoken.run == run) {
            spoken.memo = memo;
            spoken.wrote_at = clock::monotonic();
            self.due.remove(unit);
        }
    }

    /// Leaves out of an order what has come to its end since that was decided: the keeper has it no
    /// more, and would refuse the start.
    pub(crate) fn leave_out_ended(&self, order: &mut Spawn) {
        let Ok(unit) = UnitName::parse(&order.unit) else { return };
        let kept = self.shelf.names(&unit);
        order.listen.retain(|name| kept.contains(name));
    }

    /// The start of a run has come to its end: whoever spoke meanwhile is heard.
    pub(crate) fn resume(&mut self, unit: &UnitName) {
        if self.spoken.get(unit).is_none_or(|spoken| spoken.asked.is_none()) {
            self.posts.resume(unit);
        }
    }

    /// Returns when something is to be written or read.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let due = self.due.iter().filter_map(|unit| self.spoken.get(unit));
        due.map(|spoken| spoken.wrote_at + WRITE_EVERY).chain(self.posts.next_deadline()).min()
    }

    /// Takes what is due at this moment.
    fn take_due(&mut self, now: Duration) -> Vec<UnitName> {
        let spoken = &self.spoken;
        let is_due = |unit: &UnitName| {
            spoken.get(unit).is_none_or(|spoken| now >= spoken.wrote_at + WRITE_EVERY)
        };
        self.due.extract_if(.., |unit| is_due(unit)).collect()
    }
}

impl Agent {
    /// Lets a run that is about to be ordered know where to notify, and passes on what its unit has
    /// handed over. What an earlier run said and nobody has heard is heard before.
    pub(crate) fn equip(
        &mut self,
        unit: &UnitName,
        memo: Memo,
        spawn: &mut Spawn,
    ) -> Result<(), String> {
        let terms = self.config.services.get(&unit.service).and_then(Terms::of);
        let Some(terms) = terms else {
            self.fall_silent(unit);
            return Ok(());
        };
        self.hear_out(unit)?;
        self.listen_for(unit)?;
        if terms.store > 0 && self.welcome.protocol >= STORE_SINCE {
            spawn.listen.extend(self.notices.shelf.names(unit));
        }
        let fresh = Spoken { run: spawn.run, memo, ..Spoken::default() };
        self.notices.spoken.insert(unit.clone(), Box::new(fresh));
        let own = self.notify_variable(unit).into_iter();
        let own = own.chain(terms.alive_every.map(watchdog_variable));
        spawn.environment.set.extend(own.map(|(name, value)| (name.to_owned(), value)));
        Ok(())
    }

    /// Returns what programs and hooks of a unit find in their environment.
    pub(crate) fn notify_variable(&self, unit: &UnitName) -> Option<(&'static str, String)> {
        let address = match pipe_of(self) {
            Some(pipe) => self.notices.spoken.contains_key(unit).then_some(pipe),
            None => self.notices.posts.address(unit),
        };
        address.map(|address| (variable(), address))
    }

    /// Listens to what a hook says before the first run of its unit; where that cannot be, the run
    /// is told so.
    pub(crate) fn listen_where_asked(&mut self, unit: &UnitName) {
        if self.config.services.get(&unit.service).and_then(Terms::of).is_some() {
            drop(self.listen_for(unit));
        }
    }

    /// Makes sure that a unit is listened to.
    fn listen_for(&mut self, unit: &UnitName) -> Result<(), String> {
        if notify_pipe::IS_THERE {
            return Ok(());
        }
        let opened = self.notices.posts.open(&self.instance, unit);
        let socket = opened.map_err(|error| format!("cannot listen for notifications: {error}"))?;
        if let Some(socket) = socket {
            self.store(&[post::entry_of(unit)], &[socket]);
        }
        Ok(())
    }

    /// Its service listens no more.
    fn fall_silent(&mut self, unit: &UnitName) {
        self.notices.spoken.remove(unit);
        self.notices.due.remove(unit);
        let socket = self.notices.posts.close(unit);
        let gone: Vec<StoreEntry> =
            socket.into_iter().chain(self.notices.shelf.clear(unit)).collect();
        self.unstore(gone);
    }

    /// A unit is no more; the keeper forgets by itself what it has stored.
    pub(crate) fn forget_notices(&mut self, unit: &UnitName) {
        self.notices.spoken.remove(unit);
        self.notices.due.remove(unit);
        self.notices.shelf.clear(unit);
        self.notices.posts.close(unit);
    }

    /// A unit rests: what it has handed over was for its next run, and there is none; nor for what
    /// it has handed over last and nobody has heard.
    pub(crate) fn let_go_of_stored(&mut self, unit: &UnitName) {
        if let Some(spoken) = self.notices.spoken.get_mut(unit) {
            spoken.has_let_go = true;
        }
        let gone = self.notices.shelf.clear(unit);
        self.unstore(gone);
    }

    /// A unit rests no more: what is handed over from now on is for its next run, be it by a hook
    /// before that. What was handed over earlier and nobody has heard was for nobody.
    pub(crate) fn keep_stored_again(&mut self, unit: &UnitName) {
        if !self.notices.spoken.get(unit).is_some_and(|spoken| spoken.has_let_go) {
            return;
        }
        if self.hear_out(unit).is_err() {
            // The start itself tries again, and tells what is wrong.
            return;
        }
        self.listen_where_asked(unit);
        if let Some(spoken) = self.notices.spoken.get_mut(unit) {
            spoken.has_let_go = false;
        }
    }

    /// Returns whether a unit rests, so that there is no next run to keep something for.
    fn has_let_go(&self, unit: &UnitName) -> bool {
        let view = self.supervisor.unit(unit);
        view.is_some_and(|view| view.state() == "stopped" && !view.is_wanted())
            || self.notices.spoken.get(unit).is_some_and(|spoken| spoken.has_let_go)
    }

    fn store(&mut self, entries: &[StoreEntry], descriptors: &[Descriptor]) {
        if entries.is_empty() || self.welcome.protocol < STORE_SINCE {
            return;
        }
        // A keeper that is gone is noticed at the end of the turn; its successor gets everything.
        if let Err(error) = self.keeper.store(entries, descriptors) {
            complain("cannot have descriptors stored", &error);
        }
    }

    fn unstore(&mut self, entries: Vec<StoreEntry>) {
        if !entries.is_empty() && self.welcome.protocol >= STORE_SINCE {
            self.ask_keeper(Request::Unstore(entries));
        }
    }

    pub(crate) fn ask_keeper(&mut self, request: Request) {
        if let Err(error) = self.keeper.ask(request) {
            complain("cannot ask the keeper", &error);
        }
    }

    /// Takes back what a keeper has stored.
    pub(crate) fn take_stored(&mut self, stored: Vec<(StoreEntry, Descriptor)>) {
        for (entry, descriptor) in stored {
            let Ok(unit) = UnitName::parse(&entry.unit) else { continue };
            if entry.name != post::SOCKET {
                self.notices.shelf.restore(&unit, &entry, descriptor);
            } else if !self.notices.posts.has(&unit) {
                let restored = Inbox::from_descriptor(descriptor)
                    .and_then(|inbox| self.notices.posts.restore(&self.instance, &unit, inbox));
                if let Err(error) = restored {
                    complain("cannot go on listening for notifications", &error);
                }
            }
        }
        self.notices.shelf.guard(&mut self.notices.posts);
    }

    /// Takes over what former agents have written on runs, and listens to programs that run.
    pub(crate) fn adopt_notices(&mut self, entries: &[Entry]) {
        for entry in entries {
            let Ok(unit) = UnitName::parse(&entry.unit) else { continue };
            let service = self.config.services.get(&unit.service);
            if service.and_then(Terms::of).is_none() {
                continue;
            }
            let (memo, said) = (launch::read_memo(&entry.memo), launch::said_in(&entry.memo));
            let former_main = match &entry.phase {
                Phase::Ended(exited) => known(exited.pid),
                Phase::Starting | Phase::Running { .. } | Phase::Remembered => None,
            };
            let spoken = Spoken { run: entry.run, memo, said, former_main, ..Spoken::default() };
            self.notices.spoken.insert(unit, Box::new(spoken));
        }
    }

    /// Listens to every program that runs and may notify: nobody has stored its socket, when both
    /// keeper and agent died.
    pub(crate) fn listen_to_all(&mut self) {
        let units: Vec<UnitName> = self.notices.spoken.keys().cloned().collect();
        for unit in units {
            let is_up = self.supervisor.unit(&unit).is_some_and(|view| view.pid().is_some());
            if is_up && let Err(reason) = self.listen_for(&unit) {
                let happening = Happening::of_instance(Level::Error, "NotifyRefused", reason);
                self.events.tell(Happening { unit: Some(unit), ..happening });
            }
        }
    }

    /// Gives a new keeper everything that its predecessor had, and asks it again what was not
    /// answered.
    pub(crate) fn store_again(&mut self) {
        let (mut entries, mut descriptors) = self.notices.posts.all();
        let (more, others) = self.notices.shelf.all();
        entries.extend(more);
        descriptors.extend(others);
        self.store(&entries, &descriptors);
        let followed = self.notices.spoken.iter().filter_map(|(unit, spoken)| {
            let pid = spoken.asked.or(spoken.main)?;
            Some(Follow { unit: unit.to_string(), run: spoken.run, pid })
        });
        let followed: Vec<Follow> = followed.collect();
        if !followed.is_empty() && self.welcome.protocol >= STORE_SINCE {
            self.ask_keeper(Request::Follow(followed));
        }
        self.notices.due.extend(self.notices.spoken.keys().cloned());
    }

    /// Writes on runs what they have said lately.
    pub(crate) fn write_said(&mut self) {
        let now = clock::monotonic();
        for unit in self.notices.take_due(now) {
            let Some(spoken) = self.notices.spoken.get_mut(&unit) else { continue };
            spoken.wrote_at = now;
            let (run, said) = (spoken.run, spoken.said.clone());
            let memo = launch::write_memo(spoken.memo, self.given.of(&unit, run), Some(&said));
            self.outbox.memos.push(RunMemo { unit: unit.to_string(), run, memo });
        }
    }

    /// Everything that follows from what was looked at is with the keeper.
    pub(crate) fn take_notices(&mut self) {
        let now = clock::monotonic();
        if self.notices.posts.has_seen() {
            fail::point("agent.notice");
        }
        self.notices.posts.take_seen(now);
        self.notices.posts.resume_due(now);
    }
}

/// Returns a process id, unless nobody ever learned it.
fn known(pid: u32) -> Option<u32> {
    (pid != 0).then_some(pid)
}

/// Returns the instance's pipe, on systems where programs notify by one.
fn pipe_of(agent: &Agent) -> Option<String> {
    notify_pipe::name(&agent.instance.notify_pipe())
}

/// Returns what a program finds of its watchdog; the keeper adds whom it is for, `WATCHDOG_PID`.
fn watchdog_variable(every: Duration) -> (&'static str, String) {
    ("WATCHDOG_USEC", every.as_micros().to_string())
}

fn variable() -> &'static str {
    if notify_pipe::IS_THERE { PIPE_VARIABLE } else { SOCKET_VARIABLE }
}
