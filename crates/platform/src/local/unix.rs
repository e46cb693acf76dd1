//! Unix stream sockets inside a tokio runtime.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;

use std::{
    ffi::CString,
    io,
    os::{fd::AsFd as _, unix::net},
    path::Path,
    ptr::null_mut,
};

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};

use super::Identity;
use crate::{
    descriptor::Descriptor,
    door::with_short_path,
    socket::{self, Blocking},
};

pub(super) const WAY_IN: &str = "ask as the user whose instance it is, or as the administrator; \
                                 `[[access]]` in its configuration lets groups in";

/// A group with more members than fit into this is not found.
const GROUP_BYTES_MAX: usize = 1024 * 1024;

/// A connection to or from a client.
pub type Stream = UnixStream;

/// A listener for clients.
#[derive(Debug)]
pub struct Listener(UnixListener);

impl Listener {
    /// Listens on a socket that somebody else has bound. Must be called inside a runtime.
    pub fn from_descriptor(socket: Descriptor) -> io::Result<Self> {
        let socket = net::UnixListener::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self(UnixListener::from_std(socket)?))
    }

    /// Waits for the next client.
    pub async fn accept(&self) -> io::Result<(Stream, Identity)> {
        let (stream, _) = self.0.accept().await?;
        let identity = identify(&stream)?;
        Ok((stream, identity))
    }
}

pub(super) fn take_over(client: Descriptor) -> io::Result<(Stream, Identity)> {
    let client = net::UnixStream::from(client);
    client.set_nonblocking(true)?;
    let stream = UnixStream::from_std(client)?;
    let identity = identify(&stream)?;
    Ok((stream, identity))
}

/// Asks the kernel, which knows whoever connected as it was at that moment.
fn identify(stream: &UnixStream) -> io::Result<Identity> {
    let credentials = stream.peer_cred()?;
    let mut groups = system::groups(stream.as_fd())?;
    groups.push(credentials.gid());
    let user = credentials.uid();
    let is_trusted = user == 0 || user == geteuid().as_raw();
    let groups = groups.iter().map(ToString::to_string).collect();
    Ok(Identity { user: user.to_string(), groups, is_trusted })
}

pub(super) fn connect(path: &Path, _service: Option<&str>) -> io::Result<Stream> {
    let socket = with_short_path(path, |address| {
        let socket = socket::stream(Blocking::Yes)?;
        rustix::net::connect(&socket, address)?;
        Ok(socket)
    })?;
    let socket = net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

pub(super) fn group(name: &str) -> io::Result<Option<String>> {
    if name.parse::<u32>().is_ok() {
        return Ok(Some(name.to_owned()));
    }
    let name = CString::new(name)?;
    let mut room = vec![0; 1024];
    loop {
        match look_up(&name, &mut room) {
            Ok(found) => return Ok(found.map(|number| number.to_string())),
            Err(error)
                if error.raw_os_error() == Some(libc::ERANGE) && room.len() < GROUP_BYTES_MAX =>
            {
                room.resize(room.len() * 4, 0);
            }
            Err(error) => return Err(error),
        }
    }
}

#[expect(unsafe_code, reason = "getgrnam_r")]
fn look_up(name: &CString, room: &mut [libc::c_char]) -> io::Result<Option<libc::gid_t>> {
    // SAFETY: zeros are a group without name, password and members.
    let mut group: libc::group = unsafe { std::mem::zeroed() };
    let mut found = null_mut();
    let (to, at, size) = (&raw mut group, room.as_mut_ptr(), room.len());
    // SAFETY: the name ends with NUL; `to`, `found` and `size` bytes of the room are valid for
    // writes.
    let code = unsafe { libc::getgrnam_r(name.as_ptr(), to, at, size, &raw mut found) };
    match code {
        0 if found.is_null() => Ok(None),
        0 => Ok(Some(group.gr_gid)),
        // Some systems say so instead of an empty answer.
        libc::ENOENT | libc::ESRCH => Ok(None),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

pub(super) fn let_in(path: &Path, groups: &[String], _service: Option<&str>) -> io::Result<()> {
    let numbers: Result<Vec<u32>, _> = groups.iter().map(|group| group.parse()).collect();
    system::let_in(path, &numbers.map_err(io::Error::other)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_known_by_name_and_number() {
        let expected = if cfg!(target_os = "macos") { "wheel" } else { "root" };
        assert_eq!(group(expected).unwrap().as_deref(), Some("0"));
        assert_eq!(group("1234").unwrap().as_deref(), Some("1234"));
        assert_eq!(group("no-such-group").unwrap(), None);
    }

    #[test]
    fn a_client_is_known_by_its_user_and_its_groups() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let (one, other) = net::UnixStream::pair().unwrap();
        let (_stream, identity) = take_over(one.into()).unwrap();
        assert_eq!(identity.user, geteuid().as_raw().to_string());
        assert!(identity.is_trusted);
        let own = rustix::process::getegid().as_raw().to_string();
        assert!(identity.groups.contains(&own), "{identity:?}");
        drop(other);
    }
}
