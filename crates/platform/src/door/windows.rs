//! Named pipes with overlapped calls.
//!
//! A pipe's name is made from the path that a socket would have, so that callers know paths only.
//! Handles travel as numbers: the sender duplicates them into the receiver first.

#![expect(clippy::unused_self, reason = "the contract is that of systems where this can fail")]

#[path = "windows/line.rs"]
mod line;

use std::{
    collections::VecDeque,
    io,
    os::windows::io::{AsHandle as _, AsRawHandle as _, OwnedHandle},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{GENERIC_READ, GENERIC_WRITE},
    Storage::FileSystem::{FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX},
    System::Pipes::{
        CreateNamedPipeW, GetNamedPipeClientProcessId, GetNamedPipeServerProcessId,
        PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, PIPE_WAIT,
    },
};

use self::line::Line;
use super::{Peer, Received};
use crate::{
    descriptor::{Borrowed, Descriptor},
    port::{Sight, Watchable},
    process::Process,
    scm::identity_of,
    windows::{
        Event, Initially,
        account::{self, Token},
        caller::{call, refuse_strange_process, refuse_strangers},
        overlapped::{Overlapped, Progress},
        own,
        security::Security,
        succeed, wide,
    },
};

pub(super) const CAN_BE_SHARED: bool = false;

/// What a pipe holds in each direction before its writer waits.
const BUFFER_BYTES: u32 = 64 * 1024;
/// How long a caller waits for a listener that is busy with another caller.
const BUSY_WITHIN: Duration = Duration::from_secs(2);
/// What a stranger does.
const IN_ITS_PLACE: &str = "listens in its place";

/// Returns the name of the pipe that stands for a path.
pub(crate) fn pipe_name(path: &Path) -> io::Result<Vec<u16>> {
    let text = std::path::absolute(path)?.to_string_lossy().to_lowercase();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // FNV-1a: the name of a pipe is short, a path is not.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Ok(wide(format!(r"\\.\pipe\mainstay-{hash:016x}-{name}")))
}

/// A listener on a path.
#[derive(Debug)]
pub struct Door {
    path: PathBuf,
    /// In the order in which they were made, which is that in which callers get them.
    waiting: Mutex<VecDeque<Waiting>>,
    /// So many callers may come at one moment.
    ends: usize,
    called: Event,
    /// The identity of the service that it belongs to.
    service: Option<String>,
}

/// An end that a caller will get; the call ends before its pipe.
#[derive(Debug)]
struct Waiting {
    call: Overlapped,
    pipe: OwnedHandle,
}

impl Waiting {
    /// Returns whether somebody has called, and may have left already.
    fn is_called(&self) -> bool {
        self.call.progress() != Progress::Pending
    }
}

impl Door {
    /// Returns a listener on `path`, which only this user may reach; it listens from the moment
    /// it is watched.
    ///
    /// The caller holds the instance's lock, so nobody can be listening there.
    pub fn open(path: &Path) -> io::Result<Self> {
        pipe_name(path)?;
        Ok(Self::closed(path.to_owned()))
    }

    fn closed(path: PathBuf) -> Self {
        let called = Event::new(Initially::Reset);
        Self { path, waiting: Mutex::default(), ends: 1, called, service: None }
    }

    /// Keeps so many ends waiting: who calls while all are taken finds the pipe busy, and not
    /// everybody tries again.
    #[must_use]
    pub const fn with_ends(mut self, ends: usize) -> Self {
        self.ends = ends;
        self
    }

    /// Says which service it belongs to, before anybody listens there.
    #[must_use]
    pub fn of_service(mut self, name: &str) -> Self {
        self.service = identity_of(name).ok();
        self
    }

    /// Listens anew: on this system nothing is kept across a replacement of the process.
    pub fn from_descriptor(socket: Descriptor, path: PathBuf) -> Self {
        drop(socket);
        Self::closed(path)
    }

    /// Returns the path it listens on.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the next caller, if there is one.
    pub fn accept(&self) -> io::Result<Option<Connection>> {
        Ok(self.accept_untouched()?.map(|pipe| Connection::new(pipe, Side::Server)))
    }

    /// Returns our end of the connection to the next caller, of which nothing was read yet. It is
    /// bound to no completion port: whoever gets a duplicate may bind it.
    pub fn accept_untouched(&self) -> io::Result<Option<Descriptor>> {
        let mut waiting = self.lock();
        self.listen(&mut waiting)?;
        let Some(at) = waiting.iter().position(Waiting::is_called) else { return Ok(None) };
        let end = waiting.remove(at);
        // Where the system refuses, whoever asks next is told so.
        drop(self.listen(&mut waiting));
        // Some callers leave at once.
        let caller = end.filter(|end| end.call.progress() != Progress::Failed);
        Ok(caller.map(|end| end.pipe))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at all ends, or at fewer where the system refuses more.
    fn listen(&self, waiting: &mut VecDeque<Waiting>) -> io::Result<()> {
        let filled = self.fill(waiting);
        self.announce(waiting);
        if waiting.is_empty() { filled } else { Ok(()) }
    }

    fn fill(&self, waiting: &mut VecDeque<Waiting>) -> io::Result<()> {
        while waiting.len() < self.ends {
            waiting.push_back(self.wait_at(self.another_end()?)?);
        }
        Ok(())
    }

    /// Says whether there is something to ask for. All ends share one event, and each that begins
    /// to wait resets it.
    fn announce(&self, waiting: &VecDeque<Waiting>) {
        self.called.take();
        if waiting.is_empty() || waiting.iter().any(Waiting::is_called) {
            self.called.set();
        }
    }

    fn wait_at(&self, pipe: OwnedHandle) -> io::Result<Waiting> {
        let mut call = Overlapped::new(&self.called);
        call.connect(&pipe)?;
        Ok(Waiting { call, pipe })
    }

    #[expect(unsafe_code, reason = "CreateNamedPipeW")]
    fn another_end(&self) -> io::Result<OwnedHandle> {
        let name = pipe_name(&self.path)?;
        let security = Security::for_clients(&[], self.service.as_deref())?;
        let attributes = security.attributes();
        let mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
        let kind = PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
        let (many, room) = (PIPE_UNLIMITED_INSTANCES, BUFFER_BYTES);
        let (name, attributes) = (name.as_ptr(), &raw const attributes);
        // SAFETY: the name ends with NUL; it and the attributes live until the call returns.
        let raw = unsafe { CreateNamedPipeW(name, mode, kind, many, room, room, 0, attributes) };
        // SAFETY: the handle is new or invalid.
        let end = unsafe { own(raw) }?;
        // Whoever has made the pipe before us decides who comes in.
        refuse_strangers(end.as_raw_handle(), "has made its pipe first")?;
        Ok(end)
    }

    /// Refuses: a listener [cannot be shared](super::CAN_BE_SHARED) on this system.
    pub fn duplicate(&self) -> io::Result<Descriptor> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Lends the handle that says whether somebody has called.
    pub fn borrow(&self) -> Borrowed<'_> {
        self.called.borrow()
    }
}

