//! A line from the terminal that is not shown. Keys are read one by one, so that Ctrl-C is ours to
//! answer: the terminal is as it was before, however this ends, unless somebody kills us.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Whoever types more than this has pasted something else.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Keys that mean something.
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 21;
const DELETE: u8 = 127;

pub(in crate::logon) fn ask_secret(prompt: &str) -> io::Result<String> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let terminal = terminal.map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
    // Silent first: whoever answers at once is not shown either.
    let silent = Silent::new(&terminal)?;
    (&terminal).write_all(prompt.as_bytes())?;
    let line = line_of(|room| (&terminal).read(room));
    drop(silent);
    (&terminal).write_all(b"\n")?;
    line
}

/// A terminal that neither shows nor gathers what is typed, until the value is dropped.
struct Silent<'a>(&'a File, Termios);

impl<'a> Silent<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let former = tcgetattr(terminal)?;
        let mut silent = former.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self(terminal, former))
    }
}

impl Drop for Silent<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.0, OptionalActions::Flush, &self.1);
    }
}

/// Reads until the end of the line, the end of the input, or Ctrl-C, which gives it up.
fn line_of(mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<String> {
    let (mut line, mut key) = (Vec::new(), [0]);
    while line.len() < LINE_BYTES_MAX && read(&mut key)? == 1 {
        match key {
            [b'\n' | b'\r' | CTRL_D] => break,
            [CTRL_C] => return Err(io::ErrorKind::Interrupted.into()),
            [CTRL_U] => line.clear(),
            [BACKSPACE | DELETE] => erase(&mut line),
            [byte] => line.push(byte),
        }
    }
    String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Takes the last letter back, however many bytes it has.
fn erase(line: &mut Vec<u8>) {
    let is_inside = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    while line.pop_if(|byte| is_inside(byte)).is_some() {}
    line.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> io::Result<String> {
        let mut keys = keys.iter();
        line_of(|room| {
            let Some(key) = keys.next() else { return Ok(0) };
            room[0] = *key;
            Ok(1)
        })
    }

    #[test]
    fn a_line_is_read_key_by_key_and_can_be_corrected() {
        assert_eq!(typed("Größe 密码\n".as_bytes()).unwrap(), "Größe 密码");
        assert_eq!(typed("密码\x7f\x08no\x15abd\x7fc\r".as_bytes()).unwrap(), "abc");
        assert_eq!(typed(b"no end").unwrap(), "no end");
        assert_eq!(typed(b"\x7fa\x04b").unwrap(), "a");
        assert_eq!(typed(b"ab\x03").unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(typed(b"\xff\n").unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
