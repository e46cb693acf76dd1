//! Named jobs: a program with everything it starts. A dead keeper takes nobody along, but for a
//! program that has not begun and that nobody could find.

use std::{
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
    ptr::{null, null_mut},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_MORE_DATA},
    System::{
        JobObjects::{
            CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
            JOBOBJECT_BASIC_ACCOUNTING_INFORMATION, JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION,
            JOBOBJECT_BASIC_PROCESS_ID_LIST, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
            JOBOBJECTINFOCLASS, JobObjectBasicAccountingInformation,
            JobObjectBasicAndIoAccountingInformation, JobObjectBasicProcessIdList,
            JobObjectExtendedLimitInformation, OpenJobObjectW, QueryInformationJobObject,
            SetInformationJobObject, TerminateJobObject,
        },
        Threading::QueryFullProcessImageNameW,
    },
};

use crate::windows::{is, own, succeed, wide};

/// `JOB_OBJECT_QUERY`.
const ASK: u32 = 0x0004;
/// `JOB_OBJECT_TERMINATE`.
const END: u32 = 0x0008;
/// So many members of a job are seen at once; the next look sees the others.
pub(crate) const MEMBERS_MAX: usize = 1024;
/// The list of members behind the two counters.
const COUNTERS: usize = 1;

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    handle: OwnedHandle,
}

fn name_of(id: &str) -> Vec<u16> {
    wide(format!("Local\\mainstay-{id}"))
}

impl Job {
    /// Makes a job that can be opened by its name as long as somebody holds it. One of that name
    /// must not be there: it would be somebody else's. Whoever is in it ends with its last handle
    /// until [`outlive_us`](Self::outlive_us).
    #[expect(unsafe_code, reason = "CreateJobObjectW")]
    pub(crate) fn new(id: &str) -> io::Result<Self> {
        let name = name_of(id);
        // SAFETY: the name ends with NUL.
        let raw = unsafe { CreateJobObjectW(null(), name.as_ptr()) };
        let outcome = io::Error::last_os_error();
        // SAFETY: the handle is new or null.
        let handle = unsafe { own(raw) }?;
        if is(&outcome, ERROR_ALREADY_EXISTS) {
            return Err(outcome);
        }
        let job = Self { handle };
        job.limit(JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)?;
        Ok(job)
    }

    /// Lets go of whoever is in it: they run on when the last handle is closed.
    pub(crate) fn outlive_us(&self) -> io::Result<()> {
        self.limit(0)
    }

    #[expect(unsafe_code, reason = "SetInformationJobObject")]
    fn limit(&self, flags: u32) -> io::Result<()> {
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = flags;
        let size = u32::try_from(size_of_val(&limits)).unwrap_or_default();
        let from = (&raw const limits).cast();
        // SAFETY: `from` is valid for reads of `size` bytes.
        succeed(unsafe {
            let what = JobObjectExtendedLimitInformation;
            SetInformationJobObject(self.raw(), what, from, size)
        })
    }

    /// Opens a job by its name, if there is one.
    pub(crate) fn open(id: &str) -> io::Result<Option<Self>> {
        Self::open_for(ASK | END, id)
    }

    /// Opens a job for questions alone, if there is one of that name.
    pub(crate) fn open_to_ask(id: &str) -> io::Result<Option<Self>> {
        Self::open_for(ASK, id)
    }

