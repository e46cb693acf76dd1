//! The kernel's tables of links and addresses.

#[path = "linux/rows.rs"]
mod rows;
#[cfg(test)]
#[path = "linux/tests.rs"]
mod tests;

use std::{collections::BTreeMap, io, net::IpAddr};

use self::rows::Row;
use super::{Interface, InterfaceAddress};
use crate::netlink::{self, Table};

/// Whoever never agrees with itself is asked so often.
const READS_MAX: usize = 20;

pub(super) fn list() -> io::Result<Vec<InterfaceAddress>> {
    let rows = rows()?;
    // Read afterwards: an interface that is newer than the first look has no address there.
    let interfaces: BTreeMap<_, _> = interfaces()?.into_iter().map(|it| (it.index, it)).collect();
    let mut all = Vec::new();
    for (index, row) in rows {
        // Whoever has gone meanwhile took its addresses along.
        all.extend(interfaces.get(&index).map(|interface| row.on(interface.clone())));
    }
    Ok(all)
}

/// Reads until two reads agree.
///
/// A table of more than one part is read while addresses come and go, and the kernel counts a
/// change only after it has made it (6.18): one that falls into the last part goes unsaid, and
/// whatever lies behind it moves out of sight.
fn rows() -> io::Result<Vec<(u32, Row)>> {
    let mut former = netlink::rows(Table::Addresses, rows::address)?;
    for _ in 0..READS_MAX {
        let latter = netlink::rows(Table::Addresses, rows::address)?;
        if former.iter().map(key).eq(latter.iter().map(key)) {
            return Ok(latter);
        }
        former = latter;
    }
    Err(io::Error::new(io::ErrorKind::Interrupted, "addresses come and go while they are read"))
}

/// Times pass between two reads.
const fn key((index, row): &(u32, Row)) -> (u32, IpAddr) {
    (*index, row.address)
}

pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    netlink::rows(Table::Links, rows::interface)
}

pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one == other
}
