//! What no program can be given: too much.

use std::{collections::BTreeMap, ops::Range};

use super::fields::{Placed, Reading};

/// What one program may be given: less than every system takes, and one frame to the keeper has
/// room for it however its letters are written.
pub const PROGRAM_BYTES_MAX: usize = 128 * 1024;

/// What a text costs besides its letters, as `execve` counts: its end and a pointer.
const TEXT_BYTES: usize = 9;

/// Notes what would not fit.
pub(super) fn check_size(
    r: &mut Reading<'_>,
    command: &[String],
    environment: &BTreeMap<String, Placed>,
    header: Range<usize>,
) {
    let words = command.iter().map(|word| word.len() + TEXT_BYTES);
    let variables =
        environment.iter().map(|(name, value)| name.len() + value.text.len() + TEXT_BYTES + 1);
    let size: usize = words.chain(variables).sum();
    if size > PROGRAM_BYTES_MAX {
        let message =
            format!("command and environment have {size} bytes, more than {PROGRAM_BYTES_MAX}");
        r.wrong(header, "too-large", message, "let the program read them from a file");
    }
}
