//! rtnetlink: its groups say that something has changed, its tables say how it is now.

#[path = "linux/tables.rs"]
mod tables;

use std::{io, os::fd::OwnedFd};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, netlink::SocketAddrNetlink,
    recv, send, socket_with,
};

use self::tables::{Family, Message};
pub(super) use super::unix::Watch;

/// Parts of a table are at most 32 KiB long.
const PART_BYTES_MAX: usize = 64 * 1024;

/// Everything by which a machine may come to be on a network or not.
const GROUPS: libc::c_int = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_ROUTE;

pub(super) fn begin() -> io::Result<Watch> {
    let socket = socket()?;
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS.unsigned_abs()))?;
    Watch::of(socket)
}

pub(super) fn is_up() -> io::Result<bool> {
    let mut families = Vec::new();
    let both_known = look(libc::RTM_GETADDR, |message| {
        families.extend(tables::usable_address(message).filter(|it| !families.contains(it)));
        families.len() == Family::COUNT
    })?;
    if !both_known && families.is_empty() {
        return Ok(false);
    }
    look(libc::RTM_GETROUTE, |message| {
        tables::leading_route(message).is_some_and(|family| families.contains(&family))
    })
}

fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    // The first protocol of the family is `NETLINK_ROUTE`.
    Ok(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None)?)
}

/// Goes through a table until something is found: a router knows a million routes, and its default
/// route comes first.
fn look(table: u16, mut found: impl FnMut(&Message<'_>) -> bool) -> io::Result<bool> {
    let socket = socket()?;
    send(&socket, &tables::question(table), SendFlags::empty())?;
    let mut part = vec![0; PART_BYTES_MAX];
    loop {
        // The kernel writes each part while it is asked for it, so none is waited for.
        let (_, size) = recv(&socket, &mut part[..], RecvFlags::empty())?;
        for message in tables::messages(part.get(..size).unwrap_or_default()) {
            if message.is_end()? {
                return Ok(false);
            }
            if found(&message) {
                return Ok(true);
            }
        }
    }
}
