//! Whether two descriptors are of one open file: one is a duplicate of the other.

#[cfg(not(target_os = "linux"))]
#[path = "same_file/elsewhere.rs"]
mod imp;
#[cfg(target_os = "linux")]
#[path = "same_file/linux.rs"]
mod imp;

use crate::descriptor::Descriptor;

/// Whether the system tells; elsewhere than on Linux nobody is the same as anybody.
pub const IS_TOLD: bool = cfg!(target_os = "linux");

/// Returns whether one is a duplicate of the other.
///
/// Where the system forbids to compare open files, two of the same file on a disk count as one when
/// they were opened in the same way and stand at the same place.
pub fn are_same(one: &Descriptor, other: &Descriptor) -> bool {
    imp::are_same(one, other)
}
