//! Windows and message queues of other processes.

use std::io;

use windows_sys::{
    Win32::{
        Foundation::{HWND, LPARAM},
        UI::WindowsAndMessaging::{
            EnumWindows, GetWindowThreadProcessId, PostMessageW, PostThreadMessageW, WM_CLOSE,
            WM_QUIT,
        },
    },
    core::BOOL,
};

use crate::windows::threads;

/// Whose windows are looked for, and how many there were.
struct Search<'a> {
    pids: &'a [u32],
    asked: usize,
}

/// Asks every window of these processes to close; returns how many there are.
///
/// Only those on our own desktop are found.
#[expect(unsafe_code, reason = "EnumWindows")]
pub(super) fn close(pids: &[u32]) -> usize {
    let mut search = Search { pids, asked: 0 };
    let context = (&raw mut search).expose_provenance().cast_signed();
    // It fails where there is no desktop, and then there is no window.
    // SAFETY: the callback gets the context, which outlives the call.
    unsafe { EnumWindows(Some(visit), context) };
    search.asked
}

#[expect(unsafe_code, reason = "the type of a callback")]
unsafe extern "system" fn visit(window: HWND, context: LPARAM) -> BOOL {
    let place = std::ptr::with_exposed_provenance_mut::<Search<'_>>(context.cast_unsigned());
    // SAFETY: `close` passes its own search and waits for us.
    let search = unsafe { &mut *place };
    let mut pid = 0;
    // SAFETY: `pid` is valid for writes; a window that is gone makes the call fail.
    unsafe { GetWindowThreadProcessId(window, &raw mut pid) };
    // SAFETY: as above; the message has no parameters.
    if search.pids.contains(&pid) && unsafe { PostMessageW(window, WM_CLOSE, 0, 0) } != 0 {
        search.asked += 1;
    }
    1
}

/// Ends the message loop of every thread of these processes; returns how many have one.
#[expect(unsafe_code, reason = "PostThreadMessageW")]
pub(super) fn quit(pids: &[u32]) -> io::Result<usize> {
    // SAFETY: no memory is involved; a thread without a queue makes the call fail.
    let ask = |thread: &u32| unsafe { PostThreadMessageW(*thread, WM_QUIT, 0, 0) } != 0;
    Ok(threads::of(pids)?.iter().filter(|thread| ask(thread)).count())
}
