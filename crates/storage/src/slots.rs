//! Slots that survive the death of the process that writes them, at any instruction.
//!
//! Each slot has two places, written in turn: a death in the middle of a write leaves the other
//! one whole. The file is sparse and never synced; what a restart of the machine leaves in it is
//! recognised by the boot identity in its header and dropped.
//!
//! ```text
//! header (4 KiB) │ slot 0: place A (8 KiB) │ place B │ slot 1: place A │ …
//! place: magic u32 │ crc u32 │ sequence u64 │ length u32 │ payload
//! ```

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

const HEADER_BYTES: u64 = 4096;
const PLACE_BYTES: u64 = 8192;
const MAGIC: u32 = 0x534C_4F54;
const PREFIX_BYTES: usize = 20;
/// Most payloads are shorter: the rest of a place is read only when there is more.
const USUAL_BYTES: usize = 1024;
/// What the header of every version begins with; its number follows.
const NAME: &[u8] = b"mainstay-slots ";
/// The version that is read and written here.
const VERSION: u32 = 1;
/// A header has its version within so many bytes.
const VERSION_WITHIN: usize = 32;

/// The longest payload of a slot.
pub const PAYLOAD_BYTES_MAX: usize = 8192 - PREFIX_BYTES;
/// More slots than this are refused.
pub const SLOTS_MAX: u32 = 1 << 20;

/// Names a slot in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotIndex(u32);

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotRecord {
    /// Which slot.
    pub index: SlotIndex,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// A file of slots.
#[derive(Debug)]
pub struct SlotFile {
    file: File,
    sequence: u64,
    places: Vec<u8>,
    free: BTreeSet<u32>,
    damage: Damage,
}

/// What of a slot file made no sense when it was opened and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// It was no slot file of ours: everything in it is lost.
    pub is_foreign: bool,
    /// So many slots had a place that made no sense; what such a slot held is lost, or older than
    /// it was. A death in the middle of a write leaves one as well.
    pub slots: u32,
}

/// A slot file that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SlotsError {
    /// The system refused.
    #[error("cannot read or write the slots")]
    Io(#[from] io::Error),
    /// The payload is over [`PAYLOAD_BYTES_MAX`].
    #[error("{length} bytes do not fit into a slot of {PAYLOAD_BYTES_MAX}")]
    TooLong {
        /// The payload's length.
        length: usize,
    },
    /// Another version of this program has written them.
    #[error("the slots are of version {version}, and version {VERSION} is known here")]
    OtherVersion {
        /// Its version.
        version: u32,
    },
    /// All [`SLOTS_MAX`] slots are taken.
    #[error("all {SLOTS_MAX} slots are taken")]
    TooMany,
}

/// Returns whether a file of slots holds more than its header; one that is not there holds nothing.
pub fn holds_anything(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > HEADER_BYTES)
}

