//! rtnetlink: its groups say that something has changed, its tables say how it is now.

#[path = "linux/tables.rs"]
mod tables;
#[cfg(test)]
#[path = "linux/tests.rs"]
mod tests;

use std::io;

use rustix::net::{bind, netlink::SocketAddrNetlink};

use self::tables::Family;
pub(super) use super::unix::Watch;
use crate::netlink::{Look, Seen, Table, look, socket};

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
    look(Table::Addresses, |message| {
        families.extend(tables::usable_address(message).filter(|it| !families.contains(it)));
        enough_if(families.len() == Family::COUNT)
    })?;
    if families.is_empty() {
        return Ok(false);
    }
    // A default route comes first, so that the rest of a million is seldom looked at.
    let seen = look(Table::Routes, |message| {
        enough_if(tables::leading_route(message).is_some_and(|family| families.contains(&family)))
    })?;
    Ok(seen == Seen::Enough)
}

const fn enough_if(found: bool) -> Look {
    if found { Look::Enough } else { Look::Further }
}
