//! The event log of the system, where administrators of Windows look first.
//!
//! Messages come from `EventCreate.exe`, which every Windows has: nothing of ours is held open by
//! the viewer, so an upgrade can replace all our files. It knows the numbers 1 to 1000, each with one text.
//! Other systems refuse everything as unsupported.

#[cfg(not(windows))]
#[path = "event_log/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "event_log/windows.rs"]
mod imp;

use std::io;

use crate::registry::{self, Data, Key, Lasts};

pub use imp::EventLog;

/// The only source of ours.
pub const SOURCE: &str = "Mainstay";
/// Where the system looks for the messages of a source.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// Errors, warnings and information.
const KINDS: u32 = 7;
/// The system refuses texts of 31,839 units and more.
const UNITS_MAX: usize = 31_000;

/// How much an entry matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It is good to know.
    Information,
    /// Somebody should look at it some time.
    Warning,
    /// Somebody should look at it soon.
    Error,
}

/// Tells the system where the messages of a source are; may be done again.
pub fn register(source: &str) -> io::Result<()> {
    let key = Key::create(&path_of(source), Lasts::Forever)?;
    key.set("EventMessageFile", &Data::Expandable(MESSAGES.to_owned()))?;
    key.set("TypesSupported", &Data::Number(KINDS))
}

/// Forgets a source; one that is not there is a success. Its entries stay in the log.
pub fn forget(source: &str) -> io::Result<()> {
    registry::delete_tree(&path_of(source))
}

/// Returns whether a source is known to the system.
pub fn is_registered(source: &str) -> bool {
    Key::open(&path_of(source), registry::Purpose::Look).is_ok()
}

fn path_of(source: &str) -> String {
    format!("{SOURCES}\\{source}")
}

/// Returns the beginning of a text, as much as one entry holds.
#[cfg_attr(not(windows), expect(dead_code, reason = "there is no log to put it into"))]
fn fitting(text: &str) -> String {
    let mut units = 0;
    text.chars()
        .take_while(|letter| {
            units += letter.len_utf16();
            *letter != '\0' && units <= UNITS_MAX
        })
        .collect()
}
