//! Pipes with random names, looked into with `PeekNamedPipe` before they are read, so that no read
//! waits.
//!
//! Our end reads overlapped, with an event and never by a completion port: a file object is bound
//! to one port for life, and a successor goes on with this very file object. To wait is to read
//! nothing: a read of 0 bytes ends when bytes come and takes none along, so that whoever dies while
//! waiting loses none. A program's end is an ordinary one.

#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the contract is that of systems where this can fail"
)]

#[path = "windows/found.rs"]
mod found;

use std::{
    fs::File,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    os::windows::{
        fs::FileExt as _,
        io::{AsHandle as _, AsRawHandle as _, OwnedHandle, RawHandle},
    },
    ptr::{null, null_mut},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use windows_sys::Win32::{
    Foundation::GENERIC_WRITE,
    Storage::FileSystem::{
        CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_READ_DATA,
        OPEN_EXISTING, PIPE_ACCESS_INBOUND, SYNCHRONIZE,
    },
    System::Pipes::{
        CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE,
        PIPE_WAIT, PeekNamedPipe,
    },
};

use super::{LineEnd, Moved, Way};
use crate::{
    descriptor::{Borrowed, Descriptor},
    port::{Sight, Watchable},
    process::Process,
    windows::{
        Event, Inherit, Initially, duplicate, duplicate_out_of,
        overlapped::{Overlapped, Progress},
        own,
        security::Security,
        succeed, wide,
    },
};

/// What a pipe holds before its writer waits.
const PIPE_BYTES: u32 = 64 * 1024;
/// How far one look for a line end goes.
const LOOK_BYTES: usize = 64 * 1024;
/// The start of our pipes' names.
const NAME: &str = "mainstay-out-";
/// What a program may do with its duplicate of the read end: keep it, and hand it back.
pub(crate) const KEPT_ACCESS: u32 = FILE_READ_DATA | SYNCHRONIZE;

/// The read end. Its call ends before the event and the pipe.
#[derive(Debug)]
pub struct PipeReader {
    call: Mutex<Overlapped>,
    done: Event,
    pipe: OwnedHandle,
    number: Number,
}

/// The end that a program writes to.
#[derive(Debug)]
pub struct PipeWriter {
    file: OwnedHandle,
    reader: OwnedHandle,
    number: Number,
}

/// Under which number the program has the read end; 0 before it has it.
type Number = Arc<AtomicU64>;

/// Room for bytes that are looked at without being taken.
#[derive(Debug)]
pub struct Scratch {
    bytes: Vec<u8>,
}

/// Returns a new pipe.
///
/// A program that gets the writing end gets a duplicate of the reading end too: its writes never
/// fail, even when everybody else is gone; it waits while the pipe is full. The next keeper takes
/// that duplicate back.
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let random = || RandomState::new().build_hasher().finish();
    let name = format!(r"\\.\pipe\{NAME}{:016x}{:016x}", random(), random());
    let name = wide(name);
    let reader = listen(&name)?;
    let file = connect(&name)?;
    let second = duplicate(reader.as_raw_handle(), Inherit::No)?;
    let reader = PipeReader::new(reader, 0);
    let number = Arc::clone(&reader.number);
    Ok((reader, PipeWriter { file, reader: second, number }))
}

/// Makes the read end; its name must be new.
#[expect(unsafe_code, reason = "CreateNamedPipeW")]
fn listen(name: &[u16]) -> io::Result<OwnedHandle> {
    let security = Security::for_clients(&[], None)?;
    let attributes = security.attributes();
    let mode = PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE;
    let kind = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    let (name, attributes) = (name.as_ptr(), &raw const attributes);
    // SAFETY: the name ends with NUL; it and the attributes live until the call returns.
    let raw = unsafe { CreateNamedPipeW(name, mode, kind, 1, 0, PIPE_BYTES, 0, attributes) };
    // SAFETY: the handle is new or invalid.
    unsafe { own(raw) }
}

