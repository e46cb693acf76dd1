//! Files that are replaced as a whole: a crash at any instruction leaves the old or the new. What
//! nobody understands is set aside, for whoever does.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Replaces a file: temporary file, sync, rename, sync of the folder.
///
/// `create` opens the temporary file, so that it has the right mode from birth.
pub fn replace(
    path: &Path,
    bytes: &[u8],
    create: impl Fn(&Path) -> io::Result<File>,
) -> io::Result<()> {
    replace_through(&beside(path), path, bytes, create, || Ok(()))
}

/// The same, through a temporary file of another name: beside what belongs to people, `.new` may be
/// a file of theirs. `last_look` is asked when all but the name is on the disk; its error leaves the
/// old file.
pub fn replace_through(
    temporary: &Path,
    path: &Path,
    bytes: &[u8],
    create: impl Fn(&Path) -> io::Result<File>,
    last_look: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let mut file = create(temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| last_look());
    if let Err(error) = written.and_then(|()| fs::rename(temporary, path)) {
        // A disk that is full needs the room; what became of the rest matters more.
        drop(fs::remove_file(temporary));
        return Err(error);
    }
    sync_folder(path)
}

/// A file that is written piece by piece, and is there under its name once all of it is.
///
/// Whatever happens before [`Self::finish`] leaves the former file, or none.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    is_finished: bool,
}

impl Draft {
    /// Begins a file under a temporary name, in the same folder; `create` opens it there.
    pub fn begin(
        temporary: PathBuf,
        path: &Path,
        create: impl Fn(&Path) -> io::Result<File>,
    ) -> io::Result<Self> {
        let file = create(&temporary)?;
        Ok(Self { path: path.to_owned(), temporary, file, is_finished: false })
    }

    /// Syncs what was written and gives it its name.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.is_finished = true;
        sync_folder(&self.path)
    }
}

impl io::Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_finished {
            // A disk that is full needs the room; the next draft writes over what is left.
            drop(fs::remove_file(&self.temporary));
        }
    }
}

/// Gives a file that nobody here understands another name, which no other file has; returns it.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut number = 1_u64;
    loop {
        let aside = path.with_extension(format!("damaged-{number}"));
        if fs::symlink_metadata(&aside).is_err() {
            fs::rename(path, &aside)?;
            return Ok(aside);
        }
        number += 1;
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Systems that cannot open a folder sync renames by themselves.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh;

    #[test]
    fn a_draft_is_there_as_a_whole_or_not_at_all() {
        let folder = fresh::folder("draft");
        let path = folder.join("log");
        let begin = |text: &str| {
            let create = |path: &Path| File::create(path);
            let mut draft = Draft::begin(beside(&path), &path, create).unwrap();
            draft.write_all(text.as_bytes()).unwrap();
            draft
        };
        drop(begin("lost"));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        begin("kept").finish().unwrap();
        drop(begin("lost"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn what_is_set_aside_replaces_nothing() {
        let folder = fresh::folder("aside");
        let path = folder.join("state.json");
        for text in ["first", "second"] {
            File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
            let aside = set_aside(&path).unwrap();
            assert_eq!(fs::read_to_string(aside).unwrap(), text);
            assert!(!path.exists());
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        set_aside(&path).unwrap_err();
    }
}
