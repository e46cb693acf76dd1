//! A folder of numbered files of which the newest are kept: the crash bundles of a unit.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::atomic;

/// What the name of such a file ends with.
const ENDING: &str = ".json";

/// A folder of numbered files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// Returns the one in this folder, which need not exist.
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the file of a number, be it there or not.
    pub fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number}{ENDING}"))
    }

    /// Returns the numbers that are there, ascending.
    pub fn numbers(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let number: Option<u64> =
                name.to_str().and_then(|name| name.strip_suffix(ENDING)?.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Puts a file there: it is whole, or the former one stays.
    pub fn put(
        &self,
        number: u64,
        bytes: &[u8],
        create: impl Fn(&Path) -> io::Result<File>,
    ) -> io::Result<()> {
        atomic::replace(&self.path(number), bytes, create)
    }

    /// Removes the lowest numbers beyond so many files.
    pub fn thin(&self, keep: usize) -> io::Result<()> {
        let numbers = self.numbers()?;
        let surplus = numbers.len().saturating_sub(keep);
        numbers.into_iter().take(surplus).try_for_each(|number| fs::remove_file(self.path(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh;

    #[test]
    fn the_newest_are_kept_and_strangers_are_left_alone() {
        let folder = fresh::folder("shelf").join("own");
        let shelf = Shelf::new(folder.clone());
        assert_eq!(shelf.numbers().unwrap(), [0_u64; 0]);
        fs::create_dir_all(&folder).unwrap();
        for number in [9, 10, 2, 100] {
            shelf.put(number, b"{}", |path| File::create(path)).unwrap();
        }
        File::create(folder.join("notes.json")).unwrap();
        shelf.thin(2).unwrap();
        assert_eq!(shelf.numbers().unwrap(), [10, 100]);
        assert!(folder.join("notes.json").exists());
    }
}
