//! There are no jobs here.

use std::io;

use super::{Account, Depth};

/// Says that there is none.
#[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems that are asked")]
pub(super) const fn of(_job: &str, _depth: Depth) -> io::Result<Option<Account>> {
    Ok(None)
}
