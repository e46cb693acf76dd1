//! Values that are fetched when a run, or a command beside it, is ordered: from the instance's own store, from files,
//! variables, commands and credentials.
//!
//! ```text
//!  loop: Spawn ──wanted──► fetcher ──► variables
//!                             ├──────► store: one thread that reads it, one that changes it
//!                             ├──────► worker: files, commands  a thread each while it lasts,
//!                             │                                 at most one for each run and command
//!        order ◄──fetched─────┴──────► files of the unit: one thread that writes them
//!          │ stopped meanwhile: nothing is started
//!          ▼
//!        keeper
//! ```
//!
//! Where nothing is fetched, nothing of this is there: no thread, no folder. A value travels in the
//! order to the keeper and nowhere else, and is wiped when the fetcher has done with it: at once, or
//! with the end of a run that commands look at (see `reuse`).

mod by_hand;
mod deed;
mod fetcher;
mod files;
mod key;
mod line;
mod reason;
mod recipes;
mod reuse;
mod source;
mod vault;
mod worker;

pub use mainstay_storage::secrets::Secret;

pub use self::{
    by_hand::{ValuesError, config_by_hand},
    source::without_line_end,
    vault::{Kept, SetAt, Vault, VaultError},
};

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::mpsc::Sender,
    time::Duration,
};

use mainstay_api::{
    config::{Fetched, KindConfig},
    keeper::Spawn,
};
use mainstay_core::UnitName;
use mainstay_storage::instance::Instance;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::fetcher::Told;
pub(crate) use self::{deed::Deed, reason::FetchError, source::CREDENTIALS};
use crate::beside::RunOf;

/// A run that waits for its values.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) whom: RunOf,
    pub(crate) run: u64,
    pub(crate) fetched: Fetched,
    pub(crate) kind: Option<KindConfig>,
    /// What commands get of the service's environment.
    pub(crate) plain: BTreeMap<String, String>,
    pub(crate) keeping: Keeping,
    /// What the keeper gets once the values are there.
    pub(crate) order: Box<Spawn>,
}

/// What becomes of variables that took their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// They are wiped at once.
    Nothing,
    /// They are kept for the commands that look at this run.
    ForLooks { run: u64 },
    /// They are for a command that looks at this run: those that are kept will do, and others are
    /// waited for so long.
    Look { run: u64, within: Duration },
}

/// A run whose values are there, or why not.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) whom: RunOf,
    pub(crate) run: u64,
    pub(crate) result: Result<Box<Spawn>, FetchError>,
    /// Its files lie on a disk, not in memory.
    pub(crate) is_on_disk: bool,
}

/// The loop's way to the fetcher, whose thread begins with the first need of it.
#[derive(Debug)]
pub(crate) struct Secrets {
    instance: Instance,
    service: Option<String>,
    thread: Option<Sender<Told>>,
    /// Held, so that nobody who waits is told of an end before there is a thread.
    outbox: UnboundedSender<Ready>,
    inbox: UnboundedReceiver<Ready>,
    /// Runs that wait for their values.
    awaited: BTreeMap<RunOf, u64>,
    /// The last run of each unit for which files or values are kept.
    kept: BTreeMap<UnitName, u64>,
    /// Somebody was told that files lie on a disk.
    pub(crate) is_disk_told: bool,
}

impl Secrets {
    pub(crate) fn new(instance: &Instance, service: Option<&str>) -> Self {
        // As many as there are runs that wait, at most.
        let (outbox, inbox) = unbounded_channel();
        Self {
            instance: instance.clone(),
            service: service.map(str::to_owned),
            thread: None,
            outbox,
            inbox,
            awaited: BTreeMap::new(),
            kept: BTreeMap::new(),
            is_disk_told: false,
        }
    }

    /// Waits for the next run whose values are there; nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Ready> {
        self.inbox.recv().await
    }

    /// Has the values of a run fetched; it takes the place of whatever waited under its name.
    pub(crate) fn fetch(&mut self, wanted: Wanted) -> io::Result<()> {
        let (whom, run) = (wanted.whom.clone(), wanted.run);
        if let Some(kept_for) = wanted.kept_for() {
            let last = self.kept.entry(whom.unit().clone()).or_default();
            *last = kept_for.max(*last);
        }
        self.tell(Told::Fetch(Box::new(wanted)))?;
        self.awaited.insert(whom, run);
        Ok(())
    }

    /// Takes note that values have come; returns whether anybody still waits for them.
    pub(crate) fn is_awaited(&mut self, ready: &Ready) -> bool {
        let is_awaited = self.awaited.get(&ready.whom) == Some(&ready.run);
        if is_awaited {
            self.awaited.remove(&ready.whom);
        }
        is_awaited
    }

    /// Returns whether the run of a unit waits for its values.
    pub(crate) fn is_waiting(&self, unit: &UnitName) -> bool {
        self.awaited.contains_key(&RunOf::Unit(unit.clone()))
    }

    /// Gives a run up that waits for its values; returns whether it did.
    pub(crate) fn give_up(&mut self, whom: &RunOf, run: u64) -> bool {
        if self.awaited.get(whom) != Some(&run) {
            return false;
        }
        self.awaited.remove(whom);
        drop(self.tell(Told::GiveUp(whom.clone())));
        if let RunOf::Unit(unit) = whom {
            self.ended(unit, run);
        }
        true
    }

    /// A run has ended: its files and values go, unless its successor has them already.
    pub(crate) fn ended(&mut self, unit: &UnitName, run: u64) {
        if self.kept.get(unit).is_some_and(|of| *of <= run) {
            self.kept.remove(unit);
            drop(self.tell(Told::Remove(unit.clone())));
        }
    }

    /// A unit is no more: what was said when its values were asked for goes.
    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.ended(unit, u64::MAX);
        if self.instance.recipes().exists() {
            drop(self.tell(Told::Forget(unit.clone())));
        }
    }

    /// Takes over the files of runs that live; those of others go.
    pub(crate) fn take_over(&mut self, living: BTreeMap<UnitName, u64>) {
        if !self.instance.secret_files().exists() {
            return;
        }
        let names: BTreeSet<String> = living.keys().map(ToString::to_string).collect();
        self.kept = living;
        drop(self.tell(Told::KeepOnly(names)));
    }

    /// Has something done to the store.
    pub(crate) fn order(&mut self, deed: Deed) -> Result<(), io::Error> {
        self.tell(Told::Do(deed))
    }

    /// The fetcher has no bound: it is told once for each start and each end of a run or a command
    /// beside it, and by administrators.
    fn tell(&mut self, told: Told) -> io::Result<()> {
        let thread = if let Some(thread) = self.thread.take() {
            thread
        } else {
            let vault = Vault::new(&self.instance, self.service.as_deref());
            fetcher::start(vault, self.instance.clone(), self.outbox.clone())?
        };
        let sent = thread.send(told);
        self.thread = Some(thread);
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Wanted {
    /// Returns the run with whose end everything goes that is kept of this.
    fn kept_for(&self) -> Option<u64> {
        match self.keeping {
            Keeping::ForLooks { run } | Keeping::Look { run, .. } => Some(run),
            Keeping::Nothing => (!self.fetched.files.is_empty()).then_some(self.run),
        }
    }
}
