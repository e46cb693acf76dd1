//! Folders of tests: each is empty at first, and gone when the thread of its test is.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
    process,
};

thread_local! {
    static OWN: RefCell<Vec<Fresh>> = const { RefCell::new(Vec::new()) };
}

struct Fresh(PathBuf);

impl Drop for Fresh {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Returns an empty folder for one test of the calling thread.
pub(crate) fn folder(name: &str) -> PathBuf {
    folder_in(&std::env::temp_dir(), name)
}

/// Returns the same where nothing is waited for that lasts, for tests that write a thousand times.
pub(crate) fn folder_in_memory(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { folder_in(&memory, name) } else { folder(name) }
}

fn folder_in(place: &Path, name: &str) -> PathBuf {
    let folder = place.join(format!("mainstay-{name}-{}", process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    OWN.with_borrow_mut(|own| own.push(Fresh(folder.clone())));
    folder
}
