//! Named pipes inside a tokio runtime.

use std::{
    io,
    os::windows::io::{AsRawHandle as _, IntoRawHandle as _, OwnedHandle},
    path::Path,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::windows::named_pipe::{NamedPipeClient, NamedPipeServer},
};
use windows_sys::Win32::{
    Foundation::GENERIC_READ,
    Security::DACL_SECURITY_INFORMATION,
    Storage::FileSystem::{FILE_WRITE_DATA, WRITE_DAC},
    System::Pipes::GetNamedPipeServerProcessId,
};

use super::Identity;
use crate::{
    descriptor::Descriptor,
    door::pipe_name,
    scm::{Database, Intent, Purpose, identity_of},
    windows::{
        account::{self, Token},
        caller::{call, stranger},
        security::Security,
        succeed,
    },
};

/// Outside of an elevated terminal administrators have the rights of other users.
pub(super) const WAY_IN: &str = "ask in an elevated terminal; `[[access]]` in the configuration of \
                                 the instance lets groups in";

/// How long a client waits for a listener that is busy with others.
const BUSY_WITHIN: Duration = Duration::from_secs(5);

/// A connection to or from a client.
#[derive(Debug)]
pub enum Stream {
    /// Our end as the one that serves.
    Server(NamedPipeServer),
    /// Our end as the one that asks.
    Client(NamedPipeClient),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_read(context, into),
            Self::Client(pipe) => Pin::new(pipe).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_write(context, bytes),
            Self::Client(pipe) => Pin::new(pipe).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_flush(context),
            Self::Client(pipe) => Pin::new(pipe).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(pipe) => Pin::new(pipe).poll_shutdown(context),
            Self::Client(pipe) => Pin::new(pipe).poll_shutdown(context),
        }
    }
}

/// A listener for clients; there is none on this system, where they come one by one.
#[derive(Debug)]
pub struct Listener(());

impl Listener {
    /// Refuses: a pipe's listener cannot be handed over.
    pub fn from_descriptor(socket: Descriptor) -> io::Result<Self> {
        drop(socket);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Refuses.
    pub async fn accept(&self) -> io::Result<(Stream, Identity)> {
        std::future::ready(Err(io::ErrorKind::Unsupported.into())).await
    }
}

#[expect(unsafe_code, reason = "the pipe gets its owner in the runtime")]
pub(super) fn take_over(client: Descriptor) -> io::Result<(Stream, Identity)> {
    let identity = identify(&client)?;
    // SAFETY: the handle is a connected pipe's, opened for overlapped calls, and ours alone.
    let pipe = unsafe { NamedPipeServer::from_raw_handle(client.into_raw_handle()) }?;
    Ok((Stream::Server(pipe), identity))
}

/// Asks the pipe. A client that does not tell who it is counts as nobody: the number of its process
/// may be somebody else's by now.
fn identify(pipe: &OwnedHandle) -> io::Result<Identity> {
    let token = Token::of_client(pipe.as_raw_handle())?;
    let (user, groups) = (token.user()?, token.groups()?);
    let is_trusted = account::is_master(&user, &groups)?;
    Ok(Identity { user, groups, is_trusted })
}

#[expect(unsafe_code, reason = "the pipe gets its owner in the runtime")]
pub(super) fn connect(path: &Path, service: Option<&str>) -> io::Result<Stream> {
    // Neither may create another end of the same pipe, as `GENERIC_WRITE` would ask for.
    let pipe = call(&pipe_name(path)?, GENERIC_READ | FILE_WRITE_DATA, BUSY_WITHIN)?;
    let owner = account::owner_of_open(pipe.as_raw_handle())?;
    let is_known =
        account::is_trusted(&owner)? || service.is_some_and(|name| is_of(&pipe, &owner, name));
    if !is_known {
        return Err(stranger(&owner, "listens in its place"));
    }
    // SAFETY: the handle is a connected pipe's, opened for overlapped calls, and ours alone.
    let pipe = unsafe { NamedPipeClient::from_raw_handle(pipe.into_raw_handle()) }?;
    Ok(Stream::Client(pipe))
}

/// Returns whether a service listens. One that was not set up for an identity of its own is known by
/// its process alone: whoever else runs as its user is another one.
fn is_of(pipe: &OwnedHandle, owner: &str, service: &str) -> bool {
    identity_of(service).is_ok_and(|identity| identity == owner)
        || listener_of(pipe).is_ok_and(|pid| pid != 0 && pid_of(service).is_ok_and(|of| of == pid))
}

#[expect(unsafe_code, reason = "GetNamedPipeServerProcessId")]
fn listener_of(pipe: &OwnedHandle) -> io::Result<u32> {
    let mut pid = 0;
    // SAFETY: the pipe is open; `pid` is valid for writes.
    succeed(unsafe { GetNamedPipeServerProcessId(pipe.as_raw_handle(), &raw mut pid) })?;
    Ok(pid)
}

fn pid_of(service: &str) -> io::Result<u32> {
    let service = Database::open(Purpose::Call)?.service(service, Intent::Look)?;
    Ok(service.status()?.pid)
}

pub(super) fn group(name: &str) -> io::Result<Option<String>> {
    account::identifier_of(name)
}

/// The list belongs to the pipe as a whole; all its ends, those to come as well, go by it.
#[expect(unsafe_code, reason = "SetKernelObjectSecurity")]
pub(super) fn let_in(path: &Path, groups: &[String], service: Option<&str>) -> io::Result<()> {
    use windows_sys::Win32::Security::SetKernelObjectSecurity;
    let security =
        Security::for_clients(groups, service.and_then(|name| identity_of(name).ok()).as_deref())?;
    let pipe = call(&pipe_name(path)?, WRITE_DAC | GENERIC_READ, BUSY_WITHIN)?;
    let descriptor = security.attributes().lpSecurityDescriptor;
    // SAFETY: the descriptor lives as long as `security`.
    succeed(unsafe {
        SetKernelObjectSecurity(pipe.as_raw_handle(), DACL_SECURITY_INFORMATION, descriptor)
    })
}
