//! Compressed segments: the seekable format of the zstd project, read from any place on.
//!
//! ```text
//! frame │ frame │ … │ seek table: 5E 2A 4D 18 │ length u32 │ (compressed u32, plain u32)* │
//!                     frames u32 │ descriptor u8 │ B1 EA 92 8F
//! ```
//!
//! Each frame is decoded by itself; any zstd decoder reads the file as a whole and passes over the
//! table. Frames carry their length and a checksum. The format:
//! <https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md>.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use ruzstd::decoding::FrameDecoder;

/// So many bytes of a segment are in one frame: what is decoded, and in memory, at a time.
pub const FRAME_BYTES: usize = 128 * 1024;
/// Frames of others may be larger, but not this large.
const FRAME_BYTES_MAX: u32 = 8 * 1024 * 1024;
/// Of so many frames a table is read: 128 GiB of ours.
const FRAMES_MAX: u32 = 1024 * 1024;

const TABLE_MAGIC: u32 = 0x184D_2A5E;
const FOOTER_MAGIC: u32 = 0x8F92_EAB1;
const TABLE_HEADER: u64 = 8;
const FOOTER: usize = 9;
/// Entries of tables with this flag carry a checksum, which is the frame's own in ours.
const HAS_CHECKSUMS: u8 = 0x80;
const RESERVED: u8 = 0x7C;

/// How long a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameLength {
    pub(crate) compressed: u32,
    pub(crate) plain: u32,
}

/// Returns the bytes that end a file of such frames.
pub(crate) fn table(frames: &[FrameLength]) -> Vec<u8> {
    let count = u32::try_from(frames.len()).unwrap_or(u32::MAX);
    let length = count.saturating_mul(8).saturating_add(9);
    let mut bytes = [TABLE_MAGIC.to_le_bytes(), length.to_le_bytes()].concat();
    for frame in frames {
        bytes.extend(frame.compressed.to_le_bytes());
        bytes.extend(frame.plain.to_le_bytes());
    }
    bytes.extend(count.to_le_bytes());
    bytes.push(0);
    bytes.extend(FOOTER_MAGIC.to_le_bytes());
    bytes
}

/// A compressed segment.
///
/// To read somewhere costs one frame to be decoded; the last one is kept.
#[derive(Debug)]
pub(crate) struct Frames {
    path: PathBuf,
    file: Option<File>,
    ends: Vec<End>,
    last: Option<Decoded>,
}

/// Where a frame ends.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    /// In the file.
    compressed: u64,
    /// In the segment.
    plain: u64,
}

#[derive(Debug)]
struct Decoded {
    number: usize,
    bytes: Vec<u8>,
}

impl Frames {
    /// Reads the table of a file.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let Some(ends) = read_table(&mut file)? else {
            return Err(damaged(path, "it has no seek table"));
        };
        Ok(Self { path: path.to_owned(), file: Some(file), ends, last: None })
    }

    /// Lets go of the file until the next frame is needed: whoever reads a thousand logs at once
    /// needs no descriptor for each. It may be gone by then ([`io::ErrorKind::NotFound`]).
    pub(crate) fn let_go(&mut self) {
        self.file = None;
    }

    /// Returns how many bytes the segment has.
    pub(crate) fn length(&self) -> u64 {
        self.ends.last().map_or(0, |end| end.plain)
    }

    /// Returns where the frame ends that holds a byte.
    pub(crate) fn end_of_frame(&self, offset: u64) -> u64 {
        let number = self.ends.partition_point(|end| end.plain <= offset);
        self.ends.get(number).map_or(offset, |end| end.plain)
    }

    /// Returns up to so many bytes of the segment; less only at its end, or before a frame that is
    /// damaged. An error is about the first of them ([`io::ErrorKind::InvalidData`]).
    pub(crate) fn read_at(&mut self, offset: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(bytes_max).min(self.length());
        let first = self.ends.partition_point(|end| end.plain <= offset);
        let mut former = self.last.take();
        let is_backward = former.as_ref().is_some_and(|held| held.number > first);
        let mut wanted = Vec::new();
        for number in first..self.ends.len() {
            let begin = self.begin_of(number).plain;
            if begin >= end {
                break;
            }
            let bytes = match former.take_if(|held| held.number == number) {
                Some(held) => held.bytes,
                None => match self.decode(number) {
                    Err(_) if number > first => break,
                    decoded => decoded?,
                },
            };
            wanted.extend_from_slice(part(&bytes, begin, offset, end));
            if !is_backward || number == first {
                self.last = Some(Decoded { number, bytes });
            }
        }
        Ok(wanted)
    }

    fn begin_of(&self, number: usize) -> End {
        let former = number.checked_sub(1).and_then(|former| self.ends.get(former));
        former.copied().unwrap_or_default()
    }

    fn decode(&mut self, number: usize) -> io::Result<Vec<u8>> {
        let begin = self.begin_of(number);
        let end = self.ends.get(number).copied().unwrap_or_default();
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        let file = self.file.insert(file);
        file.seek(SeekFrom::Start(begin.compressed))?;
        let mut frame = Vec::new();
        file.take(end.compressed - begin.compressed).read_to_end(&mut frame)?;
        let plain = usize::try_from(end.plain - begin.plain).unwrap_or_default();
        let why = format!("its bytes {} to {} are no frame", begin.compressed, end.compressed);
        decode(&frame, plain).ok_or_else(|| damaged(&self.path, &why))
    }
}

