//! What happens, told once: to the event journal, to the agent's own log and to clients.
//!
//! Writing is done by a thread of its own: neither a restart nor an answer waits for a disk.

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::Duration,
};

use jiff::Timestamp;
use mainstay_api::control::Event;
use mainstay_core::{TraceId, UnitName};
use mainstay_platform::{clock, fail, paths};
use mainstay_storage::{
    instance::Instance,
    journal::{self, ChainLimits, Contents, Journal},
};

/// So many events are kept in memory for clients.
const KEPT: usize = 5_000;
const LIMITS: ChainLimits =
    ChainLimits { file_bytes: 4 * 1024 * 1024, total_bytes: 16 * 1024 * 1024 };
/// The agent's own log is renamed once it is longer than this; one predecessor is kept.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// How long an agent in recovery waits for what is old.
const RECALL_WITHIN: Duration = Duration::from_secs(1);
/// A sync that began at once would compete with the very restart that it tells of; and what happens
/// meanwhile shares the next one.
const SYNC_AFTER: Duration = Duration::from_millis(10);
/// So many events may wait for the disk.
const QUEUE_MAX: usize = 10_000;
/// The event that tells an exit.
pub(crate) const EXITED: &str = "UnitExited";

/// An event on its way to the disk.
#[derive(Debug)]
struct Line {
    sequence: u64,
    text: Vec<u8>,
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

/// Something that happened, before it has a number and a time.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) level: Level,
    pub(crate) event: &'static str,
    pub(crate) unit: Option<UnitName>,
    pub(crate) run: Option<u64>,
    pub(crate) trace: TraceId,
    pub(crate) message: String,
}

/// The events of an instance.
#[derive(Debug)]
pub(crate) struct Events {
    kept: VecDeque<Event>,
    last: u64,
    /// So many of the last ones have not been passed to the writer yet.
    fresh: usize,
    /// Everything up to this one is on the disk.
    synced: Arc<AtomicU64>,
    /// The last run of each unit whose exit was told.
    exits: BTreeMap<String, u64>,
    writer: SyncSender<Line>,
    /// Events that the writer could not take.
    dropped: u64,
}

impl Happening {
    /// Returns an event about the instance as a whole.
    pub(crate) fn of_instance(level: Level, event: &'static str, message: String) -> Self {
        let trace = TraceId::default();
        Self { level, event, unit: None, run: None, trace, message }
    }
}

impl Events {
    /// Reads what was kept and starts the writer; in a recovery whatever goes wrong with what is
    /// old costs nothing but what is old.
    pub(crate) fn open(instance: &Instance, recover: bool) -> io::Result<Self> {
        let folder = instance.events_directory();
        paths::create_private(&folder)?;
        let recalled = if recover { recall_with_care(&folder) } else { recall(&folder)? };
        let Recalled { kept, exits, damaged_bytes } = recalled;
        let last = kept.back().map_or(0, |event| event.sequence);
        let journal = Journal::open(&folder, LIMITS, paths::create_private_file)?;
        let (writer, inbox) = mpsc::sync_channel(QUEUE_MAX);
        let synced = Arc::new(AtomicU64::new(last));
        let progress = Arc::clone(&synced);
        let log = instance.agent_log();
        thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || write(journal, &log, &inbox, &progress))?;
        let mut events = Self { kept, last, fresh: 0, synced, exits, writer, dropped: 0 };
        if damaged_bytes > 0 {
            let message = format!("{damaged_bytes} bytes of the kept events make no sense");
            events.tell(Happening::of_instance(Level::Error, "StateDamaged", message));
        }
        Ok(events)
    }

    /// Tells an event; [`pass_on`](Self::pass_on) makes it last.
    pub(crate) fn tell(&mut self, happening: Happening) {
        self.last += 1;
        let Happening { level, event, unit, run, trace, message } = happening;
        let event = Event {
            sequence: self.last,
            timestamp: now(),
            level: level.word().to_owned(),
            event: event.to_owned(),
            unit: unit.map(|unit| unit.to_string()),
            run,
            trace_id: format!("{:x}", trace.0),
            message,
        };
        self.note_exit(&event);
        self.kept.push_back(event);
        self.fresh += 1;
        if self.fresh >= KEPT {
            self.pass_on();
        }
    }

    /// Passes what was told to the writer; comes last in a turn, so that no restart waits for it.
    ///
    /// A writer that is far behind loses events, which is counted: the memory of a disk that hangs
    /// has a limit.
    pub(crate) fn pass_on(&mut self) {
        let fresh = self.kept.len().saturating_sub(std::mem::take(&mut self.fresh));
        let mut dropped = 0;
        for event in self.kept.range(fresh..) {
            let Ok(text) = serde_json::to_vec(event) else { continue };
            let line = Line { sequence: event.sequence, text };
            dropped += u64::from(self.writer.try_send(line).is_err());
        }
        let surplus = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..surplus);
        self.count_dropped(dropped);
    }

    /// Says so each time twice as many events are lost as when it was said last.
    fn count_dropped(&mut self, more: u64) {
        let before = self.dropped.checked_ilog2();
        self.dropped += more;
        if self.dropped.checked_ilog2() != before {
            let error = io::Error::other(format!("{} events were not written", self.dropped));
            complain("the disk does not take events", &error);
        }
    }

    fn note_exit(&mut self, event: &Event) {
        if event.event == EXITED
            && let (Some(unit), Some(run)) = (&event.unit, event.run)
        {
            self.exits.insert(unit.clone(), run);
        }
    }

    /// Returns whether the exit of a run was told before, by this agent or an earlier one.
    pub(crate) fn knows_exit(&self, unit: &UnitName, run: u64) -> bool {
        self.exits.get(&unit.to_string()).is_some_and(|told| *told >= run)
    }

    /// Returns the last run of each unit whose exit was told.
    pub(crate) fn exits(&self) -> impl Iterator<Item = (UnitName, u64)> {
        self.exits.iter().filter_map(|(unit, run)| Some((UnitName::parse(unit).ok()?, *run)))
    }

    /// Returns whether everything up to an event is on the disk.
    pub(crate) fn is_synced(&self, sequence: u64) -> bool {
        self.synced.load(Ordering::SeqCst) >= sequence
    }

    /// Returns the number of the last event.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Returns the last events that fit, oldest first.
    pub(crate) fn select(&self, limit: usize, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut found: Vec<Event> =
            self.kept.iter().rev().filter(|event| fits(event)).take(limit).cloned().collect();
        found.reverse();
        found
    }
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What is left of earlier agents.
#[derive(Debug, Default)]
struct Recalled {
    kept: VecDeque<Event>,
    /// The last run of each unit whose exit was told.
    exits: BTreeMap<String, u64>,
    damaged_bytes: u64,
}

