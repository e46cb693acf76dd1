//! What happens, told once: to the event journal, to the agent's own log and to clients.
//!
//! Writing is done by a thread of its own: neither a restart nor an answer waits for a disk.

mod bulletin;
pub(crate) mod history;
mod hooks;
mod writer;

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{self, SyncSender},
    },
    thread,
    time::Duration,
};

use jiff::Timestamp;
use mainstay_api::control::{Event, Facts};
use mainstay_core::{TraceId, UnitName};
use mainstay_platform::{clock, complaint, paths};
use mainstay_storage::{
    instance::Instance,
    journal::{self, ChainLimits, Contents, Journal},
};
use serde::Deserialize;

use crate::options::{AgentOptions, Mode};

pub(crate) use hooks::{HOOK_ENDED, HOOK_FAILED};

use bulletin::Bulletin;
use history::Recent;
use hooks::Hooks;
use writer::{Line, Progress};

/// So many events are kept in memory for clients, and those that the disk has not taken yet.
const KEPT: usize = 5_000;
const LIMITS: ChainLimits =
    ChainLimits { file_bytes: 4 * 1024 * 1024, total_bytes: 16 * 1024 * 1024 };

/// How long an agent in recovery waits for what is old: without it exits are told again, and with it
/// its first word is still in time for the keeper.
const RECALL_WITHIN: Duration = Duration::from_secs(2);
/// So many events may wait for the disk.
const QUEUE_MAX: usize = 10_000;
/// The event that tells an exit.
pub(crate) const EXITED: &str = "UnitExited";
/// The event that tells that a unit is no more.
pub(crate) const UNIT_FORGOTTEN: &str = "UnitForgotten";
/// The event that tells that the instance ends as a program has.
pub(crate) const INSTANCE_ENDED: &str = "InstanceEnded";
/// The event that tells an exit better than it was told.
pub(crate) const EXIT_AMENDED: &str = "ExitAmended";

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    pub(crate) facts: Facts,
}

/// The events of an instance.
#[derive(Debug)]
pub(crate) struct Events {
    kept: VecDeque<Arc<Event>>,
    last: u64,
    /// So many of the last ones have not been passed to the writer yet.
    fresh: usize,
    progress: Arc<Progress>,
    /// That the disk takes nothing was told.
    was_stuck: bool,
    /// The last run of each unit whose exit was told.
    exits: BTreeMap<String, u64>,
    /// How commands beside programs ended last.
    hooks: Hooks,
    writer: SyncSender<Line>,
    /// Events that the writer could not take.
    dropped: u64,
    /// Where the instance is a service of the system.
    bulletin: Option<Bulletin>,
}

impl Happening {
    /// Returns an event about the instance as a whole.
    pub(crate) fn of_instance(level: Level, event: &'static str, message: String) -> Self {
        let trace = TraceId::default();
        Self { level, event, unit: None, run: None, trace, message, facts: Facts::default() }
    }
}

