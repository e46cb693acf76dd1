//! Chains of log segments: their names, and what is found of them after any kind of end.
//!
//! The live file `STEM.log` keeps its name, so that `tail -F` works; a closed segment N is
//! `STEM.NNNNNN.log`, or `STEM.NNNNNN.log.zst` once it is compressed. The index of segment N is
//! `STEM.NNNNNN.idx` from the beginning. The live segment's number is the one after the highest
//! closed one, so it needs no file of its own; the highest closed one is never compressed, so that
//! whoever lists the folder finds it under one name (see [`crate::compress`]). When the highest one
//! is deleted, an empty file keeps its name and goes once there is a higher one: no segment is empty
//! by itself.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use crate::index;

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
    /// Numbers of closed segments, ascending, however they are stored.
    pub closed: Vec<u64>,
    /// Those of them that are stored as plain text, ascending; some may be compressed as well.
    pub plain: Vec<u64>,
    /// Whether the live file exists.
    pub has_live: bool,
}

impl FoundChain {
    /// Returns the number of the live segment, be it there or not.
    pub fn live_number(&self) -> u64 {
        self.closed.last().map_or(1, |highest| highest + 1)
    }

    /// Returns the segments that may be compressed, oldest first: the newest closed one stays plain.
    pub fn compressible(&self) -> impl Iterator<Item = u64> {
        let newest = self.closed.last().copied();
        self.plain.iter().copied().filter(move |number| Some(*number) != newest)
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
                Some(Name::Closed(number)) => found.plain.push(number),
                Some(Name::Compressed(number)) => found.closed.push(number),
                None => {}
            }
        }
        found.plain.sort_unstable();
        found.closed.extend(&found.plain);
        found.closed.sort_unstable();
        found.closed.dedup();
        Ok(found)
    }

    fn number_of(&self, name: &str) -> Option<Name> {
        let rest = name.strip_prefix(&self.stem)?;
        if rest == ".log" {
            return Some(Name::Live);
        }
        let name = rest.strip_prefix('.')?;
        if let Some(digits) = name.strip_suffix(COMPRESSED) {
            return number(digits).map(Name::Compressed);
        }
        number(name.strip_suffix(".log")?).map(Name::Closed)
    }

    /// Returns the path of the live segment.
    pub fn live(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.stem))
    }

    /// Returns the path of a closed segment.
    pub fn closed(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}.{number:06}.log", self.stem))
    }

    /// Returns the path of a closed segment once it is compressed.
    pub fn compressed(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}.{number:06}{COMPRESSED}", self.stem))
    }

    /// Returns the path of a segment that is being compressed.
    pub(crate) fn half_compressed(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}.{number:06}{HALF}", self.stem))
    }

    /// Returns the numbers of the segments that are, or were, being compressed.
    pub(crate) fn half_compressed_all(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(&self.stem));
            let digits = rest.and_then(|rest| rest.strip_prefix('.')?.strip_suffix(HALF));
            numbers.extend(digits.and_then(number));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Returns the path of a segment's index.
    pub fn index(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}.{number:06}.idx", self.stem))
    }

    /// Gives the live segment its final name.
    pub fn close(&self, number: u64) -> io::Result<()> {
        fs::rename(self.live(), self.closed(number))
    }

    /// Deletes a closed segment, however it is stored, and then its index; of the newest one an
    /// empty file stays.
    ///
    /// Whoever compresses it meanwhile finds that out: see [`crate::compress`] for why in this order.
    pub fn remove(&self, number: u64) -> io::Result<()> {
        let is_newest = self.find()?.closed.last() == Some(&number);
        is_removed(&self.half_compressed(number))?;
        let was_plain =
            if is_newest { self.empty(number)? } else { is_removed(&self.closed(number))? };
        is_removed(&self.half_compressed(number))?;
        let was_compressed = is_removed(&self.compressed(number))?;
        if !was_plain && !was_compressed {
            return Err(io::ErrorKind::NotFound.into());
        }
        is_removed(&self.index(number)).map(drop)
    }

    /// Puts an empty file in the place of a closed one; returns whether there was one.
    ///
    /// Whoever reads the former file reads it to its end. Where nothing can be created, because the
    /// disk is full or somebody holds the file, it is cut.
    fn empty(&self, number: u64) -> io::Result<bool> {
        let path = self.closed(number);
        if !path.exists() {
            return Ok(false);
        }
        let fresh = self.folder.join(format!("{}.{number:06}.log.new", self.stem));
        let is_put = File::create(&fresh).and_then(|_| fs::rename(&fresh, &path));
        if is_put.is_err() {
            drop(is_removed(&fresh));
            OpenOptions::new().write(true).open(&path)?.set_len(0)?;
        }
        Ok(true)
    }

    /// Returns whether a closed segment was deleted, and its file stays for its name.
    pub fn is_emptied(&self, number: u64) -> bool {
        fs::metadata(self.closed(number)).is_ok_and(|found| found.len() == 0)
    }

    /// Removes the empty files that keep the name of no newest segment any more.
    pub fn remove_emptied(&self, found: &FoundChain) -> io::Result<()> {
        let older = found.plain.iter().filter(|number| Some(*number) != found.closed.last());
        older.filter(|number| self.is_emptied(**number)).try_for_each(|number| self.remove(*number))
    }

    /// Returns when the last byte of a closed segment came, in nanoseconds since 1970, as far as
    /// anybody knows: its index, else its file.
    pub fn ended_ns(&self, number: u64) -> Option<u64> {
        let modified = || {
            let files = [self.closed(number), self.compressed(number)];
            let found = files.iter().find_map(|path| fs::metadata(path).ok())?;
            let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            u64::try_from(since.as_nanos()).ok()
        };
        index::last_time(&self.index(number)).or_else(modified)
    }

    /// Returns when the last byte of the live segment came; nothing when there is none, or its index
    /// does not say.
    pub fn live_ended_ns(&self) -> Option<u64> {
        let found = self.find().ok().filter(|found| found.has_live)?;
        index::last_time(&self.index(found.live_number()))
    }

    /// Returns how many bytes of the disk a closed segment and its index take.
    pub fn stored_bytes(&self, number: u64) -> u64 {
        let paths = [self.closed(number), self.compressed(number), self.index(number)];
        paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|found| found.len()).sum()
    }
}

