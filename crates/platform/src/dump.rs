//! What a program that crashed has left of its memory, and where.
//!
//! Linux says with `core_pattern` where it puts core files, or who gets them; macOS puts them into
//! `/cores`; on Windows the error reporting writes minidumps where the registry asks for them
//! (`LocalDumps`). Only what is there is named.

#[cfg(target_os = "linux")]
#[path = "dump/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "dump/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "dump/windows.rs"]
mod imp;
#[cfg(unix)]
pub(crate) use imp::restore;
#[cfg(target_os = "linux")]
pub(crate) use imp::restored;

use std::{
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A program that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Dead<'a> {
    /// Its process id.
    pub pid: u32,
    /// Its command's first word.
    pub program: &'a str,
    /// Where it was started.
    pub directory: &'a Path,
    /// The signal that killed it, if one did.
    pub signal: Option<i32>,
    /// When it was started: what is older is another one's.
    pub started: SystemTime,
}

/// What is left of a program's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dump {
    /// A file.
    File(PathBuf),
    /// The command that shows it.
    Command(String),
    /// Who has it, in words.
    Elsewhere(String),
}

/// Has the system write nothing of this process's memory to a disk when it crashes, since that may
/// hold what others have trusted it with. What it starts gets back what it began with: see
/// [`crate::spawn::spawn_as`].
///
/// Linux: neither a file nor a handler (`core_pattern`) gets it, by the limit of core files; with a
/// hard limit of zero, which only root raises to one byte, a handler may. macOS
/// cannot give programs another limit than its own, and writes no core files unless somebody has
/// raised that. On Windows a minidump is without the heap; who asks for full dumps (`LocalDumps`)
/// gets them.
pub fn refuse() -> io::Result<()> {
    imp::refuse()
}

/// Looks what a program has left; nothing when it has left nothing that can be named.
pub fn find(dead: &Dead<'_>) -> Option<Dump> {
    imp::find(dead)
}
