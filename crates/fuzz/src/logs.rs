//! Segments and their indexes: whatever an index says, every byte of a log is read once and in its
//! place, the last lines are the last ones, and who asks for a run or a time misses nothing.
//!
//! The input is segments, the last one live; each is a text and the records of its index, some of
//! which are damaged.

use std::{fs, fs::File, path::Path};

use mainstay_storage::{
    index::{self, IndexRecord, RECORD_BYTES, SourceFlags, Stream},
    read::{Line, Merge, Reader, Unfinished, Wanted, begin, copy_all, last_lines},
    segment::ChainFiles,
};

use crate::{cut::Cut, scratch};

const SEGMENTS_MAX: u64 = 3;
const RECORDS_MAX: u8 = 24;

/// Reads a chain in every way there is.
pub(crate) fn run(bytes: &[u8]) {
    let folder = scratch::folder("logs");
    let chain = ChainFiles::new(&folder, "web");
    let mut cut = Cut::new(bytes);
    let (count, wanted) = (usize::from(cut.byte()), wanted(&mut cut));
    let (written, order) = write(&chain, &mut cut);
    let mut copied = Vec::new();
    copy_all(&chain, &mut copied).expect("a chain can be copied");
    assert_eq!(copied, written);
    let lines = lines_of(&chain, Wanted::default());
    assert_eq!(joined(&lines), without_ends(&written));
    // An index that leaps back was written by nobody: what it says depends on where one begins.
    if order == Order::Ascending {
        check_last(&chain, &lines, count);
        check_wanted(&chain, &lines, wanted);
    }
    check_mending(&folder, &mut cut);
}

fn wanted(cut: &mut Cut<'_>) -> Wanted {
    let what = cut.byte();
    let mut one = |bit: u8| (what & bit != 0).then(|| cut.number());
    Wanted { since_ns: one(1), until_ns: one(2), run: one(4) }
}

/// How the offsets of all indexes follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Any,
}

/// Writes the segments; returns all of their bytes, and how their indexes are.
fn write(chain: &ChainFiles, cut: &mut Cut<'_>) -> (Vec<u8>, Order) {
    let (mut all, mut order) = (Vec::new(), Order::Ascending);
    for number in 1..=SEGMENTS_MAX {
        let text = cut.piece();
        let index = records(cut);
        if !IndexRecord::decode_all(&index).is_sorted_by_key(IndexRecord::offset) {
            order = Order::Any;
        }
        scratch::write(&chain.index(number), index);
        scratch::write(&chain.live(), text);
        all.extend_from_slice(text);
        if cut.is_over() || number == SEGMENTS_MAX {
            break;
        }
        chain.close(number).expect("the folder is ours");
    }
    (all, order)
}

/// Returns the bytes of an index: whole records, damaged ones, and what is no record.
fn records(cut: &mut Cut<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..cut.byte() % RECORDS_MAX {
        let kind = cut.byte();
        let (offset, value) = (cut.number(), cut.number());
        let mut record = match kind % 4 {
            0 => IndexRecord::Time { offset, realtime_ns: value }.encode(),
            1 => IndexRecord::Boot { offset, mark: value }.encode(),
            _ => source(kind, offset, value).encode(),
        };
        if kind & 0x80 != 0
            && let Some(byte) = record.get_mut(usize::from(cut.byte()) % RECORD_BYTES)
        {
            *byte ^= cut.byte();
        }
        bytes.extend_from_slice(&record);
    }
    bytes.extend_from_slice(cut.piece());
    bytes
}

fn source(kind: u8, offset: u64, run: u64) -> IndexRecord {
    let stream = match kind / 4 % 3 {
        0 => Stream::Joined,
        1 => Stream::Out,
        _ => Stream::Err,
    };
    let flags = if kind & 0x40 == 0 { SourceFlags::NONE } else { SourceFlags::UNFINISHED };
    IndexRecord::Source { offset, run, stream, flags }
}

/// Returns every line of a chain, the one that is still being written included.
fn lines_of(chain: &ChainFiles, wanted: Wanted) -> Vec<Line> {
    let first = begin(chain).expect("a chain has a beginning");
    let mut merge = Merge::new(Unfinished::Given);
    merge.add((), Reader::new(chain.clone(), first).only(wanted));
    merge.look().expect("a chain has an end");
    let mut lines = Vec::new();
    while let Some((line, ())) = merge.next_line().expect("a chain can be read") {
        lines.push(line);
    }
    lines
}

/// Lines carry no line ends, and a segment may end without one: what is between them is compared.
fn joined(lines: &[Line]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.bytes.iter().copied()).collect()
}

fn without_ends(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != b'\n').collect()
}

fn check_last(chain: &ChainFiles, lines: &[Line], count: usize) {
    let last = last_lines(chain, count).expect("a chain can be read");
    let expected = lines.get(lines.len().saturating_sub(count)..).unwrap_or_default();
    assert_eq!(last, expected, "the last {count}");
}

/// An index may pass over what is not wanted, and over nothing else.
fn check_wanted(chain: &ChainFiles, lines: &[Line], wanted: Wanted) {
    let fits = |line: &&Line| wanted.includes(line.realtime_ns, line.run);
    let found = lines_of(chain, wanted);
    let found: Vec<&Line> = found.iter().filter(fits).collect();
    let expected: Vec<&Line> = lines.iter().filter(fits).collect();
    assert_eq!(found, expected, "{wanted:?}");
}

/// Behind a mended index whole records are appended, and none is ahead of its segment.
fn check_mending(folder: &Path, cut: &mut Cut<'_>) {
    let (end, path) = (cut.number(), folder.join("mended.idx"));
    let bytes = records(cut);
    scratch::write(&path, &bytes);
    let file = File::options().read(true).write(true).open(&path).expect("it was written");
    index::mend(&file, end).expect("an index can be mended");
    let mended = fs::read(&path).expect("it is there");
    assert!(bytes.starts_with(&mended), "nothing is made up");
    assert_eq!(mended.len() % RECORD_BYTES, 0);
    let last = mended.last_chunk().and_then(IndexRecord::decode);
    assert!(last.is_none_or(|record| record.offset() <= end));
}