fn recall(folder: &Path) -> io::Result<Recalled> {
    let Contents { records, damaged_bytes } = journal::read(folder)?;
    let recent = records.iter().skip(records.len().saturating_sub(KEPT));
    let kept = recent.filter_map(|record| serde_json::from_slice(record).ok()).collect();
    Ok(Recalled { kept, exits: exits_in(&records), damaged_bytes })
}

/// Reads in a thread of its own, which may panic or hang.
fn recall_with_care(folder: &Path) -> Recalled {
    let (answer, question) = mpsc::sync_channel(1);
    let folder = folder.to_owned();
    let reader = thread::Builder::new().name("recall".to_owned());
    let reading = reader.spawn(move || answer.send(recall(&folder)));
    if let Err(error) = reading {
        complain("cannot read earlier events", &error);
    }
    match question.recv_timeout(RECALL_WITHIN) {
        Ok(Ok(recalled)) => recalled,
        Ok(Err(error)) => {
            complain("cannot read earlier events", &error);
            Recalled::default()
        }
        Err(error) => {
            complain("cannot read earlier events", &error);
            Recalled::default()
        }
    }
}

/// Returns the last run of each unit whose exit is among the records.
fn exits_in(records: &[Vec<u8>]) -> BTreeMap<String, u64> {
    let may_be_exit = |record: &&str| record.contains(EXITED);
    let texts = records.iter().filter_map(|record| std::str::from_utf8(record).ok());
    let events = texts.filter(may_be_exit).filter_map(|text| serde_json::from_str(text).ok());
    let exits = events.filter(|event: &Event| event.event == EXITED);
    exits.filter_map(|event| Some((event.unit?, event.run?))).collect()
}

/// Returns the time of day as RFC 3339, to the millisecond.
pub(crate) fn now() -> String {
    Timestamp::try_from(clock::realtime()).map_or_else(|_| String::new(), |now| format!("{now:.3}"))
}

/// Writes in batches: what gathers while one is written goes with the next.
fn write(mut journal: Journal, log: &PathBuf, inbox: &Receiver<Line>, synced: &AtomicU64) {
    while let Ok(first) = inbox.recv() {
        let mut batch = vec![first];
        batch.extend(inbox.try_iter());
        let last = batch.last().map_or(0, |line| line.sequence);
        let payloads: Vec<&[u8]> = batch.iter().map(|line| line.text.as_slice()).collect();
        fail::point("agent.events.before");
        let written = journal
            .append(&payloads, paths::create_private_file)
            .and_then(|()| append_log(log, &batch));
        thread::park_timeout(SYNC_AFTER);
        let written = written.and_then(|()| journal.sync());
        match written {
            Ok(()) => {
                fail::point("agent.events.synced");
                synced.store(last, Ordering::SeqCst);
            }
            Err(error) => complain("cannot write events", &error),
        }
    }
}

fn append_log(path: &PathBuf, batch: &[Line]) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > LOG_BYTES_MAX) {
        std::fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut options = OpenOptions::new();
    let mut file = paths::open_log(options.append(true), path)?;
    let mut text = Vec::new();
    for line in batch {
        text.extend_from_slice(&line.text);
        text.push(b'\n');
    }
    file.write_all(&text)
}

/// Writes one line about something that nobody else can be told of.
#[expect(clippy::print_stderr, reason = "the last resort when the log itself fails")]
pub(crate) fn complain(what: &str, error: &dyn Error) {
    let mut line = format!("agent: {what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    eprintln!("{line}");
}
