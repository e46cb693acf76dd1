//! libproc.

use std::{io, mem::MaybeUninit, time::Duration};

use super::{Depth, Kin, Tally};
use crate::{process, usage};

/// A process of the pass.
#[derive(Debug)]
pub(super) struct Seen {
    kin: Kin,
}

/// Looks at all processes that we may ask about.
pub(super) fn look() -> io::Result<Vec<Seen>> {
    Ok(process::everybody()?.into_iter().filter_map(seen).collect())
}

fn seen(pid: u32) -> Option<Seen> {
    let info = about(pid)?;
    let started = info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec;
    Some(Seen { kin: Kin { pid, parent: info.pbi_ppid, group: info.pbi_pgid, started } })
}

#[expect(unsafe_code, reason = "proc_pidinfo")]
fn about(pid: u32) -> Option<libc::proc_bsdinfo> {
    let pid = libc::c_int::try_from(pid).ok()?;
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = libc::c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    let room = info.as_mut_ptr().cast();
    // SAFETY: `room` is valid for writes of `size` bytes.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, room, size) };
    // SAFETY: it was zeroed, and all-zero is a valid proc_bsdinfo.
    (got == size).then(|| unsafe { info.assume_init() })
}

impl Seen {
    pub(super) const fn kin(&self) -> Kin {
        self.kin
    }

    /// Starts are told by the time of day, which may be set: nobody is later for sure.
    #[expect(clippy::unused_self, reason = "the contract is that of systems where it shows")]
    pub(super) const fn is_later_than(&self, _moment: Duration) -> bool {
        false
    }

    /// Reads its counters; nothing when it is gone.
    pub(super) fn read(&self, depth: Depth) -> io::Result<Option<Tally>> {
        let Some(task) = usage::task_of(self.kin.pid)? else { return Ok(None) };
        let known = Tally {
            processes: 1,
            threads: Some(task.threads),
            processor_time: Some(task.usage.processor_time),
            memory_bytes: Some(task.usage.memory_bytes),
            memory_share_bytes: None,
            ..Tally::NONE
        };
        if depth == Depth::Time {
            return Ok(Some(known));
        }
        let used = resources(self.kin.pid);
        Ok(Some(Tally {
            memory_peak_bytes: used.map(|used| used.ri_lifetime_max_phys_footprint),
            descriptors: about(self.kin.pid).map(|info| info.pbi_nfiles.into()),
            read_bytes: used.map(|used| used.ri_diskio_bytesread),
            written_bytes: used.map(|used| used.ri_diskio_byteswritten),
            ..known
        }))
    }
}

#[expect(unsafe_code, reason = "proc_pid_rusage")]
fn resources(pid: u32) -> Option<libc::rusage_info_v4> {
    let pid = libc::c_int::try_from(pid).ok()?;
    let mut info = MaybeUninit::<libc::rusage_info_v4>::zeroed();
    let room = info.as_mut_ptr().cast();
    // SAFETY: `room` is valid for writes of the structure that the flavour asks for.
    let result = unsafe { libc::proc_pid_rusage(pid, libc::RUSAGE_INFO_V4, room) };
    // SAFETY: it was zeroed, and all-zero is a valid rusage_info_v4.
    let info = unsafe { info.assume_init() };
    (result == 0).then_some(info)
}

/// Returns the run's mark that a process was started with.
pub(super) fn mark_of(pid: u32) -> Option<Vec<u8>> {
    let variables = process::variables_of(pid);
    let mut all = variables.iter();
    all.find_map(|variable| variable.strip_prefix(b"MAINSTAY_ID=".as_slice())).map(<[u8]>::to_vec)
}
