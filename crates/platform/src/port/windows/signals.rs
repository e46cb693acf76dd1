//! Waits that the system's thread pool holds for us: as many as there are things, and nobody looks
//! at any of them before it is signalled.

use std::{
    collections::BTreeSet,
    ffi::c_void,
    io,
    os::windows::io::RawHandle,
    ptr::{null, null_mut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use windows_sys::Win32::System::Threading::{
    CloseThreadpoolWait, CreateThreadpoolWait, PTP_CALLBACK_INSTANCE, PTP_WAIT, SetThreadpoolWait,
    WaitForSingleObject, WaitForThreadpoolWaitCallbacks,
};

use crate::windows::{Event, Initially};

/// What has happened since the last look, and how to sleep until there is something.
#[derive(Debug)]
pub(super) struct Signals {
    seen: Mutex<Seen>,
    /// Set exactly while `seen` holds something.
    event: Event,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The numbers of things that were signalled.
    pub(super) numbers: BTreeSet<u64>,
    /// Somebody has woken us.
    pub(super) is_woken: bool,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self { seen: Mutex::default(), event: Event::new(Initially::Reset) }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        let mut seen = self.lock();
        seen.is_woken = true;
        self.event.set();
    }

    /// Looks at this thing next time, as if it had been signalled.
    pub(super) fn note(&self, number: u64) {
        let mut seen = self.lock();
        seen.numbers.insert(number);
        self.event.set();
    }

    /// Returns what has happened, and begins anew.
    pub(super) fn take(&self) -> Seen {
        let mut seen = self.lock();
        self.event.take();
        std::mem::take(&mut *seen)
    }

    /// Sleeps until something has happened.
    #[expect(unsafe_code, reason = "WaitForSingleObject")]
    pub(super) fn sleep(&self, longest: Option<Duration>) {
        // Never 0 for a rest below a millisecond: the clock would be asked in a busy loop.
        let millis = longest.map_or(u32::MAX, |longest| {
            u32::try_from(longest.as_millis() + 1).unwrap_or(u32::MAX - 1)
        });
        // SAFETY: no memory is involved.
        unsafe { WaitForSingleObject(self.event.raw(), millis) };
    }
}

/// What the thread pool is to note, and where.
#[derive(Debug)]
struct Target {
    signals: Arc<Signals>,
    number: u64,
}

/// A wait for one handle. It reports once each time it is begun.
#[derive(Debug)]
pub(super) struct Wait {
    pooled: PTP_WAIT,
    handle: RawHandle,
    /// Where the thread pool finds it; freed after the wait.
    target: *mut Target,
}

// SAFETY: the handles are valid in every thread, and the target is only read.
#[expect(unsafe_code, reason = "raw handles are not Send")]
unsafe impl Send for Wait {}

impl Wait {
    /// Returns a wait that has not begun.
    #[expect(unsafe_code, reason = "CreateThreadpoolWait")]
    pub(super) fn new(handle: RawHandle, number: u64, signals: &Arc<Signals>) -> io::Result<Self> {
        let target = Box::into_raw(Box::new(Target { signals: Arc::clone(signals), number }));
        // SAFETY: the target lives until no callback runs any more, see `drop`.
        let pooled = unsafe { CreateThreadpoolWait(Some(on_signal), target.cast(), null()) };
        let made = Self { pooled, handle, target };
        if pooled == 0 { Err(io::Error::last_os_error()) } else { Ok(made) }
    }

    pub(super) const fn handle(&self) -> RawHandle {
        self.handle
    }

    /// Begins to wait; reports at once when the handle is signalled already.
    pub(super) fn begin(&self) {
        self.set(self.handle);
    }

    #[expect(unsafe_code, reason = "SetThreadpoolWait")]
    fn set(&self, handle: RawHandle) {
        // SAFETY: the wait is ours; the handle is open as long as its registration.
        unsafe { SetThreadpoolWait(self.pooled, handle, null()) };
    }
}

impl Drop for Wait {
    #[expect(unsafe_code, reason = "WaitForThreadpoolWaitCallbacks, CloseThreadpoolWait")]
    fn drop(&mut self) {
        if self.pooled != 0 {
            self.set(null_mut());
            // SAFETY: the wait is ours; a callback takes no lock that is held here.
            unsafe { WaitForThreadpoolWaitCallbacks(self.pooled, 1) };
            // SAFETY: nothing waits and no callback runs.
            unsafe { CloseThreadpoolWait(self.pooled) };
        }
        // SAFETY: it came out of a box, and no callback runs any more.
        drop(unsafe { Box::from_raw(self.target) });
    }
}

/// Runs in a thread of the pool: notes and returns.
#[expect(unsafe_code, reason = "the type of a wait's callback")]
unsafe extern "system" fn on_signal(
    _instance: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    _wait: PTP_WAIT,
    _result: u32,
) {
    // SAFETY: the context is the target, which outlives the callback.
    let target = unsafe { &*context.cast::<Target>() };
    target.signals.note(target.number);
}
