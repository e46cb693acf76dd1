//! Groups of whoever connected (`LOCAL_PEERCRED`); access lists are not set on this system.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
    path::Path,
};

/// Returns the groups of whoever connected; the system tells at most 16.
#[expect(unsafe_code, reason = "LOCAL_PEERCRED has no safe wrapper")]
pub(super) fn groups(socket: BorrowedFd<'_>) -> io::Result<Vec<libc::gid_t>> {
    // SAFETY: zeros are credentials without groups.
    let mut found: libc::xucred = unsafe { std::mem::zeroed() };
    let mut size = libc::socklen_t::try_from(size_of::<libc::xucred>()).unwrap_or_default();
    let (raw, to) = (socket.as_raw_fd(), (&raw mut found).cast());
    // SAFETY: `to` is valid for writes of `size` bytes; `size` is valid for writes.
    let result =
        unsafe { libc::getsockopt(raw, libc::SOL_LOCAL, libc::LOCAL_PEERCRED, to, &raw mut size) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let count = usize::try_from(found.cr_ngroups).unwrap_or_default();
    Ok(found.cr_groups.into_iter().take(count).collect())
}

/// Refuses, unless there is nobody to let in.
pub(super) fn let_in(_path: &Path, groups: &[u32]) -> io::Result<()> {
    if groups.is_empty() { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
}
