//! What the manager says, as our types: structures whose texts lie behind them in one room.

use std::{io, ptr::null, time::Duration};

use windows_sys::{
    Win32::{
        Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_MORE_DATA},
        System::Services::{
            ENUM_SERVICE_STATUS_PROCESSW, EnumServicesStatusExW, QUERY_SERVICE_CONFIGW,
            QueryServiceConfig2W, QueryServiceConfigW, QueryServiceStatusEx, SC_ACTION,
            SC_ACTION_REBOOT, SC_ACTION_RESTART, SC_ACTION_RUN_COMMAND, SC_ENUM_PROCESS_INFO,
            SC_HANDLE, SC_STATUS_PROCESS_INFO, SERVICE_AUTO_START,
            SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONFIG_DESCRIPTION,
            SERVICE_CONFIG_FAILURE_ACTIONS, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
            SERVICE_CONFIG_PRESHUTDOWN_INFO, SERVICE_CONTINUE_PENDING,
            SERVICE_DELAYED_AUTO_START_INFO, SERVICE_DEMAND_START, SERVICE_DESCRIPTIONW,
            SERVICE_FAILURE_ACTIONS_FLAG, SERVICE_FAILURE_ACTIONSW, SERVICE_PAUSE_PENDING,
            SERVICE_PAUSED, SERVICE_PRESHUTDOWN_INFO, SERVICE_RUNNING, SERVICE_START_PENDING,
            SERVICE_STATE_ALL, SERVICE_STATUS_PROCESS, SERVICE_STOP_PENDING, SERVICE_WIN32,
            SERVICE_WIN32_OWN_PROCESS, SERVICE_WIN32_SHARE_PROCESS,
        },
    },
    core::BOOL,
};

use super::super::{Form, Listed, Record, Recovery, RecoveryAction, Start, State, Status};
use crate::windows::{is, succeed, text_at};

/// The most that `EnumServicesStatusExW` takes at once.
const LIST_BYTES: u32 = 256 * 1024;

/// Room for structures, aligned as every one of them wants it.
pub(super) struct Room(Vec<u64>);

impl Room {
    const FIRST_BYTES: u32 = 8 * 1024;

    fn new(bytes: u32) -> Self {
        Self(vec![0; usize::try_from(bytes).unwrap_or_default().div_ceil(8)])
    }

    pub(super) fn pointer<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }

    pub(super) fn bytes(&self) -> u32 {
        u32::try_from(self.0.len() * 8).unwrap_or(u32::MAX)
    }
}

/// Asks with more and more room until the answer fits.
///
/// `ask` gets the room and where to write how much was needed (or would have been).
pub(super) fn ask(mut ask: impl FnMut(&mut Room, &mut u32) -> BOOL) -> io::Result<Room> {
    let mut room = Room::new(Room::FIRST_BYTES);
    loop {
        let mut needed = 0;
        let Err(error) = succeed(ask(&mut room, &mut needed)) else { return Ok(room) };
        let number = error.raw_os_error().unwrap_or_default().cast_unsigned();
        let is_short = matches!(number, ERROR_INSUFFICIENT_BUFFER | ERROR_MORE_DATA);
        if !is_short || needed <= room.bytes() {
            return Err(error);
        }
        room = Room::new(needed);
    }
}

#[expect(unsafe_code, reason = "QueryServiceStatusEx")]
pub(super) fn status(service: SC_HANDLE) -> io::Result<Status> {
    let mut raw = SERVICE_STATUS_PROCESS::default();
    let bytes = u32::try_from(size_of_val(&raw)).unwrap_or_default();
    let (to, mut needed) = ((&raw mut raw).cast(), 0);
    // SAFETY: `to` is valid for writes of `bytes`; `needed` is valid for writes.
    let done = unsafe {
        QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, to, bytes, &raw mut needed)
    };
    succeed(done)?;
    Ok(status_of(&raw))
}

