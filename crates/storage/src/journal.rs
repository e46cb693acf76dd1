//! A chain of append-only files that keeps what it can, whatever happens to them.
//!
//! ```text
//! file NNNNNN.journal: record │ record │ …
//! record: magic u32 │ length u32 │ crc u32 of length and payload │ payload
//! ```
//!
//! A reader that meets damage looks for the next magic whose record is whole: flipped bits, zeroed
//! pages and torn ends cost the records they hit. No damage ever means "cannot open".

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

const MAGIC: [u8; 4] = *b"\xF5MSJ";
const PREFIX_BYTES: usize = 12;

/// A chain never has more files than this.
const FILES_MAX: usize = 256;

/// The longest payload of a record.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// How large a chain may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainLimits {
    /// A file over this size is followed by the next one.
    pub file_bytes: u64,
    /// Old files go when all of them together are over this size.
    pub total_bytes: u64,
}

/// The writing end of a chain.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    limits: ChainLimits,
    number: u64,
    file: File,
    size: u64,
}

/// What a chain holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The payloads, oldest first.
    pub records: Vec<Vec<u8>>,
    /// How many bytes made no sense.
    pub damaged_bytes: u64,
}

impl Journal {
    /// Opens a chain in an existing folder for appending, in a file of its own.
    ///
    /// `create` opens the file, so that it has the right mode from birth.
    pub fn open(
        folder: &Path,
        limits: ChainLimits,
        create: impl Fn(&Path) -> io::Result<File>,
    ) -> io::Result<Self> {
        let number = numbers(folder)?.last().map_or(1, |last| last + 1);
        let file = create(&path_of(folder, number))?;
        let journal = Self { folder: folder.to_owned(), limits, number, file, size: 0 };
        journal.drop_surplus()?;
        Ok(journal)
    }

    /// Appends records, all or none; they survive a crash of this process, and after
    /// [`sync`](Self::sync) one of the machine.
    pub fn append(
        &mut self,
        payloads: &[&[u8]],
        create: impl Fn(&Path) -> io::Result<File>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        for payload in payloads {
            encode(payload, &mut bytes)?;
        }
        if self.size > 0 && self.size >= self.limits.file_bytes {
            self.number += 1;
            self.file = create(&path_of(&self.folder, self.number))?;
            self.size = 0;
            self.drop_surplus()?;
        }
        // A full disk may have taken a part of the last attempt, which is written over.
        self.file.seek(SeekFrom::Start(self.size))?;
        if let Err(error) = self.file.write_all(&bytes) {
            // Best effort: what stays costs a reader nothing but a count of damaged bytes.
            drop(self.file.set_len(self.size));
            return Err(error);
        }
        self.size += u64::try_from(bytes.len()).unwrap_or_default();
        Ok(())
    }

