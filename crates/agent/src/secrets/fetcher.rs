//! The fetcher: one thread that has values fetched, and itself touches no disk and asks nobody: the
//! store is read by one thread, changed by another one, files are written by a third (see `line`),
//! and whoever else is asked gets workers. What stands still costs those who need it and nobody
//! else.
//!
//! ```text
//!  Fetch ──► variables ──► the store ──► nothing else ──────────────────► files ─► Ready
//!                              ├───────► a look whose values are kept ──────┤
//!                              └───────► a worker, at most one a name ──────┘
//!                                           │ its time is over
//!                                           └──► Ready: why not; until its thread ends, its name
//!                                                is told so at once
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use mainstay_api::{
    config::{Fetched, ValueSource},
    keeper::Spawn,
};
use mainstay_core::UnitName;
use mainstay_platform::{clock, filesystem};
use mainstay_storage::{instance::Instance, secrets::Secret};
use tokio::sync::mpsc::UnboundedSender;

use super::{
    Deed, FetchError, Keeping, Ready, Vault, Wanted,
    deed::{Answer, Waiting},
    files,
    line::Line,
    reason::Why,
    recipes::Recipes,
    reuse::{OfRun, Reused, Sources},
    source::{self, CREDENTIALS, Purpose},
    vault::Opened,
    worker::{self, Values, Work},
};
use crate::{beside::RunOf, events::complain, kinds};

/// So many workers at a time, those that stand still included.
const WORKERS_MAX: usize = 64;
/// How long files may take, besides what commands are given.
const FILES_WITHIN: Duration = Duration::from_secs(5);
/// How long a run waits for a worker of its own.
const QUEUED_WITHIN: Duration = Duration::from_mins(2);
/// Nothing is due for at least this long when nothing is due at all.
const FAR_AWAY: Duration = Duration::from_hours(24);

/// What the fetcher is told, by the loop and by its workers.
#[derive(Debug)]
pub(super) enum Told {
    Fetch(Box<Wanted>),
    GiveUp(RunOf),
    Remove(UnitName),
    KeepOnly(BTreeSet<String>),
    /// A unit is no more.
    Forget(UnitName),
    Do(Deed),
    /// A worker is about to ask this.
    Asking(RunOf, String),
    Worked(RunOf, Result<Values, FetchError>),
    /// The store was read for whoever has this ticket.
    Looked(u64, Result<Values, FetchError>),
    /// Files were written; whether they lie in memory, where that is known.
    Written(u64, io::Result<Option<bool>>),
    /// Files were taken away.
    Cleared(io::Result<()>),
    /// Something was done to the store.
    Answered(u64, Answer),
}

/// Starts the thread, which lives as long as its agent.
pub(super) fn start(
    vault: Vault,
    instance: Instance,
    outbox: UnboundedSender<Ready>,
) -> io::Result<Sender<Told>> {
    let (own, inbox) = mpsc::channel();
    let tell = own.clone();
    let recipes = Arc::new(Recipes::new(instance.recipes()));
    let body = move || {
        let mut fetcher = Fetcher {
            store: Line::new("store", own.clone()),
            deeds: Line::new("deeds", own.clone()),
            files: Line::new("files", own.clone()),
            vault,
            instance,
            outbox,
            own,
            working: BTreeMap::new(),
            queue: VecDeque::new(),
            reused: Reused::default(),
            recipes,
        };
        fetcher.work(&inbox);
    };
    thread::Builder::new().name("secrets".to_owned()).spawn(body)?;
    Ok(tell)
}

struct Fetcher {
    vault: Vault,
    instance: Instance,
    outbox: UnboundedSender<Ready>,
    own: Sender<Told>,
    /// Reads the store.
    store: Line<Half>,
    /// Changes the store, for administrators.
    deeds: Line<Waiting>,
    /// Writes files and takes them away.
    files: Line<Half>,
    working: BTreeMap<RunOf, Worker>,
    /// Runs that wait for a worker, and until when.
    queue: VecDeque<(Duration, Half)>,
    reused: Reused,
    recipes: Arc<Recipes>,
}

/// A run with those of its values that are there.
#[derive(Debug)]
struct Half {
    wanted: Box<Wanted>,
    values: Values,
    /// When whoever waits is told that it takes too long.
    told_at: Option<Duration>,
}

