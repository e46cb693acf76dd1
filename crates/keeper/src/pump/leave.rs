//! Asking a pump to end, and taking that back when it does not get to it.
//!
//! ```text
//! Stays ──ask──► Asked ──accept──► Leaves
//!   ▲              │
//!   └────revoke────┘
//! ```

use std::sync::atomic::{AtomicU8, Ordering};

const STAYS: u8 = 0;
const ASKED: u8 = 1;
const LEAVES: u8 = 2;

/// Whether a pump is to end; shared by it and the control thread.
#[derive(Debug, Default)]
pub(super) struct Leave(AtomicU8);

impl Leave {
    /// Asks the pump to end.
    pub(super) fn ask(&self) {
        self.swap(STAYS, ASKED);
    }

    /// Takes that back; returns false when the pump has accepted already.
    pub(super) fn revoke(&self) -> bool {
        self.swap(ASKED, STAYS)
    }

    /// Returns whether the pump was asked and has not answered.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire) == ASKED
    }

    /// Returns whether the pump was asked, and binds it to end.
    pub(super) fn accept(&self) -> bool {
        self.swap(ASKED, LEAVES)
    }

    fn swap(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_back_ends_nobody_and_what_was_accepted_is_not_taken_back() {
        let leave = Leave::default();
        assert!(!leave.accept());
        leave.ask();
        assert!(leave.revoke());
        assert!(!leave.accept());
        leave.ask();
        assert!(leave.accept());
        assert!(!leave.revoke());
    }
}
