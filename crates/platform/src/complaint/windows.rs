//! What is only appended to cannot be emptied.

/// Does nothing.
pub(super) const fn empty_if_longer(_bytes_max: u64) -> bool {
    false
}
