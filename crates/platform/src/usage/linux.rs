//! `/proc`.

use std::{fs, io, time::Duration};

use super::Usage;
use crate::process::Process;

/// The place of the time in user mode among the fields behind the program's name; that in system
/// mode follows it.
const USER_TIME: usize = 11;
/// The place of the resident pages.
const RESIDENT_PAGES: usize = 21;

pub(super) fn of(process: &Process) -> io::Result<Usage> {
    let text = fs::read_to_string(format!("/proc/{}/stat", process.pid()))?;
    read(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn read(text: &str) -> Option<Usage> {
    // The name may hold anything, a parenthesis too.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<u64> =
        rest.split_ascii_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    let ticks = fields.get(USER_TIME)? + fields.get(USER_TIME + 1)?;
    let (ticks_a_second, page) =
        (rustix::param::clock_ticks_per_second(), rustix::param::page_size());
    Some(Usage {
        processor_time: Duration::from_millis(ticks * 1000 / ticks_a_second.max(1)),
        memory_bytes: fields.get(RESIDENT_PAGES)? * u64::try_from(page).ok()?,
    })
}
