//! Telling a read end of ours from whatever a program has under the same number by now.
//!
//! A question to a file that is read synchronously waits for that read, which may last for ever:
//! questions are asked in a thread of their own, which is not waited for longer than a moment.

use std::{
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
    sync::mpsc,
    thread,
    time::Duration,
};

use windows_sys::{
    Wdk::Storage::FileSystem::{
        FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT, FileModeInformation,
        NtQueryInformationFile,
    },
    Win32::{
        Storage::FileSystem::{FILE_NAME_INFO, FileNameInfo, GetFileInformationByHandleEx},
        System::IO::IO_STATUS_BLOCK,
    },
};

use crate::windows::succeed;

/// How long a foreign file may take to answer.
const WITHIN: Duration = Duration::from_millis(500);

/// Returns the handle if it is one of our read ends: a pipe with such a name, opened as ours are.
pub(super) fn if_ours(pipe: OwnedHandle, name: &'static str) -> Option<OwnedHandle> {
    let is_ours = move |pipe: RawHandle| {
        name_of(pipe).is_some_and(|found| found.contains(name)) && !is_synchronous(pipe)
    };
    within(WITHIN, move || is_ours(pipe.as_raw_handle()).then_some(pipe)).flatten()
}

/// Asks in a thread of its own; nothing when the answer does not come.
fn within<T: Send + 'static>(
    patience: Duration,
    ask: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (told, answer) = mpsc::channel();
    let ask = move || {
        // Whoever has asked may have given up.
        told.send(ask()).ok();
    };
    thread::Builder::new().name("found".to_owned()).spawn(ask).ok()?;
    answer.recv_timeout(patience).ok()
}

/// Returns the name of a pipe, without its folder.
#[expect(unsafe_code, reason = "GetFileInformationByHandleEx")]
fn name_of(pipe: RawHandle) -> Option<String> {
    let mut room = [0_u32; 256];
    let (to, size) = (room.as_mut_ptr(), u32::try_from(size_of_val(&room)).ok()?);
    // SAFETY: `to` is valid for writes of `size` bytes and aligned.
    let done = unsafe { GetFileInformationByHandleEx(pipe, FileNameInfo, to.cast(), size) };
    succeed(done).ok()?;
    let (length, text) = room.split_first()?;
    let units = usize::try_from(*length).ok()? / 2;
    debug_assert_eq!(std::mem::offset_of!(FILE_NAME_INFO, FileName), 4);
    let low_high = |both: &u32| [both & 0xFFFF, both >> 16];
    let text = text.iter().flat_map(low_high).filter_map(|unit| u16::try_from(unit).ok());
    Some(String::from_utf16_lossy(&text.take(units).collect::<Vec<u16>>()))
}

/// Returns whether calls on a file wait for each other, which ours never do; false where the system
/// cannot say.
#[expect(unsafe_code, reason = "NtQueryInformationFile")]
fn is_synchronous(file: RawHandle) -> bool {
    let (mut mode, mut outcome) = (0_u32, IO_STATUS_BLOCK::default());
    let to = (&raw mut mode).cast();
    // SAFETY: both are valid for writes, `to` of the 4 bytes that are said.
    let status =
        unsafe { NtQueryInformationFile(file, &raw mut outcome, to, 4, FileModeInformation) };
    status >= 0 && mode & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_answer_is_not_waited_for() {
        let (_kept, never) = mpsc::channel::<()>();
        assert_eq!(within(Duration::from_millis(10), move || never.recv().is_ok()), None);
        assert_eq!(within(Duration::from_secs(10), || 7), Some(7));
    }
}
