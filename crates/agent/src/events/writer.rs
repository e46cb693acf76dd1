//! The thread that puts events on the disk, in order, and waits for a disk that takes none.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::PathBuf,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::Receiver,
    },
    thread,
    time::Duration,
};

use mainstay_platform::{fail, paths};
use mainstay_storage::journal::Journal;

use super::complain;

/// The agent's own log is renamed once it is longer than this; one predecessor is kept.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How long after a refusal the disk is asked again.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// A sync that began at once would compete with the very restart that it tells of; and what happens
/// meanwhile shares the next one.
const SYNC_AFTER: Duration = Duration::from_millis(10);

/// An event on its way to the disk.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) sequence: u64,
    pub(super) text: Vec<u8>,
}

/// How far the writer is.
#[derive(Debug)]
pub(super) struct Progress {
    /// Everything up to this one is on the disk.
    pub(super) synced: AtomicU64,
    /// The disk takes nothing.
    pub(super) is_stuck: AtomicBool,
}

impl Progress {
    pub(super) const fn new(last: u64) -> Self {
        Self { synced: AtomicU64::new(last), is_stuck: AtomicBool::new(false) }
    }

    /// Tries until it works: what was told must not be missing between what came before and after.
    fn insist(&self, what: &str, mut attempt: impl FnMut() -> io::Result<()>) {
        while let Err(error) = attempt() {
            if !self.is_stuck.swap(true, Ordering::SeqCst) {
                complain(what, &error);
            }
            thread::park_timeout(RETRY_EVERY);
        }
        self.is_stuck.store(false, Ordering::SeqCst);
    }
}

/// Writes in batches: what gathers while one is written goes with the next.
pub(super) fn write(
    mut journal: Journal,
    log: &PathBuf,
    inbox: &Receiver<Line>,
    progress: &Progress,
) {
    while let Ok(first) = inbox.recv() {
        let mut batch = vec![first];
        batch.extend(inbox.try_iter());
        let last = batch.last().map_or(0, |line| line.sequence);
        let payloads: Vec<&[u8]> = batch.iter().map(|line| line.text.as_slice()).collect();
        fail::point("agent.events.before");
        progress.insist("cannot write events", || {
            journal.append(&payloads, paths::create_private_file)
        });
        if let Err(error) = append_log(log, &batch) {
            complain("cannot write the agent's log", &error);
        }
        thread::park_timeout(SYNC_AFTER);
        progress.insist("cannot sync events", || journal.sync());
        fail::point("agent.events.synced");
        progress.synced.store(last, Ordering::SeqCst);
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
