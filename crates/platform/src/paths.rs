//! Where an instance may keep its sockets and its state, and whom to trust with a folder.

#[cfg(unix)]
#[path = "paths/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "paths/windows.rs"]
mod imp;

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Returns the folder for sockets, locks and journals of this user, created when missing.
///
/// It is on local storage, is emptied by a reboot where the system has such a place, and nobody
/// but its owner may enter.
pub fn runtime_base() -> io::Result<PathBuf> {
    imp::runtime_base()
}

/// Returns the folder for logs and state of instances that have no folder of their own.
pub fn state_base() -> io::Result<PathBuf> {
    imp::state_base()
}

/// Creates a folder, and what leads to it, that only its owner may enter.
pub fn create_private(path: &Path) -> io::Result<()> {
    imp::create_private(path)
}

/// Creates a folder that only its owner may enter; one that is there already is refused. On Windows
/// it has the rights of the folder that it lies in.
pub fn create_new_private(path: &Path) -> io::Result<()> {
    imp::create_new_private(path)
}

/// Creates or truncates a file that only its owner may read.
pub fn create_private_file(path: &Path) -> io::Result<File> {
    imp::create_private_file(path)
}

/// Opens or creates a file that only its owner may read and write, as it is.
pub fn open_private_file(path: &Path) -> io::Result<File> {
    imp::open_private_file(path)
}

/// Creates a file that only its owner may read; one that is there already is refused.
pub fn create_new_private_file(path: &Path) -> io::Result<File> {
    imp::create_new_private_file(path)
}

/// Creates a file that its owner may read and nobody may write but through the result; one that is
/// there already is refused. On Windows it has the rights of its folder.
pub fn create_new_sealed_file(path: &Path) -> io::Result<File> {
    imp::create_new_sealed_file(path)
}

/// Opens a file to be read that nobody else may have read or written: one that leads elsewhere,
/// that belongs to somebody else than us or the administrator, or that its mode opens to others is
/// refused ([`io::ErrorKind::PermissionDenied`]). On Windows the folder guards it.
pub fn open_private_regular(path: &Path) -> io::Result<File> {
    imp::open_private_regular(path)
}

/// Opens a file to be read, without waiting: what is no regular file is refused.
pub fn open_regular(path: &Path) -> io::Result<File> {
    imp::open_regular(path)
}

/// Opens a log file, which is created for its owner to write and its group to read.
pub fn open_log(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    imp::open_log(options, path)
}

/// Opens a log file in a folder where others may write: a name that leads elsewhere is refused, or
/// they would choose the file that we write to.
pub fn open_exposed_log(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    imp::open_exposed_log(options, path)
}

fn leads_elsewhere() -> io::Error {
    let text = "it is a link; name the file that it leads to";
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Gives a file to the owner and the group of another one, where there are such; a no-op when it
/// is theirs already.
pub fn share_owner(file: &File, other: &Path) -> io::Result<()> {
    imp::share_owner(file, other)
}

/// Gives a file the access list of another one, where files have such and it says anything that the
/// folder does not.
pub fn share_access(path: &Path, other: &Path) -> io::Result<()> {
    imp::share_access(path, other)
}

/// Returns whether a file or folder belongs to the caller or to the system's administrator.
pub fn is_trusted_owner(path: &Path) -> io::Result<bool> {
    imp::is_trusted_owner(path)
}

/// Returns where a path really leads, in the form in which people write paths.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    imp::canonical(path)
}

/// Makes a link that leads to a file or a folder by its name. On Windows it is one to a file, and few
/// users may make it.
pub fn link(target: &Path, link: &Path) -> io::Result<()> {
    imp::link(target, link)
}

/// What somebody may do in a folder that is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Reading, and executing what lies there.
    Read,
    /// Reading, writing and removing what lies there, but not giving rights away.
    Modify,
    /// All that, and giving rights away.
    Share,
}

/// Returns the folder of what belongs to the machine and to no user: `%ProgramData%\\mainstay`.
///
/// Unix systems keep services of the machine in places of their own; there it is refused.
pub fn machine_base() -> io::Result<PathBuf> {
    imp::machine_base()
}

/// Returns the folder of our own program for the whole machine: `%ProgramFiles%\\Mainstay`.
///
/// Unix systems have packages for that; there it is refused.
pub fn program_base() -> io::Result<PathBuf> {
    imp::program_base()
}

/// Returns whether a folder holds much more than a program and its files: a drive, the folder of the
/// users' profiles, a profile. On Unix rights are not given by folders, and there is no such thing.
pub fn is_everybodys(folder: &Path) -> bool {
    imp::is_everybodys(folder)
}

/// Creates a folder that only administrators, the system and the named identities may enter.
///
/// The rights are there from birth and go to whatever is created in it. A folder that exists
/// already gets these rights and no others, if administrators, the system or the caller own it; one
/// that somebody else has put there, or that leads elsewhere, is refused
/// ([`io::ErrorKind::PermissionDenied`]).
pub fn create_guarded(path: &Path, grants: &[(String, Right)]) -> io::Result<()> {
    imp::create_guarded(path, grants)
}

/// Refuses a guarded folder that nobody should believe any more: one that leads elsewhere, that is
/// neither administrators', nor the system's, nor the caller's own, or that anybody but these may
/// change.
///
/// A folder that the caller may not look at is let pass: whoever was let in by it can look at the
/// one below.
pub fn check_guarded(path: &Path) -> io::Result<()> {
    imp::check_guarded(path)
}

/// Says anew who may enter a guarded folder and what lies in it, besides administrators and the
/// system. The caller needs [`Right::Share`] there; nothing is done where it is so already.
pub fn guard_anew(path: &Path, grants: &[(String, Right)]) -> io::Result<()> {
    imp::guard_anew(path, grants)
}

/// Returns who has [`Right::Share`] in a folder, where rights go by lists.
pub fn sharers(path: &Path) -> io::Result<Vec<String>> {
    imp::sharers(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_opened_as_one() {
        let folder = std::env::temp_dir();
        open_regular(&folder).unwrap_err();
        open_regular(Path::new("/dev/zero")).unwrap_err();
        let file = folder.join(format!("mainstay-paths-{}", std::process::id()));
        create_private_file(&file).unwrap();
        assert!(open_regular(&file).unwrap().metadata().unwrap().is_file());
        std::fs::remove_file(&file).unwrap();
    }
}
