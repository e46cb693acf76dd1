//! Services need no such right on this system; a line that is not shown comes from `/dev/tty`.

#[path = "unix/secret.rs"]
mod secret;

use std::io;

pub(super) use self::secret::ask_secret;

pub(super) fn allow_services(_account: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn may_serve(_identity: &str) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
