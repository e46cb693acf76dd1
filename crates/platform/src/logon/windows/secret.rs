//! A line from the console that is not shown, in whatever letters.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::io::AsRawHandle as _,
    ptr::null,
    sync::{Mutex, PoisonError},
};

use windows_sys::{
    Win32::System::Console::{
        ENABLE_ECHO_INPUT, GetConsoleMode, ReadConsoleW, SetConsoleCtrlHandler, SetConsoleMode,
        WriteConsoleW,
    },
    core::BOOL,
};

use crate::windows::succeed;

/// What is read at once.
const READ_UNITS: usize = 512;
/// No password is longer than 256 letters.
const LINE_UNITS_MAX: usize = 4096;

/// The mode of a console that is silent, for whoever ends this process meanwhile.
static FORMER: Mutex<Option<u32>> = Mutex::new(None);

pub(in crate::logon) fn ask_secret(prompt: &str) -> io::Result<String> {
    let missing = |_| io::Error::from(io::ErrorKind::NotFound);
    let input = console("CONIN$").map_err(missing)?;
    let output = console("CONOUT$").map_err(missing)?;
    show(&output, prompt)?;
    let silent = Silent::new(&input)?;
    let line = line_of(|room| read(&input, room));
    drop(silent);
    show(&output, "\r\n")?;
    line
}

fn console(name: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(name)
}

#[expect(unsafe_code, reason = "WriteConsoleW")]
fn show(output: &File, text: &str) -> io::Result<()> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let (count, mut written) = (u32::try_from(units.len()).unwrap_or(u32::MAX), 0);
    let (to, from) = (output.as_raw_handle(), units.as_ptr());
    // SAFETY: there are `count` units; `written` is valid for writes; what is reserved is null.
    succeed(unsafe { WriteConsoleW(to, from, count, &raw mut written, null()) })
}

#[expect(unsafe_code, reason = "ReadConsoleW")]
fn read(input: &File, room: &mut [u16]) -> io::Result<usize> {
    let (count, mut got) = (u32::try_from(room.len()).unwrap_or(u32::MAX), 0);
    let (from, to) = (input.as_raw_handle(), room.as_mut_ptr().cast());
    // SAFETY: the room has `count` units; `got` is valid for writes; null asks for a line.
    succeed(unsafe { ReadConsoleW(from, to, count, &raw mut got, null()) })?;
    Ok(usize::try_from(got).unwrap_or_default())
}

/// Reads until the end of the line; a read that brings nothing ends it, too.
fn line_of(mut read: impl FnMut(&mut [u16]) -> io::Result<usize>) -> io::Result<String> {
    let mut line: Vec<u16> = Vec::new();
    let mut room = [0; READ_UNITS];
    while line.last() != Some(&u16::from(b'\n')) && line.len() < LINE_UNITS_MAX {
        let count = read(&mut room)?;
        if count == 0 {
            break;
        }
        line.extend(room.iter().take(count));
    }
    let text =
        String::from_utf16(&line).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// A console that does not show what is typed, until the value is dropped or Ctrl-C is pressed.
struct Silent<'a>(&'a File);

impl<'a> Silent<'a> {
    #[expect(unsafe_code, reason = "GetConsoleMode, SetConsoleMode, SetConsoleCtrlHandler")]
    fn new(input: &'a File) -> io::Result<Self> {
        let mut former = 0;
        // SAFETY: the console is open; `former` is valid for writes.
        succeed(unsafe { GetConsoleMode(input.as_raw_handle(), &raw mut former) })?;
        *FORMER.lock().unwrap_or_else(PoisonError::into_inner) = Some(former);
        // SAFETY: the handler is a function without captures that lives for ever.
        succeed(unsafe { SetConsoleCtrlHandler(Some(on_control), 1) })?;
        // SAFETY: the console is open.
        succeed(unsafe { SetConsoleMode(input.as_raw_handle(), former & !ENABLE_ECHO_INPUT) })?;
        Ok(Self(input))
    }
}

impl Drop for Silent<'_> {
    #[expect(unsafe_code, reason = "SetConsoleCtrlHandler")]
    fn drop(&mut self) {
        restore(self.0);
        // SAFETY: as when it was set; nobody counts on it any more.
        unsafe { SetConsoleCtrlHandler(Some(on_control), 0) };
    }
}

/// Gives the console its mode back, once.
#[expect(unsafe_code, reason = "SetConsoleMode")]
fn restore(input: &File) {
    let former = FORMER.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(former) = former {
        // SAFETY: the console is open.
        unsafe { SetConsoleMode(input.as_raw_handle(), former) };
    }
}

/// Runs in a thread of the system's own, and lets whoever comes next end this process: its shell
/// would not show any more what is typed there.
#[expect(unsafe_code, reason = "the type of a console handler")]
unsafe extern "system" fn on_control(_event: u32) -> BOOL {
    if let Ok(input) = console("CONIN$") {
        restore(&input);
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(parts: &[&[u16]]) -> io::Result<String> {
        let mut parts = parts.iter();
        line_of(|room| {
            let part = parts.next().copied().unwrap_or_default();
            room.iter_mut().zip(part).for_each(|(to, unit)| *to = *unit);
            Ok(part.len())
        })
    }

    #[test]
    fn a_password_is_read_letter_by_letter_to_the_end_of_its_line() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        assert_eq!(typed(&[&units("Größe 密码\r\n")]).unwrap(), "Größe 密码");
        let key = units("🔑\r\n");
        let (first, rest) = key.split_at(1);
        assert_eq!(typed(&[first, rest, &units("next")]).unwrap(), "🔑");
        assert_eq!(typed(&[&units("no end")]).unwrap(), "no end");
        assert!(typed(&[first]).is_err(), "half a letter");
    }
}
