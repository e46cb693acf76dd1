//! A folder for one input, empty at its beginning.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

/// Returns an empty folder of this process and target.
pub(crate) fn folder(target: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mainstay-fuzz-{target}-{}", process::id()));
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder is ours");
    }
    fs::create_dir_all(&folder).expect("the system's temporary folder can be written");
    folder
}

/// Writes a file that nobody needs after a crash.
#[expect(clippy::disallowed_methods, reason = "nothing of it is kept")]
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).expect("the folder is ours");
}
