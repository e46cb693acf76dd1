//! Accounts that services run as: the right to log on as a service, and passwords from a terminal.
//!
//! Other systems start services as any user without asking anybody; there these are refused.

#[cfg(not(windows))]
#[path = "logon/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "logon/windows.rs"]
mod imp;

use std::io;

/// Gives an account the right to log on as a service.
pub fn allow_services(account: &str) -> io::Result<()> {
    imp::allow_services(account)
}

/// Reads a line from the terminal without showing it; the prompt goes there, too.
///
/// Fails with [`io::ErrorKind::NotFound`] where there is no terminal.
pub fn ask_secret(prompt: &str) -> io::Result<String> {
    imp::ask_secret(prompt)
}