/// A thread that fetches for a run.
struct Worker {
    until: Duration,
    /// For which run its variables are kept, and where they come from.
    keeps: Option<(u64, Sources)>,
    /// What it asks at this moment.
    asks: String,
    /// The run that waits for it; nothing when it was given up, or its time is over.
    half: Option<Half>,
    is_late: bool,
}

impl Fetcher {
    fn work(&mut self, inbox: &Receiver<Told>) {
        loop {
            match inbox.recv_timeout(self.next_in()) {
                Ok(told) => self.hear(told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look_at_clock();
        }
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Fetch(wanted) => self.fetch(wanted),
            Told::GiveUp(whom) => self.give_up(&whom),
            Told::Remove(unit) => self.remove(&unit),
            Told::KeepOnly(units) => self.clear(move |all| files::keep_only(all, &units)),
            Told::Forget(unit) => {
                let recipes = Arc::clone(&self.recipes);
                self.clear(move |_| recipes.forget_unit(&unit.to_string()));
            }
            Told::Do(deed) => self.do_to_store(deed),
            Told::Asking(whom, what) => {
                if let Some(worker) = self.working.get_mut(&whom) {
                    worker.asks = what;
                }
            }
            Told::Worked(whom, result) => self.worked(&whom, result),
            Told::Looked(ticket, result) => self.looked(ticket, result),
            Told::Written(ticket, result) => self.written(ticket, result),
            Told::Cleared(result) => {
                self.files.moved();
                complain_of(result);
            }
            Told::Answered(ticket, answer) => {
                if let Some(who) = self.deeds.done(ticket) {
                    who.answer(answer);
                }
            }
        }
    }

    fn fetch(&mut self, wanted: Box<Wanted>) {
        self.give_up(&wanted.whom);
        let own = part(&wanted.fetched, |source| !is_slow(source) && !is_stored(source));
        let told_at = patience_of(wanted.keeping).map(|within| clock::monotonic() + within);
        match worker::values(&own, source::fetch_at_once) {
            Err(error) => self.answer(&wanted, Err(error)),
            Ok(values) if wanted.fetched.sources().any(is_stored) => {
                self.ask_store(Half { wanted, values, told_at });
            }
            Ok(values) => self.ask_others(Half { wanted, values, told_at }),
        }
    }

    fn ask_store(&mut self, half: Half) {
        if self.store.is_stuck() {
            return self.refuse(&half.wanted, is_stored, Why::StillStuck(self.store_lies_on()));
        }
        let (vault, stored) = (self.vault.clone(), part(&half.wanted.fetched, is_stored));
        let look = move |ticket| Told::Looked(ticket, worker::values(&stored, look_up(&vault)));
        if let Err((half, error)) = self.store.ask(half, look) {
            self.refuse(&half.wanted, is_stored, Why::NoThread(error));
        }
    }

    fn looked(&mut self, ticket: u64, result: Result<Values, FetchError>) {
        match (self.store.done(ticket), result) {
            (Some(mut half), Ok(values)) => {
                half.values.add(values);
                self.ask_others(half);
            }
            (Some(half), Err(error)) => self.answer(&half.wanted, Err(error)),
            (None, _) => {}
        }
    }

    /// What only others know is asked for by workers.
    fn ask_others(&mut self, half: Half) {
        if half.wanted.kind.is_none() && !half.wanted.fetched.sources().any(is_slow) {
            return self.finish(half);
        }
        let until = half.told_at.unwrap_or_else(|| clock::monotonic() + QUEUED_WITHIN);
        self.queue.push_back((until, half));
        self.start_workers();
    }

    fn do_to_store(&mut self, deed: Deed) {
        let (who, work) = deed.split();
        if self.deeds.is_stuck() {
            return who.refuse(&self.vault.place());
        }
        let vault = self.vault.clone();
        let task = move |ticket| Told::Answered(ticket, work.perform(&vault));
        if let Err((who, _)) = self.deeds.ask(who, task) {
            who.refuse(&self.vault.place());
        }
    }

    /// A run has ended: nothing of it is kept.
    fn remove(&mut self, unit: &UnitName) {
        let name = unit.to_string();
        self.clear(move |all| files::remove(all, &name));
        self.reused.forget(unit);
        for (_, worker) in self.working.iter_mut().filter(|(whom, _)| whom.unit() == unit) {
            worker.keeps = None;
        }
    }

    /// Has files taken away, after those that are to be written already.
    fn clear(&mut self, clear: impl FnOnce(&Instance) -> io::Result<()> + Send + 'static) {
        let instance = self.instance.clone();
        complain_of(self.files.order(move || Told::Cleared(clear(&instance))));
    }

    /// A worker that fetches for nobody any more goes on to its end, and nobody hears of it.
    fn give_up(&mut self, whom: &RunOf) {
        self.queue.retain(|(_, half)| half.wanted.whom != *whom);
        for line in [&mut self.store, &mut self.files] {
            drop(line.take(|half| half.wanted.whom == *whom));
        }
        if let Some(worker) = self.working.get_mut(whom) {
            worker.half = None;
        }
    }

    /// Gives workers to whoever waits for one; a name whose worker stands still gets none.
    fn start_workers(&mut self) {
        for (until, mut half) in std::mem::take(&mut self.queue) {
            if self.has_kept(&mut half) {
                self.finish(half);
                continue;
            }
            match self.working.get(&half.wanted.whom) {
                Some(worker) if worker.is_late => {
                    let why = Why::StillStuck(worker.asks.clone());
                    self.refuse(&half.wanted, is_slow, why);
                }
                None if self.working.len() < WORKERS_MAX => self.start_worker(half),
                Some(_) | None => self.queue.push_back((until, half)),
            }
        }
    }

    /// Gives a look what is kept for it; returns whether that is all it needs.
    fn has_kept(&self, half: &mut Half) -> bool {
        let Keeping::Look { run, .. } = half.wanted.keeping else { return false };
        let sources = part(&half.wanted.fetched, is_slow).environment;
        let kept = self.reused.find(half.wanted.whom.unit(), run, &sources);
        let Some(kept) = kept else { return false };
        half.values.environment.extend(kept.clone());
        true
    }

    fn start_worker(&mut self, half: Half) {
        let wanted = &half.wanted;
        let whom = wanted.whom.clone();
        let purpose = Purpose::of(wanted, Arc::clone(&self.recipes));
        let now = clock::monotonic();
        let until = now + FILES_WITHIN + patience(&wanted.fetched);
        let fetched = part(&wanted.fetched, is_slow);
        let keeps = kept_run(wanted.keeping).map(|run| (run, fetched.environment.clone()));
        let (kind, instance) = (wanted.kind.clone(), self.instance.clone());
        let work = Work { whom: whom.clone(), fetched, kind, instance, purpose };
        match worker::start(work, self.own.clone()) {
            Ok(()) => {
                let (asks, half) = (String::new(), Some(half));
                let worker = Worker { until, keeps, asks, half, is_late: false };
                self.working.insert(whom, worker);
            }
            Err(error) => self.refuse(&half.wanted, is_slow, Why::NoThread(error)),
        }
    }

    fn worked(&mut self, whom: &RunOf, result: Result<Values, FetchError>) {
        let Some(Worker { keeps, half, .. }) = self.working.remove(whom) else { return };
        if let (Some((run, sources)), Ok(slow)) = (keeps, &result) {
            let values = slow.environment.clone();
            self.reused.keep(whom.unit(), OfRun { run, sources, values });
        }
        match (half, result) {
            (Some(mut half), Ok(slow)) => {
                half.values.add(slow);
                self.finish(half);
            }
            (Some(half), Err(error)) => self.answer(&half.wanted, Err(error)),
            (None, _) => {}
        }
        self.start_workers();
    }

    /// Everything is there: the order gets it, once its files are written.
    fn finish(&mut self, mut half: Half) {
        if half.wanted.fetched.files.is_empty() {
            return self.deliver(&half, Some(true));
        }
        if self.files.is_stuck() {
            return self.refuse_files(&half.wanted, Why::StillStuck(self.files_lie_on()));
        }
        let (instance, unit) = (self.instance.clone(), half.wanted.whom.to_string());
        let given = std::mem::take(&mut half.values.files);
        let write = move |ticket| {
            let written = files::write(&instance, &unit, &given);
            let is_in_memory = || filesystem::is_in_memory(&instance.runtime).ok().flatten();
            Told::Written(ticket, written.map(|()| is_in_memory()))
        };
        if let Err((half, error)) = self.files.ask(half, write) {
            self.refuse_files(&half.wanted, Why::NoThread(error));
        }
    }

    fn written(&mut self, ticket: u64, result: io::Result<Option<bool>>) {
        match (self.files.done(ticket), result) {
            (Some(half), Ok(is_in_memory)) => self.deliver(&half, is_in_memory),
            (Some(half), Err(error)) => {
                self.refuse_files(&half.wanted, Why::Unwritten(error));
            }
            (None, result) => complain_of(result.map(drop)),
        }
    }

    fn deliver(&self, half: &Half, is_in_memory: Option<bool>) {
        let result = self.delivered(&half.wanted, &half.values);
        self.send(&half.wanted, result, is_in_memory == Some(false));
    }

    fn delivered(&self, wanted: &Wanted, values: &Values) -> Result<Box<Spawn>, FetchError> {
        let mut order = wanted.order.clone();
        let set = &mut order.environment.set;
        for (name, value) in &values.environment {
            let text = String::from_utf8_lossy(value.reveal()).into_owned();
            // What tells programs who they are is not for others to say.
            set.entry(name.clone()).or_insert(text);
        }
        if !wanted.fetched.files.is_empty() {
            let folder = self.instance.secret_files_of(&wanted.whom.to_string());
            set.insert(CREDENTIALS.to_owned(), folder.display().to_string());
        }
        if let (Some(kind), Some(prepared)) = (&wanted.kind, &values.kind) {
            let input = kinds::input(kind, &values.config).ok_or(Why::ConfigTooLong);
            prepared.equip(&mut order, input.map_err(worker::about("config"))?);
        }
        Ok(order)
    }

    /// Says why none of these values can be had.
    fn refuse(&self, wanted: &Wanted, of: impl Fn(&ValueSource) -> bool, why: Why) {
        let what = first_name(&wanted.fetched, of);
        self.answer(wanted, Err(FetchError { what, why }));
    }

    /// Says why none of its files can be had.
    fn refuse_files(&self, wanted: &Wanted, why: Why) {
        let what = wanted.fetched.files.keys().next().cloned().unwrap_or_default();
        self.answer(wanted, Err(FetchError { what, why }));
    }

    fn answer(&self, wanted: &Wanted, result: Result<Box<Spawn>, FetchError>) {
        self.send(wanted, result, false);
    }

    fn send(&self, wanted: &Wanted, result: Result<Box<Spawn>, FetchError>, is_on_disk: bool) {
        let is_on_disk = is_on_disk && result.is_ok();
        let (whom, run) = (wanted.whom.clone(), wanted.run);
        // An agent that is gone has no use for it.
        drop(self.outbox.send(Ready { whom, run, result, is_on_disk }));
    }

    fn store_lies_on(&self) -> String {
        format!("what `{}` lies on", self.vault.place())
    }

    fn files_lie_on(&self) -> String {
        format!("what `{}` lies on", self.instance.secret_files().display())
    }

    fn next_in(&self) -> Duration {
        let workers = self.working.values().filter(|worker| !worker.is_late);
        let queued = self.queue.iter().map(|(until, _)| *until);
        let lines = [self.store.stuck_at(), self.deeds.stuck_at(), self.files.stuck_at()];
        let waiting = self.store.waiting().chain(self.files.waiting());
        let told = waiting.filter_map(|half| half.told_at);
        let all = workers.map(Worker::next).chain(queued).chain(lines.into_iter().flatten());
        let next = all.chain(told).min();
        next.map_or(FAR_AWAY, |at| at.saturating_sub(clock::monotonic()))
    }

    fn look_at_clock(&mut self) {
        let now = clock::monotonic();
        self.look_at_lines(now);
        self.look_at_workers(now);
        let (over, queue): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(|(until, _)| *until <= now);
        self.queue = queue;
        for (_, half) in &over {
            let own = self.working.get(&half.wanted.whom);
            let why = own.map_or(Why::Busy, |worker| Why::NotYet(worker.asks.clone()));
            self.refuse(&half.wanted, is_slow, why);
        }
        self.start_workers();
    }

    fn look_at_lines(&mut self, now: Duration) {
        for who in self.deeds.give_up_if_stuck(now) {
            who.refuse(&self.vault.place());
        }
        let (on_store, on_files) = (self.store_lies_on(), self.files_lie_on());
        for half in self.store.give_up_if_stuck(now) {
            self.refuse(&half.wanted, is_stored, Why::Stuck(on_store.clone()));
        }
        for half in self.files.give_up_if_stuck(now) {
            self.refuse_files(&half.wanted, Why::Stuck(on_files.clone()));
        }
        let is_over = |half: &Half| half.told_at.is_some_and(|at| at <= now);
        for half in self.store.take(is_over) {
            self.refuse(&half.wanted, is_stored, Why::NotYet(on_store.clone()));
        }
        for half in self.files.take(is_over) {
            self.refuse_files(&half.wanted, Why::NotYet(on_files.clone()));
        }
    }

    fn look_at_workers(&mut self, now: Duration) {
        let mut late = Vec::new();
        for worker in self.working.values_mut().filter(|worker| !worker.is_late) {
            if worker.until <= now {
                worker.is_late = true;
                late.extend(worker.half.take().map(|half| (half, Why::Stuck(worker.asks.clone()))));
            } else if worker.next() <= now {
                let why = Why::NotYet(worker.asks.clone());
                late.extend(worker.half.take().map(|half| (half, why)));
            }
        }
        for (half, why) in late {
            self.refuse(&half.wanted, is_slow, why);
        }
    }
}

impl Worker {
    /// Returns when something is due: nobody has to be told anything when nobody waits.
    fn next(&self) -> Duration {
        let told_at = self.half.as_ref().and_then(|half| half.told_at);
        told_at.map_or(self.until, |told_at| told_at.min(self.until))
    }
}

/// Returns how long whoever waits can wait, when that is not for long.
const fn patience_of(keeping: Keeping) -> Option<Duration> {
    match keeping {
        Keeping::Look { within, .. } => Some(within),
        Keeping::Nothing | Keeping::ForLooks { .. } => None,
    }
}

const fn kept_run(keeping: Keeping) -> Option<u64> {
    match keeping {
        Keeping::Look { run, .. } | Keeping::ForLooks { run } => Some(run),
        Keeping::Nothing => None,
    }
}

/// Returns a part of what is to be fetched.
fn part(fetched: &Fetched, is_wanted: impl Fn(&ValueSource) -> bool) -> Fetched {
    let of = |values: &BTreeMap<String, ValueSource>| {
        let values = values.iter().filter(|(_, source)| is_wanted(source));
        values.map(|(name, source)| (name.clone(), source.clone())).collect()
    };
    Fetched {
        environment: of(&fetched.environment),
        files: of(&fetched.files),
        config: of(&fetched.config),
    }
}

/// Returns whether somebody else is asked, who may not answer.
fn is_slow(source: &ValueSource) -> bool {
    match source {
        ValueSource::File(_) | ValueSource::Command { .. } | ValueSource::Credential(_) => true,
        ValueSource::Text(_) | ValueSource::Secret(_) | ValueSource::Variable(_) => false,
    }
}

/// Returns whether the store has it.
const fn is_stored(source: &ValueSource) -> bool {
    matches!(source, ValueSource::Secret(_))
}

fn first_name(fetched: &Fetched, of: impl Fn(&ValueSource) -> bool) -> String {
    let mut all = fetched.environment.iter().chain(&fetched.files);
    all.find(|(_, source)| of(source)).map(|(name, _)| name.clone()).unwrap_or_default()
}

/// Returns how long all commands together may take.
fn patience(fetched: &Fetched) -> Duration {
    let timeout = |source: &ValueSource| match source {
        ValueSource::Command { timeout, .. } => *timeout,
        ValueSource::File(_)
        | ValueSource::Credential(_)
        | ValueSource::Text(_)
        | ValueSource::Secret(_)
        | ValueSource::Variable(_) => Duration::ZERO,
    };
    fetched.sources().map(timeout).sum()
}

/// Looks secrets up; the store is read once.
fn look_up(vault: &Vault) -> impl FnMut(&ValueSource) -> Result<Secret, Why> {
    let mut store: Option<Option<Opened>> = None;
    move |source| {
        let ValueSource::Secret(name) = source else { return Err(Why::Busy) };
        if store.is_none() {
            store = Some(vault.open()?);
        }
        let opened = store.as_ref().and_then(Option::as_ref);
        let found = opened.map_or(Ok(None), |opened| opened.get(name))?;
        found.ok_or_else(|| Why::NoSecret(name.clone()))
    }
}

fn complain_of(result: io::Result<()>) {
    if let Err(error) = result {
        complain("cannot take away what is left of secrets", &error);
    }
}
