//! One pump for everything: without splice no write can hold a program.

use std::{fs::File, io, os::windows::io::AsRawHandle as _, path::Path};

use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_STANDARD_INFO, FileStandardInfo, GetFileInformationByHandle,
    GetFileInformationByHandleEx,
};

use super::{FileSystem, Standing};
use crate::windows::succeed;

pub(super) fn of(folder: &Path) -> io::Result<FileSystem> {
    if !std::fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(FileSystem { device: 0, is_remote: true })
}

pub(super) fn standing(file: &File) -> io::Result<Standing> {
    Ok(Standing { length: file.metadata()?.len(), has_name: !is_going(file)? })
}

pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let other = File::open(path)?;
    Ok(number_of(file)? == number_of(&other)? && !is_going(&other)?)
}

/// Returns whether a file was deleted and is kept only by those who have it open.
#[expect(unsafe_code, reason = "GetFileInformationByHandleEx")]
fn is_going(file: &File) -> io::Result<bool> {
    let mut info = FILE_STANDARD_INFO::default();
    let size = u32::try_from(size_of::<FILE_STANDARD_INFO>()).unwrap_or_default();
    let (handle, to) = (file.as_raw_handle(), (&raw mut info).cast());
    // SAFETY: `to` is valid for writes of `size` bytes.
    succeed(unsafe { GetFileInformationByHandleEx(handle, FileStandardInfo, to, size) })?;
    Ok(info.DeletePending || info.NumberOfLinks == 0)
}

/// Returns the numbers of volume and file, the same for all who have it open.
#[expect(unsafe_code, reason = "GetFileInformationByHandle")]
fn number_of(file: &File) -> io::Result<[u32; 3]> {
    let mut info = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: `info` is valid for writes.
    succeed(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut info) })?;
    Ok([info.dwVolumeSerialNumber, info.nFileIndexHigh, info.nFileIndexLow])
}