#[expect(unsafe_code, reason = "CreateFileW")]
fn connect(name: &[u16]) -> io::Result<OwnedHandle> {
    let (name, access) = (name.as_ptr(), GENERIC_WRITE);
    // SAFETY: the name ends with NUL and lives until the call returns; nothing else is given.
    let raw = unsafe { CreateFileW(name, access, 0, null(), OPEN_EXISTING, 0, null_mut()) };
    // SAFETY: the handle is new or invalid.
    unsafe { own(raw) }
}

/// Takes the read end of a pipe back that a process has under the number `serial`.
///
/// Returns nothing when the process has something else there: it may have closed what it does not
/// know.
pub fn reopen_output(pid: u32, _number: u32, serial: u64) -> io::Result<Option<PipeReader>> {
    if serial == 0 {
        return Ok(None);
    }
    let Some(process) = Process::open_pid(pid)? else { return Ok(None) };
    let number = usize::try_from(serial).unwrap_or_default();
    let handle = std::ptr::without_provenance_mut(number);
    let Ok(pipe) = duplicate_out_of(process.raw(), handle) else { return Ok(None) };
    Ok(found::if_ours(pipe, NAME).map(|pipe| PipeReader::new(pipe, serial)))
}

/// Returns how many bytes wait in a pipe; nothing when nobody writes to it any more.
fn waiting_bytes(pipe: RawHandle) -> Option<usize> {
    peek(pipe, &mut []).ok().map(|(_, waiting)| waiting)
}

/// Copies waiting bytes without taking them; returns how many were copied and how many wait.
#[expect(unsafe_code, reason = "PeekNamedPipe")]
fn peek(pipe: RawHandle, into: &mut [u8]) -> io::Result<(usize, usize)> {
    let (mut copied, mut waiting) = (0, 0);
    let size = u32::try_from(into.len()).unwrap_or(u32::MAX);
    let to = if into.is_empty() { null_mut() } else { into.as_mut_ptr().cast() };
    // SAFETY: `to` is null or valid for writes of `size` bytes; the counters are valid for writes.
    let done =
        unsafe { PeekNamedPipe(pipe, to, size, &raw mut copied, &raw mut waiting, null_mut()) };
    succeed(done)?;
    Ok((usize::try_from(copied).unwrap_or_default(), usize::try_from(waiting).unwrap_or_default()))
}

impl PipeWriter {
    /// Returns the handle to be given to a program.
    pub fn as_descriptor(&self) -> Borrowed<'_> {
        self.file.as_handle()
    }

    /// Returns the read end, of which the program gets a duplicate.
    pub(crate) fn reader(&self) -> RawHandle {
        self.reader.as_raw_handle()
    }

    /// Notes under which number the program has the read end.
    pub(crate) fn is_kept_as(&self, number: RawHandle) {
        self.number.store(u64::try_from(number.addr()).unwrap_or_default(), Ordering::SeqCst);
    }
}

impl PipeReader {
    fn new(pipe: OwnedHandle, serial: u64) -> Self {
        let done = Event::new(Initially::Reset);
        let call = Mutex::new(Overlapped::new(&done));
        Self { call, done, pipe, number: Arc::new(AtomicU64::new(serial)) }
    }

    /// Takes over a read end that somebody else held.
    pub fn from_descriptor(pipe: Descriptor) -> Self {
        Self::new(pipe, 0)
    }

    /// Returns another handle of the same read end.
    pub fn duplicate(&self) -> io::Result<Descriptor> {
        duplicate(self.raw(), Inherit::No)
    }

