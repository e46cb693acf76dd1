//! The job that somebody has put us into, and the variables of machine and user.

use std::ptr::null_mut;

use windows_sys::Win32::System::JobObjects::{
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation,
    QueryInformationJobObject,
};

use crate::{spawn, windows::succeed};

/// Whoever may leave the job without asking is not ended with it.
#[expect(unsafe_code, reason = "QueryInformationJobObject")]
pub(super) fn ends_with_somebody() -> bool {
    let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
    let size = u32::try_from(size_of_val(&limits)).unwrap_or_default();
    let (what, to) = (JobObjectExtendedLimitInformation, (&raw mut limits).cast());
    // SAFETY: null means the job of this process; `to` is valid for writes of `size` bytes.
    let done =
        succeed(unsafe { QueryInformationJobObject(null_mut(), what, to, size, null_mut()) });
    let flags = limits.BasicLimitInformation.LimitFlags;
    let has = |flag| flags & flag != 0;
    // Outside of any job the call fails.
    done.is_ok()
        && has(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)
        && !has(JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK)
}

pub(super) fn path_of_now() -> String {
    let variables = spawn::variables_of_now().unwrap_or_default();
    let path = variables.iter().find_map(|variable| {
        let (name, value) = variable.split_once('=')?;
        name.eq_ignore_ascii_case("PATH").then(|| value.to_owned())
    });
    path.unwrap_or_default()
}
