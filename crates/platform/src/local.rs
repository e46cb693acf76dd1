//! The control API's sockets: a listener that the keeper hands over, and the clients' ends.

#[cfg(unix)]
#[path = "local/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "local/windows.rs"]
mod imp;

pub use crate::door::Peer;
pub use imp::{Listener, Stream, connect};
