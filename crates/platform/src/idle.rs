//! Threads whose work can wait: they get the processor and the disk behind everybody else.

#[cfg(target_os = "linux")]
#[path = "idle/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "idle/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "idle/windows.rs"]
mod imp;

use std::io;

/// Lets the calling thread work behind all others, but never not at all, until it ends.
///
/// On Linux niceness 19, `SCHED_BATCH` and the lowest best effort of disks: where programs use every
/// processor, that is one part in seventy of one. `SCHED_IDLE` would be one in three hundred, and the
/// idle class of disks may be nothing at all: logs that grow would never be compressed. On Windows
/// the background mode of threads, on macOS the background class.
pub fn give_way() -> io::Result<()> {
    imp::give_way()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_gives_way_comes_to_its_end() {
        std::thread::spawn(|| give_way().unwrap()).join().unwrap();
    }
}