    /// Lends the handle.
    pub fn borrow(&self) -> Borrowed<'_> {
        self.pipe.as_handle()
    }

    fn raw(&self) -> RawHandle {
        self.pipe.as_raw_handle()
    }

    fn lock(&self) -> MutexGuard<'_, Overlapped> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes at most so many bytes, which are known to wait.
    fn take(&self, most: usize) -> io::Result<usize> {
        let mut call = self.lock();
        call.cancel();
        call.read(&self.pipe, most);
        call.finish()
    }

    /// Returns the number under which the program has the read end, or 0.
    pub fn serial(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    /// Returns what was taken out and is in no file yet: nothing, bytes are taken last.
    pub const fn unstored(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Goes on with what somebody else took out of this pipe, which is nothing.
    pub fn put_back(&self, bytes: Vec<u8>) {
        drop(bytes);
    }

    /// Returns how many bytes wait.
    pub fn waiting(&self) -> io::Result<usize> {
        Ok(waiting_bytes(self.raw()).unwrap_or_default())
    }

    /// Returns how many bytes the pipe can hold.
    pub const fn capacity(&self) -> usize {
        PIPE_BYTES as usize
    }

    /// Refuses: the capacity is fixed at birth.
    pub fn set_capacity(&self, _bytes: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Moves at most `limit` waiting bytes to `offset` of `file`; never waits for the pipe.
    ///
    /// Bytes leave the pipe after they are in the file, so that a full disk loses none.
    pub fn move_to(&self, file: &File, offset: u64, limit: usize, _way: Way) -> io::Result<Moved> {
        let mut buffer = vec![0; limit.min(LOOK_BYTES)];
        let Ok((copied, _)) = peek(self.raw(), &mut buffer) else { return Ok(Moved::Ended) };
        buffer.truncate(copied);
        let (mut rest, mut offset) = (buffer.as_slice(), offset);
        while !rest.is_empty() {
            let written = file.seek_write(rest, offset)?;
            rest = rest.get(written..).unwrap_or_default();
            offset += u64::try_from(written).unwrap_or_default();
        }
        while !buffer.is_empty() {
            let taken = self.take(buffer.len())?;
            buffer.truncate(buffer.len() - taken);
        }
        Ok(if copied == 0 { Moved::Empty } else { Moved::Bytes(copied) })
    }

    /// Returns whether bytes wait, without taking any.
    pub fn is_ready(&self) -> io::Result<Moved> {
        Ok(match waiting_bytes(self.raw()) {
            Some(0) => Moved::Empty,
            Some(waiting) => Moved::Bytes(waiting),
            None => Moved::Ended,
        })
    }

    /// Takes at most `limit` waiting bytes out; never waits.
    pub fn take_waiting(&self, limit: usize) -> io::Result<(Moved, Vec<u8>)> {
        let mut bytes = vec![0; limit.min(LOOK_BYTES)];
        let Ok((copied, _)) = peek(self.raw(), &mut bytes) else {
            return Ok((Moved::Ended, Vec::new()));
        };
        bytes.truncate(copied);
        let mut left = copied;
        while left > 0 {
            left -= self.take(left)?;
        }
        Ok((if copied == 0 { Moved::Empty } else { Moved::Bytes(copied) }, bytes))
    }

    /// Throws away at most `limit` waiting bytes.
    pub fn discard(&self, limit: usize) -> io::Result<Moved> {
        let waiting = match self.is_ready()? {
            Moved::Bytes(waiting) => waiting,
            nothing @ (Moved::Empty | Moved::Ended) => return Ok(nothing),
        };
        self.take(waiting.min(limit)).map(Moved::Bytes)
    }

    /// Looks for the end of the line that is waiting, without taking bytes out.
    pub fn line_end(&self, scratch: &mut Scratch) -> io::Result<LineEnd> {
        scratch.bytes.resize(LOOK_BYTES, 0);
        let Ok((copied, _)) = peek(self.raw(), &mut scratch.bytes) else {
            return Ok(LineEnd::Ended);
        };
        if copied == 0 {
            return Ok(LineEnd::Empty);
        }
        let seen = scratch.bytes.get(..copied).unwrap_or_default();
        let end = seen.iter().position(|byte| *byte == b'\n');
        Ok(end.map_or(LineEnd::NotWithin(copied), |end| LineEnd::After(end + 1)))
    }
}

impl Watchable for PipeReader {
    fn reading(&self) -> io::Result<Sight> {
        Ok(Sight(self.done.raw()))
    }

    /// Reads nothing, unless such a read is under way.
    fn arm(&self) {
        let mut call = self.lock();
        if call.progress() != Progress::Pending {
            call.read(&self.pipe, 0);
        }
    }
}

impl Scratch {
    /// Returns an empty scratch.
    pub const fn new() -> io::Result<Self> {
        Ok(Self { bytes: Vec::new() })
    }
}

#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;
