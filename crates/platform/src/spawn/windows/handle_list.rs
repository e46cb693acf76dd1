//! The list of handles that a new process may inherit, and no others.

use std::{
    io,
    os::windows::io::RawHandle,
    ptr::{null, null_mut},
};

use windows_sys::Win32::System::Threading::{
    DeleteProcThreadAttributeList, InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, UpdateProcThreadAttribute,
};

use crate::windows::succeed;

/// An attribute list with one attribute.
pub(super) struct HandleList {
    room: Vec<u64>,
    handles: Box<[RawHandle]>,
}

impl HandleList {
    #[expect(unsafe_code, reason = "InitializeProcThreadAttributeList, UpdateProcThreadAttribute")]
    pub(super) fn new(handles: [RawHandle; 3]) -> io::Result<Self> {
        let mut size = 0;
        // SAFETY: a null list asks for the size, which is valid for writes.
        unsafe { InitializeProcThreadAttributeList(null_mut(), 1, 0, &raw mut size) };
        let mut room = vec![0_u64; size.div_ceil(8)];
        let raw = room.as_mut_ptr().cast();
        // SAFETY: the list has the size that was asked for.
        succeed(unsafe { InitializeProcThreadAttributeList(raw, 1, 0, &raw mut size) })?;
        let handles: Box<[RawHandle]> = Box::new(handles);
        let list = Self { room, handles };
        let which = usize::try_from(PROC_THREAD_ATTRIBUTE_HANDLE_LIST).unwrap_or_default();
        let (at, length) = (list.handles.as_ptr().cast(), size_of_val(&*list.handles));
        // SAFETY: the list is initialised; the handles do not move and live as long as the list.
        let done = unsafe {
            UpdateProcThreadAttribute(list.raw(), 0, which, at, length, null_mut(), null())
        };
        succeed(done)?;
        Ok(list)
    }

    pub(super) fn raw(&self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.room.as_ptr().cast_mut().cast()
    }
}

impl Drop for HandleList {
    #[expect(unsafe_code, reason = "DeleteProcThreadAttributeList")]
    fn drop(&mut self) {
        // SAFETY: the list was initialised and is used no more.
        unsafe { DeleteProcThreadAttributeList(self.raw()) };
    }
}