impl Watchable for Door {
    fn reading(&self) -> io::Result<Sight> {
        self.listen(&mut self.lock())?;
        Ok(Sight(self.called.raw()))
    }
}

/// Which end of a connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Server,
    Client,
}

/// A connection that never blocks.
#[derive(Debug)]
pub struct Connection {
    line: Mutex<Line>,
    pipe: OwnedHandle,
    side: Side,
    /// Who gets handles; held, so that its number stays its own.
    receiver: OnceLock<Process>,
}

impl Connection {
    /// Connects to a door.
    ///
    /// Refuses one that somebody else has made who may not act for this instance, before anything
    /// is read from there.
    pub fn open(path: &Path) -> io::Result<Self> {
        let pipe = call(&pipe_name(path)?, GENERIC_READ | GENERIC_WRITE, BUSY_WITHIN)?;
        refuse_strangers(pipe.as_raw_handle(), IN_ITS_PLACE)?;
        Ok(Self::new(pipe, Side::Client))
    }

    fn new(pipe: OwnedHandle, side: Side) -> Self {
        Self { line: Mutex::new(Line::new(&pipe)), pipe, side, receiver: OnceLock::new() }
    }

    /// Takes over the listening side's end of a connection.
    pub fn from_descriptor(pipe: Descriptor) -> Self {
        Self::new(pipe, Side::Server)
    }

    /// Returns the process at the other end; nothing when it is gone.
    #[expect(unsafe_code, reason = "GetNamedPipeClientProcessId, GetNamedPipeServerProcessId")]
    pub fn peer_process(&self) -> io::Result<Option<Process>> {
        let mut pid = 0;
        let (pipe, to) = (self.pipe.as_raw_handle(), &raw mut pid);
        let done = match self.side {
            // SAFETY: the pipe is open; `to` is valid for writes.
            Side::Server => unsafe { GetNamedPipeClientProcessId(pipe, to) },
            // SAFETY: as above.
            Side::Client => unsafe { GetNamedPipeServerProcessId(pipe, to) },
        };
        succeed(done)?;
        Process::open_pid(pid)
    }

    fn present_peer(&self) -> io::Result<Process> {
        self.peer_process()?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Returns the process that handles are given to, by which it could do whatever we can.
    fn receiver(&self) -> io::Result<&Process> {
        if let Some(known) = self.receiver.get() {
            return Ok(known);
        }
        let process = self.present_peer()?;
        refuse_strange_process(process.raw(), IN_ITS_PLACE)?;
        Ok(self.receiver.get_or_init(|| process))
    }

    /// Returns who is at the other end.
    pub fn peer(&self) -> io::Result<Peer> {
        let process = self.present_peer()?;
        let token = Token::of_process(process.raw())?;
        let user = token.user()?;
        let is_trusted = account::is_master(&user, &token.groups()?)?;
        Ok(Peer { pid: process.pid(), user, is_trusted })
    }

    /// Appends what has arrived, and the handles that came along.
    pub fn receive(
        &self,
        bytes: &mut Vec<u8>,
        descriptors: &mut Vec<Descriptor>,
    ) -> io::Result<Received> {
        self.lock().receive(&self.pipe, bytes, descriptors)
    }

    /// Sends what fits; the handles are duplicated into the other side and must not be sent again
    /// after a short write. Returns 0 when nothing fits for the moment.
    pub fn send(&self, bytes: &[u8], descriptors: &[Borrowed<'_>]) -> io::Result<usize> {
        let mut line = self.lock();
        if !line.can_send() {
            return Ok(0);
        }
        let numbers = if descriptors.is_empty() {
            Vec::new()
        } else {
            line::hand_over(descriptors, self.receiver()?)?
        };
        line.send(&self.pipe, bytes, &numbers)
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the handle.
    pub fn borrow(&self) -> Borrowed<'_> {
        self.pipe.as_handle()
    }
}

impl Watchable for Connection {
    fn reading(&self) -> io::Result<Sight> {
        Ok(Sight(self.lock().read_event()))
    }

    fn writing(&self) -> Option<Sight> {
        Some(Sight(self.lock().write_event()))
    }
}

#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;
