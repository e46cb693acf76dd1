//! A chain of append-only files that keeps what it can, whatever happens to them.
//!
//! ```text
//! file NNNNNN.journal: record │ record │ …
//! record: magic u32 │ length u32 │ crc u32 of length and payload │ payload
//! ```
//!
//! A reader that meets damage looks for the next magic whose record is whole: flipped bits, zeroed
//! pages and torn ends cost the records they hit. No damage ever means "cannot open".

mod records;

use std::{
    fs::{self, File},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

pub use records::Records;

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
        let Some(mut records) = records(folder, number)? else { continue };
        while let Some(record) = records.next_record()? {
            contents.records.push(record);
        }
        contents.damaged_bytes += records.damaged_bytes();
    }
    Ok(contents)
}

/// Returns what a file of a chain holds; nothing when it has been removed.
pub fn records(folder: &Path, number: u64) -> io::Result<Option<Records<File>>> {
    match File::open(path_of(folder, number)) {
        Ok(file) => Ok(Some(Records::new(file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.journal"))
}

/// Returns the numbers of the files of a chain, oldest first.
pub fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
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
            let contents = decode(&damaged);
            assert_eq!(contents.records.len(), count - 1, "byte {at}");
            assert!(contents.damaged_bytes > 0, "byte {at}");
        }
    }

    #[test]
    fn a_torn_end_costs_the_last_record_and_zeros_those_they_cover() {
        let (bytes, count) = sample();
        for length in 0..bytes.len() {
            let contents = decode(&bytes[..length]);
            let whole = length / (bytes.len() / count);
            assert_eq!(contents.records.len(), whole, "cut at {length}");
        }
        let mut zeroed = bytes;
        zeroed[20..50].fill(0);
        assert_eq!(decode(&zeroed).records, [b"record 0".to_vec(), b"record 3".to_vec()]);
    }

    fn sample() -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        for number in 0..4 {
            encode(format!("record {number}").as_bytes(), &mut bytes).unwrap();
        }
        (bytes, 4)
    }

    fn decode(bytes: &[u8]) -> Contents {
        let mut source = Records::new(bytes);
        let records = std::iter::from_fn(|| source.next_record().unwrap()).collect();
        Contents { records, damaged_bytes: source.damaged_bytes() }
    }

    fn create(path: &Path) -> io::Result<File> {
        File::create(path)
    }
}