    /// Waits until everything is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Removes the oldest files: what counts is their size, for each opening begins another file.
    fn drop_surplus(&self) -> io::Result<()> {
        let (mut kept_bytes, mut kept_files) = (0, 0);
        for number in numbers(&self.folder)?.into_iter().rev() {
            let path = path_of(&self.folder, number);
            kept_bytes += fs::metadata(&path)?.len();
            kept_files += 1;
            let is_surplus = kept_bytes > self.limits.total_bytes || kept_files > FILES_MAX;
            if is_surplus && number != self.number {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Reads a whole chain; an absent folder is an empty chain.
pub fn read(folder: &Path) -> io::Result<Contents> {
    let mut contents = Contents::default();
    let numbers = match numbers(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(contents),
        other => other?,
    };
    for number in numbers {
        decode(&fs::read(path_of(folder, number))?, &mut contents);
    }
    Ok(contents)
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.journal"))
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".journal"));
        numbers.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn encode(payload: &[u8], bytes: &mut Vec<u8>) -> io::Result<()> {
    if payload.len() > RECORD_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a record is over the limit"));
    }
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(&checksum(length, payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    Ok(())
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

fn decode(bytes: &[u8], contents: &mut Contents) {
    let mut rest = bytes;
    while !rest.is_empty() {
        if let Some(payload) = whole_record(rest) {
            contents.records.push(payload.to_vec());
            rest = rest.get(PREFIX_BYTES + payload.len()..).unwrap_or_default();
            continue;
        }
        // Not here: look for the next place where a record may begin.
        let skip = rest.get(1..).unwrap_or_default();
        let next = skip.windows(MAGIC.len()).position(|window| window == MAGIC);
        let lost = next.map_or(rest.len(), |at| at + 1);
        contents.damaged_bytes += u64::try_from(lost).unwrap_or_default();
        rest = rest.get(lost..).unwrap_or_default();
    }
}

fn whole_record(bytes: &[u8]) -> Option<&[u8]> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let payload = rest.get(..count)?;
    let is_whole = *magic == MAGIC && u32::from_le_bytes(*crc) == checksum(*length, payload);
    is_whole.then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fresh;

    const LIMITS: ChainLimits = ChainLimits { file_bytes: 200, total_bytes: 600 };

    #[test]
    fn records_come_back_and_old_files_go() {
        let folder = fresh::folder("journal-come_back");
        let mut journal = Journal::open(&folder, LIMITS, create).unwrap();
        for number in 0..100 {
            journal.append(&[format!("record {number}").as_bytes()], create).unwrap();
        }
        journal.sync().unwrap();
        let contents = read(&folder).unwrap();
        assert_eq!(contents.damaged_bytes, 0);
        assert_eq!(contents.records.last().unwrap(), b"record 99");
        assert!((20..60).contains(&contents.records.len()), "{}", contents.records.len());
        assert_eq!(numbers(&folder).unwrap().len(), 3);
    }

    #[test]
    fn a_part_that_a_failed_append_has_left_is_written_over() {
        let folder = fresh::folder("journal-left_part");
        let mut journal = Journal::open(&folder, LIMITS, create).unwrap();
        journal.append(&[b"first"], create).unwrap();
        // Ends in the middle of a write and does not let itself be cut.
        journal.file.write_all(b"a part").unwrap();
        journal.append(&[b"second"], create).unwrap();
        let records = vec![b"first".to_vec(), b"second".to_vec()];
        assert_eq!(read(&folder).unwrap(), Contents { records, damaged_bytes: 0 });
    }

    #[test]
    fn many_openings_cost_no_history() {
        let folder = fresh::folder("journal-openings");
        for number in 0..300 {
            let limits = ChainLimits { file_bytes: 200, total_bytes: 6000 };
            let mut journal = Journal::open(&folder, limits, create).unwrap();
            journal.append(&[format!("record {number}").as_bytes()], create).unwrap();
        }
        assert_eq!(read(&folder).unwrap().records.len(), FILES_MAX);
    }

    #[test]
    fn a_flipped_byte_costs_one_record() {
        let (bytes, count) = sample();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            let mut contents = Contents::default();
            decode(&damaged, &mut contents);
            assert_eq!(contents.records.len(), count - 1, "byte {at}");
            assert!(contents.damaged_bytes > 0, "byte {at}");
        }
    }

    #[test]
    fn a_torn_end_costs_the_last_record_and_zeros_those_they_cover() {
        let (bytes, count) = sample();
        for length in 0..bytes.len() {
            let mut contents = Contents::default();
            decode(&bytes[..length], &mut contents);
            let whole = length / (bytes.len() / count);
            assert_eq!(contents.records.len(), whole, "cut at {length}");
        }
        let mut zeroed = bytes;
        zeroed[20..50].fill(0);
        let mut contents = Contents::default();
        decode(&zeroed, &mut contents);
        assert_eq!(contents.records, [b"record 0".to_vec(), b"record 3".to_vec()]);
    }

    fn sample() -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        for number in 0..4 {
            encode(format!("record {number}").as_bytes(), &mut bytes).unwrap();
        }
        (bytes, 4)
    }

    fn create(path: &Path) -> io::Result<File> {
        File::create(path)
    }
}
