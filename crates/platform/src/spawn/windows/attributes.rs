//! What a new process is born with: the handles that it may inherit, and no others, and its job.

use std::{
    ffi::c_void,
    io,
    os::windows::io::RawHandle,
    ptr::{null, null_mut},
};

use windows_sys::Win32::System::Threading::{
    DeleteProcThreadAttributeList, InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROC_THREAD_ATTRIBUTE_JOB_LIST, UpdateProcThreadAttribute,
};

use crate::{process::Job, windows::succeed};

const COUNT: u32 = 2;

/// A list of attributes, with what they point to.
pub(super) struct Attributes {
    room: Vec<u64>,
    handles: Box<[RawHandle]>,
    jobs: Box<[RawHandle]>,
}

impl Attributes {
    /// The job outlives the list.
    #[expect(unsafe_code, reason = "InitializeProcThreadAttributeList")]
    pub(super) fn new(handles: [RawHandle; 3], job: Option<&Job>) -> io::Result<Self> {
        let mut size = 0;
        // SAFETY: a null list asks for the size, which is valid for writes.
        unsafe { InitializeProcThreadAttributeList(null_mut(), COUNT, 0, &raw mut size) };
        let mut room = vec![0_u64; size.div_ceil(8)];
        let raw = room.as_mut_ptr().cast();
        // SAFETY: the list has the size that was asked for.
        succeed(unsafe { InitializeProcThreadAttributeList(raw, COUNT, 0, &raw mut size) })?;
        let jobs = job.map(Job::raw).into_iter().collect();
        let list = Self { room, handles: Box::new(handles), jobs };
        list.set(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &list.handles)?;
        if !list.jobs.is_empty() {
            list.set(PROC_THREAD_ATTRIBUTE_JOB_LIST, &list.jobs)?;
        }
        Ok(list)
    }

    /// Sets an attribute to handles that are this value's own.
    #[expect(unsafe_code, reason = "UpdateProcThreadAttribute")]
    fn set(&self, which: u32, handles: &[RawHandle]) -> io::Result<()> {
        let which = usize::try_from(which).unwrap_or_default();
        let (at, length): (*const c_void, _) = (handles.as_ptr().cast(), size_of_val(handles));
        // SAFETY: the list is initialised; the handles do not move and live as long as the list.
        succeed(unsafe {
            UpdateProcThreadAttribute(self.raw(), 0, which, at, length, null_mut(), null())
        })
    }

    pub(super) fn raw(&self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.room.as_ptr().cast_mut().cast()
    }
}

impl Drop for Attributes {
    #[expect(unsafe_code, reason = "DeleteProcThreadAttributeList")]
    fn drop(&mut self) {
        // SAFETY: the list was initialised and is used no more.
        unsafe { DeleteProcThreadAttributeList(self.raw()) };
    }
}
