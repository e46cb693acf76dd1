//! Compresses closed segments: one at a time, a frame at a time, and nothing is lost or there twice
//! at any instant.
//!
//! ```text
//!  web.000007.log ──frames──► web.000007.zst.new ──sync, rename──► web.000007.log.zst
//!        │                                                                 │
//!        └──────────────────── is removed, once that is there ◄────────────┘
//! ```
//!
//! Readers take the plain file as long as it is there, so that each finds each line once. A death
//! before the rename leaves a half file that nobody reads and the next attempt overwrites; one
//! behind it leaves both, and the next attempt removes the plain one. The index stays as it is:
//! offsets are those of the plain text.
//!
//! Somebody else may delete a segment at any instant: a keeper whose disk is full. He removes the
//! half file, the plain one, the half file again, the compressed one and the index, in this order;
//! whoever compresses creates the half file *before* he looks whether the plain one is there. So once
//! the deletion is over no half file of it can become a segment:
//!
//! | the half file is created | then |
//! |---|---|
//! | before the plain file goes, and renamed before the half file goes | the compressed file goes |
//! | before the plain file goes, and not renamed by then | the half file goes, the rename fails |
//! | after the plain file went | that is seen, and the half file removed |
//!
//! | who dies | what is left | who ends it |
//! |---|---|---|
//! | who compresses, before the rename | the plain file, and a half one | the next attempt overwrites it |
//! | the same, and the segment is deleted | nothing, or a half file | the next attempt at any segment ([`remove_strays`]) |
//! | who compresses, behind the rename | both files | the next attempt removes the plain one |
//! | who deletes, behind the plain file | nothing, or the compressed file | whoever deletes next |
//! | who deletes, before the index | an index that nobody asks for | it is emptied with its number |

use std::{
    fs::{self, File, FileTimes},
    io::{self, Write as _},
    path::Path,
};

use crate::{
    atomic,
    frames::{self, FRAME_BYTES, FrameLength},
    read,
    segment::{self, ChainFiles},
};

/// A longer segment stays plain: the table of its frames would not.
const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// Whether there is more to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Another frame.
    More,
    /// Every byte is in a frame.
    Done,
}

/// One segment that is being compressed.
#[derive(Debug)]
pub struct Compression {
    chain: ChainFiles,
    number: u64,
    plain: File,
    half: File,
    offset: u64,
    frames: Vec<FrameLength>,
}

