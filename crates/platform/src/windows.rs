//! The pieces of Win32 that several bodies need: results, wide text, events, duplicates.

pub(crate) mod account;
pub(crate) mod adapters;
pub(crate) mod amended;
pub(crate) mod caller;
pub(crate) mod console;
pub(crate) mod overlapped;
pub(crate) mod security;
pub(crate) mod snapshot;
pub(crate) mod threads;

use std::{
    ffi::OsStr,
    io,
    os::windows::{
        ffi::OsStrExt as _,
        io::{AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle, RawHandle},
    },
    ptr::{null, null_mut},
};

use windows_sys::{
    Win32::{
        Foundation::{
            DUPLICATE_SAME_ACCESS, DuplicateHandle, ERROR_SUCCESS, HANDLE, INVALID_HANDLE_VALUE,
            WAIT_OBJECT_0,
        },
        System::Threading::{
            CreateEventW, GetCurrentProcess, ResetEvent, SetEvent, WaitForSingleObject,
        },
    },
    core::BOOL,
};

/// Returns text as Win32 takes it: UTF-16 with a NUL at the end.
pub(crate) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// Returns the text that begins at `at`, empty for null.
///
/// # Safety
///
/// `at` is null or points to a text that ends with NUL.
#[expect(unsafe_code, reason = "a text of unknown length")]
pub(crate) unsafe fn text_at(at: *const u16) -> String {
    if at.is_null() {
        return String::new();
    }
    let mut units = Vec::new();
    loop {
        // SAFETY: the NUL has not been passed.
        let place = unsafe { at.add(units.len()) };
        // SAFETY: as above.
        let unit = unsafe { place.read() };
        if unit == 0 {
            return String::from_utf16_lossy(&units);
        }
        units.push(unit);
    }
}

/// Turns the result of a call into ours.
pub(crate) fn succeed(result: BOOL) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Turns the result of a call into ours that returns the error instead of setting it.
pub(crate) fn check(code: u32) -> io::Result<()> {
    if code == ERROR_SUCCESS {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(code.cast_signed()))
    }
}

/// Returns whether the system has said this number.
pub(crate) fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}

/// Takes a handle that a call returned, or the reason why there is none.
///
/// # Safety
///
/// The handle is null, invalid, or new and owned by nobody else.
#[expect(unsafe_code, reason = "a raw handle gets its owner")]
pub(crate) unsafe fn own(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller promises that nobody else owns it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Returns whether a waitable thing is signalled.
#[expect(unsafe_code, reason = "WaitForSingleObject")]
pub(crate) fn is_signalled(handle: RawHandle) -> bool {
    // SAFETY: no memory is involved; a handle that is no more makes the call fail.
    unsafe { WaitForSingleObject(handle, 0) == WAIT_OBJECT_0 }
}

/// Returns the handle by which a process means itself.
#[expect(unsafe_code, reason = "GetCurrentProcess")]
pub(crate) fn own_process() -> RawHandle {
    // SAFETY: a pseudo handle that needs no closing.
    unsafe { GetCurrentProcess() }
}

/// Whether a duplicate goes to programs that are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inherit {
    Yes,
    No,
}

/// Duplicates a handle of this process.
#[expect(unsafe_code, reason = "the result gets its owner")]
pub(crate) fn duplicate(handle: RawHandle, inherit: Inherit) -> io::Result<OwnedHandle> {
    let number = duplicate_between([own_process(), own_process()], handle, inherit)?;
    // SAFETY: the call made a new handle in this process.
    unsafe { own(number) }
}

/// Duplicates a handle from one process into another; the result counts in the second one.
pub(crate) fn duplicate_between(
    ends: [RawHandle; 2],
    handle: RawHandle,
    inherit: Inherit,
) -> io::Result<RawHandle> {
    let inherits = i32::from(inherit == Inherit::Yes);
    duplicate_as(ends, handle, (0, inherits, DUPLICATE_SAME_ACCESS))
}

/// Duplicates a handle of another process into this one.
#[expect(unsafe_code, reason = "the result gets its owner")]
pub(crate) fn duplicate_out_of(process: RawHandle, handle: RawHandle) -> io::Result<OwnedHandle> {
    let number = duplicate_between([process, own_process()], handle, Inherit::No)?;
    // SAFETY: the call made a new handle in this process.
    unsafe { own(number) }
}

/// Duplicates a handle of ours into a process, which cannot do more with it than `access`; returns
/// its number there.
pub(crate) fn give(process: RawHandle, handle: RawHandle, access: u32) -> io::Result<RawHandle> {
    duplicate_as([own_process(), process], handle, (access, 0, 0))
}

#[expect(unsafe_code, reason = "DuplicateHandle")]
fn duplicate_as(
    [from, to]: [RawHandle; 2],
    handle: RawHandle,
    (access, inherits, options): (u32, BOOL, u32),
) -> io::Result<RawHandle> {
    let mut number = null_mut();
    let at = &raw mut number;
    // SAFETY: `at` is valid for writes; both processes are open.
    succeed(unsafe { DuplicateHandle(from, handle, to, at, access, inherits, options) })?;
    Ok(number)
}

/// Something to wait for that is set and reset by hand. Empty when the system had none to give;
/// then it is never signalled.
#[derive(Debug)]
pub(crate) struct Event(Option<OwnedHandle>);

/// What an event is at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Initially {
    Set,
    Reset,
}

impl Event {
    #[expect(unsafe_code, reason = "CreateEventW")]
    pub(crate) fn new(initially: Initially) -> Self {
        let is_set = i32::from(initially == Initially::Set);
        // SAFETY: no attributes, no name; 1 asks for a reset by hand.
        let handle = unsafe { CreateEventW(null(), 1, is_set, null()) };
        // SAFETY: the handle is new or null.
        Self(unsafe { own(handle) }.ok())
    }

    pub(crate) fn raw(&self) -> RawHandle {
        self.0.as_ref().map_or(null_mut(), OwnedHandle::as_raw_handle)
    }

    pub(crate) fn borrow(&self) -> BorrowedHandle<'_> {
        use std::os::windows::io::AsHandle as _;
        match &self.0 {
            Some(handle) => handle.as_handle(),
            None => Self::nothing(),
        }
    }

    /// Returns what no call accepts.
    #[expect(unsafe_code, reason = "a handle without an owner")]
    const fn nothing() -> BorrowedHandle<'static> {
        // SAFETY: null is allowed, and is never closed.
        unsafe { BorrowedHandle::borrow_raw(null_mut()) }
    }

    #[expect(unsafe_code, reason = "SetEvent")]
    pub(crate) fn set(&self) {
        // SAFETY: the handle is ours or null, which makes the call fail.
        unsafe { SetEvent(self.raw()) };
    }

    /// Resets the event if it is set; returns whether it was.
    ///
    /// Whoever calls this looks *afterwards* at what the event announces: one that is set again
    /// between the two steps is taken with the first. An event that was not set is left alone,
    /// for resetting it could undo a `set` that nobody has seen.
    #[expect(unsafe_code, reason = "ResetEvent")]
    pub(crate) fn take(&self) -> bool {
        let was_set = is_signalled(self.raw());
        if was_set {
            // SAFETY: the handle is ours or null, which makes the call fail.
            unsafe { ResetEvent(self.raw()) };
        }
        was_set
    }
}
