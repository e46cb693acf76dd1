//! The process table: libproc and `sysctl`.

use std::{io, mem::MaybeUninit, ptr::null_mut};

use super::super::arguments;

/// Processes that come into being between counting and listing.
const ROOM_FOR_MORE: usize = 64;
/// A second argument of `PROC_PIDTBSDINFO`: also look among those that were not reaped yet.
const WITH_ENDED: u64 = 1;
const MICROSECONDS: u64 = 1_000_000;
/// `ARG_MAX`, should the system not tell its own.
const ARGUMENTS_BYTES: usize = 1024 * 1024;

/// Returns when a process was started, in microseconds since 1970; nothing when it is gone, or
/// when it is another user's business.
///
/// A process that has ended counts until it is reaped.
#[expect(unsafe_code, reason = "proc_pidinfo")]
pub(super) fn started(pid: u32) -> Option<u64> {
    let pid = libc::c_int::try_from(pid).ok()?;
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = libc::c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    let room = info.as_mut_ptr().cast();
    // SAFETY: `room` is valid for writes of `size` bytes.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, WITH_ENDED, room, size) };
    // SAFETY: it was zeroed, and all-zero is a valid proc_bsdinfo.
    let info = unsafe { info.assume_init() };
    (got == size).then(|| info.pbi_start_tvsec * MICROSECONDS + info.pbi_start_tvusec)
}

/// Returns the numbers of all processes that have not ended.
#[expect(unsafe_code, reason = "proc_listallpids")]
pub(crate) fn everybody() -> io::Result<Vec<u32>> {
    // SAFETY: `listed` passes null and 0, or a buffer and its size.
    listed(|into, size| unsafe { libc::proc_listallpids(into, size) })
}

/// Returns the numbers of all members of a group.
#[expect(unsafe_code, reason = "proc_listpgrppids")]
pub(super) fn members(group: u32) -> io::Result<Vec<u32>> {
    let Ok(group) = libc::pid_t::try_from(group) else { return Ok(Vec::new()) };
    // SAFETY: as above.
    listed(|into, size| unsafe { libc::proc_listpgrppids(group, into, size) })
}

/// Asks twice: for how many there are, and for the numbers themselves.
fn listed(list: impl Fn(*mut libc::c_void, libc::c_int) -> libc::c_int) -> io::Result<Vec<u32>> {
    let count = usize::try_from(list(null_mut(), 0)).map_err(|_| io::Error::last_os_error())?;
    let mut room: Vec<libc::pid_t> = vec![0; count + ROOM_FOR_MORE];
    let size = libc::c_int::try_from(size_of_val(room.as_slice())).unwrap_or(libc::c_int::MAX);
    let count = usize::try_from(list(room.as_mut_ptr().cast(), size))
        .map_err(|_| io::Error::last_os_error())?;
    room.truncate(count);
    // 0 is the kernel.
    Ok(room.into_iter().filter_map(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0).collect())
}

/// Looks into environments; its buffer is large and serves for a whole walk.
#[derive(Debug)]
pub(super) struct Environments {
    room: Vec<u8>,
}

impl Environments {
    pub(super) fn new() -> Self {
        let mut bytes = [0; size_of::<libc::c_int>()];
        let told = ask(&[libc::CTL_KERN, libc::KERN_ARGMAX], &mut bytes).is_ok();
        let told = told.then(|| usize::try_from(libc::c_int::from_ne_bytes(bytes)).ok()).flatten();
        Self { room: vec![0; told.unwrap_or(ARGUMENTS_BYTES)] }
    }

    /// Returns the variables that a process was started with; none when it is gone, another
    /// user's, or part of the system.
    pub(super) fn of(&mut self, pid: u32) -> Vec<Vec<u8>> {
        let Ok(pid) = libc::c_int::try_from(pid) else { return Vec::new() };
        let what = [libc::CTL_KERN, libc::KERN_PROCARGS2, pid];
        let size = ask(&what, &mut self.room).unwrap_or_default();
        arguments::variables(self.room.get(..size).unwrap_or_default())
    }
}

/// Returns how many bytes the answer has.
#[expect(unsafe_code, reason = "sysctl")]
fn ask(what: &[libc::c_int], room: &mut [u8]) -> io::Result<usize> {
    let count = libc::c_uint::try_from(what.len()).unwrap_or_default();
    let (name, into) = (what.as_ptr().cast_mut(), room.as_mut_ptr().cast());
    let mut size = room.len();
    // SAFETY: `name` holds `count` numbers, which are only read; `into` is valid for writes of
    // `size` bytes; nothing is set.
    let result = unsafe { libc::sysctl(name, count, into, &raw mut size, null_mut(), 0) };
    if result == 0 { Ok(size) } else { Err(io::Error::last_os_error()) }
}
