//! `fstat` and `ftruncate` of stderr itself: no descriptor is needed, for want of one may be what
//! is complained about.

use std::io;

use rustix::fs::{FileType, fstat, ftruncate};

/// Empties stderr if it is a long file; returns whether it was.
pub(super) fn empty_if_longer(bytes_max: u64) -> bool {
    let log = io::stderr();
    let is_long = fstat(&log).is_ok_and(|found| {
        let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
        is_file && u64::try_from(found.st_size).is_ok_and(|size| size > bytes_max)
    });
    is_long && ftruncate(&log, 0).is_ok()
}