impl Events {
    /// Reads what was kept and starts the writer; in a recovery whatever goes wrong with what is
    /// old costs nothing but what is old.
    pub(crate) fn open(instance: &Instance, options: &AgentOptions) -> io::Result<Self> {
        let folder = instance.events_directory();
        paths::create_private(&folder)?;
        let recalled = match options.mode {
            Mode::Usual => recall(&folder)?,
            Mode::Recovery => recall_with_care(&folder),
        };
        let Recalled { kept, last, exits, hooks, foreign, damaged_bytes } = recalled;
        let journal = Journal::open(&folder, LIMITS, paths::create_private_file)?;
        let (writer, inbox) = mpsc::sync_channel(QUEUE_MAX);
        let progress = Arc::new(Progress::new(last));
        let shared = Arc::clone(&progress);
        let log = instance.agent_log();
        thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || writer::write(journal, &log, &inbox, &shared))?;
        let (fresh, was_stuck, dropped) = (0, false, 0);
        let bulletin = options.service.as_deref().map(Bulletin::start).transpose()?;
        let mut events = Self {
            kept,
            last,
            fresh,
            progress,
            was_stuck,
            exits,
            hooks,
            writer,
            dropped,
            bulletin,
        };
        if damaged_bytes > 0 {
            let message = format!("{damaged_bytes} bytes of the kept events make no sense");
            events.tell(Happening::of_instance(Level::Error, "StateDamaged", message));
        }
        if foreign > 0 {
            let message = format!(
                "{foreign} of the kept events are of another version; they stay in `{}`",
                folder.display()
            );
            events.tell(Happening::of_instance(Level::Error, "StateDamaged", message));
        }
        Ok(events)
    }

    /// Tells an event; [`pass_on`](Self::pass_on) makes it last.
    pub(crate) fn tell(&mut self, happening: Happening) {
        self.last += 1;
        let Happening { level, event, unit, run, trace, message, facts } = happening;
        let event = Event {
            sequence: self.last,
            timestamp: now(),
            level: level.word().to_owned(),
            event: event.to_owned(),
            unit: unit.map(|unit| unit.to_string()),
            run,
            trace_id: trace.to_string(),
            message,
            facts,
        };
        self.note_exit(&event);
        self.hooks.note(&event);
        if let Some(bulletin) = &mut self.bulletin {
            bulletin.note(&event);
        }
        self.kept.push_back(Arc::new(event));
        self.fresh += 1;
        if self.fresh >= KEPT {
            self.pass_on();
        }
    }

    /// Tells in memory what cannot be told on the disk, and when that is over.
    fn tell_if_stuck(&mut self) {
        let is_stuck = self.progress.is_stuck.load(Ordering::SeqCst);
        if std::mem::replace(&mut self.was_stuck, is_stuck) == is_stuck {
            return;
        }
        let happening = if is_stuck {
            let text = "the disk of the state takes no events; they wait in memory";
            Happening::of_instance(Level::Error, "EventsHeld", text.to_owned())
        } else {
            let lost = std::mem::take(&mut self.dropped);
            let text = format!("the disk of the state takes events again; {lost} were lost");
            Happening::of_instance(Level::Info, "EventsReleased", text)
        };
        self.tell(happening);
    }

    /// Passes what was told to the writer; comes last in a turn, so that no restart waits for it.
    ///
    /// A writer that is far behind loses events, which is counted: the memory of a disk that hangs
    /// has a limit.
    pub(crate) fn pass_on(&mut self) {
        self.tell_if_stuck();
        let fresh = self.kept.len().saturating_sub(std::mem::take(&mut self.fresh));
        let mut dropped = 0;
        for event in self.kept.range(fresh..) {
            let Ok(text) = serde_json::to_vec(&**event) else { continue };
            let line = Line { sequence: event.sequence, text };
            dropped += u64::from(self.writer.try_send(line).is_err());
        }
        let surplus = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..surplus.min(self.written()).max(surplus.saturating_sub(QUEUE_MAX)));
        self.count_dropped(dropped);
    }

    /// Returns how many of those in memory are on the disk, as well.
    fn written(&self) -> usize {
        let synced = self.progress.synced.load(Ordering::SeqCst);
        self.kept.partition_point(|event| event.sequence <= synced)
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
        self.progress.synced.load(Ordering::SeqCst) >= sequence
    }

    /// Returns the number of the last event.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Returns what is in memory of the events between two numbers.
    pub(crate) fn recent(&self, after: Option<u64>, before: Option<u64>) -> Recent {
        let place = |behind: u64| self.kept.partition_point(|event| event.sequence < behind);
        let end = before.map_or(self.kept.len(), place);
        let begin = after.map_or(0, |after| place(after.saturating_add(1))).min(end);
        let events = self.kept.range(begin..end).cloned().collect();
        let first = self.kept.front().map_or(self.last + 1, |event| event.sequence);
        Recent { events, first, last: self.last }
    }

    /// Returns whether something behind a number fits, or is not in memory any more.
    pub(crate) fn has_after(&self, after: u64, fits: impl Fn(&Event) -> bool) -> bool {
        let begin = self.kept.partition_point(|event| event.sequence <= after);
        let first = self.kept.front().map_or(self.last + 1, |event| event.sequence);
        first > after.saturating_add(1) || self.kept.range(begin..).any(|event| fits(event))
    }

    /// Returns the last events that fit, oldest first.
    pub(crate) fn select(&self, limit: usize, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let fitting = self.kept.iter().rev().filter(|event| fits(event)).take(limit);
        let mut found: Vec<Event> = fitting.map(|event| Event::clone(event)).collect();
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

    /// Returns the level that a word means.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Info, Self::Warn, Self::Error].into_iter().find(|level| level.word() == word)
    }
}

/// What is left of earlier agents.
#[derive(Debug, Default)]
struct Recalled {
    kept: VecDeque<Arc<Event>>,
    /// The highest number of an event.
    last: u64,
    /// The last run of each unit whose exit was told.
    exits: BTreeMap<String, u64>,
    hooks: Hooks,
    /// So many are whole and cannot be understood.
    foreign: usize,
    damaged_bytes: u64,
}

/// What an event of any version has.
#[derive(Debug, Deserialize)]
struct Numbered {
    sequence: u64,
}

fn recall(folder: &Path) -> io::Result<Recalled> {
    let Contents { records, damaged_bytes } = journal::read(folder)?;
    let recent = records.get(records.len().saturating_sub(KEPT)..).unwrap_or_default();
    let events = recent.iter().filter_map(|record| serde_json::from_slice(record).ok());
    let kept: VecDeque<Arc<Event>> = events.map(Arc::new).collect();
    let foreign = recent.len() - kept.len();
    // Their numbers are not given again.
    let last = match kept.back() {
        Some(event) if foreign == 0 => event.sequence,
        Some(_) | None => highest_in(recent),
    };
    let (exits, hooks) = (exits_in(&records), Hooks::of(&records));
    Ok(Recalled { kept, last, exits, hooks, foreign, damaged_bytes })
}

/// Returns what the last agents of an instance have told after an event, as it is on the disk: for
/// whoever has not heard the end of one that is gone.
pub(crate) fn recorded_after(instance: &Instance, sequence: u64) -> io::Result<Vec<Event>> {
    let Recalled { kept, .. } = recall(&instance.events_directory())?;
    let later = kept.iter().filter(|event| event.sequence > sequence);
    Ok(later.map(|event| Event::clone(event)).collect())
}

fn highest_in(records: &[Vec<u8>]) -> u64 {
    let numbered = records.iter().filter_map(|record| serde_json::from_slice(record).ok());
    numbered.map(|Numbered { sequence }| sequence).max().unwrap_or_default()
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

/// Writes one line about something that nobody else can be told of.
pub(crate) fn complain(what: &str, error: &dyn Error) {
    complaint::complain("agent", what, error);
}
