//! rtnetlink: the kernel's tables of links, addresses and routes (`rtnetlink(7)`), read byte by byte.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::OwnedFd,
};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

/// Parts of a table are at most 32 KiB long.
const PART_BYTES_MAX: usize = 64 * 1024;
/// What is beyond this many rows is left unread.
const ROWS_MAX: usize = 65_536;
/// A table that changes while it is read is read again so often.
const READS_MAX: usize = 20;

/// `nlmsghdr`: length, kind, flags, sequence, port.
pub(crate) const HEAD_BYTES: usize = 16;
/// `ifinfomsg`: family, kind, interface, flags, changed flags.
pub(crate) const LINK_BYTES: usize = 16;
/// `ifaddrmsg`: family, prefix, flags, scope, interface.
pub(crate) const ADDRESS_BYTES: usize = 8;
/// `rtmsg`: family, two prefixes, service, table, protocol, scope, kind, flags.
pub(crate) const ROUTE_BYTES: usize = 12;
/// `rtnexthop`: length, flags, weight, interface.
pub(crate) const NEXT_HOP_BYTES: usize = 8;
/// `rtattr`: length and kind.
const ATTRIBUTE_BYTES: usize = 4;
/// Everything begins at a multiple of this.
const ALIGNED_TO: usize = 4;

const DONE: u16 = 3;
const ERROR: u16 = 2;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// `NLM_F_DUMP_INTR`: rows have come or gone meanwhile, so that some may be missing.
const INTERRUPTED: u16 = 0x10;

/// What can be asked for as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Links,
    Addresses,
    Routes,
}

impl Table {
    const fn question(self) -> (u16, usize) {
        match self {
            Self::Links => (libc::RTM_GETLINK, LINK_BYTES),
            Self::Addresses => (libc::RTM_GETADDR, ADDRESS_BYTES),
            Self::Routes => (libc::RTM_GETROUTE, ROUTE_BYTES),
        }
    }
}

/// Whether more rows are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Further,
    Enough,
}

/// How a look at a table came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Whoever looked had enough.
    Enough,
    /// All of it.
    Whole,
    /// Perhaps not all of it, because it has changed meanwhile.
    Changing,
}

/// One message of the kernel.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) body: &'a [u8],
    flags: u16,
}

impl Message<'_> {
    /// Returns whether a table ends here, or why there is none.
    fn is_end(&self) -> io::Result<bool> {
        let number = number_at(self.body, 0).map_or(0, u32::cast_signed);
        match self.kind {
            ERROR if number != 0 => Err(io::Error::from_raw_os_error(-number)),
            kind => Ok(kind == DONE),
        }
    }
}

/// Returns a socket that never blocks.
pub(crate) fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // The first protocol of the family is `NETLINK_ROUTE`.
    Ok(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?)
}

/// Returns what can be read out of the rows of a table, none of which is missing.
///
/// A table that never keeps still is an error: half of it would tell of addresses that have gone.
pub(crate) fn rows<T>(
    table: Table,
    read: impl Fn(&Message<'_>) -> Option<T>,
) -> io::Result<Vec<T>> {
    for _ in 0..READS_MAX {
        let mut all = Vec::new();
        let seen = look(table, |message| {
            all.extend(read(message));
            if all.len() < ROWS_MAX { Look::Further } else { Look::Enough }
        })?;
        if seen != Seen::Changing {
            return Ok(all);
        }
    }
    Err(io::Error::new(io::ErrorKind::Interrupted, "the table changes while it is read"))
}

/// Goes through a table until whoever looks has enough: a router knows a million routes.
pub(crate) fn look(table: Table, mut see: impl FnMut(&Message<'_>) -> Look) -> io::Result<Seen> {
    let socket = socket()?;
    send(&socket, &question(table), SendFlags::empty())?;
    let mut part = vec![0; PART_BYTES_MAX];
    let mut seen = Seen::Whole;
    loop {
        // The kernel writes each part while it is asked for it, so none is waited for.
        let (_, size) = recv(&socket, &mut part[..], RecvFlags::empty())?;
        for message in messages(part.get(..size).unwrap_or_default()) {
            if message.flags & INTERRUPTED != 0 {
                seen = Seen::Changing;
            }
            if message.is_end()? {
                return Ok(seen);
            }
            if see(&message) == Look::Enough {
                return Ok(Seen::Enough);
            }
        }
    }
}

/// Returns what asks for a whole table.
fn question(table: Table) -> Vec<u8> {
    let (kind, body_bytes) = table.question();
    let size = HEAD_BYTES + body_bytes;
    let mut bytes = Vec::with_capacity(size);
    bytes.extend(u32::try_from(size).unwrap_or_default().to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(DUMP.to_ne_bytes());
    bytes.resize(size, 0);
    bytes
}

/// Splits what was read into messages.
pub(crate) fn messages(mut rest: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let size = usize::try_from(number_at(rest, 0)?).ok()?;
        let (kind, flags) = (short_at(rest, 4)?, short_at(rest, 6)?);
        let body = rest.get(HEAD_BYTES..size)?;
        rest = rest.get(aligned(size)..).unwrap_or_default();
        Some(Message { kind, body, flags })
    })
}

/// Splits what follows a row's own bytes into attributes: kind and value.
pub(crate) fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let size = usize::from(short_at(rest, 0)?);
        let kind = short_at(rest, 2)?;
        let value = rest.get(ATTRIBUTE_BYTES..size)?;
        rest = rest.get(aligned(size)..).unwrap_or_default();
        Some((kind, value))
    })
}

pub(crate) fn address_in(value: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(value).map(|bytes| Ipv4Addr::from(bytes).into());
    let v6 = || <[u8; 16]>::try_from(value).map(|bytes| Ipv6Addr::from(bytes).into());
    v4().or_else(|_| v6()).ok()
}

pub(crate) fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

pub(crate) fn short_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

/// Returns where what follows so many bytes begins.
pub(crate) const fn aligned(size: usize) -> usize {
    size.next_multiple_of(ALIGNED_TO)
}

/// Returns a message as the kernel would write it.
#[cfg(test)]
pub(crate) fn message(kind: u16, mut body: Vec<u8>, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    for (kind, value) in attributes {
        let size = u16::try_from(ATTRIBUTE_BYTES + value.len()).unwrap();
        body.extend(size.to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(*value);
        body.resize(aligned(body.len()), 0);
    }
    let size = u32::try_from(HEAD_BYTES + body.len()).unwrap();
    let head = [size.to_ne_bytes(), [0; 4], [0; 4], [0; 4]].concat();
    let mut all = [head, body].concat();
    all[4..6].copy_from_slice(&kind.to_ne_bytes());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_no_message_is_passed_over() {
        let whole = message(libc::RTM_NEWADDR, vec![2, 24, 0, 0, 1, 0, 0, 0], &[]);
        for size in 0..whole.len() {
            assert_eq!(messages(&whole[..size]).count(), 0, "{size}");
        }
        assert_eq!(messages(&[0; 64]).count(), 0);
        assert_eq!(messages(&[whole.clone(), whole].concat()).count(), 2);
    }

    #[test]
    fn a_table_that_is_refused_says_why() {
        let refused = message(ERROR, (-libc::EPERM).to_ne_bytes().to_vec(), &[]);
        let error = messages(&refused).next().unwrap().is_end().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
        let end = message(DONE, vec![0; 4], &[]);
        assert!(messages(&end).next().unwrap().is_end().unwrap());
    }
}
