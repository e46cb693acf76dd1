//! Boot id, pid namespace, start time of its PID 1.

use std::{fs, io, os::unix::fs::MetadataExt as _};

use crate::process::start_ticks_of;

pub(super) fn identity() -> io::Result<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let namespace = fs::metadata("/proc/self/ns/pid")?.ino();
    let first = start_ticks_of(1).unwrap_or_default();
    Ok(format!("{}/{namespace}/{first}", boot.trim()))
}
