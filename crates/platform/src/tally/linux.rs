//! `/proc`: one line of `stat` for every process, the rest for those that are counted.

use std::{fs, io, time::Duration};

use super::{Depth, Kin, Tally};
use crate::{process::text_of, usage::unless_gone};

/// Fields of `/proc/PID/stat` behind the program's name, which may hold anything; from proc(5),
/// counted from 0.
const STATE: usize = 0;
const PARENT: usize = 1;
const GROUP: usize = 2;
/// User and system time of the process, then both of children that were waited for.
const TIMES: usize = 11;
const THREADS: usize = 17;
const STARTED: usize = 19;
const RESIDENT_PAGES: usize = 21;

const MARK: &[u8] = b"MAINSTAY_ID=";
/// A start is told a little after it, and in ticks.
const LATE: Duration = Duration::from_secs(2);

/// A process of the pass.
#[derive(Debug)]
pub(super) struct Seen {
    kin: Kin,
    processor_time: Duration,
    threads: u64,
    memory_bytes: u64,
}

/// Looks at all processes once; those that have ended and were not waited for use nothing.
pub(super) fn look() -> io::Result<Vec<Seen>> {
    let mut seen = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let stat = unless_gone(text_of(pid, "stat"))?;
        seen.extend(stat.and_then(|stat| parse(pid, &stat)));
    }
    Ok(seen)
}

fn parse(pid: u32, stat: &str) -> Option<Seen> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    if fields.get(STATE).is_none_or(|state| ["Z", "X"].contains(state)) {
        return None;
    }
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let small = |index: usize| fields.get(index)?.parse::<u32>().ok();
    let ticks = (TIMES..TIMES + 4).map(number).sum::<Option<u64>>()?;
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    let started = number(STARTED)?;
    Some(Seen {
        kin: Kin { pid, parent: small(PARENT)?, group: small(GROUP)?, started },
        processor_time: span(ticks),
        threads: number(THREADS)?,
        memory_bytes: number(RESIDENT_PAGES)? * page,
    })
}

fn span(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1))
}

impl Seen {
    pub(super) const fn kin(&self) -> Kin {
        self.kin
    }

    /// Starts are told by a clock that counts suspends as well: so much later is no proof.
    pub(super) fn is_later_than(&self, moment: Duration) -> bool {
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let boot = Duration::new(
            u64::try_from(boot.tv_sec).unwrap_or_default(),
            u32::try_from(boot.tv_nsec).unwrap_or_default(),
        );
        let suspended = boot.saturating_sub(crate::clock::monotonic());
        span(self.kin.started) > moment + suspended + LATE
    }

    /// Reads what is not known yet; nothing when the process is gone.
    pub(super) fn read(&self, depth: Depth) -> io::Result<Option<Tally>> {
        let known = Tally {
            processes: 1,
            threads: Some(self.threads),
            processor_time: Some(self.processor_time),
            memory_bytes: Some(self.memory_bytes),
            ..Tally::NONE
        };
        if depth == Depth::Time {
            return Ok(Some(known));
        }
        let pid = self.kin.pid;
        // Open to everybody: without it the process is gone.
        let Some(status) = unless_gone(text_of(pid, "status"))? else {
            return Ok(None);
        };
        let rollup = if_allowed(fs::read_to_string(format!("/proc/{pid}/smaps_rollup")))?;
        let io = if_allowed(fs::read_to_string(format!("/proc/{pid}/io")))?;
        let kibibytes = |bytes: u64| bytes * 1024;
        Ok(Some(Tally {
            memory_share_bytes: rollup.and_then(|text| value(&text, "Pss:")).map(kibibytes),
            memory_peak_bytes: value(&status, "VmHWM:").map(kibibytes),
            descriptors: if_allowed(descriptors(pid))?,
            read_bytes: io.as_deref().and_then(|text| value(text, "read_bytes:")),
            written_bytes: io.as_deref().and_then(|text| value(text, "write_bytes:")),
            ..known
        }))
    }
}

/// Counts open descriptors: since Linux 6.2 the folder's size says how many there are.
fn descriptors(pid: u32) -> io::Result<u64> {
    let folder = format!("/proc/{pid}/fd");
    // Asked first: the size is told to everybody, the list is not, and neither should be.
    let mut list = fs::read_dir(&folder)?;
    match fs::metadata(&folder)?.len() {
        0 => list.try_fold(0, |count, entry| entry.map(|_| count + 1)),
        count => Ok(count),
    }
}

/// Returns the run's mark that a process was started with.
pub(super) fn mark_of(pid: u32) -> Option<Vec<u8>> {
    let variables = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut all = variables.split(|byte| *byte == 0);
    all.find_map(|variable| variable.strip_prefix(MARK)).map(<[u8]>::to_vec)
}

fn value(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// Nothing where it is not for us to know, or not told by this system.
fn if_allowed<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        read => unless_gone(read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything_and_waited_children_count() {
        let line = "7 (a ) R 1 b) S 3 7 7 0 -1 0 0 0 0 0 100 200 30 40 20 0 5 0 900 4096 2 0";
        let seen = parse(7, line).unwrap();
        assert_eq!(seen.kin, Kin { pid: 7, parent: 3, group: 7, started: 900 });
        assert_eq!((seen.processor_time, seen.threads), (span(370), 5));
        assert!(parse(7, &line.replace(") S", ") Z")).is_none());
        assert!(parse(7, "7 (cut) S 3").is_none());
    }
}
