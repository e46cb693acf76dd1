//! One pump for everything: without splice no write can hold a program.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{fs::OpenOptionsExt as _, io::AsRawHandle as _},
    path::Path,
    ptr::null_mut,
};

use windows_sys::Win32::{
    Foundation::ERROR_ACCESS_DENIED,
    Storage::FileSystem::{
        BY_HANDLE_FILE_INFORMATION, FILE_READ_ATTRIBUTES, FILE_STANDARD_INFO, FileStandardInfo,
        GetDiskFreeSpaceExW, GetFileInformationByHandle, GetFileInformationByHandleEx,
    },
};

use super::{FileSystem, Room, Standing};
use crate::windows::{is, succeed, wide};

#[expect(clippy::unnecessary_wraps, reason = "other systems can fail to tell")]
pub(super) const fn is_in_memory(_folder: &Path) -> io::Result<Option<bool>> {
    Ok(None)
}

pub(super) fn of(folder: &Path) -> io::Result<FileSystem> {
    if !std::fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(FileSystem { device: 0, is_remote: true })
}

/// A file that was deleted keeps its name until everybody has closed it, but nobody can open it.
#[expect(unsafe_code, reason = "GetFileInformationByHandleEx")]
pub(super) fn standing(file: &File) -> io::Result<Standing> {
    let mut info = FILE_STANDARD_INFO::default();
    let bytes = u32::try_from(size_of_val(&info)).unwrap_or_default();
    let to = (&raw mut info).cast();
    // SAFETY: the handle is open; `to` is valid for writes of `bytes`.
    succeed(unsafe {
        GetFileInformationByHandleEx(file.as_raw_handle(), FileStandardInfo, to, bytes)
    })?;
    let length = u64::try_from(info.EndOfFile).unwrap_or_default();
    Ok(Standing { length, has_name: !info.DeletePending })
}

pub(super) fn create_held(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(true).write(true).share_mode(0).open(path)
}

pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    match OpenOptions::new().access_mode(FILE_READ_ATTRIBUTES).open(path) {
        Ok(other) => Ok(identity(file)? == identity(&other)?),
        Err(error) if is(&error, ERROR_ACCESS_DENIED) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the volume and the file's number on it.
#[expect(unsafe_code, reason = "GetFileInformationByHandle")]
pub(super) fn identity(file: &File) -> io::Result<[u64; 2]> {
    let mut info = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open; `info` is valid for writes.
    succeed(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut info) })?;
    let number = u64::from(info.nFileIndexHigh) << 32 | u64::from(info.nFileIndexLow);
    Ok([info.dwVolumeSerialNumber.into(), number])
}

/// Quotas of the user are counted.
#[expect(unsafe_code, reason = "GetDiskFreeSpaceExW")]
pub(super) fn room(folder: &Path) -> io::Result<Room> {
    let (name, mut free_bytes, mut whole_bytes) = (wide(folder), 0, 0);
    let (free, whole) = (&raw mut free_bytes, &raw mut whole_bytes);
    // SAFETY: the name ends with NUL and lives until the call returns; both are valid for writes.
    succeed(unsafe { GetDiskFreeSpaceExW(name.as_ptr(), free, whole, null_mut()) })?;
    Ok(Room { free_bytes, whole_bytes })
}