fn status_of(raw: &SERVICE_STATUS_PROCESS) -> Status {
    let state = match raw.dwCurrentState {
        SERVICE_START_PENDING => State::StartPending,
        SERVICE_STOP_PENDING => State::StopPending,
        SERVICE_RUNNING => State::Running,
        SERVICE_CONTINUE_PENDING => State::ContinuePending,
        SERVICE_PAUSE_PENDING => State::PausePending,
        SERVICE_PAUSED => State::Paused,
        _ => State::Stopped,
    };
    Status {
        state,
        pid: raw.dwProcessId,
        exit_code: raw.dwWin32ExitCode,
        own_code: raw.dwServiceSpecificExitCode,
        checkpoint: raw.dwCheckPoint,
        wait_hint: Duration::from_millis(u64::from(raw.dwWaitHint)),
    }
}

#[expect(unsafe_code, reason = "QueryServiceConfigW")]
pub(super) fn record(service: SC_HANDLE) -> io::Result<Record> {
    let mut room = ask(|room, needed| {
        let bytes = room.bytes();
        // SAFETY: the room is valid for writes of `bytes` and aligned; `needed` is, too.
        unsafe { QueryServiceConfigW(service, room.pointer(), bytes, needed) }
    })?;
    // SAFETY: the call filled in the structure at the beginning of the room.
    let raw = unsafe { &*room.pointer::<QUERY_SERVICE_CONFIGW>() };
    let start = match raw.dwStartType {
        SERVICE_AUTO_START if is_delayed(service) => Start::Delayed,
        SERVICE_AUTO_START => Start::Automatic,
        SERVICE_DEMAND_START => Start::Demand,
        _ => Start::Disabled,
    };
    // SAFETY: the texts lie in the room and end with NUL, or the pointer is null.
    let text = |at: *mut u16| unsafe { text_at(at) };
    Ok(Record {
        form: form_of(raw.dwServiceType),
        display_name: text(raw.lpDisplayName),
        command_line: text(raw.lpBinaryPathName),
        start,
        account: text(raw.lpServiceStartName),
        dependencies: several_at(raw.lpDependencies),
    })
}

/// Bits of the type of a service that is started for each user: of the template, of an instance.
const PER_USER: u32 = 0x40 | 0x80;

/// Whether it may show itself on a desktop makes no difference.
const fn form_of(kind: u32) -> Form {
    if kind & PER_USER != 0 {
        return Form::PerUser;
    }
    match kind & SERVICE_WIN32 {
        SERVICE_WIN32_OWN_PROCESS => Form::OwnProcess,
        SERVICE_WIN32_SHARE_PROCESS => Form::SharedProcess,
        _ => Form::Driver,
    }
}

/// Reads texts that follow each other and end with an empty one.
#[expect(unsafe_code, reason = "texts behind a structure")]
fn several_at(mut at: *mut u16) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        // SAFETY: `at` is null or points to one of the texts, which end with an empty one.
        let text = unsafe { text_at(at) };
        if text.is_empty() {
            return texts;
        }
        // SAFETY: one NUL follows the text, and behind it begins the next one.
        at = unsafe { at.add(text.encode_utf16().count() + 1) };
        texts.push(text);
    }
}

/// Returns whether an automatic start is delayed; false where the system cannot say.
#[expect(unsafe_code, reason = "QueryServiceConfig2W")]
fn is_delayed(service: SC_HANDLE) -> bool {
    let room = ask(|room, needed| {
        let (bytes, level) = (room.bytes(), SERVICE_CONFIG_DELAYED_AUTO_START_INFO);
        // SAFETY: the room is valid for writes of `bytes` and aligned; `needed` is, too.
        unsafe { QueryServiceConfig2W(service, level, room.pointer(), bytes, needed) }
    });
    // SAFETY: the call filled in the structure at the beginning of the room.
    room.is_ok_and(|mut room| unsafe {
        (*room.pointer::<SERVICE_DELAYED_AUTO_START_INFO>()).fDelayedAutostart != 0
    })
}

