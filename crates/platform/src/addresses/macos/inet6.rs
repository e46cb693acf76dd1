//! What the kernel says of an address of IPv6: `SIOCGIFAFLAG_IN6` and `SIOCGIFALIFETIME_IN6`.

use std::{
    io,
    mem::{offset_of, zeroed},
    os::fd::{AsRawFd as _, OwnedFd},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    net::{AddressFamily, SocketType, socket},
};

use super::super::{InterfaceAddress, Origin, State};

/// `_IOWR('i', 73, struct in6_ifreq)` of `netinet6/in6_var.h`.
const FLAGS: libc::c_ulong = 0xc120_6949;
/// `_IOWR('i', 81, struct in6_ifreq)`.
const LIFETIME: libc::c_ulong = 0xc120_6951;
/// Both numbers tell how long the question is.
const QUESTION_BYTES: usize = 0x120;
const _: () = assert!(size_of::<libc::in6_ifreq>() == QUESTION_BYTES);
const _: () = assert!(offset_of!(libc::in6_ifreq, ifr_ifru) == libc::IFNAMSIZ);

/// `IN6_IFF_…` of the same file.
const TENTATIVE: libc::c_int = 0x2;
const DUPLICATED: libc::c_int = 0x4;
const DEPRECATED: libc::c_int = 0x10;
const AUTOCONF: libc::c_int = 0x40;
const TEMPORARY: libc::c_int = 0x80;
const DYNAMIC: libc::c_int = 0x100;
const SECURED: libc::c_int = 0x400;

/// Asks about addresses, one by one.
pub(super) struct Asked(OwnedFd);

impl Asked {
    pub(super) fn begin() -> io::Result<Self> {
        let socket = socket(AddressFamily::INET6, SocketType::DGRAM, None)?;
        fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
        Ok(Self(socket))
    }

    /// Adds origin, state and times; nothing when the address has gone meanwhile.
    #[expect(unsafe_code, reason = "unions that the kernel has filled")]
    pub(super) fn complete(
        &self,
        found: &mut InterfaceAddress,
        entry: &libc::ifaddrs,
    ) -> Option<()> {
        let answer = self.ask(FLAGS, entry).ok()?;
        // SAFETY: every bit pattern is a number.
        let flags = unsafe { answer.ifr_ifru.ifru_flags6 };
        let answer = self.ask(LIFETIME, entry).ok()?;
        // SAFETY: every bit pattern is a number.
        let times = unsafe { answer.ifr_ifru.ifru_lifetime };
        found.origin = origin(flags);
        found.preferred_lifetime = until(times.ia6t_preferred);
        found.valid_lifetime = until(times.ia6t_expire);
        found.state = state(flags, found.preferred_lifetime);
        Some(())
    }

    #[expect(unsafe_code, reason = "ioctl")]
    fn ask(&self, what: libc::c_ulong, entry: &libc::ifaddrs) -> io::Result<libc::in6_ifreq> {
        let mut question = question(entry);
        // SAFETY: the question is as long as its number says.
        match unsafe { libc::ioctl(self.0.as_raw_fd(), what, &raw mut question) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(question),
        }
    }
}

#[expect(unsafe_code, reason = "a name and an address of the system's")]
fn question(entry: &libc::ifaddrs) -> libc::in6_ifreq {
    // SAFETY: all zeros are such a value.
    let mut question: libc::in6_ifreq = unsafe { zeroed() };
    // SAFETY: every entry has a name, which ends with NUL.
    let name = unsafe { std::ffi::CStr::from_ptr(entry.ifa_name) };
    let letters = name.to_bytes().iter().take(libc::IFNAMSIZ - 1);
    for (to, from) in question.ifr_name.iter_mut().zip(letters) {
        *to = from.cast_signed();
    }
    // SAFETY: the entry's address is one of IPv6, and so long.
    question.ifr_ifru.ifru_addr =
        unsafe { entry.ifa_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
    question
}

const fn origin(flags: libc::c_int) -> Origin {
    if flags & TEMPORARY != 0 {
        Origin::Temporary
    } else if flags & DYNAMIC != 0 {
        Origin::Dhcp
    } else if flags & SECURED != 0 {
        Origin::StablePrivacy
    } else if flags & AUTOCONF != 0 {
        Origin::Autoconfigured
    } else {
        Origin::Unknown
    }
}

fn state(flags: libc::c_int, preferred: Option<Duration>) -> State {
    if flags & DUPLICATED != 0 {
        State::Duplicate
    } else if flags & TENTATIVE != 0 {
        State::Tentative
    } else if flags & DEPRECATED != 0 || preferred == Some(Duration::ZERO) {
        State::Deprecated
    } else {
        State::Preferred
    }
}

/// The kernel tells the time of day at which something ends, or 0 for never.
fn until(end: libc::time_t) -> Option<Duration> {
    if end == 0 {
        return None;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let end = Duration::from_secs(u64::try_from(end).unwrap_or_default());
    Some(end.saturating_sub(now))
}
