//! The control API's sockets: a listener or single clients that the keeper hands over, and the
//! clients' ends.

#[cfg(unix)]
#[path = "local/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "local/windows.rs"]
mod imp;

use std::{io, path::Path};

use crate::descriptor::Descriptor;

pub use imp::{Listener, Stream};

/// Who a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user: a number on Unix, a SID on Windows.
    pub user: String,
    /// The groups whose rights it has, in the same form.
    pub groups: Vec<String>,
    /// True when it is the same user as ours or the system's administrator.
    pub is_trusted: bool,
}

/// Takes over a client that somebody else has accepted. Must be called inside a runtime.
pub fn take_over(client: Descriptor) -> io::Result<(Stream, Identity)> {
    imp::take_over(client)
}

/// Tells whoever is not let in what to do about it.
pub const WAY_IN: &str = imp::WAY_IN;

/// Connects to a listener. Must be called inside a runtime.
///
/// On Windows, where anybody may create a pipe of any name, whoever listens must be our own user,
/// the administrator, or the service that is named: by its identity, or as the very process that
/// the manager of services has for it. Else nothing is sent. On Unix nobody else can put a socket
/// into the folder where it lies.
pub fn connect(path: &Path, service: Option<&str>) -> io::Result<Stream> {
    imp::connect(path, service)
}

/// Returns the identity of a group by its name or number; nothing when there is none.
pub fn group(name: &str) -> io::Result<Option<String>> {
    imp::group(name)
}

/// Lets the members of these groups, and no others, reach a listener besides our own user and the
/// administrator. What they may do there is not decided here. On Windows the listener of a service
/// belongs to that.
///
/// Never takes away a way into the folder in which several instances lie. Systems without access
/// lists for this refuse, unless there are no groups ([`io::ErrorKind::Unsupported`]).
pub fn let_in(path: &Path, groups: &[String], service: Option<&str>) -> io::Result<()> {
    imp::let_in(path, groups, service)
}
