//! `GetIpForwardTable2`.

use std::{io, ptr::null_mut, slice};

use windows_sys::Win32::{
    NetworkManagement::IpHelper::{
        FreeMibTable, GetIpForwardTable2, MIB_IPFORWARD_ROW2, MIB_IPFORWARD_TABLE2,
    },
    Networking::WinSock::AF_UNSPEC,
};

use super::Route;
use crate::windows::{
    adapters::{Adapters, Wanted, inet},
    check,
};

pub(super) fn routes() -> io::Result<Vec<Route>> {
    let table = Table::look()?;
    let metrics = metrics()?;
    let to_anywhere = table.rows().iter().filter(|row| row.DestinationPrefix.PrefixLength == 0);
    Ok(to_anywhere.filter_map(|row| route(row, &metrics)).collect())
}

/// The metric of a route counts on top of that of its interface.
fn route(row: &MIB_IPFORWARD_ROW2, metrics: &[(u32, [u32; 2])]) -> Option<Route> {
    let gateway = inet(&row.NextHop)?.ip();
    if gateway.is_unspecified() || row.Loopback {
        return None;
    }
    let interface = metrics.iter().find(|(index, _)| *index == row.InterfaceIndex);
    let [v4, v6] = interface.map(|(_, metrics)| *metrics)?;
    let own = if gateway.is_ipv4() { v4 } else { v6 };
    let metric = row.Metric.saturating_add(own);
    Some(Route { interface: row.InterfaceIndex, gateway, metric })
}

/// Returns the metrics of interfaces that are up.
fn metrics() -> io::Result<Vec<(u32, [u32; 2])>> {
    let adapters = Adapters::look(Wanted::Nothing)?;
    let up = adapters.iter().map(|it| (it.interface(), it.metrics())).filter(|it| it.0.is_up);
    Ok(up.map(|(interface, metrics)| (interface.index, metrics)).collect())
}

/// All routes of both families.
struct Table(*mut MIB_IPFORWARD_TABLE2);

impl Table {
    #[expect(unsafe_code, reason = "GetIpForwardTable2")]
    fn look() -> io::Result<Self> {
        let mut table = null_mut();
        // SAFETY: the pointer is valid for writes.
        check(unsafe { GetIpForwardTable2(AF_UNSPEC, &raw mut table) })?;
        Ok(Self(table))
    }

    #[expect(unsafe_code, reason = "a table of the system's")]
    fn rows(&self) -> &[MIB_IPFORWARD_ROW2] {
        // SAFETY: the system has written the table, which lives as long as `self`.
        let Some(table) = (unsafe { self.0.as_ref() }) else { return &[] };
        let count = usize::try_from(table.NumEntries).unwrap_or_default();
        let first = (&raw const table.Table).cast();
        // SAFETY: so many rows begin there.
        unsafe { slice::from_raw_parts(first, count) }
    }
}

impl Drop for Table {
    #[expect(unsafe_code, reason = "FreeMibTable")]
    fn drop(&mut self) {
        // SAFETY: the table is the system's own and nobody borrows from it any more.
        unsafe { FreeMibTable(self.0.cast()) };
    }
}