/// Returns the part of a frame, which begins at `begin`, that lies between two offsets.
fn part(frame: &[u8], begin: u64, from: u64, to: u64) -> &[u8] {
    let at = |offset: u64| usize::try_from(offset.saturating_sub(begin)).unwrap_or(usize::MAX);
    frame.get(at(from)..at(to).min(frame.len())).unwrap_or_default()
}

/// Decodes one frame that has so many bytes in it; nothing when it is damaged.
pub(crate) fn decode(frame: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(FRAME_BYTES_MAX.into());
    let mut plain = vec![0; length];
    let count = decoder.decode_all(frame, &mut plain).ok()?;
    let is_sound = decoder.get_checksum_from_data() == decoder.get_calculated_checksum();
    (count == length && is_sound).then_some(plain)
}

/// Returns where the frames of a file end; nothing when it has no table that fits it.
fn read_table(file: &mut File) -> io::Result<Option<Vec<End>>> {
    let length = file.metadata()?.len();
    let Some(footer_at) = length.checked_sub(9) else { return Ok(None) };
    let mut footer = [0; FOOTER];
    file.seek(SeekFrom::Start(footer_at))?;
    file.read_exact(&mut footer)?;
    let Some((count, entry_bytes)) = read_footer(footer) else { return Ok(None) };
    let entries = u64::from(count) * entry_bytes;
    let Some(entries_at) = footer_at.checked_sub(entries) else { return Ok(None) };
    let Some(table_at) = entries_at.checked_sub(TABLE_HEADER) else { return Ok(None) };
    let mut table = Vec::new();
    file.seek(SeekFrom::Start(table_at))?;
    file.take(TABLE_HEADER + entries).read_to_end(&mut table)?;
    let ends = ends(&table, entry_bytes);
    let is_whole = |ends: &Vec<End>| ends.last().map_or(0, |end| end.compressed) == table_at;
    Ok(ends.filter(is_whole))
}

/// Returns how many frames there are, and how long an entry of the table is.
fn read_footer(footer: [u8; FOOTER]) -> Option<(u32, u64)> {
    let (count, rest) = footer.split_first_chunk::<4>()?;
    let (descriptor, magic) = rest.split_first()?;
    let (count, magic) = (u32::from_le_bytes(*count), u32::from_le_bytes(magic.try_into().ok()?));
    let is_ours = magic == FOOTER_MAGIC && descriptor & RESERVED == 0 && count <= FRAMES_MAX;
    let entry_bytes = if descriptor & HAS_CHECKSUMS == 0 { 8 } else { 12 };
    is_ours.then_some((count, entry_bytes))
}

