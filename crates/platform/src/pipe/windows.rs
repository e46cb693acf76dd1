//! Anonymous pipes, looked into with `PeekNamedPipe` before they are read, so that no read waits.

#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the contract is that of systems where this can fail"
)]

use std::{
    fs::File,
    io::{self, Read as _},
    os::windows::{
        fs::FileExt as _,
        io::{AsHandle as _, AsRawHandle as _, OwnedHandle, RawHandle},
    },
    ptr::{null, null_mut},
};

use windows_sys::Win32::System::Pipes::{CreatePipe, PeekNamedPipe};

use super::{LineEnd, Moved, Way};
use crate::{
    descriptor::{Borrowed, Descriptor},
    port::{Sight, Watchable},
    windows::{Inherit, duplicate, own, succeed},
};

/// What a pipe holds before its writer waits.
const PIPE_BYTES: u32 = 64 * 1024;
/// How far one look for a line end goes.
const LOOK_BYTES: usize = 64 * 1024;

/// The read end.
#[derive(Debug)]
pub struct PipeReader {
    file: File,
}

/// The end that a program writes to.
#[derive(Debug)]
pub struct PipeWriter {
    file: OwnedHandle,
    reader: OwnedHandle,
}

/// Room for bytes that are looked at without being taken.
#[derive(Debug)]
pub struct Scratch {
    bytes: Vec<u8>,
}

/// Returns a new pipe.
///
/// A program that gets the writing end gets a duplicate of the reading end too: its writes never
/// fail, even when everybody else is gone; it waits while the pipe is full.
#[expect(unsafe_code, reason = "CreatePipe")]
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (mut reader, mut writer) = (null_mut(), null_mut());
    // SAFETY: both handles are valid for writes; without attributes they are not inherited.
    succeed(unsafe { CreatePipe(&raw mut reader, &raw mut writer, null(), PIPE_BYTES) })?;
    // SAFETY: the call made a new handle.
    let reader = unsafe { own(reader) }?;
    // SAFETY: as above.
    let writer = unsafe { own(writer) }?;
    let second = duplicate(reader.as_raw_handle(), Inherit::No)?;
    Ok((PipeReader { file: File::from(reader) }, PipeWriter { file: writer, reader: second }))
}

/// Opens the read end of the pipe that a process has as descriptor `number`.
///
/// Returns nothing: handles of programs have no number that is known beforehand. The agent's
/// custody brings the pipes back.
pub const fn reopen_output(
    _pid: u32,
    _number: u32,
    _serial: u64,
) -> io::Result<Option<PipeReader>> {
    Ok(None)
}

/// Returns how many bytes wait in a pipe; nothing when nobody writes to it any more.
pub(crate) fn waiting_bytes(pipe: RawHandle) -> Option<usize> {
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
}

impl PipeReader {
    /// Takes over a read end that somebody else held.
    pub fn from_descriptor(file: Descriptor) -> Self {
        Self { file: File::from(file) }
    }

    /// Returns another handle of the same read end.
    pub fn duplicate(&self) -> io::Result<Descriptor> {
        duplicate(self.raw(), Inherit::No)
    }

    /// Lends the handle.
    pub fn borrow(&self) -> Borrowed<'_> {
        self.file.as_handle()
    }

    fn raw(&self) -> RawHandle {
        self.file.as_raw_handle()
    }

    /// Returns 0: pipes have no numbers of their own.
    pub const fn serial(&self) -> u64 {
        0
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
        (&self.file).read_exact(&mut buffer)?;
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

    /// Throws away at most `limit` waiting bytes.
    pub fn discard(&self, limit: usize) -> io::Result<Moved> {
        let waiting = match self.is_ready()? {
            Moved::Bytes(waiting) => waiting,
            nothing @ (Moved::Empty | Moved::Ended) => return Ok(nothing),
        };
        let mut buffer = vec![0; waiting.min(limit)];
        Ok(Moved::Bytes((&self.file).read(&mut buffer)?))
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
        Ok(Sight::Pipe(self.raw()))
    }
}

impl Scratch {
    /// Returns an empty scratch.
    pub const fn new() -> io::Result<Self> {
        Ok(Self { bytes: Vec::new() })
    }
}
