//! Change notifications: a handle a folder, which does not tell what has changed there.

use std::{
    ffi::OsStr,
    io,
    path::{Component, Path, Prefix},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{HANDLE, INVALID_HANDLE_VALUE, WAIT_FAILED, WAIT_TIMEOUT},
    Storage::FileSystem::{
        FILE_NOTIFY_CHANGE_ATTRIBUTES, FILE_NOTIFY_CHANGE_DIR_NAME, FILE_NOTIFY_CHANGE_FILE_NAME,
        FILE_NOTIFY_CHANGE_LAST_WRITE, FILE_NOTIFY_CHANGE_SECURITY, FILE_NOTIFY_CHANGE_SIZE,
        FindCloseChangeNotification, FindFirstChangeNotificationW, GetDriveTypeW,
    },
    System::Threading::{INFINITE, WaitForMultipleObjects},
};

use super::Stir;
use crate::{clock, windows::wide};

/// `DRIVE_REMOTE` of `winbase.h`.
const REMOTE: u32 = 4;
/// `MAXIMUM_WAIT_OBJECTS` of `winnt.h`.
const FOLDERS_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct FileWatch(Vec<Notification>);

/// A change notification, which is no handle that `CloseHandle` closes.
#[derive(Debug)]
struct Notification(HANDLE);

// A handle is a number; any thread may use it.
#[expect(unsafe_code, reason = "a raw handle is no pointer to anything")]
// SAFETY: the system's calls on it may come from any thread.
unsafe impl Send for Notification {}

/// A server may pass on what it likes.
#[expect(unsafe_code, reason = "GetDriveTypeW")]
pub(super) fn tells_all_of(folder: &Path) -> bool {
    let Some(Component::Prefix(prefix)) = folder.components().next() else { return false };
    let (Prefix::Disk(letter) | Prefix::VerbatimDisk(letter)) = prefix.kind() else { return false };
    let root = wide(format!("{}:\\", char::from(letter)));
    // SAFETY: the name ends with NUL and lives until the call returns.
    let kind = unsafe { GetDriveTypeW(root.as_ptr()) };
    kind != REMOTE
}

impl FileWatch {
    #[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems where it fails")]
    pub(super) const fn new() -> io::Result<Self> {
        Ok(Self(Vec::new()))
    }

    #[expect(unsafe_code, reason = "FindFirstChangeNotificationW")]
    pub(super) fn folder(&mut self, folder: &Path) -> io::Result<()> {
        if self.0.len() >= FOLDERS_MAX {
            return Err(io::Error::other("too many folders to watch"));
        }
        let name = wide(folder);
        let what = FILE_NOTIFY_CHANGE_FILE_NAME
            | FILE_NOTIFY_CHANGE_DIR_NAME
            | FILE_NOTIFY_CHANGE_ATTRIBUTES
            | FILE_NOTIFY_CHANGE_SIZE
            | FILE_NOTIFY_CHANGE_LAST_WRITE
            | FILE_NOTIFY_CHANGE_SECURITY;
        // SAFETY: the name ends with NUL and lives until the call returns.
        let handle = unsafe { FindFirstChangeNotificationW(name.as_ptr(), 0, what) };
        if handle == INVALID_HANDLE_VALUE || handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        self.0.push(Notification(handle));
        Ok(())
    }

    /// Its folder tells of it; where it is a link, the caller watches the folder it leads to.
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the contract is that of systems where it is something"
    )]
    pub(super) const fn file(&mut self, _file: &Path) -> io::Result<()> {
        Ok(())
    }

    #[expect(unsafe_code, reason = "WaitForMultipleObjects")]
    pub(super) fn wait(
        &mut self,
        within: Option<Duration>,
        _matters: &dyn Fn(&OsStr) -> bool,
    ) -> io::Result<Stir> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let until = within.map(|within| clock::monotonic().saturating_add(within));
        let handles: Vec<HANDLE> = self.0.iter().map(|one| one.0).collect();
        let count = u32::try_from(handles.len()).unwrap_or_default();
        loop {
            let left = until.map(|until| until.saturating_sub(clock::monotonic()));
            // SAFETY: all handles are open while `self` is borrowed; `count` says how many.
            match unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 0, milliseconds(left)) }
            {
                WAIT_FAILED => return Err(io::Error::last_os_error()),
                WAIT_TIMEOUT if left == Some(Duration::ZERO) => return Ok(Stir::TimeUp),
                WAIT_TIMEOUT => {}
                _ => return Ok(Stir::Changed),
            }
        }
    }
}

/// Rounds up, and never to what means for ever.
fn milliseconds(left: Option<Duration>) -> u32 {
    left.map_or(INFINITE, |left| {
        u32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(INFINITE).min(INFINITE - 1)
    })
}

impl Drop for Notification {
    #[expect(unsafe_code, reason = "FindCloseChangeNotification")]
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody else has it.
        unsafe { FindCloseChangeNotification(self.0) };
    }
}