impl SlotFile {
    /// Opens the slots in `file`, or begins anew when they are of another boot or damaged.
    ///
    /// Those of another version are left as they are.
    pub fn open(mut file: File, boot: &str) -> Result<Self, SlotsError> {
        let wanted = header(boot);
        let mut found = vec![0; wanted.len()];
        file.seek(SeekFrom::Start(0))?;
        let length = fill(&file, &mut found)?;
        found.truncate(length);
        if let Some(version) = version_of(&found).filter(|version| *version != VERSION) {
            return Err(SlotsError::OtherVersion { version });
        }
        let is_foreign = length > 0 && version_of(&found).is_none();
        if found != wanted {
            // Emptied first: a death here leaves a file without slots.
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&wanted)?;
        }
        let damage = Damage { is_foreign, slots: 0 };
        Ok(Self { file, sequence: 0, places: Vec::new(), free: BTreeSet::new(), damage })
    }

    /// Returns every slot that holds something; must be called before anything is written.
    ///
    /// A file in which no slot holds anything becomes an empty one again: what a thousand programs
    /// once needed is not read at each start.
    pub fn records(&mut self) -> Result<Vec<SlotRecord>, SlotsError> {
        let length = self.file.metadata()?.len().saturating_sub(HEADER_BYTES);
        let slots = length.div_ceil(2 * PLACE_BYTES);
        let slots = u32::try_from(slots).unwrap_or(SLOTS_MAX).min(SLOTS_MAX);
        let mut records = Vec::new();
        for slot in 0..slots {
            let newest = self.newest(slot)?;
            self.places.push(newest.as_ref().map_or(1, |place| place.which));
            match newest.filter(|place| !place.payload.is_empty()) {
                Some(Place { payload, .. }) => {
                    records.push(SlotRecord { index: SlotIndex(slot), payload });
                }
                None => {
                    self.free.insert(slot);
                }
            }
        }
        if records.is_empty() {
            self.clear()?;
        }
        Ok(records)
    }

    /// Returns what made no sense when the file was opened and read.
    pub const fn damage(&self) -> Damage {
        self.damage
    }

    /// Empties all slots.
    pub fn clear(&mut self) -> Result<(), SlotsError> {
        self.file.set_len(HEADER_BYTES)?;
        self.places.clear();
        self.free.clear();
        Ok(())
    }

    fn newest(&mut self, slot: u32) -> Result<Option<Place>, SlotsError> {
        let mut newest: Option<Place> = None;
        let mut is_damaged = false;
        for which in [0, 1] {
            let bytes = self.read_place(slot, which)?;
            let Some(place) = Place::decode(&bytes, which) else {
                is_damaged |= bytes.iter().any(|byte| *byte != 0);
                continue;
            };
            self.sequence = self.sequence.max(place.sequence);
            if newest.as_ref().is_none_or(|other| place.sequence > other.sequence) {
                newest = Some(place);
            }
        }
        self.damage.slots += u32::from(is_damaged);
        Ok(newest)
    }

    fn read_place(&mut self, slot: u32, which: u8) -> Result<Vec<u8>, SlotsError> {
        self.file.seek(SeekFrom::Start(offset_of(slot, which)))?;
        let mut bytes = vec![0; USUAL_BYTES];
        let mut read = fill(&self.file, &mut bytes)?;
        if read == USUAL_BYTES && Place::length_of(&bytes) > USUAL_BYTES {
            bytes.resize(PREFIX_BYTES + PAYLOAD_BYTES_MAX, 0);
            read += fill(&self.file, bytes.get_mut(USUAL_BYTES..).unwrap_or_default())?;
        }
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Fills a free slot.
    pub fn add(&mut self, payload: &[u8]) -> Result<SlotIndex, SlotsError> {
        let slot = match self.free.pop_first() {
            Some(slot) => slot,
            None => self.grow()?,
        };
        let index = SlotIndex(slot);
        if let Err(error) = self.put(index, payload) {
            self.free.insert(slot);
            return Err(error);
        }
        Ok(index)
    }

    fn grow(&mut self) -> Result<u32, SlotsError> {
        let slot = u32::try_from(self.places.len()).unwrap_or(SLOTS_MAX);
        if slot >= SLOTS_MAX {
            return Err(SlotsError::TooMany);
        }
        self.places.push(1);
        Ok(slot)
    }

    /// Replaces what a slot holds: the old or the new survives, never a mixture.
    pub fn put(&mut self, index: SlotIndex, payload: &[u8]) -> Result<(), SlotsError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(SlotsError::TooLong { length: payload.len() });
        }
        let place = usize::try_from(index.0).ok().and_then(|slot| self.places.get_mut(slot));
        let Some(place) = place else { return Err(SlotsError::TooMany) };
        let which = 1 - *place;
        self.sequence += 1;
        let bytes = Place::encode(self.sequence, payload);
        self.file.seek(SeekFrom::Start(offset_of(index.0, which)))?;
        self.file.write_all(&bytes)?;
        *place = which;
        Ok(())
    }

    /// Empties a slot.
    pub fn free(&mut self, index: SlotIndex) -> Result<(), SlotsError> {
        self.put(index, &[])?;
        self.free.insert(index.0);
        Ok(())
    }
}

struct Place {
    which: u8,
    sequence: u64,
    payload: Vec<u8>,
}

