//! An owned descriptor or handle, without saying which.

use std::fs::File;

/// An open file, pipe, socket or process; closed when dropped.
#[cfg(unix)]
pub type Descriptor = std::os::fd::OwnedFd;
/// An open file, pipe, socket or process; closed when dropped.
#[cfg(windows)]
pub type Descriptor = std::os::windows::io::OwnedHandle;

/// Whether descriptors that somebody else has made can be held for him without knowing what they
/// are: not on Windows, where each kind of handle is duplicated in a way of its own.
pub const CAN_BE_STORED: bool = cfg!(unix);

/// Lends a descriptor or handle.
pub fn borrow(descriptor: &Descriptor) -> Borrowed<'_> {
    #[cfg(unix)]
    return std::os::fd::AsFd::as_fd(descriptor);
    #[cfg(windows)]
    return std::os::windows::io::AsHandle::as_handle(descriptor);
}

/// Lends a file's descriptor or handle.
pub fn borrow_file(file: &File) -> Borrowed<'_> {
    #[cfg(unix)]
    return std::os::fd::AsFd::as_fd(file);
    #[cfg(windows)]
    return std::os::windows::io::AsHandle::as_handle(file);
}

/// A borrowed descriptor or handle.
#[cfg(unix)]
pub type Borrowed<'a> = std::os::fd::BorrowedFd<'a>;
/// A borrowed descriptor or handle.
#[cfg(windows)]
pub type Borrowed<'a> = std::os::windows::io::BorrowedHandle<'a>;
