//! Entries of the log of applications, by way of `advapi32`.

use std::{
    io,
    ptr::{null, null_mut},
};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::EventLog::{
        DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE,
        EVENTLOG_WARNING_TYPE, RegisterEventSourceW, ReportEventW,
    },
};

use super::{Weight, fitting};
use crate::windows::{succeed, wide};

/// An open log. Its handle is none of the kernel's.
#[derive(Debug)]
pub struct EventLog(HANDLE);

// SAFETY: the handle is valid in every thread.
#[expect(unsafe_code, reason = "raw handles are not Send")]
unsafe impl Send for EventLog {}

impl Drop for EventLog {
    #[expect(unsafe_code, reason = "DeregisterEventSource")]
    fn drop(&mut self) {
        // SAFETY: the handle is ours and open.
        unsafe { DeregisterEventSource(self.0) };
    }
}

impl EventLog {
    /// Opens the log for entries of a source, whether that one is registered or not.
    #[expect(unsafe_code, reason = "RegisterEventSourceW")]
    pub fn open(source: &str) -> io::Result<Self> {
        let source = wide(source);
        // SAFETY: the text ends with NUL and lives until the call returns; null asks for this machine.
        let handle = unsafe { RegisterEventSourceW(null(), source.as_ptr()) };
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }

    /// Writes an entry; a text that is too long is cut.
    #[expect(unsafe_code, reason = "ReportEventW")]
    pub fn report(&self, weight: Weight, id: u16, text: &str) -> io::Result<()> {
        let kind = match weight {
            Weight::Information => EVENTLOG_INFORMATION_TYPE,
            Weight::Warning => EVENTLOG_WARNING_TYPE,
            Weight::Error => EVENTLOG_ERROR_TYPE,
        };
        let text = wide(fitting(text));
        let texts = [text.as_ptr()];
        // SAFETY: there is one text, which ends with NUL and lives until the call returns; null
        // stands for no user and no data.
        succeed(unsafe {
            ReportEventW(self.0, kind, 0, id.into(), null_mut(), 1, 0, texts.as_ptr(), null())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{forget, is_registered, register},
        registry::{Data, Key, Purpose},
    };

    #[test]
    fn a_source_is_known_until_it_is_forgotten() {
        let source = "Mainstay test source";
        register(source).unwrap();
        register(source).unwrap();
        let path = format!(r"SYSTEM\CurrentControlSet\Services\EventLog\Application\{source}");
        let values = Key::open(&path, Purpose::Look).unwrap().values().unwrap();
        let messages = values.iter().find(|value| value.name == "EventMessageFile").unwrap();
        let expected = r"%SystemRoot%\System32\EventCreate.exe".to_owned();
        assert_eq!(messages.data, Data::Expandable(expected));
        forget(source).unwrap();
        assert!(!is_registered(source));
        forget(source).unwrap();
    }

    /// Wine takes entries and keeps none, so that they cannot be read again.
    #[test]
    fn entries_of_every_weight_and_length_are_taken() {
        let log = EventLog::open("Mainstay test source").unwrap();
        for weight in [Weight::Information, Weight::Warning, Weight::Error] {
            log.report(weight, 1000, "`für 人` has crashed").unwrap();
        }
        log.report(Weight::Error, 1, &"x".repeat(100_000)).unwrap();
    }

    #[test]
    fn a_text_is_cut_between_letters_and_at_a_nul() {
        assert_eq!(fitting("a\0b"), "a");
        let long = "𝄞".repeat(20_000);
        assert_eq!(fitting(&long).encode_utf16().count(), 31_000);
    }
}
