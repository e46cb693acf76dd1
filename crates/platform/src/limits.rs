//! What the system allows a process: limits that its children inherit.
//!
//! Only Linux tells them of another process; elsewhere they are unsupported.

#[cfg(not(target_os = "linux"))]
#[path = "limits/elsewhere.rs"]
mod imp;
#[cfg(target_os = "linux")]
#[path = "limits/linux.rs"]
mod imp;

use std::io;

/// A limit, in the system's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Its name: `open files`.
    pub name: String,
    /// What holds, with its unit.
    pub soft: String,
    /// What a program may ask for, with its unit.
    pub hard: String,
}

/// Returns the limits that a process of ours passes on to what it starts.
pub fn of(pid: u32) -> io::Result<Vec<Limit>> {
    imp::of(pid)
}
