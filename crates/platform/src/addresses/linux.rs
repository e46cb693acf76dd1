//! The kernel's tables of links and addresses.

#[path = "linux/rows.rs"]
mod rows;
#[cfg(test)]
#[path = "linux/tests.rs"]
mod tests;

use std::{collections::BTreeMap, io};

use super::{Interface, InterfaceAddress};
use crate::netlink::{self, Table};

pub(super) fn list() -> io::Result<Vec<InterfaceAddress>> {
    let rows = netlink::rows(Table::Addresses, rows::address)?;
    // Read afterwards: an interface that is newer than the first look has no address there.
    let interfaces: BTreeMap<_, _> = interfaces()?.into_iter().map(|it| (it.index, it)).collect();
    let mut all = Vec::new();
    for (index, row) in rows {
        // Whoever has gone meanwhile took its addresses along.
        all.extend(interfaces.get(&index).map(|interface| row.on(interface.clone())));
    }
    Ok(all)
}

pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    netlink::rows(Table::Links, rows::interface)
}

pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one == other
}
