//! `PowerRegisterSuspendResumeNotification`, looked up at run time: not every Wine has it.

use std::{ffi::c_void, io, ptr::null_mut};

use tokio::sync::Notify;
use windows_sys::Win32::{
    Foundation::HANDLE,
    System::{
        LibraryLoader::{GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW},
        Power::DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS,
    },
    UI::WindowsAndMessaging::{
        DEVICE_NOTIFY_CALLBACK, PBT_APMRESUMEAUTOMATIC, REGISTER_NOTIFICATION_FLAGS,
    },
};

use crate::windows::wide;

/// `PowerRegisterSuspendResumeNotification`.
type Register =
    unsafe extern "system" fn(REGISTER_NOTIFICATION_FLAGS, HANDLE, *mut *mut c_void) -> u32;

/// Registered once an agent, and for as long as it lives: a call may be under way at any time.
#[derive(Debug)]
pub(super) struct Wakes {
    woken: &'static Notify,
}

impl Wakes {
    pub(super) fn watch() -> io::Result<Self> {
        let register = lookup()?;
        let woken: &'static Notify = Box::leak(Box::new(Notify::new()));
        register_with(register, woken)?;
        Ok(Self { woken })
    }

    pub(super) async fn next(&mut self) -> io::Result<()> {
        self.woken.notified().await;
        Ok(())
    }
}

#[expect(unsafe_code, reason = "LoadLibraryExW, GetProcAddress")]
fn lookup() -> io::Result<Register> {
    let name = wide("powrprof.dll");
    // SAFETY: `name` ends with NUL and is alive; the library is that of the system.
    let library =
        unsafe { LoadLibraryExW(name.as_ptr(), null_mut(), LOAD_LIBRARY_SEARCH_SYSTEM32) };
    if library.is_null() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let name = c"PowerRegisterSuspendResumeNotification";
    // SAFETY: the library is loaded and stays so; `name` ends with NUL.
    let found = unsafe { GetProcAddress(library, name.as_ptr().cast()) };
    let found = found.ok_or(io::ErrorKind::Unsupported)?;
    // SAFETY: the function of this name has this signature.
    Ok(unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Register>(found) })
}

#[expect(unsafe_code, reason = "PowerRegisterSuspendResumeNotification")]
fn register_with(register: Register, woken: &'static Notify) -> io::Result<()> {
    let context = std::ptr::from_ref(woken).cast_mut().cast();
    let parameters =
        DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS { Callback: Some(changed), Context: context };
    let recipient = std::ptr::from_ref(&parameters).cast_mut().cast();
    let mut registration = null_mut();
    // SAFETY: the parameters are copied; the context is alive for as long as the process, and
    // `registration` is valid for writes.
    match unsafe { register(DEVICE_NOTIFY_CALLBACK, recipient, &raw mut registration) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}

/// Is called by a thread of the system, with the context of the registration.
#[expect(unsafe_code, reason = "the context comes back as a pointer")]
unsafe extern "system" fn changed(context: *const c_void, kind: u32, _: *const c_void) -> u32 {
    if kind == PBT_APMRESUMEAUTOMATIC {
        // SAFETY: it was registered with a pointer to a `Notify` that is never dropped.
        let woken: &Notify = unsafe { &*context.cast() };
        woken.notify_one();
    }
    0
}
