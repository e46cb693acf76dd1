//! The source of our entries in the system's log of events: it is known to the system as long as
//! there is a service of ours.

use mainstay_platform::{
    event_log::{self, SOURCE},
    scm::Purpose,
};

use super::{database, list};

/// Makes the source known; returns a warning when the system refuses.
pub(in crate::cli) fn make_known() -> Option<String> {
    let error = event_log::register(SOURCE).err()?;
    Some(format!("the log of events will not know our messages: {error}"))
}

/// Forgets the source when no service of ours is left; returns a warning when the system refuses.
pub(in crate::cli) fn forget_with_the_last() -> Option<String> {
    // Whoever cannot list them does not know that none is left.
    let left = database(Purpose::Look).and_then(|database| list::count(&database)).ok()?;
    if left > 0 {
        return None;
    }
    let error = event_log::forget(SOURCE).err()?;
    Some(format!("the log of events still knows our source: {error}"))
}
