//! What a process has used of the machine, read on request and never in a background loop.

#[cfg(target_os = "linux")]
#[path = "usage/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "usage/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "usage/windows.rs"]
mod imp;

use std::{collections::BTreeSet, io, time::Duration};

#[cfg(target_os = "macos")]
pub(crate) use imp::task_of;
#[cfg(target_os = "linux")]
pub(crate) use imp::unless_gone;
#[cfg(windows)]
pub(crate) use imp::{is_ending, memory_of, total_of};

use crate::process::Process;

/// What a process has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Time on processors, its threads' together.
    pub processor_time: Duration,
    /// Memory that it occupies at this moment: the working set on Windows, else the resident set.
    pub memory_bytes: u64,
}

/// What a process has used in its whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// Time on processors in its own code.
    pub user: Duration,
    /// Time on processors in the system's code.
    pub system: Duration,
    /// The most memory it occupied at a time; nothing where the system does not tell it from that
    /// of whoever started it.
    pub memory_peak_bytes: Option<u64>,
}

/// Whether [`Process::ended_and_used`] tells what was used: not on macOS.
pub const HAS_TOTALS: bool = cfg!(not(target_os = "macos"));

/// Returns what a process alone has used, without its descendants.
pub fn of(process: &Process) -> io::Result<Usage> {
    imp::of(process)
}

/// The most processes whose memory is added up.
pub const TREE_MAX: usize = 512;

/// Returns how much memory a process and all that descend from it have to themselves.
///
/// Linux: what is backed by no file, each page shared among those who have it since a fork, and
/// what of it is swapped out; as `RssAnon` and `VmSwap` tell where `smaps_rollup` is closed to us or
/// not there, which counts shared pages for each. Windows: what is committed to them alone. macOS:
/// the footprint. A process that has given up its parent (a daemon) descends from it no longer.
/// Fails when the process is gone, and when it has more than [`TREE_MAX`] descendants.
pub fn of_tree(root: u32) -> io::Result<u64> {
    let family = imp::Family::look()?;
    let mut bytes = imp::own_memory(root)?.ok_or(io::ErrorKind::NotFound)?;
    let (mut seen, mut next) = (BTreeSet::from([root]), vec![root]);
    while let Some(parent) = next.pop() {
        for child in family.children_of(parent)? {
            if !seen.insert(child) {
                continue;
            }
            if seen.len() > TREE_MAX {
                let message = format!("it has more than {TREE_MAX} processes");
                return Err(io::Error::other(message));
            }
            bytes += imp::own_memory(child)?.unwrap_or_default();
            next.push(child);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_ones_own_is_seen_and_that_of_files_is_not() {
        // More than what other tests of this process may free meanwhile.
        const BYTES: usize = 256 * 1024 * 1024;
        let before = of_tree(std::process::id()).unwrap();
        let bytes = std::hint::black_box(vec![1_u8; BYTES]);
        let after = of_tree(std::process::id()).unwrap();
        let grown = after.saturating_sub(before);
        let expected = u64::try_from(bytes.len()).unwrap();
        assert!(grown >= expected / 2, "{before} {after}");
        assert!(grown <= expected * 2, "{before} {after}");
        drop(bytes);
        let missing = of_tree(u32::MAX - 1).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn work_and_memory_are_seen() {
        let own = Process::open_pid(std::process::id()).unwrap().unwrap();
        let before = of(&own).unwrap();
        let bytes = std::hint::black_box(vec![1_u8; 64 * 1024 * 1024]);
        let until = crate::clock::monotonic() + Duration::from_secs(20);
        let mut after = before;
        while after.processor_time <= before.processor_time {
            assert!(crate::clock::monotonic() < until, "work is not seen: {after:?}");
            after = of(&own).unwrap();
        }
        assert!(after.memory_bytes >= u64::try_from(bytes.len()).unwrap(), "{after:?}");
    }
}
