//! Ctrl-C for a program on another console.
//!
//! Windows delivers Ctrl-C to the console of the caller only, and a process has one console: ours
//! is given up for a moment, the program's is borrowed. A handler of our own swallows the Ctrl-C
//! that we cause; the system's way to ignore it would be inherited by programs started meanwhile.

use std::{
    io,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use windows_sys::{
    Win32::{
        Foundation::HANDLE,
        System::Console::{
            AttachConsole, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent, GetStdHandle,
            STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
            SetConsoleCtrlHandler, SetStdHandle,
        },
    },
    core::BOOL,
};

use crate::{clock, windows::succeed};

/// How long after our own Ctrl-C it may still reach us, in milliseconds.
const ECHO_MILLIS: u64 = 2000;

/// A program has its console by this age, if it ever has one.
const YOUNG: Duration = Duration::from_millis(500);
const AGAIN_AFTER: Duration = Duration::from_millis(5);

/// Held while our console is not our own; programs are not started meanwhile.
static CONSOLE: Mutex<()> = Mutex::new(());
/// Until when a Ctrl-C counts as our own, in milliseconds of the monotonic clock.
static OWN_UNTIL: AtomicU64 = AtomicU64::new(0);

/// Keeps the console as it is until the result is dropped.
pub(crate) fn console_lock() -> MutexGuard<'static, ()> {
    CONSOLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a Ctrl-C that arrives is one that we meant for somebody else.
pub(crate) fn is_interrupting_others() -> bool {
    millis(clock::monotonic()) < OWN_UNTIL.load(Ordering::SeqCst)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Sends Ctrl-C to a program and whoever shares its console.
///
/// A program that was started a moment ago may have no console yet: it is asked again for a while.
#[expect(unsafe_code, reason = "FreeConsole, AttachConsole, GenerateConsoleCtrlEvent")]
pub(super) fn interrupt(pid: u32, age: Duration) -> io::Result<()> {
    let _guard = console_lock();
    let _streams = Streams::keep();
    OWN_UNTIL.store(millis(clock::monotonic()) + ECHO_MILLIS, Ordering::SeqCst);
    // SAFETY: fails when there is no console, which is as good.
    unsafe { FreeConsole() };
    attach(pid, YOUNG.saturating_sub(age))?;
    // SAFETY: the handler is a function without captures that lives for ever.
    unsafe { SetConsoleCtrlHandler(Some(swallow), 1) };
    // SAFETY: no memory is involved; group 0 is everybody on the console.
    let sent = succeed(unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) });
    // SAFETY: gives the borrowed console up.
    unsafe { FreeConsole() };
    sent
}

/// Our standard streams, which a borrowed console would replace by its own.
struct Streams([HANDLE; 3]);

const STREAMS: [STD_HANDLE; 3] = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE];

impl Streams {
    #[expect(unsafe_code, reason = "GetStdHandle")]
    fn keep() -> Self {
        // SAFETY: no memory is involved.
        Self(STREAMS.map(|which| unsafe { GetStdHandle(which) }))
    }
}

impl Drop for Streams {
    #[expect(unsafe_code, reason = "SetStdHandle")]
    fn drop(&mut self) {
        for (which, handle) in STREAMS.into_iter().zip(self.0) {
            // SAFETY: puts back what was there before.
            unsafe { SetStdHandle(which, handle) };
        }
    }
}

#[expect(unsafe_code, reason = "AttachConsole")]
fn attach(pid: u32, patience: Duration) -> io::Result<()> {
    let until = clock::monotonic() + patience;
    loop {
        // SAFETY: no memory is involved.
        let attached = succeed(unsafe { AttachConsole(pid) });
        if attached.is_ok() || clock::monotonic() >= until {
            return attached;
        }
        std::thread::sleep(AGAIN_AFTER);
    }
}

/// Takes the Ctrl-C that we caused; any other is for the next handler.
#[expect(unsafe_code, reason = "the type of a console handler")]
unsafe extern "system" fn swallow(_event: u32) -> BOOL {
    i32::from(is_interrupting_others())
}
