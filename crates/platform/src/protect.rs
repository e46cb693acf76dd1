//! Bytes that only this machine, or only this user on it, can read again: DPAPI on Windows.
//!
//! Other systems have no such thing for services; there both are refused, and a file that only its
//! owner may read takes its place.

#[cfg(unix)]
#[path = "protect/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "protect/windows.rs"]
mod imp;

use std::io;

/// Whether this system protects bytes.
pub const IS_THERE: bool = cfg!(windows);

/// Who can read protected bytes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Whoever is on this machine and may read where they lie: a service and its administrators,
    /// whatever accounts they have.
    Machine,
    /// This user on this machine, or on any where the user's profile comes along.
    User,
}

/// Returns bytes that are worth nothing elsewhere.
pub fn protect(bytes: &[u8], scope: Scope) -> io::Result<Vec<u8>> {
    imp::protect(bytes, scope)
}

/// Returns what was protected.
pub fn unprotect(bytes: &[u8]) -> io::Result<Vec<u8>> {
    imp::unprotect(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_bytes_come_back_here_and_are_no_text() {
        for scope in [Scope::Machine, Scope::User] {
            let protected = protect(b"the key to everything", scope);
            if !IS_THERE {
                assert_eq!(protected.unwrap_err().kind(), io::ErrorKind::Unsupported);
                continue;
            }
            let mut protected = protected.unwrap();
            assert!(!protected.windows(7).any(|part| part == b"the key"));
            assert_eq!(unprotect(&protected).unwrap(), b"the key to everything");
            let last = protected.len() - 1;
            protected[last] ^= 1;
            unprotect(&protected).unwrap_err();
        }
    }
}
