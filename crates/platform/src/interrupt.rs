//! Being asked to end: Ctrl-C, TERM, a closed terminal.

#[cfg(unix)]
#[path = "interrupt/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "interrupt/windows.rs"]
mod imp;

pub use imp::Interrupts;
