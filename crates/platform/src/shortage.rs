//! Errors that say something of this machine, and nothing of whoever was asked.

#[cfg(unix)]
#[path = "shortage/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "shortage/windows.rs"]
mod imp;

use std::io;

/// Returns whether something could not be done because this machine, or this process, has no more
/// descriptors, memory or buffers.
pub fn is_shortage(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| imp::CODES.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_told_from_an_answer() {
        for code in imp::CODES {
            assert!(is_shortage(&io::Error::from_raw_os_error(*code)), "{code}");
        }
        let missing = std::fs::metadata("no such file").unwrap_err();
        assert!(!is_shortage(&missing) && !is_shortage(&io::ErrorKind::OutOfMemory.into()));
    }
}
