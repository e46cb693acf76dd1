//! An owned descriptor or handle, without saying which.

/// An open file, pipe, socket or process; closed when dropped.
#[cfg(unix)]
pub type Descriptor = std::os::fd::OwnedFd;
/// An open file, pipe, socket or process; closed when dropped.
#[cfg(windows)]
pub type Descriptor = std::os::windows::io::OwnedHandle;

/// A borrowed descriptor or handle.
#[cfg(unix)]
pub type Borrowed<'a> = std::os::fd::BorrowedFd<'a>;
/// A borrowed descriptor or handle.
#[cfg(windows)]
pub type Borrowed<'a> = std::os::windows::io::BorrowedHandle<'a>;
