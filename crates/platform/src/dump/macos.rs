//! `/cores/core.PID`, which the system writes only where `ulimit -c` allows it.

use std::{io, path::PathBuf};

use super::{Dead, Dump};

#[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems where it can fail")]
pub(super) const fn refuse() -> io::Result<()> {
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems where it can fail")]
pub(crate) const fn restore() -> io::Result<bool> {
    Ok(false)
}

pub(super) fn find(dead: &Dead<'_>) -> Option<Dump> {
    dead.signal?;
    let path = PathBuf::from(format!("/cores/core.{}", dead.pid));
    let changed = path.metadata().ok()?.modified().ok()?;
    (changed >= dead.started).then_some(Dump::File(path))
}
