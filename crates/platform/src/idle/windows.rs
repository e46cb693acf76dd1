//! `SetThreadPriority` with `THREAD_MODE_BACKGROUND_BEGIN`.

use std::io;

use windows_sys::Win32::System::Threading::{
    GetCurrentThread, SetThreadPriority, THREAD_MODE_BACKGROUND_BEGIN, THREAD_PRIORITY_IDLE,
};

pub(super) fn give_way() -> io::Result<()> {
    // Wine knows no background mode.
    set(THREAD_MODE_BACKGROUND_BEGIN).or_else(|_| set(THREAD_PRIORITY_IDLE))
}

#[expect(unsafe_code, reason = "SetThreadPriority")]
fn set(priority: i32) -> io::Result<()> {
    // SAFETY: there are no arguments; the result is a constant that needs no closing.
    let thread = unsafe { GetCurrentThread() };
    // SAFETY: `thread` is the calling thread.
    let is_done = unsafe { SetThreadPriority(thread, priority) };
    if is_done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
