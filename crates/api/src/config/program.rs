//! What no program can be given: texts that no system passes on, and too much.

use std::{collections::BTreeMap, ops::Range};

use super::fields::{Placed, Reading};

/// What one program may be given: less than every system takes, and one frame to the keeper has
/// room for it however its letters are written.
pub const PROGRAM_BYTES_MAX: usize = 128 * 1024;

/// What a text costs besides its letters, as `execve` counts: its end and a pointer.
const TEXT_BYTES: usize = 9;

/// Notes variables that no system can pass on.
pub(super) fn check_variables(r: &mut Reading<'_>, environment: &BTreeMap<String, Placed>) {
    for (name, Placed { text, span }) in environment {
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("{name:?} cannot name a variable");
            let help = "a name has at least one letter, and no `=`";
            r.wrong(span.clone(), "bad-variable", message, help);
        }
        check_text(r, text, span);
    }
}

/// Notes a text that would break off for the program.
pub(super) fn check_text(r: &mut Reading<'_>, text: &str, span: &Range<usize>) {
    if text.contains('\0') {
        let message = "a text for a program has a NUL in it".to_owned();
        r.wrong(span.clone(), "nul", message, "remove it");
    }
}

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
