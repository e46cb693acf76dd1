//! Services need no such right on this system.

use std::io;

pub(super) fn allow_services(_account: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn ask_secret(_prompt: &str) -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn may_serve(_identity: &str) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
