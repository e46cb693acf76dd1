//! Threads whose work can wait: they get the processor and the disk when nobody else wants them.

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

/// Lets the calling thread work only where that holds nobody up, until it ends.
///
/// On Linux `SCHED_IDLE` and the idle class of disks (which only some schedulers of disks heed), on
/// Windows the background mode of threads, on macOS the background class.
pub fn become_idle() -> io::Result<()> {
    imp::become_idle()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_is_idle_comes_to_its_end() {
        std::thread::spawn(|| become_idle().unwrap()).join().unwrap();
    }
}