fn ends(table: &[u8], entry_bytes: u64) -> Option<Vec<End>> {
    let (magic, rest) = table.split_first_chunk::<4>()?;
    let (length, entries) = rest.split_first_chunk::<4>()?;
    let expected = entries.len() + FOOTER;
    let is_table = u32::from_le_bytes(*magic) == TABLE_MAGIC
        && usize::try_from(u32::from_le_bytes(*length)).ok() == Some(expected);
    let mut end = End::default();
    let mut ends = Vec::new();
    for entry in entries.chunks_exact(usize::try_from(entry_bytes).ok()?).filter(|_| is_table) {
        let (compressed, rest) = entry.split_first_chunk::<4>()?;
        let plain = u32::from_le_bytes(*rest.first_chunk::<4>()?);
        if plain > FRAME_BYTES_MAX {
            return None;
        }
        end.compressed += u64::from(u32::from_le_bytes(*compressed));
        end.plain += u64::from(plain);
        ends.push(end);
    }
    is_table.then_some(ends)
}

fn damaged(path: &Path, why: &str) -> io::Error {
    let text = format!("`{}` is damaged: {why}", path.display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;
    use crate::fresh;

    #[test]
    fn every_place_of_a_segment_can_be_read() {
        let plain: Vec<u8> =
            (0_u32..900).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        for frame_bytes in [1, 7, 1000, 100_000] {
            let mut frames = written("places", &plain, frame_bytes);
            assert_eq!(frames.length(), length(&plain));
            let ahead = (0..plain.len()).step_by(97);
            for offset in ahead.clone().chain(ahead.rev()) {
                let end = (offset + 150).min(plain.len());
                let found = frames.read_at(offset.try_into().unwrap(), 150).unwrap();
                assert!(found == plain[offset..end], "{offset} of frames of {frame_bytes}");
            }
            assert!(frames.read_at(length(&plain), 9).unwrap().is_empty());
            assert!(frames.read_at(u64::MAX, 9).unwrap().is_empty());
        }
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_never_taken_for_whole() {
        let plain = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\n".repeat(9);
        drop(written("torn", &plain, 100));
        let path = path_of("torn");
        let whole = std::fs::read(&path).unwrap();
        let read = |bytes: &[u8]| {
            File::create(&path).unwrap().write_all(bytes).unwrap();
            let mut frames = Frames::open(&path)?;
            let mut read = Vec::new();
            while length(&read) < frames.length() {
                read.extend(frames.read_at(length(&read), u64::MAX)?);
            }
            Ok::<_, io::Error>(read)
        };
        assert!(read(&whole).unwrap() == plain);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x20;
            // What is not noticed must not matter: a bit that nothing depends on.
            if let Ok(found) = read(&changed) {
                assert!(found == plain, "byte {at}");
            }
        }
    }

    #[test]
    fn a_table_of_more_frames_than_anybody_writes_is_not_read() {
        let footer = |count: u32| {
            let bytes = [&count.to_le_bytes()[..], &[0], &FOOTER_MAGIC.to_le_bytes()].concat();
            read_footer(bytes.try_into().unwrap())
        };
        assert_eq!(footer(FRAMES_MAX), Some((FRAMES_MAX, 8)));
        assert_eq!(footer(FRAMES_MAX + 1), None);
    }

    #[test]
    fn an_empty_segment_has_no_frames() {
        let mut frames = written("empty", b"", 10);
        assert_eq!((frames.length(), frames.read_at(0, 9).unwrap()), (0, Vec::new()));
    }

    fn written(name: &str, plain: &[u8], frame_bytes: usize) -> Frames {
        let folder = fresh::folder(&format!("frames-{name}"));
        let path = folder.join("file");
        let (mut bytes, mut lengths) = (Vec::new(), Vec::new());
        for part in plain.chunks(frame_bytes) {
            let frame = compress_to_vec(part, CompressionLevel::Fastest);
            let compressed = frame.len().try_into().unwrap();
            lengths.push(FrameLength { compressed, plain: part.len().try_into().unwrap() });
            bytes.extend(frame);
        }
        bytes.extend(table(&lengths));
        File::create(&path).unwrap().write_all(&bytes).unwrap();
        Frames::open(&path).unwrap()
    }

    fn path_of(name: &str) -> PathBuf {
        std::env::temp_dir()
            .join(format!("mainstay-frames-{name}-{}", std::process::id()))
            .join("file")
    }

    fn length(bytes: &[u8]) -> u64 {
        bytes.len().try_into().unwrap()
    }
}
