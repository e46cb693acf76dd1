//! `GetAdaptersAddresses`: adapters and what belongs to them.

use std::{
    io,
    iter::successors,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    ptr::null,
};

use windows_sys::Win32::{
    Foundation::{ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA, ERROR_SUCCESS},
    NetworkManagement::{
        IpHelper::{
            GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_MULTICAST,
            GAA_FLAG_SKIP_UNICAST, GetAdaptersAddresses, IF_TYPE_PPP, IF_TYPE_SOFTWARE_LOOPBACK,
            IF_TYPE_TUNNEL, IP_ADAPTER_ADDRESSES_LH, IP_ADAPTER_DNS_SERVER_ADDRESS_XP,
            IP_ADAPTER_UNICAST_ADDRESS_LH,
        },
        Ndis::IfOperStatusUp,
    },
    Networking::WinSock::{
        AF_INET, AF_INET6, AF_UNSPEC, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_INET, SOCKET_ADDRESS,
    },
};

use crate::addresses::Interface;

/// What the documentation of the call advises to begin with.
const BYTES_AT_FIRST: u32 = 15 * 1024;
/// No machine has so many adapters.
const BYTES_MAX: u32 = 16 * 1024 * 1024;

/// What is asked for beside the adapters themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Addresses,
    Resolvers,
    Nothing,
}

impl Wanted {
    const fn flags(self) -> u32 {
        let never = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST;
        match self {
            Self::Addresses => never | GAA_FLAG_SKIP_DNS_SERVER,
            Self::Resolvers => never | GAA_FLAG_SKIP_UNICAST,
            Self::Nothing => never | GAA_FLAG_SKIP_UNICAST | GAA_FLAG_SKIP_DNS_SERVER,
        }
    }
}

/// What the system has written about all adapters: lists that point at each other.
#[derive(Debug)]
pub(crate) struct Adapters {
    /// In units that are aligned as the lists are; empty where there are no adapters.
    room: Vec<u64>,
}

impl Adapters {
    /// Asks the system.
    pub(crate) fn look(wanted: Wanted) -> io::Result<Self> {
        let mut bytes = BYTES_AT_FIRST;
        while bytes <= BYTES_MAX {
            let mut room = vec![0_u64; usize::try_from(bytes).unwrap_or(0).div_ceil(8)];
            match fill(&mut room, wanted, &mut bytes) {
                ERROR_SUCCESS => return Ok(Self { room }),
                ERROR_NO_DATA => return Ok(Self { room: Vec::new() }),
                // Adapters may come between two calls, so that there is room for some more.
                ERROR_BUFFER_OVERFLOW => bytes = bytes.saturating_add(BYTES_AT_FIRST),
                error => return Err(io::Error::from_raw_os_error(error.cast_signed())),
            }
        }
        Err(io::ErrorKind::OutOfMemory.into())
    }

    /// Returns the adapters one by one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Adapter<'_>> {
        let first = if self.room.is_empty() { null() } else { self.room.as_ptr().cast() };
        // SAFETY: the system has written a list there, which lies in the room.
        #[expect(unsafe_code, reason = "a list of the system's")]
        let all = unsafe { list(first, |it: &IP_ADAPTER_ADDRESSES_LH| it.Next.cast_const()) };
        all.map(Adapter)
    }
}

/// One adapter.
#[derive(Clone, Copy)]
pub(crate) struct Adapter<'a>(&'a IP_ADAPTER_ADDRESSES_LH);

impl<'a> Adapter<'a> {
    /// Returns the addresses that are its own.
    #[expect(unsafe_code, reason = "a list of the system's")]
    pub(crate) fn addresses(self) -> impl Iterator<Item = &'a IP_ADAPTER_UNICAST_ADDRESS_LH> {
        // SAFETY: the system has written a list there, which lives as long as the adapter.
        unsafe {
            list(self.0.FirstUnicastAddress.cast_const(), |it: &IP_ADAPTER_UNICAST_ADDRESS_LH| {
                it.Next.cast_const()
            })
        }
    }

    /// Returns the servers of names that it was given, without a port.
    #[expect(unsafe_code, reason = "a list of the system's")]
    pub(crate) fn resolvers(self) -> impl Iterator<Item = SocketAddr> + use<'a> {
        // SAFETY: the system has written a list there, which lives as long as the adapter.
        let all = unsafe {
            list(self.0.FirstDnsServerAddress, |it: &IP_ADAPTER_DNS_SERVER_ADDRESS_XP| {
                it.Next.cast_const()
            })
        };
        // SAFETY: the system has written the address, which lives as long as the adapter.
        all.filter_map(|it| unsafe { address_at(it.Address) })
    }

    /// Returns how far behind others it comes, with IPv4 and with IPv6.
    pub(crate) const fn metrics(self) -> [u32; 2] {
        [self.0.Ipv4Metric, self.0.Ipv6Metric]
    }

    /// Returns what it is, as every system tells it.
    pub(crate) fn interface(self) -> Interface {
        let kind = self.0.IfType;
        Interface {
            index: self.index(),
            name: self.friendly_name(),
            aliases: vec![self.guid()],
            is_up: self.0.OperStatus == IfOperStatusUp,
            is_loopback: kind == IF_TYPE_SOFTWARE_LOOPBACK,
            is_point_to_point: [IF_TYPE_PPP, IF_TYPE_TUNNEL].contains(&kind),
        }
    }

    /// Returns its number; an adapter that has only one of the two families has it there.
    #[expect(unsafe_code, reason = "a union whose other part is for alignment alone")]
    fn index(self) -> u32 {
        // SAFETY: every bit pattern is a number.
        let of_v4 = unsafe { self.0.Anonymous1.Anonymous.IfIndex };
        if of_v4 == 0 { self.0.Ipv6IfIndex } else { of_v4 }
    }

    #[expect(unsafe_code, reason = "a text of the system's")]
    fn friendly_name(self) -> String {
        // SAFETY: null or a text that ends with NUL, which lives as long as the adapter.
        unsafe { super::text_at(self.0.FriendlyName) }
    }

    #[expect(unsafe_code, reason = "a text of the system's")]
    fn guid(self) -> String {
        if self.0.AdapterName.is_null() {
            return String::new();
        }
        // SAFETY: a text that ends with NUL, which lives as long as the adapter.
        let text = unsafe { std::ffi::CStr::from_ptr(self.0.AdapterName.cast()) };
        text.to_string_lossy().into_owned()
    }
}

