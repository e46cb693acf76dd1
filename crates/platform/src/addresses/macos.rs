//! `getifaddrs`, and what the kernel says of each address of IPv6.

#[path = "macos/inet6.rs"]
mod inet6;

use std::{
    collections::BTreeMap,
    ffi::CStr,
    io,
    iter::successors,
    net::IpAddr,
    ptr::{NonNull, null_mut},
    slice,
};

use self::inet6::Asked;
use super::{Interface, InterfaceAddress, Origin, State};
use crate::socket_address;

pub(super) fn list() -> io::Result<Vec<InterfaceAddress>> {
    let entries = Entries::look()?;
    let interfaces = entries.interfaces();
    let asked = Asked::begin()?;
    let mut all = Vec::new();
    for entry in entries.iter() {
        let Some(interface) = interfaces.get(&name_of(entry)) else { continue };
        all.extend(address(entry, interface, &asked));
    }
    Ok(all)
}

pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    Ok(Entries::look()?.interfaces().into_values().collect())
}

pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one == other
}

fn address(entry: &libc::ifaddrs, on: &Interface, asked: &Asked) -> Option<InterfaceAddress> {
    let address = socket_address::address_in(bytes_at(&entry.ifa_addr))?;
    let mut found = InterfaceAddress {
        interface: on.clone(),
        address,
        prefix_length: prefix_length(entry, address),
        peer: peer(entry, address),
        origin: Origin::Unknown,
        state: State::Preferred,
        preferred_lifetime: None,
        valid_lifetime: None,
    };
    if address.is_ipv6() {
        asked.complete(&mut found, entry)?;
    }
    Some(found)
}

/// Without a mask the address is alone.
fn prefix_length(entry: &libc::ifaddrs, address: IpAddr) -> u8 {
    match bytes_at(&entry.ifa_netmask) {
        [] if address.is_ipv4() => 32,
        [] => 128,
        mask => socket_address::prefix_length_in(mask, address),
    }
}

fn peer(entry: &libc::ifaddrs, address: IpAddr) -> Option<IpAddr> {
    if !has(entry, libc::IFF_POINTOPOINT) {
        return None;
    }
    socket_address::address_in(bytes_at(&entry.ifa_dstaddr)).filter(|it| *it != address)
}

fn has(entry: &libc::ifaddrs, flag: libc::c_int) -> bool {
    entry.ifa_flags & flag.unsigned_abs() != 0
}

/// Returns what the system has written there, which lives as long as the entry that points to it.
#[expect(unsafe_code, reason = "an address of the system's")]
const fn bytes_at(at: &*mut libc::sockaddr) -> &[u8] {
    if at.is_null() {
        return &[];
    }
    // SAFETY: the system has written an address there.
    let size = unsafe { (**at).sa_len };
    // SAFETY: an address is as long as its first byte says.
    unsafe { slice::from_raw_parts(at.cast::<u8>(), size as usize) }
}

#[expect(unsafe_code, reason = "a name of the system's")]
fn name_of(entry: &libc::ifaddrs) -> String {
    // SAFETY: every entry has a name, which lives as long as the entry.
    let name = unsafe { CStr::from_ptr(entry.ifa_name) };
    name.to_string_lossy().into_owned()
}

/// What `getifaddrs` has written: an entry for each address, and one for each interface itself.
struct Entries(*mut libc::ifaddrs);

impl Entries {
    #[expect(unsafe_code, reason = "getifaddrs")]
    fn look() -> io::Result<Self> {
        let mut first = null_mut();
        // SAFETY: the pointer is valid for writes.
        match unsafe { libc::getifaddrs(&raw mut first) } {
            0 => Ok(Self(first)),
            _ => Err(io::Error::last_os_error()),
        }
    }

    #[expect(unsafe_code, reason = "a list of the system's")]
    fn iter(&self) -> impl Iterator<Item = &libc::ifaddrs> {
        // SAFETY: null or an entry of the list, which lives as long as `self`.
        let at = |pointer| NonNull::new(pointer).map(|it| unsafe { it.as_ref() });
        successors(at(self.0), move |it: &&libc::ifaddrs| at(it.ifa_next))
    }

    fn interfaces(&self) -> BTreeMap<String, Interface> {
        let mut all = BTreeMap::new();
        for entry in self.iter() {
            all.entry(name_of(entry)).or_insert_with(|| interface(entry));
        }
        all
    }
}

impl Drop for Entries {
    #[expect(unsafe_code, reason = "freeifaddrs")]
    fn drop(&mut self) {
        // SAFETY: the list is ours, and nobody borrows from it any more.
        unsafe { libc::freeifaddrs(self.0) };
    }
}

#[expect(unsafe_code, reason = "if_nametoindex")]
fn interface(entry: &libc::ifaddrs) -> Interface {
    // SAFETY: every entry has a name, which lives as long as the entry.
    let index = unsafe { libc::if_nametoindex(entry.ifa_name) };
    Interface {
        index,
        name: name_of(entry),
        aliases: Vec::new(),
        is_up: has(entry, libc::IFF_UP) && has(entry, libc::IFF_RUNNING),
        is_loopback: has(entry, libc::IFF_LOOPBACK),
        is_point_to_point: has(entry, libc::IFF_POINTOPOINT),
    }
}
