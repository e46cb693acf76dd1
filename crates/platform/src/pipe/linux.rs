//! `splice`, `tee` and the ways to keep a pipe alive.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
        unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    },
    sync::{Mutex, MutexGuard, PoisonError},
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
    /// What was taken out and not stored, because a file that takes no splice took nothing at all.
    unwritten: Mutex<Vec<u8>>,
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
    Ok((PipeReader::from_descriptor(reader), PipeWriter { file: both.into() }))
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
    Ok(is_it(&file).then(|| PipeReader::from_descriptor(file.into())))
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
        Self { file, unwritten: Mutex::new(Vec::new()) }
    }

    /// Returns what was taken out and is in no file yet, for whoever goes on with this pipe.
    ///
    /// Nothing while somebody is writing it.
    pub fn unstored(&self) -> Vec<u8> {
        self.unwritten.try_lock().map(|bytes| bytes.clone()).unwrap_or_default()
    }

    /// Goes on with what somebody else took out of this pipe: it comes before what waits.
    pub fn put_back(&self, bytes: Vec<u8>) {
        *self.unwritten() = bytes;
    }

    fn unwritten(&self) -> MutexGuard<'_, Vec<u8>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
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
        Ok(usize::try_from(waiting).unwrap_or(usize::MAX).saturating_add(self.unwritten().len()))
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
            Way::Splice if self.unwritten().is_empty() => self.splice_to(file, offset, limit),
            Way::Splice | Way::Copy => return self.copy_to(file, offset, limit),
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
        let mut unwritten = self.unwritten();
        if unwritten.is_empty() {
            unwritten.resize(waiting.min(limit), 0);
            let read = rustix::io::read(&self.file, &mut *unwritten);
            unwritten.truncate(read.unwrap_or_default());
            read?;
        }
        // A file that is full keeps none of it, and the next attempt begins at the same offset.
        let count = unwritten.len().min(limit);
        file.write_all_at(unwritten.get(..count).unwrap_or_default(), offset)?;
        unwritten.drain(..count);
        if unwritten.is_empty() {
            // A thousand pipes must not keep a thousand buffers.
            *unwritten = Vec::new();
        }
        Ok(Moved::Bytes(count))
    }

    /// Returns whether bytes wait, without taking any.
    pub fn is_ready(&self) -> io::Result<Moved> {
        Ok(match self.ready_bytes()? {
            Some(0) => Moved::Empty,
            Some(waiting) => Moved::Bytes(waiting),
            None => Moved::Ended,
        })
    }

    /// Takes at most `limit` waiting bytes out; never waits.
    pub fn take_waiting(&self, limit: usize) -> io::Result<(Moved, Vec<u8>)> {
        let ready = self.is_ready()?;
        let Moved::Bytes(waiting) = ready else { return Ok((ready, Vec::new())) };
        let mut bytes = vec![0; waiting.min(limit)];
        let count = rustix::io::read(&self.file, &mut *bytes)?;
        bytes.truncate(count);
        Ok((Moved::Bytes(count), bytes))
    }

    /// Throws away at most `limit` waiting bytes.
    pub fn discard(&self, limit: usize) -> io::Result<Moved> {
        let mut unwritten = self.unwritten();
        if !unwritten.is_empty() {
            let count = unwritten.len().min(limit);
            unwritten.drain(..count);
            return Ok(Moved::Bytes(count));
        }
        drop(unwritten);
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
        let unwritten = self.unwritten();
        if !unwritten.is_empty() {
            return Ok(line_end_in(&unwritten));
        }
        drop(unwritten);
        match tee(&self.file, &scratch.writer, LOOK_BYTES, SpliceFlags::NONBLOCK) {
            Ok(0) => return Ok(LineEnd::Ended),
            Ok(seen) => scratch.take(seen)?,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(LineEnd::Empty),
            Err(errno) => return Err(errno.into()),
        }
        Ok(line_end_in(&scratch.bytes))
    }
}

fn line_end_in(seen: &[u8]) -> LineEnd {
    let end = seen.iter().position(|byte| *byte == b'\n');
    end.map_or(LineEnd::NotWithin(seen.len()), |end| LineEnd::After(end + 1))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_that_takes_no_splice_costs_no_byte_and_no_order() {
        let (reader, writer) = pipe().unwrap();
        let write = |bytes: &[u8]| rustix::io::write(&writer.file, bytes).unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let path = std::env::temp_dir().join(format!("mainstay-pipe-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        let mut scratch = Scratch::new().unwrap();

        write(b"one\ntwo\n");
        let refused = reader.move_to(&full, 0, 100, Way::Copy).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::ENOSPC));
        write(b"three\n");
        assert_eq!(reader.is_ready().unwrap(), Moved::Bytes(14));
        assert_eq!(reader.line_end(&mut scratch).unwrap(), LineEnd::After(4));
        assert_eq!(reader.discard(4).unwrap(), Moved::Bytes(4));
        assert_eq!(reader.move_to(&file, 0, 2, Way::Splice).unwrap(), Moved::Bytes(2));
        assert_eq!(reader.move_to(&file, 2, 100, Way::Splice).unwrap(), Moved::Bytes(2));
        assert_eq!(reader.move_to(&file, 4, 100, Way::Splice).unwrap(), Moved::Bytes(6));
        assert_eq!(std::fs::read(&path).unwrap(), b"two\nthree\n");
        std::fs::remove_file(path).unwrap();
    }
}