/// Returns the address that a pointer and a length stand for.
///
/// # Safety
///
/// The pointer is null or points to as many bytes as the length says.
#[expect(unsafe_code, reason = "an address of one family or another")]
pub(crate) unsafe fn address_at(at: SOCKET_ADDRESS) -> Option<SocketAddr> {
    let bytes = usize::try_from(at.iSockaddrLength).ok()?;
    if at.lpSockaddr.is_null() || bytes < size_of::<SOCKADDR_IN>() {
        return None;
    }
    // SAFETY: it is long enough for a family.
    let family = unsafe { at.lpSockaddr.cast::<u16>().read_unaligned() };
    match family {
        AF_INET => {
            // SAFETY: it is long enough, and of this family.
            let v4 = unsafe { at.lpSockaddr.cast::<SOCKADDR_IN>().read_unaligned() };
            Some(address_of_v4(&v4))
        }
        AF_INET6 if bytes >= size_of::<SOCKADDR_IN6>() => {
            // SAFETY: as above.
            let v6 = unsafe { at.lpSockaddr.cast::<SOCKADDR_IN6>().read_unaligned() };
            Some(address_of_v6(&v6))
        }
        _ => None,
    }
}

/// Returns the address in a place that has room for either family.
#[expect(unsafe_code, reason = "a union whose first part tells which it is")]
pub(crate) fn inet(from: &SOCKADDR_INET) -> Option<SocketAddr> {
    // SAFETY: every part of the union begins with it.
    match unsafe { from.si_family } {
        AF_INET => {
            // SAFETY: it is of this family.
            let v4 = unsafe { &from.Ipv4 };
            Some(address_of_v4(v4))
        }
        AF_INET6 => {
            // SAFETY: it is of this family.
            let v6 = unsafe { &from.Ipv6 };
            Some(address_of_v6(v6))
        }
        _ => None,
    }
}

#[expect(unsafe_code, reason = "a union of the same four bytes")]
fn address_of_v4(from: &SOCKADDR_IN) -> SocketAddr {
    // SAFETY: every bit pattern is a number.
    let number = unsafe { from.sin_addr.S_un.S_addr };
    let address = Ipv4Addr::from(number.to_ne_bytes());
    SocketAddrV4::new(address, u16::from_be(from.sin_port)).into()
}

#[expect(unsafe_code, reason = "unions of the same bytes")]
fn address_of_v6(from: &SOCKADDR_IN6) -> SocketAddr {
    // SAFETY: every bit pattern is a number.
    let bytes = unsafe { from.sin6_addr.u.Byte };
    // SAFETY: as above.
    let scope = unsafe { from.Anonymous.sin6_scope_id };
    SocketAddrV6::new(Ipv6Addr::from(bytes), u16::from_be(from.sin6_port), 0, scope).into()
}

/// # Safety
///
/// Each pointer, the first one and those that follow, is null or points to a value that lives for
/// `'a` and is not changed meanwhile.
#[expect(unsafe_code, reason = "a list of the system's")]
unsafe fn list<'a, T: 'a>(
    first: *const T,
    next: fn(&T) -> *const T,
) -> impl Iterator<Item = &'a T> {
    // SAFETY: the caller promises it.
    let at = move |pointer: *const T| unsafe { pointer.as_ref() };
    successors(at(first), move |it| at(next(it)))
}

/// Has the system write, or say how much room it needs.
#[expect(unsafe_code, reason = "GetAdaptersAddresses")]
fn fill(room: &mut [u64], wanted: Wanted, bytes: &mut u32) -> u32 {
    let to = room.as_mut_ptr().cast();
    // SAFETY: the room has at least as many bytes as are told, and is aligned.
    unsafe { GetAdaptersAddresses(AF_UNSPEC.into(), wanted.flags(), null(), to, bytes) }
}
