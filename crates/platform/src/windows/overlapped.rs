//! One call that goes on while we do something else.
//!
//! The low bit of its event keeps it away from a completion port, even if somebody binds the file
//! object to one: a file object has one port for life, and a successor could not change it.

use std::{
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
    ptr::null_mut,
    thread,
};

use windows_sys::Win32::{
    Foundation::{ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, ERROR_NO_DATA, ERROR_PIPE_CONNECTED},
    Storage::FileSystem::{ReadFile, WriteFile},
    System::{
        IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED},
        Pipes::ConnectNamedPipe,
        Threading::{INFINITE, WaitForSingleObject},
    },
};

use super::{Event, is, succeed};

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It goes on.
    Pending,
    /// It has moved so many bytes.
    Done(usize),
    /// It could not be done: the other side is gone.
    Failed,
}

/// A call on a pipe: its record and its buffer stay where they are until it has ended.
#[derive(Debug)]
pub(crate) struct Overlapped {
    record: *mut OVERLAPPED,
    buffer: Vec<u8>,
    pipe: RawHandle,
    event: RawHandle,
    /// What was known when the call was made; `Pending` means: ask the system.
    state: Progress,
}

// SAFETY: the record belongs to this value alone, and handles are valid in every thread.
#[expect(unsafe_code, reason = "raw pointers are not Send")]
unsafe impl Send for Overlapped {}

impl Overlapped {
    /// Returns a call that was not made yet. The event and the pipe outlive it.
    pub(crate) fn new(event: &Event) -> Self {
        let record = Box::into_raw(Box::default());
        let state = Progress::Done(0);
        Self { record, buffer: Vec::new(), pipe: null_mut(), event: event.raw(), state }
    }

    /// Waits for a caller.
    #[expect(unsafe_code, reason = "ConnectNamedPipe")]
    pub(crate) fn connect(&mut self, pipe: &OwnedHandle) -> io::Result<()> {
        let record = self.begin(pipe);
        // SAFETY: the record stays valid until the call has ended, see `drop`.
        let done = unsafe { ConnectNamedPipe(self.pipe, record) };
        let error = io::Error::last_os_error();
        self.state = if done != 0 || is(&error, ERROR_PIPE_CONNECTED) {
            self.signal();
            Progress::Done(0)
        } else if is(&error, ERROR_NO_DATA) {
            // Somebody has called and left before we waited.
            self.signal();
            Progress::Failed
        } else if is(&error, ERROR_IO_PENDING) {
            Progress::Pending
        } else {
            return Err(error);
        };
        Ok(())
    }

    /// Reads at most so many bytes.
    #[expect(unsafe_code, reason = "ReadFile")]
    pub(crate) fn read(&mut self, pipe: &OwnedHandle, most: usize) {
        let record = self.begin(pipe);
        self.buffer.resize(most, 0);
        let (to, size) = (self.buffer.as_mut_ptr(), u32::try_from(most).unwrap_or(u32::MAX));
        // SAFETY: record and buffer stay valid until the call has ended, see `drop`.
        let done = unsafe { ReadFile(self.pipe, to, size, null_mut(), record) };
        self.made(done);
    }

    /// Writes these bytes.
    #[expect(unsafe_code, reason = "WriteFile")]
    pub(crate) fn write(&mut self, pipe: &OwnedHandle, bytes: Vec<u8>) {
        let record = self.begin(pipe);
        self.buffer = bytes;
        let from = self.buffer.as_ptr();
        let size = u32::try_from(self.buffer.len()).unwrap_or(u32::MAX);
        // SAFETY: record and buffer stay valid until the call has ended, see `drop`.
        let done = unsafe { WriteFile(self.pipe, from, size, null_mut(), record) };
        self.made(done);
    }

    /// Prepares the record; no call may be under way.
    #[expect(unsafe_code, reason = "writes the record")]
    fn begin(&mut self, pipe: &OwnedHandle) -> *mut OVERLAPPED {
        debug_assert_ne!(self.progress(), Progress::Pending);
        self.pipe = pipe.as_raw_handle();
        let event = self.event.map_addr(|event| event | 1);
        let fresh = OVERLAPPED { hEvent: event, ..OVERLAPPED::default() };
        // SAFETY: the record is ours, and no call uses it.
        unsafe { self.record.write(fresh) };
        self.record
    }

    /// A call has answered, with 0 for everything but an immediate success.
    fn made(&mut self, done: windows_sys::core::BOOL) {
        let error = io::Error::last_os_error();
        self.state = if done != 0 || is(&error, ERROR_IO_PENDING) {
            Progress::Pending
        } else {
            self.signal();
            Progress::Failed
        };
    }

    /// Sets the event, which the system leaves alone when a call does not even begin.
    #[expect(unsafe_code, reason = "SetEvent")]
    fn signal(&self) {
        // SAFETY: the event outlives the call.
        unsafe { windows_sys::Win32::System::Threading::SetEvent(self.event) };
    }

    /// Returns how far the call has come.
    #[expect(unsafe_code, reason = "GetOverlappedResult")]
    pub(crate) fn progress(&self) -> Progress {
        if self.state != Progress::Pending {
            return self.state;
        }
        let mut moved = 0;
        // SAFETY: pipe and record are those of the call; 0 asks not to wait.
        let done = unsafe { GetOverlappedResult(self.pipe, self.record, &raw mut moved, 0) };
        if done != 0 {
            return Progress::Done(usize::try_from(moved).unwrap_or_default());
        }
        if is(&io::Error::last_os_error(), ERROR_IO_INCOMPLETE) {
            return Progress::Pending;
        }
        Progress::Failed
    }

    /// Waits for the end of the call; returns how many bytes it has moved.
    #[expect(unsafe_code, reason = "WaitForSingleObject, GetOverlappedResult")]
    pub(crate) fn finish(&mut self) -> io::Result<usize> {
        let mut moved = 0;
        if self.state == Progress::Failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // The event may be set for another call, whose end is not this one's.
        while self.progress() == Progress::Pending {
            // SAFETY: the event outlives the call.
            unsafe { WaitForSingleObject(self.event, INFINITE) };
            thread::yield_now();
        }
        // SAFETY: pipe and record are those of the call; 0 asks not to wait.
        let done = unsafe { GetOverlappedResult(self.pipe, self.record, &raw mut moved, 0) };
        self.state = Progress::Done(usize::try_from(moved).unwrap_or_default());
        succeed(done)?;
        Ok(usize::try_from(moved).unwrap_or_default())
    }

    /// Takes a call back that is under way, and waits until the system is done with it.
    #[expect(unsafe_code, reason = "CancelIoEx")]
    pub(crate) fn cancel(&mut self) {
        if self.progress() == Progress::Pending {
            // SAFETY: pipe and record are those of the call.
            unsafe { CancelIoEx(self.pipe, self.record) };
            // It may have come to its own end meanwhile: either way it is over.
            drop(self.finish());
        }
    }

    /// Returns what a read has brought.
    pub(crate) fn bytes(&self, count: usize) -> &[u8] {
        self.buffer.get(..count).unwrap_or_default()
    }
}

impl Drop for Overlapped {
    #[expect(unsafe_code, reason = "the record goes back into its box")]
    fn drop(&mut self) {
        self.cancel();
        // SAFETY: the record came out of a box, and nobody uses it any more.
        drop(unsafe { Box::from_raw(self.record) });
    }
}
