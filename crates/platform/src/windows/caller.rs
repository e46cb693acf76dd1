//! Calling a named pipe, and who is at its other end: anybody may make a pipe of any name.

use std::{
    io,
    os::windows::io::{OwnedHandle, RawHandle},
    ptr::{null, null_mut},
    time::{Duration, Instant},
};

use windows_sys::Win32::{
    Foundation::{ERROR_PIPE_BUSY, ERROR_SEM_TIMEOUT},
    Storage::FileSystem::{
        CreateFileW, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, SECURITY_IDENTIFICATION,
        SECURITY_SQOS_PRESENT,
    },
    System::Pipes::WaitNamedPipeW,
};

use super::{
    account::{self, Token},
    is, own, succeed,
};

/// Opens a pipe; whoever listens may learn who we are, but not act in our name.
#[expect(unsafe_code, reason = "CreateFileW, WaitNamedPipeW")]
pub(crate) fn call(name: &[u16], access: u32, within: Duration) -> io::Result<OwnedHandle> {
    let flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    let (at, until) = (name.as_ptr(), Instant::now() + within);
    loop {
        // SAFETY: the name ends with NUL and lives until the call returns.
        let raw = unsafe { CreateFileW(at, access, 0, null(), OPEN_EXISTING, flags, null_mut()) };
        // SAFETY: the handle is new or invalid.
        match unsafe { own(raw) } {
            Err(error) if is(&error, ERROR_PIPE_BUSY) => {}
            result => return result,
        }
        let left = until.saturating_duration_since(Instant::now()).as_millis();
        // 0 would mean the listener's own default.
        let left = u32::try_from(left).unwrap_or_default().max(1);
        // SAFETY: as above.
        match succeed(unsafe { WaitNamedPipeW(at, left) }) {
            Err(error) if is(&error, ERROR_SEM_TIMEOUT) => {
                let text = "whoever listens is busy with others";
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            result => result?,
        }
    }
}

/// Refuses a pipe that was made by somebody who may not act for this instance; `what` says what
/// that one does.
///
/// All ends of a pipe have the owner that the first was made with, and nobody can make one that
/// belongs to somebody else.
pub(crate) fn refuse_strangers(pipe: RawHandle, what: &str) -> io::Result<()> {
    let owner = account::owner_of_open(pipe)?;
    if account::is_trusted(&owner)? { Ok(()) } else { Err(stranger(&owner, what)) }
}

/// Refuses a process whose user may not act for this instance.
pub(crate) fn refuse_strange_process(process: RawHandle, what: &str) -> io::Result<()> {
    let token = Token::of_process(process)?;
    let user = token.user()?;
    if account::is_master(&user, &token.groups()?)? { Ok(()) } else { Err(stranger(&user, what)) }
}

/// Says who has got in our way.
pub(crate) fn stranger(who: &str, what: &str) -> io::Error {
    io::Error::other(format!("somebody else ({who}) {what}"))
}

/// Makes the first end of a pipe that belongs to a user whom nobody knows; nothing where the system
/// does not let anybody make what belongs to others.
#[cfg(test)]
#[expect(unsafe_code, reason = "CreateNamedPipeW")]
pub(crate) fn squat(name: &[u16]) -> Option<OwnedHandle> {
    use windows_sys::Win32::{
        Foundation::ERROR_INVALID_OWNER,
        Storage::FileSystem::PIPE_ACCESS_DUPLEX,
        System::Pipes::{CreateNamedPipeW, PIPE_TYPE_BYTE},
    };
    let text = "O:S-1-5-21-1-2-3-1001D:P(A;;GA;;;WD)";
    let security = super::security::Security::parse(text).unwrap();
    let attributes = security.attributes();
    let attributes = &raw const attributes;
    let (mode, many) = (PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 255);
    // SAFETY: the name ends with NUL; it and the attributes live until the call returns.
    let raw = unsafe {
        CreateNamedPipeW(name.as_ptr(), mode, PIPE_TYPE_BYTE, many, 64, 64, 0, attributes)
    };
    // SAFETY: the handle is new or invalid.
    let end = unsafe { own(raw) };
    if let Err(error) = &end {
        assert!(is(error, ERROR_INVALID_OWNER), "{error}");
    }
    end.ok()
}
