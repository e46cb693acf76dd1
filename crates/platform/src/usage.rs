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

use std::{io, time::Duration};

use crate::process::Process;

/// What a process has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Time on processors, its threads' together.
    pub processor_time: Duration,
    /// Memory that it occupies at this moment: the working set on Windows, else the resident set.
    pub memory_bytes: u64,
}

/// Returns what a process alone has used, without its descendants.
pub fn of(process: &Process) -> io::Result<Usage> {
    imp::of(process)
}

#[cfg(test)]
mod tests {
    use super::*;

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
