//! Ctrl-C for a program on another console.
//!
//! Windows delivers Ctrl-C to the console of the caller only, and a process has one console: ours
//! is given up for a moment, the program's is borrowed. A handler of our own swallows the Ctrl-C
//! that we cause. Helpers and tests do that; a keeper has no console and never borrows one.

use std::{io, time::Duration};

use windows_sys::{
    Win32::{
        Foundation::{ERROR_GEN_FAILURE, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE},
        System::Console::{
            AttachConsole, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent, GetStdHandle,
            STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
            SetConsoleCtrlHandler, SetStdHandle,
        },
    },
    core::BOOL,
};

use super::Process;
use crate::{
    clock,
    windows::{is, succeed},
};

/// A program has its console by this age, if it ever has one.
const YOUNG: Duration = Duration::from_millis(500);
const AGAIN_AFTER: Duration = Duration::from_millis(5);

/// Sends Ctrl-C to the first of these processes that has a console, and whoever shares it; returns
/// how many consoles that were: one or none.
pub(crate) fn interrupt_one_of(processes: &[Process]) -> io::Result<usize> {
    for process in processes {
        match interrupt(process.pid(), process.age()) {
            Ok(()) => return Ok(1),
            Err(error) if is_nobody(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(0)
}

/// Returns whether a process has no console, or has ended.
fn is_nobody(error: &io::Error) -> bool {
    let nobody = [ERROR_INVALID_HANDLE, ERROR_GEN_FAILURE, ERROR_INVALID_PARAMETER];
    nobody.iter().any(|code| is(error, *code))
}

/// Sends Ctrl-C to a program and whoever shares its console.
///
/// A program that was started a moment ago may have no console yet: it is asked again for a while.
#[expect(unsafe_code, reason = "FreeConsole, AttachConsole, GenerateConsoleCtrlEvent")]
pub(super) fn interrupt(pid: u32, age: Duration) -> io::Result<()> {
    let _streams = Streams::keep();
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

/// Takes every Ctrl-C: it is the one that we caused.
#[expect(unsafe_code, reason = "the type of a console handler")]
const unsafe extern "system" fn swallow(_event: u32) -> BOOL {
    1
}
