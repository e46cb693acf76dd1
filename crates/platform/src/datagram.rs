//! Sockets on paths that take single messages, from whoever may reach them; the system says who
//! has sent each.
//!
//! A message is looked at first and taken later: whoever dies in between loses nothing, because the
//! next one who holds the socket sees the same message. Descriptors that came along are duplicates
//! at each look, and gone when the message is taken.
//!
//! Beside them lie descriptors that came along: on Linux it is seen when the other end of one is
//! closed.
//!
//! macOS does not say who has sent a message: the socket's mode lets in its own user and root.
//! Windows has no such sockets.

#[cfg(unix)]
#[path = "datagram/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "datagram/windows.rs"]
mod imp;

use std::{io, path::Path, time::Duration};

use crate::descriptor::{Borrowed, Descriptor};

pub use imp::{Guarded, Inbox, Inboxes};

/// One message.
#[derive(Debug, Default)]
pub struct Datagram {
    /// What it says; at most as much as was asked for.
    pub bytes: Vec<u8>,
    /// It is longer than that.
    pub is_cut: bool,
    /// Who has sent it, where the system says so.
    pub sender: Option<Sender>,
    /// The descriptors that came along.
    pub riders: Vec<Descriptor>,
    /// More came along, and the system does not let us have them.
    pub are_riders_withheld: bool,
}

/// Who has sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// Its process, or 0 for one that cannot be seen from here.
    pub pid: u32,
    /// True when it is the same user as ours or root.
    pub is_trusted: bool,
}

/// Whether everything that was said before has been dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Barrier {
    /// It has.
    Passed,
    /// Nobody says so in time.
    Late,
}

/// Returns whether a socket may lie on this path so that programs can name it: addresses are short,
/// 107 bytes on Linux and 103 on macOS.
pub fn fits(path: &Path) -> bool {
    imp::fits(path)
}

/// Sends a message to the socket that `address` names: a path, or on Linux `@` and a name that is
/// in no file system. Waits while there is no room.
pub fn send(address: &str, message: &[u8], riders: &[Borrowed<'_>]) -> io::Result<()> {
    imp::send(address, message, riders)
}

/// Sends `message` with a descriptor of which whoever reads there closes the last copy.
pub fn send_barrier(address: &str, message: &[u8], within: Duration) -> io::Result<Barrier> {
    imp::send_barrier(address, message, within)
}

/// Lends a descriptor of this process by its number, as `--fd` and the like name it.
pub fn inherited(number: u32) -> io::Result<Descriptor> {
    imp::inherited(number)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
