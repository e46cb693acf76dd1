//! `/proc`.

use std::io;

use super::Kin;
use crate::process::{environment_of, text_of};

/// Fields of `/proc/PID/stat` behind the command, which may hold anything.
const STATE: usize = 0;
const PARENT: usize = 1;
const GROUP: usize = 2;

pub(super) fn of(pid: u32) -> io::Result<Option<Kin>> {
    let stat = match text_of(pid, "stat") {
        Ok(stat) => stat,
        // The second is how a process answers that is just going.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some((_, rest)) = stat.rsplit_once(')') else { return Ok(None) };
    let fields: Vec<&str> = rest.split_ascii_whitespace().take(GROUP + 1).collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    let has_ended = fields.get(STATE).is_none_or(|state| ["Z", "X"].contains(state));
    let (parent, group) = (number(PARENT).unwrap_or_default(), number(GROUP).unwrap_or_default());
    Ok(Some(Kin { parent, group, has_ended }))
}

pub(super) fn variables_of(pid: u32) -> io::Result<Vec<Vec<u8>>> {
    let mut variables = environment_of(pid)?;
    variables.retain(|variable| !variable.is_empty());
    Ok(variables)
}

pub(super) fn parent() -> Option<u32> {
    u32::try_from(rustix::process::getppid()?.as_raw_nonzero().get()).ok()
}
