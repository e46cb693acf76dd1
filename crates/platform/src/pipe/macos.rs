//! Pairs of connected sockets, looked into with `MSG_PEEK` before they are read.
//!
//! Pipes of this system cannot be looked into, and their writing end cannot be opened for reading.
//! A program sees a socket as its output, as programs started by Node.js do.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::FileExt as _,
    },
};

use rustix::{
    io::{Errno, FdFlags, fcntl_setfd, ioctl_fionread},
    net::{AddressFamily, RecvFlags, SocketFlags, SocketType, recv, socketpair, sockopt},
};

use super::{LineEnd, Moved, Way};
use crate::descriptor::{Borrowed, Descriptor};

/// What a pipe holds before its writer waits. The system's own 8 KiB would wake us eight times as
/// often.
const PIPE_BYTES: usize = 64 * 1024;
/// How far one look for a line end goes, and how much one move takes.
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
    reader: OwnedFd,
}

/// Room for bytes that are looked at without being taken.
#[derive(Debug)]
pub struct Scratch {
    bytes: Vec<u8>,
}

/// What a look brought.
enum Seen {
    /// So many bytes wait, or more.
    Bytes(usize),
    /// None for the moment.
    Nothing,
    /// Nobody holds the other end any more.
    End,
}

/// Returns a new pipe.
///
/// A program that gets the writing end gets a duplicate of the reading end too: its writes never
/// fail, even when everybody else is gone; it waits while the pipe is full.
pub fn pipe() -> io::Result<(PipeReader, PipeWriter)> {
    let (reader, writer) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None)?;
    for end in [&reader, &writer] {
        fcntl_setfd(end, FdFlags::CLOEXEC)?;
    }
    sockopt::set_socket_recv_buffer_size(&reader, PIPE_BYTES)?;
    sockopt::set_socket_send_buffer_size(&writer, PIPE_BYTES)?;
    let second = reader.try_clone()?;
    Ok((PipeReader { file: reader }, PipeWriter { file: writer, reader: second }))
}

/// Opens the read end of the pipe that a process has as descriptor `number`.
///
/// Returns nothing: the descriptors of other processes are out of reach. The agent's custody brings
/// the pipes back.
#[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems where this can fail")]
pub const fn reopen_output(
    _pid: u32,
    _number: u32,
    _serial: u64,
) -> io::Result<Option<PipeReader>> {
    Ok(None)
}

impl PipeWriter {
    /// Returns the descriptor to be given to a program.
    pub fn as_descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Returns the read end, of which the program gets a duplicate.
    pub(crate) fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
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

    /// Returns 0: pipes have no numbers of their own.
    #[expect(clippy::unused_self, reason = "the contract is that of systems that have them")]
    pub const fn serial(&self) -> u64 {
        0
    }

