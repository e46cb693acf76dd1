//! The keeper's side of local connections: a listener, and connections that never block.

#[cfg(unix)]
#[path = "door/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "door/windows.rs"]
mod imp;

#[cfg(windows)]
pub(crate) use imp::pipe_name;
#[cfg(all(unix, feature = "async"))]
pub(crate) use imp::with_short_path;
pub use imp::{Connection, Door};

/// Whether a listener can be handed to another process.
///
/// Where it cannot, as with the named pipes of Windows, whoever has opened it stays the only one
/// that accepts, and hands over each caller.
pub const CAN_BE_SHARED: bool = imp::CAN_BE_SHARED;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The process that connected.
    pub pid: u32,
    /// The user: a number on Unix, a SID on Windows.
    pub user: String,
    /// True when it is the same user as ours or the system's administrator.
    pub is_trusted: bool,
}

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// This many bytes were appended.
    Bytes(usize),
    /// Nothing for the moment.
    Empty,
    /// The other end is gone.
    Closed,
}