#[expect(unsafe_code, reason = "QueryServiceConfig2W")]
pub(super) fn description(service: SC_HANDLE) -> io::Result<String> {
    let mut room = ask(|room, needed| {
        let (bytes, level) = (room.bytes(), SERVICE_CONFIG_DESCRIPTION);
        // SAFETY: the room is valid for writes of `bytes` and aligned; `needed` is, too.
        unsafe { QueryServiceConfig2W(service, level, room.pointer(), bytes, needed) }
    })?;
    // SAFETY: the call filled in the structure at the beginning of the room.
    let raw = unsafe { &*room.pointer::<SERVICE_DESCRIPTIONW>() };
    // SAFETY: the text lies in the room and ends with NUL, or the pointer is null.
    Ok(unsafe { text_at(raw.lpDescription) })
}

#[expect(unsafe_code, reason = "QueryServiceConfig2W")]
pub(super) fn recovery(service: SC_HANDLE) -> io::Result<Recovery> {
    let mut room = ask(|room, needed| {
        let (bytes, level) = (room.bytes(), SERVICE_CONFIG_FAILURE_ACTIONS);
        // SAFETY: the room is valid for writes of `bytes` and aligned; `needed` is, too.
        unsafe { QueryServiceConfig2W(service, level, room.pointer(), bytes, needed) }
    })?;
    // SAFETY: the call filled in the structure at the beginning of the room.
    let raw = unsafe { &*room.pointer::<SERVICE_FAILURE_ACTIONSW>() };
    let count = usize::try_from(raw.cActions).unwrap_or_default();
    let actions: &[SC_ACTION] = if raw.lpsaActions.is_null() {
        &[]
    } else {
        // SAFETY: the call put `count` structures into the room behind the first one.
        unsafe { std::slice::from_raw_parts(raw.lpsaActions, count) }
    };
    // SAFETY: the text lies in the room and ends with NUL, or the pointer is null.
    let command = unsafe { text_at(raw.lpCommand) };
    Ok(Recovery {
        actions: actions.iter().copied().map(action_of).collect(),
        reset_after: Duration::from_secs(u64::from(raw.dwResetPeriod)),
        command: Some(command).filter(|command| !command.is_empty()),
    })
}

fn action_of(raw: SC_ACTION) -> (RecoveryAction, Duration) {
    let what = match raw.Type {
        SC_ACTION_RESTART => RecoveryAction::Restart,
        SC_ACTION_RUN_COMMAND => RecoveryAction::Run,
        SC_ACTION_REBOOT => RecoveryAction::Reboot,
        _ => RecoveryAction::None,
    };
    (what, Duration::from_millis(u64::from(raw.Delay)))
}

#[expect(unsafe_code, reason = "QueryServiceConfig2W")]
pub(super) fn recovers_after_failure(service: SC_HANDLE) -> io::Result<bool> {
    let mut room = ask(|room, needed| {
        let (bytes, level) = (room.bytes(), SERVICE_CONFIG_FAILURE_ACTIONS_FLAG);
        // SAFETY: the room is valid for writes of `bytes` and aligned; `needed` is, too.
        unsafe { QueryServiceConfig2W(service, level, room.pointer(), bytes, needed) }
    })?;
    // SAFETY: the call filled in the structure at the beginning of the room.
    let raw = unsafe { &*room.pointer::<SERVICE_FAILURE_ACTIONS_FLAG>() };
    Ok(raw.fFailureActionsOnNonCrashFailures != 0)
}

#[expect(unsafe_code, reason = "QueryServiceConfig2W")]
pub(super) fn preshutdown_timeout(service: SC_HANDLE) -> io::Result<Duration> {
    let mut room = ask(|room, needed| {
        let (bytes, level) = (room.bytes(), SERVICE_CONFIG_PRESHUTDOWN_INFO);
        // SAFETY: the room is valid for writes of `bytes` and aligned; `needed` is, too.
        unsafe { QueryServiceConfig2W(service, level, room.pointer(), bytes, needed) }
    })?;
    // SAFETY: the call filled in the structure at the beginning of the room.
    let raw = unsafe { &*room.pointer::<SERVICE_PRESHUTDOWN_INFO>() };
    Ok(Duration::from_millis(raw.dwPreshutdownTimeout.into()))
}

pub(super) fn list(database: SC_HANDLE) -> io::Result<Vec<Listed>> {
    all_of(|resume| page(database, resume))
}

