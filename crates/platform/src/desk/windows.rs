//! The dispatcher of the service control manager, and consoles.

use std::{
    ffi::c_void,
    io,
    ptr::null_mut,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use windows_sys::{
    Win32::{
        Foundation::{
            ERROR_CALL_NOT_IMPLEMENTED, ERROR_SERVICE_SPECIFIC_ERROR, LocalFree, NO_ERROR,
        },
        System::{
            Console::SetConsoleCtrlHandler,
            LibraryLoader::{GetModuleHandleW, GetProcAddress},
            Services::{
                RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_PARAMCHANGE,
                SERVICE_ACCEPT_POWEREVENT, SERVICE_ACCEPT_PRESHUTDOWN, SERVICE_ACCEPT_STOP,
                SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_PARAMCHANGE,
                SERVICE_CONTROL_POWEREVENT, SERVICE_CONTROL_PRESHUTDOWN, SERVICE_CONTROL_STOP,
                SERVICE_DYNAMIC_INFORMATION_LEVEL_START_REASON, SERVICE_RUNNING,
                SERVICE_START_PENDING, SERVICE_START_REASON, SERVICE_START_REASON_DEMAND,
                SERVICE_STATUS, SERVICE_STATUS_HANDLE, SERVICE_STOP_PENDING, SERVICE_STOPPED,
                SERVICE_TABLE_ENTRYW, SERVICE_WIN32_OWN_PROCESS, SetServiceStatus,
                StartServiceCtrlDispatcherW,
            },
        },
        UI::WindowsAndMessaging::{PBT_APMRESUMEAUTOMATIC, PBT_APMRESUMESUSPEND},
    },
    core::BOOL,
};

use super::{Body, Desk, Exit, LEAVE, Manner, Order, Post, Report, Stage};
use crate::{
    clock,
    windows::{
        console::{self, Meaning},
        snapshot, succeed, text_at, wide,
    },
};

/// Starts this long after boot are nobody's but the system's.
const BOOT_TAKES: Duration = Duration::from_mins(5);
/// The image of the manager.
const MANAGER: &str = "services.exe";

/// What the manager is to call, waiting for its thread.
struct Pending {
    name: Vec<u16>,
    post: Post,
    body: Body,
}

/// There is one service to a process, and the manager hands no context to its first call.
static PENDING: Mutex<Option<Pending>> = Mutex::new(None);
/// Where the console's handler posts.
static CONSOLE: OnceLock<Post> = OnceLock::new();

/// Takes reports.
#[derive(Debug)]
pub(super) enum Reporter {
    /// To the manager.
    Manager(StatusHandle),
    /// To nobody.
    Nobody,
}

/// The manager's handle of this service; it is never closed.
#[derive(Debug)]
pub(super) struct StatusHandle(SERVICE_STATUS_HANDLE);

// SAFETY: the handle is a number for the manager, valid in every thread.
#[expect(unsafe_code, reason = "raw handles are not Send")]
unsafe impl Send for StatusHandle {}

impl Reporter {
    pub(super) fn was_asked_for(&self) -> bool {
        match self {
            Self::Nobody => true,
            Self::Manager(StatusHandle(handle)) => match start_reason(*handle) {
                Some(reason) => reason & SERVICE_START_REASON_DEMAND != 0,
                // Systems that cannot say it: whoever is up for a while has booted long ago.
                None => clock::monotonic() > BOOT_TAKES,
            },
        }
    }

    #[expect(unsafe_code, reason = "SetServiceStatus")]
    pub(super) fn report(&self, report: &Report) -> io::Result<()> {
        let Self::Manager(StatusHandle(handle)) = self else { return Ok(()) };
        let status = status_of(report);
        // SAFETY: the handle is the manager's for this process; `status` lives until the call
        // returns.
        succeed(unsafe { SetServiceStatus(*handle, &raw const status) })
    }
}

/// Asks why the service was started. Not every system knows the call, so it is looked for first.
#[expect(unsafe_code, reason = "QueryServiceDynamicInformation")]
fn start_reason(service: SERVICE_STATUS_HANDLE) -> Option<u32> {
    type Query = unsafe extern "system" fn(
        SERVICE_STATUS_HANDLE,
        u32,
        *mut *mut SERVICE_START_REASON,
    ) -> BOOL;
    // SAFETY: the name ends with NUL.
    let library = unsafe { GetModuleHandleW(wide("advapi32.dll").as_ptr()) };
    // SAFETY: the library is loaded for as long as this process lives; the name ends with NUL.
    let found =
        unsafe { GetProcAddress(library, c"QueryServiceDynamicInformation".as_ptr().cast()) };
    // SAFETY: the system documents the call with these types.
    let query: Query = unsafe { std::mem::transmute(found?) };
    let (mut reason, level) = (null_mut(), SERVICE_DYNAMIC_INFORMATION_LEVEL_START_REASON);
    // SAFETY: the handle is the manager's for this process; `reason` is valid for writes.
    succeed(unsafe { query(service, level, &raw mut reason) }).ok()?;
    // SAFETY: the call has allocated and filled in the structure.
    let bits = unsafe { (*reason).dwReason };
    // SAFETY: it is ours to free, and used no more.
    unsafe { LocalFree(reason.cast()) };
    Some(bits)
}

fn status_of(report: &Report) -> SERVICE_STATUS {
    // A machine may shut down in the first second as well.
    let ends = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN;
    let running = ends | SERVICE_ACCEPT_PARAMCHANGE | SERVICE_ACCEPT_POWEREVENT;
    let (state, accepted, exit) = match report.stage {
        Stage::Starting => (SERVICE_START_PENDING, ends, Exit::Done),
        Stage::Running | Stage::Reloading => (SERVICE_RUNNING, running, Exit::Done),
        Stage::Stopping | Stage::Leaving => (SERVICE_STOP_PENDING, 0, Exit::Done),
        Stage::Ended(exit) => (SERVICE_STOPPED, 0, exit),
    };
    let (code, own) = match exit {
        Exit::Done => (NO_ERROR, 0),
        Exit::System(code) => (code, 0),
        Exit::Own(code) => (ERROR_SERVICE_SPECIFIC_ERROR, code),
    };
    let is_pending = matches!(report.stage, Stage::Starting | Stage::Stopping | Stage::Leaving);
    let hint = u32::try_from(report.wait_hint.as_millis()).unwrap_or(u32::MAX);
    SERVICE_STATUS {
        dwServiceType: SERVICE_WIN32_OWN_PROCESS,
        dwCurrentState: state,
        dwControlsAccepted: accepted,
        dwWin32ExitCode: code,
        dwServiceSpecificExitCode: own,
        dwCheckPoint: if is_pending { report.checkpoint } else { 0 },
        dwWaitHint: if is_pending { hint } else { 0 },
    }
}

/// The snapshot needs no rights on the manager's process, which few accounts have.
pub(super) fn manner() -> Manner {
    let all = snapshot::processes().unwrap_or_default();
    let own = all.iter().find(|process| process.pid == std::process::id());
    let parent = own.and_then(|own| all.iter().find(|process| process.pid == own.parent));
    let is_manager = parent.is_some_and(|parent| parent.image.eq_ignore_ascii_case(MANAGER));
    if is_manager { Manner::Manager } else { Manner::Console }
}

pub(super) fn serve(manner: Manner, name: &str, post: Post, body: Body) -> io::Result<()> {
    match manner {
        Manner::Manager => dispatch(Pending { name: wide(name), post, body }),
        Manner::Console | Manner::Systemd => serve_console(post, body),
    }
}

/// Gives the main thread to the manager until the service has ended.
#[expect(unsafe_code, reason = "StartServiceCtrlDispatcherW")]
fn dispatch(pending: Pending) -> io::Result<()> {
    let mut name = pending.name.clone();
    *PENDING.lock().unwrap_or_else(PoisonError::into_inner) = Some(pending);
    let table = [
        SERVICE_TABLE_ENTRYW {
            lpServiceName: name.as_mut_ptr(),
            lpServiceProc: Some(service_main),
        },
        SERVICE_TABLE_ENTRYW::default(),
    ];
    // SAFETY: the table ends with an empty entry; it and the name live until the call returns.
    succeed(unsafe { StartServiceCtrlDispatcherW(table.as_ptr()) })
}

/// The manager calls it in a thread of its own, once.
#[expect(unsafe_code, reason = "the type of a service's main function")]
unsafe extern "system" fn service_main(count: u32, arguments: *mut *mut u16) {
    let pending = PENDING.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(Pending { name, post, body }) = pending else { return };
    // The manager may call the handler as long as this process lives.
    let context: *mut Post = Box::leak(Box::new(post));
    // SAFETY: the name ends with NUL; the context is never freed.
    let handle =
        unsafe { RegisterServiceCtrlHandlerExW(name.as_ptr(), Some(handler), context.cast()) };
    if handle.is_null() {
        // The manager takes note of the end of this process; there is nobody else to tell.
        return;
    }
    let reporter = Reporter::Manager(StatusHandle(handle));
    body(Desk { reporter, arguments: words(count, arguments) });
}

/// Reads the arguments behind the first, which is the service's name.
#[expect(unsafe_code, reason = "an array of texts")]
fn words(count: u32, arguments: *mut *mut u16) -> Vec<String> {
    let count = usize::try_from(count).unwrap_or_default();
    (1..count)
        .map(|index| {
            // SAFETY: there are `count` pointers.
            let place = unsafe { arguments.add(index) };
            // SAFETY: as above.
            let text = unsafe { place.read() };
            // SAFETY: each points to a text that ends with NUL.
            unsafe { text_at(text) }
        })
        .collect()
}

/// The manager calls it in the dispatcher's thread: posts and returns.
#[expect(unsafe_code, reason = "the type of a control handler")]
unsafe extern "system" fn handler(
    control: u32,
    event: u32,
    _data: *mut c_void,
    context: *mut c_void,
) -> u32 {
    let order = match control {
        SERVICE_CONTROL_STOP => Order::Stop,
        SERVICE_CONTROL_PRESHUTDOWN => Order::ShutDown,
        SERVICE_CONTROL_PARAMCHANGE => Order::Reload,
        SERVICE_CONTROL_POWEREVENT
            if matches!(event, PBT_APMRESUMEAUTOMATIC | PBT_APMRESUMESUSPEND) =>
        {
            Order::Resumed
        }
        LEAVE => Order::Leave,
        // The manager answers by the last report.
        SERVICE_CONTROL_INTERROGATE | SERVICE_CONTROL_POWEREVENT => return NO_ERROR,
        _ => return ERROR_CALL_NOT_IMPLEMENTED,
    };
    // SAFETY: the context is what `service_main` leaked.
    let post = unsafe { &*context.cast::<Post>() };
    post(order);
    NO_ERROR
}

#[expect(unsafe_code, reason = "SetConsoleCtrlHandler")]
fn serve_console(post: Post, body: Body) -> io::Result<()> {
    if CONSOLE.set(post).is_err() {
        return Err(io::Error::other("there is one service to a process"));
    }
    // A parent may have told this process to ignore Ctrl-C.
    // SAFETY: no memory is involved.
    succeed(unsafe { SetConsoleCtrlHandler(None, 0) })?;
    // SAFETY: the handler is a function without captures that lives for ever.
    succeed(unsafe { SetConsoleCtrlHandler(Some(on_console), 1) })?;
    body(Desk { reporter: Reporter::Nobody, arguments: Vec::new() });
    Ok(())
}

/// Runs in a thread of the system's own. For the closing of the console and the end of the
/// session the process is ended when it returns, so it never does.
#[expect(unsafe_code, reason = "the type of a console handler")]
unsafe extern "system" fn on_console(event: u32) -> BOOL {
    let meaning = console::meaning_of(event);
    if meaning == Meaning::Nothing {
        return 0;
    }
    if let Some(post) = CONSOLE.get() {
        post(Order::Stop);
    }
    if meaning == Meaning::Pressed {
        console::stay();
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shutdown_is_heard_of_from_the_first_second_on() {
        let accepted = |stage| {
            let report = Report { stage, checkpoint: 1, wait_hint: Duration::ZERO };
            status_of(&report).dwControlsAccepted
        };
        let ends = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN;
        assert_eq!(accepted(Stage::Starting), ends);
        assert_eq!(accepted(Stage::Running) & ends, ends);
        assert_eq!(accepted(Stage::Stopping), 0);
        assert_eq!(accepted(Stage::Leaving), 0);
    }
}
