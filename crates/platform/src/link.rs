//! The agent's end of the connection to its keeper.

#[cfg(unix)]
#[path = "link/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "link/windows.rs"]
mod imp;

pub use imp::Link;
