//! Waiting for many things at once: processes, connections, pipes, and calls from other threads.
//!
//! A registration is owned by [`Watched`], whose drop ends it *before* the thing is closed: a
//! descriptor that somebody else holds a duplicate of would otherwise report events for ever.

#[cfg(target_os = "linux")]
#[path = "port/linux.rs"]
mod imp;
#[cfg(windows)]
#[path = "port/windows.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "port/macos.rs"]
mod imp;

pub use imp::{Notices, Port, Waker, Watched, ask_to_end};
#[cfg(windows)]
pub use imp::{Sight, Watchable};

/// Names a registration in the events of its port; chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Something can be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Which registration.
    pub token: Token,
    /// It can be read, has ended, or was woken.
    pub is_readable: bool,
    /// It can take more.
    pub is_writable: bool,
}

/// What [`Notices`] have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Noticed {
    /// Some child has ended.
    pub child_ended: bool,
    /// Somebody asked this process to end.
    pub end_asked: bool,
}

/// Whether to be told when a connection can take more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantWrite {
    /// There is something left to send.
    Yes,
    /// The queue is empty.
    No,
}

#[cfg(test)]
mod tests;
