//! `SOCK_DGRAM` sockets of the family `AF_UNIX`.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;

use std::{
    fs, io,
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, recv,
        sendmsg_addr,
    },
};
use tokio::io::{Interest, unix::AsyncFd};

use super::{Barrier, Datagram};
use crate::{
    descriptor::{Borrowed, Descriptor},
    port::{Port, Token, Watched},
    socket::{self, Blocking},
};

/// The most descriptors the kernel passes at once (`SCM_MAX_FD`).
const DESCRIPTORS_AT_ONCE: usize = 253;

/// A socket on a path.
#[derive(Debug)]
pub struct Inbox {
    socket: OwnedFd,
}

impl Inbox {
    /// Makes a socket on `path` that this user and root may send to; whatever lies there is
    /// replaced.
    pub fn open(path: &Path) -> io::Result<Self> {
        let address = SocketAddrUnix::new(path).map_err(|_| {
            let text = "the path is too long for a socket: give the instance a shorter folder";
            io::Error::new(io::ErrorKind::InvalidInput, text)
        })?;
        match fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let socket = system::socket(Blocking::No)?;
        system::ask_for_senders(&socket)?;
        socket::bind_private(&socket, &address)?;
        Ok(Self { socket })
    }

    /// Takes over a socket that somebody else has made.
    #[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems without them")]
    pub const fn from_descriptor(socket: OwnedFd) -> io::Result<Self> {
        Ok(Self { socket })
    }

    /// Returns another descriptor of the same socket.
    pub fn duplicate(&self) -> io::Result<Descriptor> {
        self.socket.try_clone()
    }

    /// Returns the next message without taking it, at most so many bytes; nothing when there is
    /// none.
    pub fn look(&self, bytes_max: usize) -> io::Result<Option<Datagram>> {
        match system::look(&self.socket, bytes_max) {
            Ok(datagram) => Ok(Some(datagram)),
            Err(error) if is_empty(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the next message; descriptors that came along are closed.
    pub fn take(&self) -> io::Result<()> {
        let mut nothing = [0; 1];
        match recv(&self.socket, &mut nothing, RecvFlags::DONTWAIT) {
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

fn is_empty(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A descriptor that may be watched for its end.
#[derive(Debug)]
pub struct Guarded {
    watched: Option<Watched<Arc<OwnedFd>>>,
    descriptor: Arc<OwnedFd>,
}

impl Guarded {
    /// Watches nothing yet.
    pub fn new(descriptor: Descriptor) -> Self {
        Self { watched: None, descriptor: Arc::new(descriptor) }
    }

    /// Returns whether its end is watched.
    pub const fn is_watched(&self) -> bool {
        self.watched.is_some()
    }

    /// Returns the descriptor.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

/// Waits for messages in many sockets.
#[derive(Debug)]
pub struct Inboxes {
    port: AsyncFd<Port>,
}

impl Inboxes {
    /// Waits for nothing yet. Must be called inside a runtime.
    #[expect(unsafe_code, reason = "tokio asks for the promise that the descriptor stays open")]
    pub fn new() -> io::Result<Self> {
        let port = Port::new()?;
        // SAFETY: `Port` owns its descriptor, closes it only when dropped and always returns the
        // same one.
        let port = unsafe { AsyncFd::register_with_interest(port, Interest::READABLE) };
        Ok(Self { port: port.map_err(io::Error::from)? })
    }

    /// Watches a socket; each event must be asked for with [`Watched::arm`].
    pub fn watch(&self, inbox: Inbox, token: Token) -> io::Result<Watched<Inbox>> {
        self.port.get_ref().watch_once(inbox, token)
    }

    /// Reports once when the other end of a descriptor is closed, where that can be seen.
    pub fn guard(&self, guarded: &mut Guarded, token: Token) {
        let watched = system::watch_end(self.port.get_ref(), &guarded.descriptor, token);
        guarded.watched = watched.ok().flatten();
    }

    /// Waits for messages; returns the sockets that have some.
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn ready(&mut self) -> io::Result<Vec<Token>> {
        loop {
            let mut guard = self.port.readable_mut().await?;
            let ready = guard.get_inner_mut().wait(Some(Duration::ZERO))?;
            let ready: Vec<Token> = ready.iter().map(|event| event.token).collect();
            if !ready.is_empty() {
                return Ok(ready);
            }
            guard.clear_ready();
        }
    }
}

pub(super) fn fits(path: &Path) -> bool {
    SocketAddrUnix::new(path).is_ok()
}

pub(super) fn send(address: &str, message: &[u8], riders: &[Borrowed<'_>]) -> io::Result<()> {
    let address = system::address(address)?;
    let socket = system::socket(Blocking::Yes)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_AT_ONCE))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !riders.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(riders)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors"));
    }
    let flags = SendFlags::empty();
    sendmsg_addr(&socket, &address, &[io::IoSlice::new(message)], &mut ancillary, flags)?;
    Ok(())
}

pub(super) fn send_barrier(address: &str, message: &[u8], within: Duration) -> io::Result<Barrier> {
    let (ours, theirs) = io::pipe()?;
    send(address, message, &[theirs.as_fd()])?;
    drop(theirs);
    let timeout = Timespec {
        tv_sec: i64::try_from(within.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(within.subsec_nanos()),
    };
    let mut waiting = [PollFd::new(&ours, PollFlags::IN)];
    let closed = poll(&mut waiting, Some(&timeout))?;
    Ok(if closed > 0 { Barrier::Passed } else { Barrier::Late })
}

#[expect(unsafe_code, reason = "a number that the command line names")]
pub(super) fn inherited(number: u32) -> io::Result<Descriptor> {
    let raw = i32::try_from(number).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: the duplicate is made at once, and fails for a number that is not open.
    unsafe { BorrowedFd::borrow_raw(raw) }.try_clone_to_owned()
}
