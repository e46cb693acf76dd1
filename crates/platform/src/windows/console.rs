//! What the system tells whoever has a console: Ctrl-C, the end of the console or of a session.

use windows_sys::Win32::System::{
    Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT},
    RemoteDesktop::ProcessIdToSessionId,
};

use super::succeed;

/// The session of services, in which nobody is logged on.
const SERVICES: u32 = 0;

/// What one of the system's events means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// We are asked to end.
    Asked,
    /// We are asked to end, and are ended as soon as the handler returns.
    Pressed,
    /// It is none of our business.
    Nothing,
}

/// Returns what an event means to this process.
pub(crate) fn meaning_of(event: u32) -> Meaning {
    meaning_in(event, own_session())
}

/// Services are told whenever *anybody* logs off, and hear of a shutdown from their manager.
const fn meaning_in(event: u32, session: u32) -> Meaning {
    match event {
        CTRL_C_EVENT | CTRL_BREAK_EVENT => Meaning::Asked,
        CTRL_LOGOFF_EVENT | CTRL_SHUTDOWN_EVENT if session == SERVICES => Meaning::Nothing,
        _ => Meaning::Pressed,
    }
}

/// A process whose session is not known counts as a service: those must not end by mistake.
#[expect(unsafe_code, reason = "ProcessIdToSessionId")]
fn own_session() -> u32 {
    let mut session = SERVICES;
    // SAFETY: `session` is valid for writes.
    let known = succeed(unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) });
    known.map_or(SERVICES, |()| session)
}

/// Never returns: the system ends this process as soon as a handler has.
pub(crate) fn stay() -> ! {
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::Console::CTRL_CLOSE_EVENT;

    use super::*;

    #[test]
    fn who_logs_off_ends_no_service() {
        let check = |event, [in_services, in_a_session]: [Meaning; 2]| {
            assert_eq!(meaning_in(event, SERVICES), in_services, "{event}");
            assert_eq!(meaning_in(event, 1), in_a_session, "{event}");
        };
        check(CTRL_C_EVENT, [Meaning::Asked; 2]);
        check(CTRL_BREAK_EVENT, [Meaning::Asked; 2]);
        check(CTRL_CLOSE_EVENT, [Meaning::Pressed; 2]);
        check(CTRL_LOGOFF_EVENT, [Meaning::Nothing, Meaning::Pressed]);
        check(CTRL_SHUTDOWN_EVENT, [Meaning::Nothing, Meaning::Pressed]);
    }
}