/// A part of a list, and whether there is more.
type Page = (Vec<Listed>, bool);

/// Collects a list that comes in parts; `ask` gets where the part before has ended.
fn all_of(mut ask: impl FnMut(&mut u32) -> io::Result<Page>) -> io::Result<Vec<Listed>> {
    let (mut all, mut resume) = (Vec::new(), 0);
    loop {
        let (part, is_more) = ask(&mut resume)?;
        let is_stuck = part.is_empty() && is_more;
        all.extend(part);
        if !is_more {
            return Ok(all);
        }
        if is_stuck {
            return Err(io::Error::from_raw_os_error(ERROR_MORE_DATA.cast_signed()));
        }
    }
}

#[expect(unsafe_code, reason = "EnumServicesStatusExW")]
fn page(database: SC_HANDLE, resume: &mut u32) -> io::Result<Page> {
    let mut room = Room::new(LIST_BYTES);
    let (bytes, to) = (room.bytes(), room.pointer());
    let (mut count, mut missing) = (0, 0);
    let (kind, states) = (SERVICE_WIN32, SERVICE_STATE_ALL);
    // SAFETY: the room is valid for writes of `bytes` and aligned; so are the counters; null asks
    // for every group.
    let done = succeed(unsafe {
        EnumServicesStatusExW(
            database,
            SC_ENUM_PROCESS_INFO,
            kind,
            states,
            to,
            bytes,
            &raw mut missing,
            &raw mut count,
            &raw mut *resume,
            null(),
        )
    });
    let is_more = done.as_ref().is_err_and(|error| is(error, ERROR_MORE_DATA));
    if !is_more {
        done?;
    }
    let first = room.pointer::<ENUM_SERVICE_STATUS_PROCESSW>();
    let count = usize::try_from(count).unwrap_or_default();
    // SAFETY: the call filled in `count` structures from the beginning of the room.
    let raw = unsafe { std::slice::from_raw_parts(first, count) };
    Ok((raw.iter().map(listed_of).collect(), is_more))
}

#[expect(unsafe_code, reason = "texts behind a structure")]
fn listed_of(raw: &ENUM_SERVICE_STATUS_PROCESSW) -> Listed {
    // SAFETY: the texts lie in the room of the structure and end with NUL.
    let text = |at: *mut u16| unsafe { text_at(at) };
    Listed {
        name: text(raw.lpServiceName),
        display_name: text(raw.lpDisplayName),
        status: status_of(&raw.ServiceStatusProcess),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_told_from_a_process_of_its_own() {
        let check = |kind: u32, expected: Form| assert_eq!(form_of(kind), expected, "{kind:#x}");
        for kind in [0x1, 0x2, 0x4, 0x8] {
            check(kind, Form::Driver);
        }
        check(0x10, Form::OwnProcess);
        check(0x110, Form::OwnProcess);
        check(0x20, Form::SharedProcess);
        check(0x120, Form::SharedProcess);
        for kind in [0x50, 0x60, 0xd0, 0xe0] {
            check(kind, Form::PerUser);
        }
    }

    fn named(name: &str) -> Listed {
        let status = status_of(&SERVICE_STATUS_PROCESS::default());
        Listed { name: name.to_owned(), display_name: String::new(), status }
    }

    #[test]
    fn a_list_that_comes_in_parts_is_put_together_and_one_that_stands_still_is_an_error() {
        let mut parts = [(vec!["a", "b"], true), (vec!["c"], true), (vec![], false)].into_iter();
        let mut seen = Vec::new();
        let all = all_of(|resume| {
            seen.push(*resume);
            *resume += 1;
            let (names, is_more) = parts.next().unwrap();
            Ok((names.into_iter().map(named).collect(), is_more))
        });
        let names: Vec<String> = all.unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!((names.join(" ").as_str(), seen), ("a b c", vec![0, 1, 2]));
        let stuck = all_of(|_| Ok((Vec::new(), true))).unwrap_err();
        assert!(is(&stuck, ERROR_MORE_DATA));
    }
}
