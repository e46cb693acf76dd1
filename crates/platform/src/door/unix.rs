//! Unix stream sockets; descriptors ride with the first byte of a frame.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use rustix::{
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, SendAncillaryBuffer, SendAncillaryMessage,
        SocketAddrUnix, connect, listen, recvmsg, sendmsg,
    },
    process::geteuid,
};

use super::{Peer, Received};
use crate::{
    descriptor::{Borrowed, Descriptor},
    process::Process,
    socket::{self, Blocking},
};

pub(super) const CAN_BE_SHARED: bool = true;

const BACKLOG: i32 = 128;
const READ_BYTES: usize = 64 * 1024;
/// The most descriptors the kernel passes at once (`SCM_MAX_FD`).
const DESCRIPTORS_AT_ONCE: usize = 253;

/// A listener on a path.
#[derive(Debug)]
pub struct Door {
    socket: OwnedFd,
    path: PathBuf,
}

impl Door {
    /// Listens on `path`, which only this user may reach; a stale socket there is replaced.
    ///
    /// The caller holds the instance's lock, so nobody can be listening there.
    pub fn open(path: &Path) -> io::Result<Self> {
        let socket = socket::stream(Blocking::No)?;
        match std::fs::remove_file(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        with_short_path(path, |address| socket::bind_private(&socket, address))?;
        listen(&socket, BACKLOG)?;
        Ok(Self { socket, path: path.to_owned() })
    }

    /// Takes over a listener that was kept open across a replacement of this process.
    pub const fn from_descriptor(socket: OwnedFd, path: PathBuf) -> Self {
        Self { socket, path }
    }

    /// Keeps so many ends waiting; here all callers wait in the queue of one socket.
    #[must_use]
    pub const fn with_ends(self, _ends: usize) -> Self {
        self
    }

    /// Says which service it belongs to; here a socket belongs to its user.
    #[must_use]
    pub fn of_service(self, _name: &str) -> Self {
        self
    }

    /// Returns the path it listens on.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the next caller, if there is one.
    pub fn accept(&self) -> io::Result<Option<Connection>> {
        Ok(self.accept_untouched()?.map(Connection::from_descriptor))
    }

    /// Returns our end of the connection to the next caller, of which nothing was read yet.
    pub fn accept_untouched(&self) -> io::Result<Option<Descriptor>> {
        match socket::accept(&self.socket) {
            Ok(socket) => Ok(Some(socket)),
            Err(Errno::AGAIN | Errno::CONNABORTED | Errno::INTR) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Returns another descriptor of the same listener; refuses where none
    /// [can be shared](super::CAN_BE_SHARED).
    pub fn duplicate(&self) -> io::Result<Descriptor> {
        self.socket.try_clone()
    }
}

impl Door {
    /// Lends the descriptor.
    pub fn borrow(&self) -> Borrowed<'_> {
        self.socket.as_fd()
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A connection that never blocks.
#[derive(Debug)]
pub struct Connection {
    socket: OwnedFd,
}

impl Connection {
    /// Connects to a door.
    pub fn open(path: &Path) -> io::Result<Self> {
        let socket = socket::stream(Blocking::Yes)?;
        with_short_path(path, |address| Ok(connect(&socket, address)?))?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(Self { socket })
    }

    /// Takes over a connection that was kept open across a replacement of this process.
    pub const fn from_descriptor(socket: OwnedFd) -> Self {
        Self { socket }
    }

    /// Returns the connection's descriptor for good.
    pub fn into_descriptor(self) -> OwnedFd {
        self.socket
    }

    /// Returns who is at the other end, as the kernel saw it when they connected.
    pub fn peer(&self) -> io::Result<Peer> {
        let socket::Credentials { pid, user } = socket::credentials(&self.socket)?;
        Ok(Peer {
            pid,
            user: user.as_raw().to_string(),
            is_trusted: user.is_root() || user == geteuid(),
        })
    }

    /// Returns the very process that connected, whoever has its number now; nothing when it is
    /// gone.
    ///
    /// Before Linux 6.5 and on macOS: whoever has the number while the caller has not hung up.
    pub fn peer_process(&self) -> io::Result<Option<Process>> {
        socket::peer_process(&self.socket)
    }

    /// Appends what has arrived; descriptors that rode along are closed on exec.
    pub fn receive(
        &self,
        bytes: &mut Vec<u8>,
        descriptors: &mut Vec<Descriptor>,
    ) -> io::Result<Received> {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_AT_ONCE))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let start = bytes.len();
        bytes.resize(start + READ_BYTES, 0);
        let into = bytes.get_mut(start..).unwrap_or_default();
        let result =
            recvmsg(&self.socket, &mut [IoSliceMut::new(into)], &mut ancillary, socket::RECEIVE);
        let read = result.as_ref().map_or(0, |message| message.bytes);
        bytes.truncate(start + read);
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights.map(socket::settle));
            }
        }
        match result {
            Ok(message) if message.bytes == 0 => Ok(Received::Closed),
            Ok(message) => Ok(Received::Bytes(message.bytes)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Received::Empty),
            Err(Errno::CONNRESET) => Ok(Received::Closed),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Sends what fits; the descriptors ride with the first byte and must not be sent again after
    /// a short write. Returns 0 when nothing fits for the moment.
    pub fn send(&self, bytes: &[u8], descriptors: &[Borrowed<'_>]) -> io::Result<usize> {
        let mut space =
            [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_AT_ONCE))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors))
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "too many descriptors for a frame",
            ));
        }
        match sendmsg(&self.socket, &[IoSlice::new(bytes)], &mut ancillary, socket::SEND) {
            Ok(sent) => Ok(sent),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl std::os::fd::AsRawFd for Connection {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.as_raw_fd()
    }
}

impl Connection {
    /// Lends the descriptor.
    pub fn borrow(&self) -> Borrowed<'_> {
        self.socket.as_fd()
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Runs `act` with an address for `path`, by way of its folder's descriptor when it is too long
/// for a socket address; refuses that where no path leads through a descriptor (macOS).
pub(crate) fn with_short_path<T>(
    path: &Path,
    act: impl FnOnce(&SocketAddrUnix) -> io::Result<T>,
) -> io::Result<T> {
    if let Ok(address) = SocketAddrUnix::new(path) {
        return act(&address);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let folder = std::fs::File::open(folder)?;
    act(&socket::short_address(&folder, Path::new(name))?)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn nobody_else_may_knock() {
        let path = std::env::temp_dir().join(format!("mainstay-door-{}", std::process::id()));
        drop(fs::File::create(&path).unwrap());
        let door = Door::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(&path).unwrap();
        drop(door);
    }
}
