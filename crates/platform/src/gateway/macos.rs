//! `sysctl`: the kernel's table of routes that lead by a gateway.

use std::{io, ptr::null_mut};

use super::{
    Route,
    rows::{self, HEAD_BYTES},
};

const _: () = assert!(size_of::<libc::rt_msghdr>() == HEAD_BYTES);

/// `RTF_GATEWAY`.
const BY_GATEWAY: libc::c_int = 0x2;
/// Routes may come between two calls, so that there is room for some more.
const MORE_BYTES: usize = 16 * 1024;
/// No table is as long.
const BYTES_MAX: usize = 256 * 1024 * 1024;

pub(super) fn routes() -> io::Result<Vec<Route>> {
    Ok(rows::default_routes(&table()?))
}

fn table() -> io::Result<Vec<u8>> {
    let mut bytes = 0;
    ask(null_mut(), &mut bytes)?;
    while bytes <= BYTES_MAX {
        bytes += MORE_BYTES;
        let mut room = vec![0; bytes];
        match ask(room.as_mut_ptr(), &mut bytes) {
            Ok(()) => {
                room.truncate(bytes);
                return Ok(room);
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => bytes = room.len() * 2,
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::OutOfMemory.into())
}

/// Has the kernel write, or say how much room it needs.
#[expect(unsafe_code, reason = "sysctl")]
fn ask(room: *mut u8, bytes: &mut usize) -> io::Result<()> {
    let mut name =
        [libc::CTL_NET, libc::PF_ROUTE, 0, libc::AF_UNSPEC, libc::NET_RT_FLAGS, BY_GATEWAY];
    let parts = libc::c_uint::try_from(name.len()).map_err(io::Error::other)?;
    let nothing = null_mut();
    // SAFETY: the name is valid for its length, and the room, unless it is null, for `bytes`.
    match unsafe { libc::sysctl(name.as_mut_ptr(), parts, room.cast(), bytes, nothing, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
