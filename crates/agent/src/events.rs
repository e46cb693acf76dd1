//! What happens, told once: to the event journal, to the agent's own log and to clients.
//!
//! Writing is done by a thread of its own: neither a restart nor an answer waits for a disk.

use std::{
    collections::VecDeque,
    error::Error,
    fs::OpenOptions,
    io::{self, Write as _},
    path::PathBuf,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use jiff::Timestamp;
use mainstay_api::control::Event;
use mainstay_core::{TraceId, UnitName};
use mainstay_platform::{clock, paths};
use mainstay_storage::{
    instance::Instance,
    journal::{self, ChainLimits, Journal},
};

/// So many events are kept in memory for clients.
const KEPT: usize = 5_000;
const LIMITS: ChainLimits = ChainLimits { file_bytes: 4 * 1024 * 1024, files: 4 };
/// The agent's own log is renamed once it is longer than this; one predecessor is kept.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

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
    writer: Option<Sender<Vec<u8>>>,
}

impl Happening {
    /// Returns an event about the instance as a whole.
    pub(crate) fn of_instance(level: Level, event: &'static str, message: String) -> Self {
        let trace = TraceId::default();
        Self { level, event, unit: None, run: None, trace, message }
    }
}

impl Events {
    /// Reads what was kept and starts the writer; in a recovery nothing old is read.
    pub(crate) fn open(instance: &Instance, recover: bool) -> io::Result<Self> {
        let folder = instance.events_directory();
        paths::create_private(&folder)?;
        let mut kept = VecDeque::new();
        if !recover {
            let records = journal::read(&folder)?.records;
            let recent = records.len().saturating_sub(KEPT);
            let recent = records.iter().skip(recent);
            kept.extend(recent.filter_map(|record| serde_json::from_slice::<Event>(record).ok()));
        }
        let last = kept.back().map_or(0, |event| event.sequence);
        let journal = Journal::open(&folder, LIMITS, paths::create_private_file)?;
        let (writer, inbox) = mpsc::channel();
        let log = instance.agent_log();
        thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || write(journal, &log, &inbox))?;
        Ok(Self { kept, last, writer: Some(writer) })
    }

    /// Tells an event.
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
        if let (Some(writer), Ok(text)) = (&self.writer, serde_json::to_vec(&event)) {
            // A writer that is gone has complained already.
            drop(writer.send(text));
        }
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(event);
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

/// Returns the time of day as RFC 3339, to the millisecond.
pub(crate) fn now() -> String {
    Timestamp::try_from(clock::realtime()).map_or_else(|_| String::new(), |now| format!("{now:.3}"))
}

/// Writes in batches: what gathers while one is written goes with the next.
fn write(mut journal: Journal, log: &PathBuf, inbox: &Receiver<Vec<u8>>) {
    while let Ok(first) = inbox.recv() {
        let mut batch = vec![first];
        batch.extend(inbox.try_iter());
        let payloads: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
        let written = journal
            .append(&payloads, paths::create_private_file)
            .and_then(|()| append_log(log, &batch))
            .and_then(|()| journal.sync());
        if let Err(error) = written {
            complain("cannot write events", &error);
        }
    }
}

fn append_log(path: &PathBuf, batch: &[Vec<u8>]) -> io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|found| found.len() > LOG_BYTES_MAX) {
        std::fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut options = OpenOptions::new();
    let mut file = paths::open_log(options.append(true), path)?;
    let mut text = Vec::new();
    for line in batch {
        text.extend_from_slice(line);
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
