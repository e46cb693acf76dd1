//! Hears what a kind says of itself: by a socket, or by a pipe where there are no such sockets.

use std::{io, path::Path};

use mainstay_platform::{
    datagram::Inbox,
    door::Door,
    notify_pipe::{self, Caller, Heard},
    port::{Port, Token, Watched},
};

/// Longer messages are cut, and are too long anyhow.
const BYTES_MAX: usize = notify_pipe::MESSAGE_BYTES_MAX;
/// Nobody looks at tokens here: everything is looked at whenever something happens.
const ANY: Token = Token(9);

/// Where a kind is heard.
#[derive(Debug)]
pub(super) enum Ear {
    Socket { inbox: Inbox, path: String },
    Pipe { door: Door, callers: Vec<Watched<Caller>>, name: String },
}

impl Ear {
    /// Opens one in a folder.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("notify");
        if !notify_pipe::IS_THERE {
            let inbox = Inbox::open(&path)?;
            return Ok(Self::Socket { inbox, path: path.display().to_string() });
        }
        let door = Door::open(&path)?;
        let name = notify_pipe::name(&path).ok_or(io::ErrorKind::Unsupported)?;
        // Somebody has to be able to call.
        drop(door.accept_untouched()?);
        Ok(Self::Pipe { door, callers: Vec::new(), name })
    }

    /// Returns the variable by which a kind finds it.
    pub(super) fn variable(&self) -> (&'static str, &str) {
        match self {
            Self::Socket { path, .. } => ("NOTIFY_SOCKET", path),
            Self::Pipe { name, .. } => ("MAINSTAY_NOTIFY_PIPE", name),
        }
    }

    /// Returns what was said since.
    pub(super) fn hear(&mut self, port: &Port) -> io::Result<Vec<Vec<u8>>> {
        match self {
            Self::Socket { inbox, .. } => hear_socket(inbox),
            Self::Pipe { door, callers, .. } => hear_pipe(door, callers, port),
        }
    }
}

fn hear_socket(inbox: &Inbox) -> io::Result<Vec<Vec<u8>>> {
    let mut messages = Vec::new();
    while let Some(datagram) = inbox.look(BYTES_MAX)? {
        messages.push(datagram.bytes);
        inbox.take()?;
    }
    Ok(messages)
}

fn hear_pipe(
    door: &Door,
    callers: &mut Vec<Watched<Caller>>,
    port: &Port,
) -> io::Result<Vec<Vec<u8>>> {
    while let Some(pipe) = door.accept_untouched()? {
        callers.push(port.watch(Caller::new(pipe)?, ANY)?);
    }
    let mut messages = Vec::new();
    callers.retain_mut(|caller| match caller.hear() {
        Heard::Nothing => true,
        Heard::Message(message) => {
            caller.answer();
            messages.push(message);
            false
        }
        Heard::Nonsense => false,
    });
    Ok(messages)
}
