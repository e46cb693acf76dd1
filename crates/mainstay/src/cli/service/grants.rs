//! Folders that a service was let into when it was installed. They are noted in its own folder, so
//! that its removal takes the rights back.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

use mainstay_platform::{access, scm};
use mainstay_storage::atomic;

use crate::{place::Place, print};

/// Notes the folders.
pub(in crate::cli) fn note(place: &Place, folders: &[PathBuf]) -> io::Result<()> {
    if folders.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let text = lines.join("\n");
    atomic::replace(&note_of(place), text.as_bytes(), |path| File::create(path))
}

/// Takes back what was noted; what cannot be taken back is told.
pub(in crate::cli) fn take_back(place: &Place) {
    let note = note_of(place);
    let noted = fs::read_to_string(&note).unwrap_or_default();
    let folders: Vec<PathBuf> = noted.lines().map(PathBuf::from).collect();
    revoke(&place.name, &folders);
    drop(fs::remove_file(note));
}

/// Takes from a service the rights that it has on folders themselves; a folder that is gone is as
/// good.
pub(in crate::cli) fn revoke(name: &str, folders: &[PathBuf]) {
    let Ok(identity) = scm::identity_of(name) else { return };
    for folder in folders.iter().filter(|folder| folder.exists()) {
        if let Err(error) = access::revoke(folder, &identity) {
            let folder = folder.display();
            print::talk(&format!("warning: `{name}` keeps its rights on {folder}: {error}"));
        }
    }
}

fn note_of(place: &Place) -> PathBuf {
    place.folder().join("granted-folders")
}
