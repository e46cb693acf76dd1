//! Chains of log segments: their names, and what is found of them after any kind of end.
//!
//! The live file `STEM.log` keeps its name, so that `tail -F` works; a closed segment N is
//! `STEM.NNNNNN.log`. The index of segment N is `STEM.NNNNNN.idx` from the beginning. The live
//! segment's number is the one after the highest closed one, so it needs no file of its own.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

/// How far back the end of a file is searched for what a power cut left as zeros.
const ZEROS_BYTES_MAX: u64 = 1024 * 1024;

/// The files of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChainFiles {
    folder: PathBuf,
    stem: String,
}

/// What there is of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundChain {
    /// Numbers of closed segments, ascending.
    pub closed: Vec<u64>,
    /// Whether the live file exists.
    pub has_live: bool,
}

impl FoundChain {
    /// Returns the number of the live segment, be it there or not.
    pub fn live_number(&self) -> u64 {
        self.closed.last().map_or(1, |highest| highest + 1)
    }
}

impl ChainFiles {
    /// Returns the chain with this stem in a folder.
    pub fn new(folder: &Path, stem: &str) -> Self {
        Self { folder: folder.to_owned(), stem: stem.to_owned() }
    }

    /// Returns the stem.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Looks what there is; where there is no folder, nothing was written yet.
    pub fn find(&self) -> io::Result<FoundChain> {
        let mut found = FoundChain::default();
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            entries => entries?,
        };
        for entry in entries {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            match self.number_of(name) {
                Some(Name::Live) => found.has_live = true,
                Some(Name::Closed(number)) => found.closed.push(number),
                None => {}
            }
        }
        found.closed.sort_unstable();
        Ok(found)
    }

    fn number_of(&self, name: &str) -> Option<Name> {
        let rest = name.strip_prefix(&self.stem)?;
        if rest == ".log" {
            return Some(Name::Live);
        }
        let digits = rest.strip_prefix('.')?.strip_suffix(".log")?;
        let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok().map(Name::Closed)).flatten()
    }

    /// Returns the path of the live segment.
    pub fn live(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.stem))
    }

    /// Returns the path of a closed segment.
    pub fn closed(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}.{number:06}.log", self.stem))
    }

    /// Returns the path of a segment's index.
    pub fn index(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}.{number:06}.idx", self.stem))
    }

    /// Gives the live segment its final name.
    pub fn close(&self, number: u64) -> io::Result<()> {
        fs::rename(self.live(), self.closed(number))
    }

    /// Deletes a closed segment with its index.
    pub fn remove(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.closed(number))?;
        match fs::remove_file(self.index(number)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

enum Name {
    Live,
    Closed(u64),
}

/// Returns the stems of the chains in a folder: of live and of closed segments, sorted.
pub fn stems(folder: &Path) -> io::Result<Vec<String>> {
    let mut stems = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".log")) else { continue };
        let base = match stem.rsplit_once('.') {
            Some((base, digits))
                if digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                base
            }
            Some(_) | None => stem,
        };
        stems.push(base.to_owned());
    }
    stems.sort_unstable();
    stems.dedup();
    Ok(stems)
}

/// Returns the file's length without the zeros that a power cut may leave at its end.
///
/// Only whole trailing blocks of zeros count. A program may have written them: whether there was a
/// power cut since, the index tells by its boots.
pub fn solid_length(file: &File) -> io::Result<u64> {
    const BLOCK: usize = 4096;
    let step = BLOCK as u64;
    let mut file = file;
    let length = file.metadata()?.len();
    let mut solid = length;
    let mut block = [0_u8; BLOCK];
    while solid > 0 && length - solid < ZEROS_BYTES_MAX {
        let start = (solid - 1) / step * step;
        let wanted = usize::try_from(solid - start).unwrap_or_default();
        let part = block.get_mut(..wanted).unwrap_or_default();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if wanted < BLOCK || part.iter().any(|byte| *byte != 0) {
            break;
        }
        solid = start;
    }
    Ok(solid)
}

/// Returns whether the first `length` bytes end with a line; an empty file does.
pub fn ends_with_line(file: &File, length: u64) -> io::Result<bool> {
    if length == 0 {
        return Ok(true);
    }
    let mut file = file;
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh;

    #[test]
    fn strange_names_are_no_segments() {
        let chain = ChainFiles::new(Path::new("/logs"), "web");
        let check = |name: &str, expected: Option<u64>| {
            let number = match chain.number_of(name) {
                Some(Name::Closed(number)) => Some(number),
                Some(Name::Live) => Some(0),
                None => None,
            };
            assert_eq!(number, expected, "{name}");
        };
        check("web.log", Some(0));
        check("web.000007.log", Some(7));
        check("web.1000000.log", Some(1_000_000));
        check("web.7.log", None);
        check("web.000007.idx", None);
        check("web.stdout.log", None);
        check("web.stdout.000001.log", None);
        check("website.log", None);
        check("web.00000x.log", None);
    }

    #[test]
    fn the_live_segment_follows_the_highest_closed_one() {
        let folder = fresh::folder("chain");
        let chain = ChainFiles::new(&folder, "web@2");
        assert_eq!(chain.find().unwrap().live_number(), 1);
        for number in [3, 12] {
            File::create(chain.live()).unwrap();
            chain.close(number).unwrap();
        }
        File::create(chain.index(13)).unwrap();
        let found = chain.find().unwrap();
        assert_eq!((found.closed.as_slice(), found.has_live), ([3, 12].as_slice(), false));
        assert_eq!(found.live_number(), 13);
        assert_eq!(stems(&folder).unwrap(), ["web@2"]);
        chain.remove(3).unwrap();
        assert_eq!(chain.find().unwrap().closed, [12]);
    }
}