impl Compression {
    /// Begins with a closed segment; nothing when there is no plain file of it any more, or it is
    /// too long.
    ///
    /// `create` creates the new file, so that it has the right mode from birth.
    pub fn begin(
        chain: &ChainFiles,
        number: u64,
        create: impl Fn(&Path) -> io::Result<File>,
    ) -> io::Result<Option<Self>> {
        let plain = match File::open(chain.closed(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            plain => plain?,
        };
        if plain.metadata()?.len() > SEGMENT_BYTES_MAX {
            return Ok(None);
        }
        let half = create(&chain.half_compressed(number))?;
        half.set_len(0)?;
        let chain = chain.clone();
        let begun = Self { chain, number, plain, half, offset: 0, frames: Vec::new() };
        if begun.is_deleted() {
            begun.give_up();
            return Ok(None);
        }
        Ok(Some(begun))
    }

    /// Returns whether somebody has deleted the segment meanwhile.
    fn is_deleted(&self) -> bool {
        !self.chain.closed(self.number).exists()
    }

    /// Compresses the next frame.
    ///
    /// `encode` makes one zstd frame; what cannot be read again as it was is refused.
    pub fn next_frame(
        &mut self,
        encode: impl FnOnce(&[u8]) -> io::Result<Vec<u8>>,
    ) -> io::Result<Progress> {
        let bytes = read::block(&self.plain, self.offset, FRAME_BYTES)?;
        if bytes.is_empty() {
            return Ok(Progress::Done);
        }
        let frame = encode(&bytes)?;
        if frames::decode(&frame, bytes.len()).is_none_or(|again| again != bytes) {
            let text = "the compressed bytes cannot be read again";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        self.half.write_all(&frame)?;
        let compressed = u32::try_from(frame.len()).map_err(io::Error::other)?;
        let plain = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.frames.push(FrameLength { compressed, plain });
        self.offset += u64::from(plain);
        Ok(Progress::More)
    }

    /// Gives the new file its table, its times and its name; [`remove_plain`] comes next.
    pub fn finish(mut self) -> io::Result<()> {
        let completed = self.complete();
        let is_deleted = self.is_deleted();
        if completed.is_err() || is_deleted {
            self.give_up();
            return completed.and(Err(io::ErrorKind::NotFound.into()));
        }
        // Some systems rename no file that is open.
        drop(self.half);
        let compressed = self.chain.compressed(self.number);
        fs::rename(self.chain.half_compressed(self.number), &compressed)?;
        atomic::sync_folder(&compressed)
    }

    fn complete(&mut self) -> io::Result<()> {
        self.half.write_all(&frames::table(&self.frames))?;
        let found = self.plain.metadata()?;
        self.half.set_times(FileTimes::new().set_modified(found.modified()?))?;
        self.half.sync_all()
    }

    /// Gives up: a disk that is full needs the room.
    pub fn give_up(self) {
        drop(self.half);
        // What is left over is overwritten by the next attempt, and goes with the segment.
        drop(segment::is_removed(&self.chain.half_compressed(self.number)));
    }
}

/// Removes the plain file of a segment that is compressed.
///
/// When somebody has removed it meanwhile, the whole segment was meant.
pub fn remove_plain(chain: &ChainFiles, number: u64) -> io::Result<()> {
    if !segment::is_removed(&chain.closed(number))? {
        segment::is_removed(&chain.compressed(number))?;
        segment::is_removed(&chain.index(number))?;
    }
    Ok(())
}

/// Removes half files of segments that are not there any more.
///
/// For whoever compresses: nobody else may be at it.
pub fn remove_strays(chain: &ChainFiles) -> io::Result<()> {
    let halves = chain.half_compressed_all()?;
    let mut strays = halves.into_iter().filter(|number| !chain.closed(*number).exists());
    strays.try_for_each(|number| segment::is_removed(&chain.half_compressed(number)).map(drop))
}

/// Returns whether a segment is there as a plain file and compressed as well: somebody has died
/// before he removed the first.
pub fn is_there_twice(chain: &ChainFiles, number: u64) -> bool {
    chain.closed(number).exists() && chain.compressed(number).exists()
}

#[cfg(test)]
mod tests {
    use std::{
        path::PathBuf,
        sync::atomic::{AtomicU64, Ordering},
    };

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;
    use crate::{
        fresh,
        index::{IndexRecord, SourceFlags, Stream},
        read::{Line, Reader, Wanted, begin, begin_of_last, copy_all, last_lines},
    };

    /// More than a frame, so that lines lie across frames.
    const LINES: u64 = 30_000;

    #[derive(Debug, PartialEq)]
    struct Seen {
        bytes: Vec<u8>,
        lines: Vec<Line>,
        tail: Vec<Line>,
    }

    #[test]
    fn a_death_at_any_step_loses_nothing_and_doubles_nothing() {
        let chain = sample("steps");
        let before = seen(&chain);
        let mut steps = 0;
        loop {
            // Each round dies one step later, and leaves what is there to the next.
            let is_done = compress_but_for(&chain, steps);
            assert!(seen(&chain) == before, "after {steps} steps");
            assert_eq!(chain.find().unwrap().closed, [1, 2]);
            if is_done {
                break;
            }
            steps += 1;
        }
        assert!(steps > 5, "there were {steps} steps");
        assert_eq!(chain.find().unwrap().plain, [2]);
        assert!(!chain.half_compressed(1).exists());
    }

    #[test]
    fn a_segment_that_is_deleted_meanwhile_does_not_come_back() {
        let chain = sample("deleted");
        let mut work = Compression::begin(&chain, 1, |path| File::create(path)).unwrap().unwrap();
        while work.next_frame(|bytes| Ok(encode(bytes))).unwrap() == Progress::More {}
        chain.remove(1).unwrap();
        // Its half is gone as well: whoever goes on finds that out.
        work.finish().unwrap_err();
        let mut work = Compression::begin(&chain, 2, |path| File::create(path)).unwrap().unwrap();
        while work.next_frame(|bytes| Ok(encode(bytes))).unwrap() == Progress::More {}
        fs::remove_file(chain.closed(2)).unwrap();
        assert_eq!(work.finish().unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(chain.find().unwrap().closed.is_empty() && !chain.half_compressed(2).exists());
    }

    #[test]
    fn what_cannot_be_read_again_as_it_was_stays_plain() {
        let chain = sample("unreadable");
        let before = seen(&chain);
        let other = |bytes: &[u8]| Ok(encode(&vec![b'x'; bytes.len()]));
        let none = |_: &[u8]| Ok(b"no frame".to_vec());
        for wrong in [other as fn(&[u8]) -> io::Result<Vec<u8>>, none] {
            let begun = Compression::begin(&chain, 1, |path| File::create(path));
            let mut work = begun.unwrap().unwrap();
            let refused = work.next_frame(wrong).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
            work.give_up();
        }
        assert!(seen(&chain) == before && !chain.half_compressed(1).exists());
    }

    #[test]
    fn a_segment_that_is_deleted_while_it_is_begun_with_is_let_go() {
        let chain = sample("begun");
        let begun = Compression::begin(&chain, 1, |path| {
            chain.remove(1)?;
            File::create(path)
        });
        assert!(begun.unwrap().is_none());
        assert!(!chain.half_compressed(1).exists());
        // Who dies there leaves a half file.
        File::create(chain.half_compressed(1)).unwrap();
        File::create(chain.half_compressed(2)).unwrap();
        remove_strays(&chain).unwrap();
        assert_eq!(chain.half_compressed_all().unwrap(), [2]);
    }

    #[test]
    fn what_was_deleted_never_comes_back_whoever_compresses_it_meanwhile() {
        const SEGMENTS: u64 = 500;
        let chain = ChainFiles::new(&fresh::folder_in_memory("compress-deleted"), "web");
        let deleted = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 1..=SEGMENTS {
                    write(chain.live(), format!("{number}\n"));
                    chain.close(number).unwrap();
                    if number > 4 {
                        chain.remove(number - 4).unwrap();
                        deleted.store(number - 4, Ordering::SeqCst);
                    }
                }
            });
            scope.spawn(|| {
                while deleted.load(Ordering::SeqCst) < SEGMENTS - 4 {
                    for number in chain.find().unwrap().compressible().collect::<Vec<_>>() {
                        try_compress(&chain, number);
                    }
                }
            });
            while !writer.is_finished() {
                let deleted = deleted.load(Ordering::SeqCst);
                let found = chain.find().unwrap().closed;
                assert!(found.iter().all(|number| *number > deleted), "{deleted}: {found:?}");
            }
        });
        remove_strays(&chain).unwrap();
        let found = chain.find().unwrap().closed;
        assert_eq!(found, [SEGMENTS - 3, SEGMENTS - 2, SEGMENTS - 1, SEGMENTS]);
        for number in 1..=SEGMENTS - 4 {
            assert!(!chain.half_compressed(number).exists(), "{number}");
        }
    }

    /// Compresses a segment that may be deleted at any instant.
    fn try_compress(chain: &ChainFiles, number: u64) {
        let begun = Compression::begin(chain, number, |path| File::create(path)).unwrap();
        let Some(mut work) = begun else { return };
        while work.next_frame(|bytes| Ok(encode(bytes))).unwrap() == Progress::More {}
        match work.finish() {
            Ok(()) => remove_plain(chain, number).unwrap(),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
        }
    }

    #[test]
    fn what_cannot_be_read_again_is_not_stored() {
        let chain = sample("wrong");
        let mut work = Compression::begin(&chain, 1, |path| File::create(path)).unwrap().unwrap();
        let wrong = work.next_frame(|bytes| Ok(encode(&bytes[1..]))).unwrap_err();
        assert_eq!(wrong.kind(), io::ErrorKind::InvalidData);
        work.give_up();
        assert!(!chain.half_compressed(1).exists() && chain.closed(1).exists());
    }

    #[test]
    fn times_runs_and_ends_of_a_compressed_segment_are_those_of_the_plain_one() {
        let chain = sample("same");
        let asked = |wanted: Wanted, count: usize| {
            let tail = last_lines(&chain, count).unwrap();
            (lines(&chain, wanted), tail, begin_of_last(&chain, count).unwrap())
        };
        let since = Wanted { since_ns: Some(LINES - 70), ..Wanted::default() };
        let of_run = Wanted { run: Some(2), ..Wanted::default() };
        let plain = [asked(since, 50), asked(of_run, 20_000), asked(Wanted::default(), 40_000)];
        assert!(compress_but_for(&chain, u64::MAX));
        let compressed =
            [asked(since, 50), asked(of_run, 20_000), asked(Wanted::default(), 40_000)];
        assert!(compressed == plain);
        let modified = fs::metadata(chain.compressed(1)).unwrap().modified().unwrap();
        assert_eq!(modified, std::time::UNIX_EPOCH + std::time::Duration::from_secs(77));
    }

    #[test]
    fn a_reader_that_is_overtaken_reads_on_in_the_compressed_segment() {
        let chain = sample("overtaken");
        let all = lines(&chain, Wanted::default());
        let mut reader = Reader::new(chain.clone(), begin(&chain).unwrap());
        let mut found = reader.next_block().unwrap().unwrap().lines;
        assert!(compress_but_for(&chain, u64::MAX));
        while let Some(block) = reader.next_block().unwrap() {
            found.extend(block.lines);
        }
        assert!(found == all);
    }

    #[test]
    fn a_reader_that_deletion_overtakes_in_a_compressed_segment_knows_it() {
        let chain = sample("gone");
        assert!(compress_but_for(&chain, u64::MAX));
        let mut reader = Reader::new(chain.clone(), begin(&chain).unwrap());
        let first = reader.next_block().unwrap().unwrap();
        assert_eq!(first.deleted, 0);
        chain.remove(1).unwrap();
        let mut deleted = 0;
        while let Some(block) = reader.next_block().unwrap() {
            deleted += block.deleted;
        }
        assert_eq!(deleted, 1);
    }

    #[test]
    fn nobody_misses_a_line_while_segments_are_closed_and_compressed() {
        const CLOSED: u64 = 300;
        let chain = ChainFiles::new(&fresh::folder_in_memory("compress-race"), "web");
        let text = |number: u64| format!("{number}\n");
        write(chain.closed(1), text(1));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 2..CLOSED {
                    write(chain.live(), text(number));
                    chain.close(number).unwrap();
                    for older in chain.find().unwrap().compressible().collect::<Vec<_>>() {
                        let mut steps = u64::MAX;
                        compress(&chain, older, &mut steps);
                    }
                }
            });
            loop {
                let is_over = writer.is_finished();
                let mut all = Vec::new();
                copy_all(&chain, &mut all).unwrap();
                let last = u64::try_from(String::from_utf8(all.clone()).unwrap().lines().count());
                let expected: String = (1..=last.unwrap()).map(text).collect();
                assert_eq!(String::from_utf8(all).unwrap(), expected);
                let tail = last_lines(&chain, 3).unwrap();
                let tail: Vec<u64> = tail.iter().map(number_of).collect();
                assert!(tail.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{tail:?}");
                if is_over {
                    break;
                }
            }
        });
        assert_eq!(chain.find().unwrap().plain, [CLOSED - 1]);
    }

    fn number_of(line: &Line) -> u64 {
        str::from_utf8(&line.bytes).unwrap().parse().unwrap()
    }

    fn encode(bytes: &[u8]) -> Vec<u8> {
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    /// Takes so many steps of compressing what may be compressed; returns whether it is through.
    fn compress_but_for(chain: &ChainFiles, mut steps: u64) -> bool {
        let found = chain.find().unwrap();
        found.compressible().all(|number| compress(chain, number, &mut steps))
    }

    fn compress(chain: &ChainFiles, number: u64, steps: &mut u64) -> bool {
        let mut is_dead = || {
            let is_dead = *steps == 0;
            *steps = steps.saturating_sub(1);
            is_dead
        };
        if !is_there_twice(chain, number) {
            let begun = Compression::begin(chain, number, |path| File::create(path)).unwrap();
            let mut work = begun.unwrap();
            loop {
                if is_dead() {
                    return false;
                }
                if work.next_frame(|bytes| Ok(encode(bytes))).unwrap() == Progress::Done {
                    break;
                }
            }
            if is_dead() {
                return false;
            }
            work.finish().unwrap();
        }
        if is_dead() {
            return false;
        }
        remove_plain(chain, number).unwrap();
        true
    }

    /// Everything that anybody can read.
    fn seen(chain: &ChainFiles) -> Seen {
        let mut bytes = Vec::new();
        copy_all(chain, &mut bytes).unwrap();
        let tail = last_lines(chain, 20_000).unwrap();
        Seen { bytes, lines: lines(chain, Wanted::default()), tail }
    }

    fn lines(chain: &ChainFiles, wanted: Wanted) -> Vec<Line> {
        let mut reader = Reader::new(chain.clone(), begin(chain).unwrap()).only(wanted);
        let mut lines = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            lines.extend(block.lines);
        }
        lines.retain(|line| wanted.includes(line.realtime_ns, line.run));
        lines
    }

    fn write(path: PathBuf, bytes: impl AsRef<[u8]>) {
        File::create(path).unwrap().write_all(bytes.as_ref()).unwrap();
    }

    /// A chain of two closed segments and a live one, with an index.
    fn sample(name: &str) -> ChainFiles {
        let chain = ChainFiles::new(&fresh::folder(&format!("compress-{name}")), "web");
        let (mut text, mut records) = (Vec::new(), Vec::new());
        for number in 0..LINES {
            let offset = text.len().try_into().unwrap();
            if number % 10_000 == 0 {
                let (run, stream, flags) = (1 + number / 10_000, Stream::Joined, SourceFlags::NONE);
                records.push(IndexRecord::Source { offset, run, stream, flags });
            }
            if number % 10 == 0 {
                records.push(IndexRecord::Time { offset, realtime_ns: number + 1 });
            }
            text.extend(format!("line {number}\n").into_bytes());
        }
        write(chain.closed(1), text);
        let file = File::options().write(true).open(chain.closed(1)).unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(77);
        file.set_times(FileTimes::new().set_modified(at)).unwrap();
        let index: Vec<u8> = records.iter().flat_map(IndexRecord::encode).collect();
        write(chain.index(1), index);
        write(chain.closed(2), "second\nto last\n");
        write(chain.live(), "live\nhalf");
        chain
    }
}