impl Place {
    fn encode(sequence: u64, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut body = Vec::with_capacity(PREFIX_BYTES + payload.len());
        body.extend_from_slice(&sequence.to_le_bytes());
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(payload);
        let mut bytes = Vec::with_capacity(PREFIX_BYTES + payload.len());
        bytes.extend_from_slice(&MAGIC.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    /// Returns how long the place says that it is, prefix included.
    fn length_of(bytes: &[u8]) -> usize {
        let length = bytes.get(PREFIX_BYTES - 4..).and_then(|rest| rest.first_chunk::<4>());
        length.map_or(0, |length| PREFIX_BYTES.saturating_add(u32::from_le_bytes(*length) as usize))
    }

    fn decode(bytes: &[u8], which: u8) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (crc, body) = rest.split_first_chunk::<4>()?;
        let (sequence, rest) = body.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let payload = rest.get(..length)?;
        let checked = body.get(..12 + length)?;
        let is_whole = u32::from_le_bytes(*magic) == MAGIC
            && u32::from_le_bytes(*crc) == crc32fast::hash(checked);
        let sequence = u64::from_le_bytes(*sequence);
        is_whole.then(|| Self { which, sequence, payload: payload.to_vec() })
    }
}

/// Reads until the buffer or the file is at its end; returns how much there was.
fn fill(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let (mut file, mut filled) = (file, 0);
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn offset_of(slot: u32, which: u8) -> u64 {
    HEADER_BYTES + (u64::from(slot) * 2 + u64::from(which)) * PLACE_BYTES
}

/// Returns the version that a header names; nothing when it is none.
fn version_of(header: &[u8]) -> Option<u32> {
    let rest = header.strip_prefix(NAME)?;
    let digits = rest.get(..VERSION_WITHIN)?.split(|byte| *byte == b' ').next()?;
    str::from_utf8(digits).ok()?.parse().ok()
}

fn header(boot: &str) -> Vec<u8> {
    let mut line = [NAME, format!("{VERSION} {boot}\n").as_bytes()].concat();
    line.resize(usize::try_from(HEADER_BYTES).unwrap_or(4096), 0);
    line
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::fresh;

    #[test]
    fn slots_come_back_and_freed_ones_are_used_again() {
        let path = fresh::folder("slots-come_back").join("slots");
        let mut slots = open(&path, "boot-1");
        let first = slots.add(b"first").unwrap();
        let second = slots.add(b"second").unwrap();
        slots.put(second, b"second again").unwrap();
        slots.free(first).unwrap();

        let mut slots = open(&path, "boot-1");
        assert_eq!(texts(&mut slots), ["second again"]);
        assert_eq!(slots.add(b"third").unwrap(), first);
        assert_eq!(texts(&mut open(&path, "boot-1")), ["third", "second again"]);
    }

    #[test]
    fn a_file_of_empty_slots_becomes_short_again() {
        let path = fresh::folder("slots-short_again").join("slots");
        let mut slots = open(&path, "boot");
        let indices: Vec<_> = (0..100).map(|_| slots.add(b"a run").unwrap()).collect();
        for index in indices {
            slots.free(index).unwrap();
        }
        let mut slots = open(&path, "boot");
        assert_eq!(fs::metadata(&path).unwrap().len(), HEADER_BYTES);
        slots.add(b"another").unwrap();
        assert_eq!(texts(&mut open(&path, "boot")), ["another"]);

        slots.clear().unwrap();
        slots.add(b"the last").unwrap();
        assert_eq!(texts(&mut open(&path, "boot")), ["the last"]);
    }

    #[test]
    fn payloads_of_every_length_come_back() {
        let path = fresh::folder("slots-every_length").join("slots");
        let mut slots = open(&path, "boot");
        let lengths = [1, USUAL_BYTES - PREFIX_BYTES, USUAL_BYTES, PAYLOAD_BYTES_MAX];
        for length in lengths {
            slots.add(&vec![b'x'; length]).unwrap();
        }
        let found: Vec<usize> = texts(&mut open(&path, "boot")).iter().map(String::len).collect();
        assert_eq!(found, lengths);
    }

    #[test]
    fn slots_of_another_boot_are_dropped() {
        let path = fresh::folder("slots-other_boot").join("slots");
        open(&path, "boot-1").add(b"first").unwrap();
        assert_eq!(texts(&mut open(&path, "boot-2")), [""; 0]);
        assert_eq!(texts(&mut open(&path, "boot-1")), [""; 0]);
    }

    #[test]
    fn slots_of_another_version_are_left_as_they_are() {
        let path = fresh::folder("slots-other_version").join("slots");
        open(&path, "boot").add(b"first").unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[NAME.len()] = b'9';
        overwrite(&path, &bytes);
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let opened = SlotFile::open(file, "boot");
        assert!(matches!(opened, Err(SlotsError::OtherVersion { version: 9 })), "{opened:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_write_torn_at_any_byte_leaves_the_old_slot() {
        let path = fresh::folder_in_memory("slots-torn").join("slots");
        let mut slots = open(&path, "boot");
        let index = slots.add(b"old").unwrap();
        let before = fs::read(&path).unwrap();
        slots.put(index, b"new and longer").unwrap();
        let after = fs::read(&path).unwrap();
        let changed: Vec<usize> =
            (0..after.len()).filter(|at| before.get(*at) != after.get(*at)).collect();
        for cut in 0..changed.len() {
            let mut torn = after.clone();
            for at in &changed[cut..] {
                torn[*at] = before.get(*at).copied().unwrap_or_default();
            }
            overwrite(&path, &torn);
            assert_eq!(texts(&mut open(&path, "boot")), ["old"], "torn after {cut} bytes");
        }
        overwrite(&path, &after);
        assert_eq!(texts(&mut open(&path, "boot")), ["new and longer"]);
    }

    #[test]
    fn damage_is_told_and_the_end_of_a_boot_is_none() {
        let path = fresh::folder("slots-damage").join("slots");
        let mut slots = open(&path, "boot");
        for text in ["first", "second", "third"] {
            slots.add(text.as_bytes()).unwrap();
        }
        assert_eq!(open(&path, "boot").damage(), Damage::default());
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        let at = bytes.windows(6).position(|part| part == b"second").unwrap();
        bytes[at] ^= 1;
        overwrite(&path, &bytes);
        let mut slots = open(&path, "boot");
        assert_eq!(slots.damage(), Damage { is_foreign: false, slots: 1 });
        assert_eq!(texts(&mut slots), ["first", "third"]);

        overwrite(&path, &whole);
        assert_eq!(open(&path, "another boot").damage(), Damage::default());
        overwrite(&path, b"not ours");
        assert_eq!(open(&path, "boot").damage(), Damage { is_foreign: true, slots: 0 });
    }

    #[test]
    fn a_payload_that_does_not_fit_is_refused_and_changes_nothing() {
        let path = fresh::folder("slots-too_long").join("slots");
        let mut slots = open(&path, "boot");
        let index = slots.add(b"kept").unwrap();
        let huge = vec![0; PAYLOAD_BYTES_MAX + 1];
        assert!(matches!(slots.put(index, &huge), Err(SlotsError::TooLong { .. })));
        assert!(matches!(slots.add(&huge), Err(SlotsError::TooLong { .. })));
        slots.add(&vec![b'x'; PAYLOAD_BYTES_MAX]).unwrap();
        assert_eq!(open(&path, "boot").records().unwrap().len(), 2);
    }

    fn open(path: &PathBuf, boot: &str) -> SlotFile {
        let mut options = fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path).unwrap();
        let mut slots = SlotFile::open(file, boot).unwrap();
        slots.records().unwrap();
        slots
    }

    fn overwrite(path: &PathBuf, bytes: &[u8]) {
        File::create(path).unwrap().write_all(bytes).unwrap();
    }

    fn texts(slots: &mut SlotFile) -> Vec<String> {
        slots.places.clear();
        let records = slots.records().unwrap();
        records.into_iter().map(|record| String::from_utf8(record.payload).unwrap()).collect()
    }
}