    #[expect(unsafe_code, reason = "OpenJobObjectW")]
    fn open_for(access: u32, id: &str) -> io::Result<Option<Self>> {
        let name = name_of(id);
        // SAFETY: the name ends with NUL.
        let raw = unsafe { OpenJobObjectW(access, 0, name.as_ptr()) };
        // SAFETY: the handle is new or null.
        match unsafe { own(raw) } {
            Ok(handle) => Ok(Some(Self { handle })),
            Err(error) if is(&error, ERROR_FILE_NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn raw(&self) -> RawHandle {
        self.handle.as_raw_handle()
    }

    #[expect(unsafe_code, reason = "TerminateJobObject")]
    pub(super) fn terminate(&self, code: u32) -> io::Result<()> {
        // SAFETY: the handle is open.
        succeed(unsafe { TerminateJobObject(self.raw(), code) })
    }

    /// Returns the time on processors of all who are or were in the job.
    pub(crate) fn time(&self) -> io::Result<Duration> {
        let mut known = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        self.ask(JobObjectBasicAccountingInformation, &mut known)?;
        let ticks = known.TotalUserTime.saturating_add(known.TotalKernelTime);
        Ok(Duration::from_nanos(u64::try_from(ticks).unwrap_or_default().saturating_mul(100)))
    }

    /// Returns how much all who are or were in the job have read and written, by any call.
    pub(crate) fn transfers(&self) -> io::Result<(u64, u64)> {
        let mut known = JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION::default();
        self.ask(JobObjectBasicAndIoAccountingInformation, &mut known)?;
        Ok((known.IoInfo.ReadTransferCount, known.IoInfo.WriteTransferCount))
    }

    /// Asks for counters, of which each class has a form of its own.
    #[expect(unsafe_code, reason = "QueryInformationJobObject")]
    fn ask<T>(&self, class: JOBOBJECTINFOCLASS, known: &mut T) -> io::Result<()> {
        let size = u32::try_from(size_of::<T>()).unwrap_or_default();
        let to = (&raw mut *known).cast();
        // SAFETY: `to` is valid for writes of `size` bytes, which are numbers in every class.
        succeed(unsafe { QueryInformationJobObject(self.raw(), class, to, size, null_mut()) })
    }

    /// Returns the numbers of the processes in the job.
    #[expect(unsafe_code, reason = "QueryInformationJobObject")]
    pub(crate) fn members(&self) -> io::Result<Vec<u32>> {
        // Two counters of four bytes, then one number of eight bytes for each member.
        let mut room = vec![0_u64; COUNTERS + MEMBERS_MAX];
        let size = u32::try_from(size_of_val(room.as_slice())).unwrap_or_default();
        let to = room.as_mut_ptr().cast();
        // SAFETY: `to` is valid for writes of `size` bytes and aligned.
        let done = succeed(unsafe {
            let list = JobObjectBasicProcessIdList;
            QueryInformationJobObject(self.raw(), list, to, size, null_mut())
        });
        match done {
            Err(error) if !is(&error, ERROR_MORE_DATA) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // SAFETY: the call filled in the counters, or left them 0.
        let list = unsafe { &*room.as_ptr().cast::<JOBOBJECT_BASIC_PROCESS_ID_LIST>() };
        let count = usize::try_from(list.NumberOfProcessIdsInList).unwrap_or_default();
        let members = room.iter().skip(COUNTERS).take(count);
        Ok(members.filter_map(|pid| u32::try_from(*pid).ok()).collect())
    }
}

/// Returns whether a process is the server of a console: it comes and goes with its program.
#[expect(unsafe_code, reason = "QueryFullProcessImageNameW")]
pub(super) fn is_console_host(process: RawHandle) -> bool {
    let mut name = [0_u16; 1024];
    let mut length = 1024;
    // SAFETY: `name` is valid for writes of `length` units; `length` is valid for writes.
    unsafe { QueryFullProcessImageNameW(process, 0, name.as_mut_ptr(), &raw mut length) };
    let length = usize::try_from(length).unwrap_or_default();
    let name = String::from_utf16_lossy(name.get(..length).unwrap_or_default());
    name.to_ascii_lowercase().ends_with("\\conhost.exe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_somebody_else_is_not_taken_for_a_new_one() {
        let name = format!("job-{}", std::process::id());
        let first = Job::new(&name).unwrap();
        assert!(is(&Job::new(&name).unwrap_err(), ERROR_ALREADY_EXISTS));
        drop(first);
        Job::new(&name).unwrap();
    }
}