    /// Returns what was taken out and is in no file yet: nothing, bytes are taken last.
    #[expect(clippy::unused_self, reason = "systems that splice have such bytes")]
    pub const fn unstored(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Goes on with what somebody else took out of this pipe, which is nothing.
    #[expect(clippy::unused_self, reason = "systems that splice have such bytes")]
    pub fn put_back(&self, bytes: Vec<u8>) {
        drop(bytes);
    }

    /// Returns how many bytes wait.
    pub fn waiting(&self) -> io::Result<usize> {
        Ok(usize::try_from(ioctl_fionread(&self.file)?).unwrap_or(usize::MAX))
    }

    /// Returns how many bytes the pipe can hold.
    #[expect(clippy::unused_self, reason = "the contract is that of systems that can tell")]
    pub const fn capacity(&self) -> usize {
        PIPE_BYTES
    }

    /// Refuses: the capacity is fixed at birth.
    #[expect(clippy::unused_self, reason = "the contract is that of systems that can change it")]
    pub fn set_capacity(&self, _bytes: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Moves at most `limit` waiting bytes to `offset` of `file`; never waits for the pipe.
    ///
    /// Bytes leave the pipe after they are in the file, so that a full disk loses none.
    pub fn move_to(&self, file: &File, offset: u64, limit: usize, _way: Way) -> io::Result<Moved> {
        let mut buffer = vec![0; limit.min(LOOK_BYTES)];
        let count = match self.peek(&mut buffer)? {
            Seen::Bytes(count) => count,
            Seen::Nothing => return Ok(Moved::Empty),
            Seen::End => return Ok(Moved::Ended),
        };
        buffer.truncate(count);
        file.write_all_at(&buffer, offset)?;
        self.take(&mut buffer)?;
        Ok(Moved::Bytes(count))
    }

    /// Copies waiting bytes without taking them.
    fn peek(&self, into: &mut [u8]) -> io::Result<Seen> {
        self.receive(into, RecvFlags::PEEK)
    }

    /// Never waits.
    fn receive(&self, into: &mut [u8], how: RecvFlags) -> io::Result<Seen> {
        match recv(&self.file, into, how | RecvFlags::DONTWAIT) {
            Ok((_, 0)) => Ok(Seen::End),
            Ok((_, count)) => Ok(Seen::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Seen::Nothing),
            Err(Errno::CONNRESET) => Ok(Seen::End),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Takes exactly the bytes that were seen waiting; nobody else reads meanwhile.
    fn take(&self, into: &mut [u8]) -> io::Result<()> {
        let mut taken = 0;
        while let Some(rest) = into.get_mut(taken..).filter(|rest| !rest.is_empty()) {
            match self.receive(rest, RecvFlags::empty())? {
                Seen::Bytes(count) => taken += count,
                // Interrupted: what was seen is still there.
                Seen::Nothing => {}
                Seen::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(())
    }

    /// Returns whether bytes wait, without taking any.
    pub fn is_ready(&self) -> io::Result<Moved> {
        Ok(match self.peek(&mut [0])? {
            Seen::Bytes(one) => Moved::Bytes(self.waiting()?.max(one)),
            Seen::Nothing => Moved::Empty,
            Seen::End => Moved::Ended,
        })
    }

    /// Takes at most `limit` waiting bytes out; never waits.
    pub fn take_waiting(&self, limit: usize) -> io::Result<(Moved, Vec<u8>)> {
        let mut bytes = vec![0; limit.min(LOOK_BYTES)];
        let (moved, count) = match self.receive(&mut bytes, RecvFlags::empty())? {
            Seen::Bytes(count) => (Moved::Bytes(count), count),
            Seen::Nothing => (Moved::Empty, 0),
            Seen::End => (Moved::Ended, 0),
        };
        bytes.truncate(count);
        Ok((moved, bytes))
    }

    /// Throws away at most `limit` waiting bytes.
    pub fn discard(&self, limit: usize) -> io::Result<Moved> {
        let mut buffer = vec![0; limit.min(LOOK_BYTES)];
        Ok(match self.receive(&mut buffer, RecvFlags::empty())? {
            Seen::Bytes(count) => Moved::Bytes(count),
            Seen::Nothing => Moved::Empty,
            Seen::End => Moved::Ended,
        })
    }

    /// Looks for the end of the line that is waiting, without taking bytes out.
    pub fn line_end(&self, scratch: &mut Scratch) -> io::Result<LineEnd> {
        scratch.bytes.resize(LOOK_BYTES, 0);
        let count = match self.peek(&mut scratch.bytes)? {
            Seen::Bytes(count) => count,
            Seen::Nothing => return Ok(LineEnd::Empty),
            Seen::End => return Ok(LineEnd::Ended),
        };
        let seen = scratch.bytes.get(..count).unwrap_or_default();
        let end = seen.iter().position(|byte| *byte == b'\n');
        Ok(end.map_or(LineEnd::NotWithin(count), |end| LineEnd::After(end + 1)))
    }
}

impl AsFd for PipeReader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Scratch {
    /// Returns an empty scratch.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the contract is that of systems that need a pipe"
    )]
    pub const fn new() -> io::Result<Self> {
        Ok(Self { bytes: Vec::new() })
    }
}
