//! A snapshot of all processes, and the counters of those that are counted.
//!
//! Where there is no job that says who belongs to whom, parents do: the number of a parent that is
//! gone counts as long as nobody has it who is younger than its child.

use std::{io, time::Duration};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::Threading::{GetProcessHandleCount, GetProcessIoCounters, IO_COUNTERS},
};

use super::{Depth, Kin, Tally};
use crate::{
    process::Process,
    usage::{is_ending, memory_of, total_of},
    windows::{
        snapshot::{self, Listed},
        succeed,
    },
};

/// A process of the pass.
#[derive(Debug)]
pub(super) struct Seen {
    kin: Kin,
    threads: u32,
    process: Process,
}

/// Looks at all processes that we may open.
pub(super) fn look() -> io::Result<Vec<Seen>> {
    Ok(snapshot::processes()?.iter().filter_map(open).collect())
}

fn open(listed: &Listed) -> Option<Seen> {
    let process = Process::open_pid(listed.pid).ok()??;
    let started = process.identity().started;
    let kin = Kin { pid: listed.pid, parent: listed.parent, group: 0, started };
    (!process.has_ended()).then_some(Seen { kin, threads: listed.threads, process })
}

impl Seen {
    pub(super) const fn kin(&self) -> Kin {
        self.kin
    }

    /// Says no: as long as the keeper has a handle of a run's process, nobody gets its number.
    #[expect(clippy::unused_self, reason = "the contract is that of systems that use it again")]
    pub(super) const fn is_later_than(&self, _moment: Duration) -> bool {
        false
    }

    /// Reads its counters; nothing when it has ended.
    #[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems that may fail")]
    pub(super) fn read(&self, depth: Depth) -> io::Result<Option<Tally>> {
        if self.process.has_ended() {
            return Ok(None);
        }
        let total = total_of(&self.process).ok();
        let known = Tally {
            processes: 1,
            threads: Some(self.threads.into()),
            processor_time: total.map(|total| total.user + total.system),
            ..Tally::NONE
        };
        if depth == Depth::Time {
            return Ok(Some(known));
        }
        let memory = memory_of(&self.process).ok();
        if memory.is_none() && is_ending(&self.process) {
            return Ok(None);
        }
        let io = counters(self.process.raw()).ok();
        Ok(Some(Tally {
            memory_bytes: memory,
            memory_share_bytes: None,
            memory_peak_bytes: total.and_then(|total| total.memory_peak_bytes),
            descriptors: handles(self.process.raw()).ok(),
            read_bytes: io.map(|io| io.ReadTransferCount),
            written_bytes: io.map(|io| io.WriteTransferCount),
            ..known
        }))
    }
}

#[expect(unsafe_code, reason = "GetProcessHandleCount")]
fn handles(process: HANDLE) -> io::Result<u64> {
    let mut count = 0;
    // SAFETY: the handle is open for it; `count` is valid for writes.
    succeed(unsafe { GetProcessHandleCount(process, &raw mut count) })?;
    // A process that is asked about has one at least: zero is Wine's way not to know.
    if count == 0 { Err(io::ErrorKind::Unsupported.into()) } else { Ok(count.into()) }
}

#[expect(unsafe_code, reason = "GetProcessIoCounters")]
fn counters(process: HANDLE) -> io::Result<IO_COUNTERS> {
    let mut counters = IO_COUNTERS::default();
    // SAFETY: the handle is open for it; `counters` is valid for writes.
    succeed(unsafe { GetProcessIoCounters(process, &raw mut counters) })?;
    Ok(counters)
}

/// Says nothing: others' environments are not read here.
pub(super) const fn mark_of(_pid: u32) -> Option<Vec<u8>> {
    None
}
