//! Folders of the user's profile, which nobody else but SYSTEM and administrators may enter.

use std::{
    env, fs,
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

pub(super) fn runtime_base() -> io::Result<PathBuf> {
    let base = profile_folder()?.join("run");
    create_private(&base)?;
    Ok(base)
}

pub(super) fn state_base() -> io::Result<PathBuf> {
    Ok(profile_folder()?.join("state"))
}

/// SYSTEM and the service accounts have a profile too.
fn profile_folder() -> io::Result<PathBuf> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "LOCALAPPDATA is not set");
    let local = env::var_os("LOCALAPPDATA").ok_or_else(missing)?;
    Ok(PathBuf::from(local).join("mainstay"))
}

pub(super) fn create_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

pub(super) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)
}

pub(super) fn open_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    Ok(file)
}

pub(super) fn open_log(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.create(true).open(path)
}

#[expect(clippy::unnecessary_wraps, reason = "other systems can refuse it")]
pub(super) fn share_owner(_file: &File, _other: &Path) -> io::Result<()> {
    // A new file inherits its access list from the folder, as the other one did.
    Ok(())
}

pub(super) fn is_trusted_owner(path: &Path) -> io::Result<bool> {
    crate::windows::account::is_trusted(&crate::windows::account::owner_of(path)?)
}
