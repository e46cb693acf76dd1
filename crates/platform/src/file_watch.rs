//! Hearing that files and folders change.

#[cfg(target_os = "linux")]
#[path = "file_watch/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "file_watch/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "file_watch/windows.rs"]
mod imp;

use std::{ffi::OsStr, io, path::Path, time::Duration};

/// Tells that something has changed in folders and files; what was changed on another machine, the
/// system does not tell.
///
/// Linux names what has changed in a folder. On macOS and Windows everything in a folder counts, on
/// Windows also what a file there holds.
#[derive(Debug)]
pub struct FileWatch(imp::FileWatch);

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stir {
    /// Something that matters has changed, or may have.
    Changed,
    /// The time is up.
    TimeUp,
}

impl FileWatch {
    /// Returns a watch over nothing yet.
    pub fn new() -> io::Result<Self> {
        imp::FileWatch::new().map(Self)
    }

    /// Returns whether the system tells of every change in a folder: not where other machines, or
    /// programs, change what is there.
    pub fn tells_all_of(folder: &Path) -> bool {
        imp::tells_all_of(folder)
    }

    /// Watches which names a folder holds, and whether it goes away itself.
    pub fn folder(&mut self, folder: &Path) -> io::Result<()> {
        self.0.folder(folder)
    }

    /// Watches what a file holds; where it is a link, that of the file that it leads to.
    pub fn file(&mut self, file: &Path) -> io::Result<()> {
        self.0.file(file)
    }

    /// Waits until something has changed since it is watched, for ever without a limit. Names in
    /// folders that do not matter are passed over where the system tells them.
    pub fn wait(
        &mut self,
        within: Option<Duration>,
        matters: &dyn Fn(&OsStr) -> bool,
    ) -> io::Result<Stir> {
        self.0.wait(within, matters)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        io::Write as _,
        path::PathBuf,
    };

    use super::*;

    const LONG: Option<Duration> = Some(Duration::from_mins(1));

    fn fresh(name: &str) -> PathBuf {
        let name = format!("mainstay-file-watch-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Watches a folder and a file in it.
    fn watched(folder: &Path, file: &Path) -> FileWatch {
        let mut watch = FileWatch::new().unwrap();
        watch.folder(folder).unwrap();
        watch.file(file).unwrap();
        watch
    }

    #[test]
    fn what_is_written_replaced_and_made_is_seen() {
        let folder = fresh("seen");
        let file = folder.join("one.toml");
        File::create(&file).unwrap();
        let open = || File::options().append(true).open(&file).unwrap();
        let changes: [&dyn Fn(); 3] = [
            &|| open().write_all(b"more").unwrap(),
            &|| {
                File::create(folder.join("new")).unwrap();
                fs::rename(folder.join("new"), &file).unwrap();
            },
            &|| drop(File::create(folder.join("two.toml")).unwrap()),
        ];
        for change in changes {
            let mut watch = watched(&folder, &file);
            change();
            assert_eq!(watch.wait(LONG, &|_| true).unwrap(), Stir::Changed);
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn nothing_is_told_where_nothing_happens() {
        let folder = fresh("quiet");
        let file = folder.join("one.toml");
        File::create(&file).unwrap();
        let mut watch = watched(&folder, &file);
        let within = Some(Duration::from_millis(30));
        assert_eq!(watch.wait(within, &|_| true).unwrap(), Stir::TimeUp);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_cannot_be_watched() {
        let mut watch = FileWatch::new().unwrap();
        watch.folder(&fresh("gone").join("nothing")).unwrap_err();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn names_that_do_not_matter_end_no_wait() {
        let folder = fresh("names");
        let file = folder.join("one.toml");
        File::create(&file).unwrap();
        let mut watch = watched(&folder, &file);
        File::create(folder.join("web.log")).unwrap();
        let within = Some(Duration::from_millis(30));
        let matters = |name: &OsStr| name == "two.toml";
        assert_eq!(watch.wait(within, &matters).unwrap(), Stir::TimeUp);
        File::create(folder.join("two.toml")).unwrap();
        assert_eq!(watch.wait(LONG, &matters).unwrap(), Stir::Changed);
        fs::remove_dir_all(&folder).unwrap();
    }
}
