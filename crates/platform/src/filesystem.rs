//! What kind of storage a folder lies on.

#[cfg(target_os = "linux")]
#[path = "filesystem/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "filesystem/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "filesystem/windows.rs"]
mod imp;

#[cfg(windows)]
use imp as open;

#[cfg(unix)]
#[path = "filesystem/unix.rs"]
mod open;

use std::{fs::File, io, path::Path};

/// The storage under a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Distinguishes file systems of this machine.
    pub device: u64,
    /// True when a write may hang for other reasons than the disk's speed: network and user-space
    /// file systems. There the pump copies through its own memory, so that a stalled write never
    /// makes the writing *program* unkillable. macOS takes a user-space file system's own word
    /// for it.
    pub is_remote: bool,
}

/// Returns the storage under a folder: where it lies, or where it would lie once it was made.
pub fn of(folder: &Path) -> io::Result<FileSystem> {
    let missing = || Err(io::ErrorKind::NotFound.into());
    let mut looks = folder.ancestors().map(imp::of);
    looks.find(|look| !is_missing(look)).unwrap_or_else(missing)
}

/// Returns whether what lies in a folder is in memory only and on no disk; nothing where the system
/// does not tell. What is in memory may still be swapped out.
pub fn is_in_memory(folder: &Path) -> io::Result<Option<bool>> {
    imp::is_in_memory(folder)
}

/// How much a file system holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// What this user may still write, in bytes.
    pub free_bytes: u64,
    /// All there is, in bytes.
    pub whole_bytes: u64,
}

/// Returns how much room there is under a folder that is there.
pub fn room(folder: &Path) -> io::Result<Room> {
    open::room(folder)
}

/// Returns whether a write failed because there is no room, which deleting something may make.
pub fn is_out_of_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// What has become of a file since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How long it is.
    pub length: u64,
    /// False when it was deleted; always true on Windows, where [`is_at`] tells.
    pub has_name: bool,
}

/// Returns what has become of an open file: one system call.
pub fn standing(file: &File) -> io::Result<Standing> {
    open::standing(file)
}

/// Returns whether a path leads to this very file; on Windows, whether it leads to any.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    match open::is_at(file, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        answer => answer,
    }
}

/// Returns what tells a file apart from every other one that is there: its storage and its number
/// on it. A number is given again once a file is gone.
pub fn identity(file: &File) -> io::Result<[u64; 2]> {
    open::identity(file)
}

/// Creates a file that nobody else may open as long as it is held. Systems that know no such thing
/// refuse it.
pub fn create_held(path: &Path) -> io::Result<File> {
    open::create_held(path)
}

fn is_missing(look: &io::Result<FileSystem>) -> bool {
    look.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_lies_where_it_would() {
        let here = std::env::temp_dir();
        let missing = here.join("mainstay-no-such-folder/nor-this-one");
        assert_eq!(of(&missing).unwrap(), of(&here).unwrap());
    }

    #[test]
    fn a_file_system_has_no_more_room_than_it_is_large() {
        let Room { free_bytes, whole_bytes } = room(&std::env::temp_dir()).unwrap();
        assert!(whole_bytes > 0 && free_bytes <= whole_bytes);
        room(&std::env::temp_dir().join("mainstay-no-such-folder")).unwrap_err();
    }

    #[test]
    fn a_file_that_was_moved_or_deleted_is_not_where_it_was() {
        let name = format!("mainstay-standing-{}", std::process::id());
        let (path, other) =
            (std::env::temp_dir().join(&name), std::env::temp_dir().join(name + "2"));
        let mut file = File::create(&path).unwrap();
        io::Write::write_all(&mut file, b"four").unwrap();
        assert_eq!(standing(&file).unwrap(), Standing { length: 4, has_name: true });
        assert!(is_at(&file, &path).unwrap());
        let itself = identity(&file).unwrap();
        std::fs::rename(&path, &other).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        assert_eq!(identity(&File::open(&other).unwrap()).unwrap(), itself);
        assert_ne!(identity(&File::create(&path).unwrap()).unwrap(), itself);
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(&other).unwrap();
        assert!(!is_at(&file, &other).unwrap());
        assert_eq!(standing(&file).unwrap().has_name, cfg!(windows));
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = std::env::current_exe().unwrap();
        assert_eq!(of(&file).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        let below = of(&file.join("below")).unwrap_err();
        assert_eq!(below.kind(), io::ErrorKind::NotADirectory);
    }
}
