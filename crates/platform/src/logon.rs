//! Accounts that services run as: the right to log on as a service, and passwords from a terminal.
//!
//! Other systems start services as any user without asking anybody; there rights are refused.

#[cfg(unix)]
#[path = "logon/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "logon/windows.rs"]
mod imp;

use std::io;

/// Gives an account the right to log on as a service.
pub fn allow_services(account: &str) -> io::Result<()> {
    imp::allow_services(account)
}

/// The account that stands for all services with accounts of their own, `NT SERVICE\\ALL SERVICES`.
pub const ALL_SERVICES: &str = "S-1-5-80-0";

/// Returns whether an account or group, by its identity, was given the right to log on as a
/// service. Only administrators may ask.
pub fn may_serve(identity: &str) -> io::Result<bool> {
    imp::may_serve(identity)
}

/// Reads a line from the terminal without showing it; the prompt goes there, too.
///
/// Fails with [`io::ErrorKind::NotFound`] where there is no terminal.
pub fn ask_secret(prompt: &str) -> io::Result<String> {
    imp::ask_secret(prompt)
}