/// What the name of a compressed segment ends with: `zstdcat` and `zstdgrep` know it by that.
const COMPRESSED: &str = ".log.zst";
/// What the name of a file ends with that is to become one.
const HALF: &str = ".zst.new";

enum Name {
    Live,
    Closed(u64),
    Compressed(u64),
}

fn number(digits: &str) -> Option<u64> {
    let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Removes a file; returns whether there was one.
pub(crate) fn is_removed(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the stems of the chains in a folder: of live and of closed segments, sorted.
pub fn stems(folder: &Path) -> io::Result<Vec<String>> {
    let mut stems = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let plain = name.strip_suffix(".zst").unwrap_or(name);
        let Some(stem) = plain.strip_suffix(".log") else { continue };
        match stem.rsplit_once('.') {
            Some((base, digits)) if number(digits).is_some() => stems.push(base.to_owned()),
            Some(_) | None if plain == name => stems.push(stem.to_owned()),
            Some(_) | None => {}
        }
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
    use std::io::Write as _;

    use super::*;
    use crate::fresh;

    #[test]
    fn strange_names_are_no_segments() {
        let chain = ChainFiles::new(Path::new("/logs"), "web");
        let check = |name: &str, expected: Option<u64>| {
            let number = match chain.number_of(name) {
                Some(Name::Closed(number) | Name::Compressed(number)) => Some(number),
                Some(Name::Live) => Some(0),
                None => None,
            };
            assert_eq!(number, expected, "{name}");
        };
        check("web.log", Some(0));
        check("web.000007.log", Some(7));
        check("web.1000000.log", Some(1_000_000));
        check("web.000007.log.zst", Some(7));
        check("web.000007.zst.new", None);
        check("web.log.zst", None);
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

    #[test]
    fn a_number_is_never_given_twice_whatever_is_deleted() {
        let chain = ChainFiles::new(&fresh::folder("numbers-kept"), "web");
        for number in 1..=3 {
            File::create(chain.live()).unwrap().write_all(b"line\n").unwrap();
            File::create(chain.index(number)).unwrap();
            chain.close(number).unwrap();
        }
        for number in 1..=3 {
            chain.remove(number).unwrap();
            assert_eq!(chain.find().unwrap().live_number(), 4);
        }
        assert!(chain.is_emptied(3) && chain.stored_bytes(3) == 0);
        assert_eq!(fs::read_dir(chain.folder()).unwrap().count(), 1);
        // It goes once another name says as much.
        File::create(chain.live()).unwrap().write_all(b"line\n").unwrap();
        chain.close(4).unwrap();
        chain.remove_emptied(&chain.find().unwrap()).unwrap();
        assert_eq!(chain.find().unwrap().closed, [4]);
        assert_eq!(chain.find().unwrap().live_number(), 5);
    }

    #[test]
    fn a_compressed_segment_counts_once_and_goes_with_all_its_files() {
        let folder = fresh::folder("compressed-names");
        let chain = ChainFiles::new(&folder, "web");
        for path in [chain.compressed(1), chain.compressed(2), chain.closed(2), chain.closed(3)] {
            File::create(path).unwrap();
        }
        File::create(folder.join("other.log.zst")).unwrap();
        File::create(chain.index(2)).unwrap();
        let found = chain.find().unwrap();
        assert_eq!(
            (found.closed.as_slice(), found.plain.as_slice()),
            (&[1, 2, 3][..], &[2, 3][..])
        );
        assert_eq!(found.compressible().collect::<Vec<_>>(), [2]);
        assert_eq!(stems(&folder).unwrap(), ["web"]);
        File::create(chain.half_compressed(2)).unwrap();
        chain.remove(2).unwrap();
        assert_eq!(chain.find().unwrap().closed, [1, 3]);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
        chain.remove(2).unwrap_err();
    }
}
