//! Pipes that carry a program's output, and moving their bytes into files.
//!
//! Linux moves them in one system call. Windows and macOS write first and take then: a keeper that
//! is killed in between leaves up to one buffer in the file twice. Linux and Windows find a lost
//! pipe again through the program; on macOS, where a pipe is a pair of sockets, one that neither
//! keeper nor agent holds any more is not found again.

#[cfg(target_os = "linux")]
#[path = "pipe/linux.rs"]
mod imp;
#[cfg(windows)]
#[path = "pipe/windows.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "pipe/macos.rs"]
mod imp;

#[cfg(windows)]
pub(crate) use imp::KEPT_ACCESS;
pub use imp::{PipeReader, PipeWriter, Scratch, pipe, reopen_output};

/// What a move brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// This many bytes are in the file and no longer in the pipe.
    Bytes(usize),
    /// The pipe is empty for the moment.
    Empty,
    /// Nobody holds the other end any more.
    Ended,
}

/// How bytes travel from pipe to file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In one system call, so that a kill cannot fall between taking and storing. Linux only;
    /// elsewhere the same as `Copy`.
    Splice,
    /// Through our memory: for storage whose writes may hang.
    Copy,
}

/// Where the next line ends, as far as can be seen without taking bytes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// After this many bytes.
    After(usize),
    /// Not among this many waiting bytes.
    NotWithin(usize),
    /// Nothing waits.
    Empty,
    /// Nobody holds the other end any more.
    Ended,
}
