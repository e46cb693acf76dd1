//! Nothing of the kind.

use std::io;

use super::Scope;

pub(super) fn protect(_bytes: &[u8], _scope: Scope) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn unprotect(_bytes: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::Unsupported.into())
}
