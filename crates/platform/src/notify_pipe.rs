//! The pipe by which an instance's programs notify, on systems whose sockets do not say who sends.
//!
//! A message ends with a byte 0 or with the connection; whoever ends it with a byte 0 may wait for
//! the one byte that says that it was dealt with. Only Windows has it; elsewhere everything here
//! refuses, and each unit has a [socket](crate::datagram) of its own.

#[cfg(not(windows))]
#[path = "notify_pipe/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "notify_pipe/windows.rs"]
mod imp;

use std::{io, path::Path, time::Duration};

pub use imp::Caller;

/// Whether programs notify by a pipe.
pub const IS_THERE: bool = cfg!(windows);
/// The longest message.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// What a look at a caller has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Its message has not come to an end.
    Nothing,
    /// All of its message.
    Message(Vec<u8>),
    /// It is gone, or says more than it may.
    Nonsense,
}

/// Whether whoever sends waits until its message has been dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It does.
    Waits,
    /// It leaves at once.
    None,
}

/// Returns the name by which programs find the pipe that stands for a path; nothing where there is
/// none.
pub fn name(path: &Path) -> Option<String> {
    imp::name(path)
}

/// Sends a message to the pipe of this name, and tries again as long as nobody listens.
///
/// Refuses a pipe that somebody has made who may not act for the instance.
pub fn send(name: &str, message: &[u8], patience: Patience, within: Duration) -> io::Result<()> {
    imp::send(name, message, patience, within)
}

#[cfg(test)]
#[cfg(windows)]
mod tests;
