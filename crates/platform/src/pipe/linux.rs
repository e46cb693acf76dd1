//! `splice`, `tee` and the ways to keep a pipe alive.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
        unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    },
};

use rustix::{
    fs::OFlags,
    io::Errno,
    pipe::{
        PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice, tee,
    },
};

use super::{LineEnd, Moved, Way};
use crate::descriptor::{Borrowed, Descriptor};

/// How far one look for a line end goes; a look that finds none is followed by a move and
/// another look.
const LOOK_BYTES: usize = 64 * 1024;

/// The read end.
#[derive(Debug)]
pub struct PipeReader {
    file: OwnedFd,
}

/// The end that a program writes to.
#[derive(Debug)]
pub struct PipeWriter {
    file: OwnedFd,
}

/// A pipe of our own, into which waiting bytes are copied to look at them.
#[derive(Debug)]
pub struct Scratch {
    reader: OwnedFd,
    writer: OwnedFd,
    bytes: Vec<u8>,
}

/// Returns a new pipe.
///
/// The writing end is also open for reading: a program that holds it never dies of SIGPIPE, even
/// when everybody else is gone; it waits while the pipe is full.
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let both = OpenOptions::new().read(true).write(true).open(path)?;
    Ok((PipeReader { file: reader }, PipeWriter { file: both.into() }))
}

/// Opens the read end of the pipe that a process has as descriptor `number`.
///
/// Returns nothing when that is no pipe, or another one than `serial` says.
pub fn reopen_output(pid: u32, number: u32, serial: u64) -> io::Result<Option<PipeReader>> {
    let path = format!("/proc/{pid}/fd/{number}");
    let is_it = |file: &File| {
        file.metadata().is_ok_and(|found| {
            found.mode() & libc::S_IFMT == libc::S_IFIFO && (serial == 0 || found.ino() == serial)
        })
    };
    // O_NONBLOCK: opening somebody's FIFO must never wait for its writer.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    Ok(is_it(&file).then(|| PipeReader { file: file.into() }))
}

impl PipeWriter {
    /// Returns the descriptor to be given to a program.
    pub fn as_descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl PipeReader {
    /// Takes over a read end that somebody else held.
    pub const fn from_descriptor(file: Descriptor) -> Self {
        Self { file }
    }

    /// Returns another descriptor of the same read end.
    pub fn duplicate(&self) -> io::Result<Descriptor> {
        self.file.try_clone()
    }

    /// Lends the descriptor.
    pub fn borrow(&self) -> Borrowed<'_> {
        self.file.as_fd()
    }

    /// Returns the number that this boot gives to no other pipe.
    pub fn serial(&self) -> u64 {
        rustix::fs::fstat(&self.file).map(|stat| stat.st_ino).unwrap_or_default()
    }

    /// Returns how many bytes wait.
    pub fn waiting(&self) -> io::Result<usize> {
        let waiting = rustix::io::ioctl_fionread(&self.file)?;
        Ok(usize::try_from(waiting).unwrap_or(usize::MAX))
    }

    /// Returns how many bytes the pipe can hold.
    pub fn capacity(&self) -> usize {
        fcntl_getpipe_size(&self.file).unwrap_or(64 * 1024)
    }

    /// Asks for another capacity; the system may refuse.
    pub fn set_capacity(&self, bytes: usize) -> io::Result<()> {
        fcntl_setpipe_size(&self.file, bytes)?;
        Ok(())
    }

    /// Moves at most `limit` waiting bytes to `offset` of `file`; never waits for the pipe.
    pub fn move_to(&self, file: &File, offset: u64, limit: usize, way: Way) -> io::Result<Moved> {
        let moved = match way {
            Way::Splice => self.splice_to(file, offset, limit),
            Way::Copy => return self.copy_to(file, offset, limit),
        };
        match moved {
            Ok(0) => Ok(Moved::Ended),
            Ok(bytes) => Ok(Moved::Bytes(bytes)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Moved::Empty),
            // A file system without splice.
            Err(Errno::INVAL) => self.copy_to(file, offset, limit),
            Err(errno) => Err(errno.into()),
        }
    }

    fn splice_to(&self, file: &File, offset: u64, limit: usize) -> rustix::io::Result<usize> {
        let mut offset = offset;
        let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
        splice(&self.file, None, file, Some(&mut offset), limit, flags)
    }

    fn copy_to(&self, file: &File, offset: u64, limit: usize) -> io::Result<Moved> {
        let Some(waiting) = self.ready_bytes()? else { return Ok(Moved::Ended) };
        if waiting == 0 {
            return Ok(Moved::Empty);
        }
        let mut buffer = vec![0; waiting.min(limit)];
        let read = rustix::io::read(&self.file, &mut buffer)?;
        file.write_all_at(buffer.get(..read).unwrap_or_default(), offset)?;
        Ok(Moved::Bytes(read))
    }

    /// Returns whether bytes wait, without taking any.
    pub fn is_ready(&self) -> io::Result<Moved> {
        Ok(match self.ready_bytes()? {
            Some(0) => Moved::Empty,
            Some(waiting) => Moved::Bytes(waiting),
            None => Moved::Ended,
        })
    }

    /// Throws away at most `limit` waiting bytes.
    pub fn discard(&self, limit: usize) -> io::Result<Moved> {
        let Some(waiting) = self.ready_bytes()? else { return Ok(Moved::Ended) };
        if waiting == 0 {
            return Ok(Moved::Empty);
        }
        let mut buffer = vec![0; waiting.min(limit)];
        Ok(Moved::Bytes(rustix::io::read(&self.file, &mut buffer)?))
    }

    /// Returns how many bytes can be read without waiting; nothing at the end.
    fn ready_bytes(&self) -> io::Result<Option<usize>> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let waiting = self.waiting()?;
        if waiting > 0 {
            return Ok(Some(waiting));
        }
        let mut state = [PollFd::new(&self.file, PollFlags::IN)];
        poll(&mut state, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
        let hung_up = state.iter().any(|state| state.revents().contains(PollFlags::HUP));
        Ok((!hung_up).then_some(0))
    }

    /// Looks for the end of the line that is waiting, without taking bytes out.
    pub fn line_end(&self, scratch: &mut Scratch) -> io::Result<LineEnd> {
        match tee(&self.file, &scratch.writer, LOOK_BYTES, SpliceFlags::NONBLOCK) {
            Ok(0) => return Ok(LineEnd::Ended),
            Ok(seen) => scratch.take(seen)?,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(LineEnd::Empty),
            Err(errno) => return Err(errno.into()),
        }
        let seen = &scratch.bytes;
        let end = seen.iter().position(|byte| *byte == b'\n');
        Ok(end.map_or(LineEnd::NotWithin(seen.len()), |end| LineEnd::After(end + 1)))
    }
}

impl AsFd for PipeReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Scratch {
    /// Returns an empty scratch pipe.
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        Ok(Self { reader, writer, bytes: Vec::new() })
    }

    fn take(&mut self, count: usize) -> io::Result<()> {
        self.bytes.resize(count, 0);
        let mut taken = 0;
        while taken < count {
            let into = self.bytes.get_mut(taken..).unwrap_or_default();
            taken += rustix::io::read(&self.reader, into)?;
        }
        Ok(())
    }
}
