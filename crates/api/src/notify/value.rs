//! Values of single keys.

use std::time::Duration;

use super::{Access, FACT_NAME_BYTES_MAX, FACT_VALUE_BYTES_MAX, Life};

/// The longest name of a descriptor or an error.
pub const NAME_BYTES_MAX: usize = 255;
/// The largest errno that Linux knows (`MAX_ERRNO`).
const ERRNO_MAX: i32 = 4095;

pub(super) fn is_one(value: &str) -> Result<bool, &'static str> {
    // Anything but 1 is ignored by systemd; nobody means something else by it.
    if value == "1" { Ok(true) } else { Err("is not 1") }
}

/// Reads what systemd takes for a truth value.
pub(super) fn is_yes(value: &str) -> Result<bool, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Ok(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Ok(false),
        _ => Err("is neither 0 nor 1"),
    }
}

pub(super) fn microseconds(value: &str) -> Result<Duration, &'static str> {
    value.parse().map(Duration::from_micros).map_err(|_| "is no number of microseconds")
}

pub(super) fn errno(value: &str) -> Result<i32, &'static str> {
    let known = value.parse().ok().filter(|number| (0..=ERRNO_MAX).contains(number));
    known.ok_or("is no error number")
}

/// Reads a process number; 1 is nobody's program.
pub(super) fn pid(value: &str) -> Result<u32, &'static str> {
    let pid = value.parse().ok().filter(|pid| *pid > 1 && i32::try_from(*pid).is_ok());
    pid.ok_or("is no process number")
}

pub(super) fn life(value: &str) -> Result<Life, &'static str> {
    match value {
        "1" => Ok(Life::Well),
        "trigger" => Ok(Life::Ailing),
        _ => Err("is neither 1 nor `trigger`"),
    }
}

pub(super) fn access(value: &str) -> Result<Access, &'static str> {
    match value {
        "none" => Ok(Access::None),
        // There are no control processes beside the program.
        "main" | "exec" => Ok(Access::Main),
        "all" => Ok(Access::All),
        _ => Err("is none of `none`, `main`, `exec`, `all`"),
    }
}

/// Returns a text without control characters, at most so long.
pub(super) fn text(value: &str, bytes_max: usize) -> String {
    cut(value, bytes_max).chars().map(harmless).collect()
}

fn harmless(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

/// Returns as much of a text as fits into so many bytes.
pub fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Reads the name of an error.
pub(super) fn name(value: &str) -> Result<String, &'static str> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if value.is_empty() || value.len() > NAME_BYTES_MAX || !value.chars().all(is_name) {
        return Err("is no name of an error");
    }
    Ok(value.to_owned())
}

/// Reads the name of a descriptor, by the rule of systemd's `fdname_is_valid`.
pub(super) fn descriptor_name(value: &str) -> Result<String, &'static str> {
    let is_name = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b':';
    if value.is_empty() || value.len() > NAME_BYTES_MAX || !value.bytes().all(is_name) {
        return Err("is no name of a descriptor: at most 255 printable letters without `:`");
    }
    Ok(value.to_owned())
}

pub(super) fn fact(value: &str) -> Result<(String, String), &'static str> {
    let (name, value) = value.split_once('=').ok_or("is not `name=value`")?;
    let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    if name.is_empty() || name.len() > FACT_NAME_BYTES_MAX || !name.bytes().all(is_name) {
        return Err("has a name that is not 1 to 64 of `a-z 0-9 . -`");
    }
    if value.len() > FACT_VALUE_BYTES_MAX {
        return Err("has a value longer than 1 KiB");
    }
    Ok((name.to_owned(), text(value, FACT_VALUE_BYTES_MAX)))
}
