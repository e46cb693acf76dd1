//! Readers of a chain that is damaged, purged, emptied, or read through a sieve.

use std::{collections::HashMap, fs, io::Write as _, ops::Range, path::PathBuf};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;
use crate::{
    compress::{Compression, Progress, remove_plain},
    frames::FRAME_BYTES,
    fresh,
    index::{SourceFlags, Stream},
    read::{Merge, Unfinished, begin, begin_of_last_bytes, copy_all, last_lines},
};

/// Several frames.
const LINES: usize = 60_000;
/// What one of them holds.
const FRAME: u64 = 128 * 1024;

#[test]
fn a_damaged_frame_costs_its_own_bytes_and_is_told() {
    let chain = compressed("frame");
    let path = chain.compressed(1);
    let whole = read(&chain);
    let bytes = fs::read(&path).unwrap();
    // The frames are as long as each other, about; the table is at the end.
    for part in [1, 4, 7] {
        let mut damaged = bytes.clone();
        damaged[bytes.len() * part / 8] ^= 0x10;
        write(&path, &damaged);
        let found = read(&chain);
        assert_eq!((found.deleted, found.damaged), (0, FRAME), "{part}");
        let is_subset = found.texts.keys().filter(|text| whole.texts.contains_key(*text)).count();
        // Two lines may be in pieces.
        assert!(is_subset + 2 >= found.texts.len(), "{part}");
        assert_eq!(found.bytes + FRAME_BYTES, whole.bytes, "{part}");
        let mut copied = Vec::new();
        assert_eq!(copy_all(&chain, &mut copied).unwrap(), FRAME);
        assert_eq!(copied.len() + FRAME_BYTES, whole.bytes, "{part}");
        assert!(copied.ends_with(b"\nlast\n"));
        let count = LINES / 8;
        assert!(last_lines(&chain, count).unwrap().len() >= count, "{part}");
        assert_eq!(last_lines(&chain, 1).unwrap()[0].bytes, b"last");
    }
}

#[test]
fn a_segment_without_its_table_is_passed_over_and_told() {
    let chain = compressed("table");
    let path = chain.compressed(1);
    let mut bytes = fs::read(&path).unwrap();
    bytes.pop();
    write(&path, &bytes);
    let found = read(&chain);
    assert!(found.damaged > 0 && found.texts.contains_key("last"), "{} bytes", found.damaged);
    assert_eq!(found.texts.len(), 2);
    assert_eq!(last_lines(&chain, 99).unwrap().len(), 2);
    let mut copied = Vec::new();
    assert!(copy_all(&chain, &mut copied).unwrap() > 0);
    assert_eq!(copied, b"second\nlast\n");
    begin_of_last_bytes(&chain, 1_000_000).unwrap();
    let wanted = Wanted { since_ns: Some(1), ..Wanted::default() };
    let mut reader = Reader::new(chain.clone(), begin(&chain).unwrap()).only(wanted);
    assert!(reader.next_block().unwrap().unwrap().damaged > 0);
}

#[test]
fn what_is_not_wanted_is_not_decoded() {
    let chain = compressed("undecoded");
    // A record for each thousand lines, of a run of its own; the second half is of another time.
    let mut index = Vec::new();
    for line in (0..LINES).step_by(1000) {
        let (offset, run) = (offset_of(line), 1 + number(line) / 10_000);
        let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
        index.extend(IndexRecord::Source { offset, run, stream, flags }.encode());
        index.extend(IndexRecord::Time { offset, realtime_ns: 1 + number(line) }.encode());
    }
    write(&chain.index(1), &index);
    let path = chain.compressed(1);
    let bytes = fs::read(&path).unwrap();
    let check = |wanted: Wanted, damaged_part: Range<usize>, expected: usize| {
        let mut damaged = bytes.clone();
        let middle = (damaged_part.start + damaged_part.end) * bytes.len() / 200;
        damaged[middle] ^= 0x10;
        write(&path, &damaged);
        let mut reader = Reader::new(chain.clone(), begin(&chain).unwrap()).only(wanted);
        let mut lines = 0;
        while let Some(block) = reader.next_block().unwrap() {
            assert_eq!(block.damaged, 0, "{wanted:?}");
            let is_wanted = |line: &&Line| wanted.includes(line.realtime_ns, line.run);
            lines += block.lines.iter().filter(is_wanted).filter(|line| line.run > 0).count();
        }
        assert_eq!(lines, expected, "{wanted:?}");
    };
    let run = |run| Wanted { run: Some(run), ..Wanted::default() };
    check(run(6), 0..40, 10_000);
    check(run(1), 60..100, 10_000);
    check(run(3), 60..100, 10_000);
    let until = |until| Wanted { until_ns: Some(until), ..Wanted::default() };
    check(until(10_001), 60..100, 11_000);
    let since = Wanted { since_ns: Some(50_001), ..Wanted::default() };
    check(since, 0..40, 10_000);
}

#[test]
fn a_follower_goes_on_in_a_log_that_was_purged_and_begins_anew() {
    for written in [1, 500] {
        let chain = ChainFiles::new(&folder(&format!("purged-{written}")), "web");
        for number in 1..=5 {
            append(&chain, &format!("old {number}\n"));
            chain.close(number).unwrap();
        }
        append(&chain, "old live\n");
        let mut merge = Merge::new(Unfinished::Left);
        merge.add((), Reader::new(chain.clone(), begin(&chain).unwrap()));
        assert_eq!(texts(&mut merge).len(), 6);
        // Whoever is at the end waits, whatever is listed.
        assert!(texts(&mut merge).is_empty());
        fs::remove_dir_all(chain.folder()).unwrap();
        fs::create_dir(chain.folder()).unwrap();
        assert!(texts(&mut merge).is_empty());
        let mut expected = Vec::new();
        for number in 1..=2 {
            let lines: Vec<String> =
                (0..written).map(|line| format!("new {number} {line}")).collect();
            append(&chain, &(lines.join("\n") + "\n"));
            chain.close(number).unwrap();
            expected.extend(lines);
        }
        append(&chain, "new live\n");
        expected.push("new live".to_owned());
        assert_eq!(texts(&mut merge), expected);
        // The live file alone is emptied, and is shorter than it was.
        File::create(chain.live()).unwrap();
        append(&chain, "short\n");
        assert_eq!(texts(&mut merge), ["short"]);
    }
}

#[test]
fn what_has_gone_but_for_its_name_is_no_line_and_told_to_whoever_waited_for_it() {
    let chain = ChainFiles::new(&folder("emptied"), "web");
    for number in 1..=2 {
        append(&chain, &format!("old {number}\n"));
        chain.close(number).unwrap();
    }
    let mut behind = Reader::new(chain.clone(), begin(&chain).unwrap());
    chain.remove(1).unwrap();
    chain.remove(2).unwrap();
    assert_eq!(last_lines(&chain, 9).unwrap(), []);
    append(&chain, "new\n");
    let Block { deleted, lines, .. } = behind.next_block().unwrap().unwrap();
    assert_eq!((deleted, lines.len()), (2, 1));
    let mut fresh = Reader::new(chain.clone(), begin(&chain).unwrap());
    assert_eq!(fresh.next_block().unwrap().unwrap().deleted, 0);
    assert_eq!(last_lines(&chain, 9).unwrap().len(), 1);
}

#[test]
fn lines_around_others_are_found_over_blocks_and_segments() {
    let chain = compressed("around");
    for since_ns in [None, Some(1)] {
        for (before, behind) in [(0, 0), (1, 0), (0, 2), (3, 3)] {
            let around = Around::new(before, behind);
            let wanted = Wanted { since_ns, ..Wanted::default() };
            let reader = Reader::new(chain.clone(), begin(&chain).unwrap()).only(wanted);
            let mut reader = reader.sieved(Some(Arc::new(Ends(b"777"))), around);
            let mut found = Vec::new();
            while let Some(block) = reader.next_block().unwrap() {
                found.extend(block.lines.iter().filter_map(line_number));
            }
            let is_near = |line: &usize| {
                let near = line.saturating_sub(behind)..=line + before;
                near.into_iter().any(|line| line % 1000 == 777 && line < LINES)
            };
            let expected: Vec<usize> = (0..LINES).filter(is_near).collect();
            assert!(
                expected.iter().all(|line| found.binary_search(line).is_ok()),
                "{before} {behind}"
            );
            // It is a sieve all the same: a few lines of each block come besides.
            assert!(found.len() < LINES / 20, "{before} {behind}: {}", found.len());
        }
    }
}

#[test]
fn lines_of_others_are_not_counted_among_those_around() {
    let chain = compressed("around-others");
    // The lines of two runs take turns.
    let mut index = Vec::new();
    for line in 0..LINES {
        let (offset, run) = (offset_of(line), 1 + number(line) % 2);
        let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
        index.extend(IndexRecord::Source { offset, run, stream, flags }.encode());
    }
    write(&chain.index(1), &index);
    let wanted = Wanted { run: Some(2), ..Wanted::default() };
    let reader = Reader::new(chain.clone(), begin(&chain).unwrap()).only(wanted);
    let mut reader = reader.sieved(Some(Arc::new(Ends(b"777"))), Around::new(2, 2));
    let mut found = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        let lines = block.lines.iter().filter(|line| wanted.includes(line.realtime_ns, line.run));
        found.extend(lines.filter_map(line_number));
    }
    for line in [773, 775, 777, 779, 781] {
        assert!(found.contains(&line), "{line}");
    }
}

#[test]
fn a_line_in_pieces_passes_each_sieve() {
    let chain = ChainFiles::new(&folder("pieces"), "web");
    append(&chain, "whole\nhalf of one777\nwhole\n");
    let (stream, flags) = (Stream::Joined, SourceFlags::UNFINISHED);
    let cut = IndexRecord::Source { offset: 10, run: 2, stream, flags };
    write(&chain.index(1), &cut.encode());
    let mut reader = Reader::new(chain.clone(), begin(&chain).unwrap());
    reader = reader.sieved(Some(Arc::new(Ends(b"nothing"))), Around::default());
    let lines = reader.next_block().unwrap().unwrap().lines;
    let texts: Vec<&str> = lines.iter().map(|line| str::from_utf8(&line.bytes).unwrap()).collect();
    assert_eq!(texts, ["half", " of one777"]);
}

/// Finds lines that end with something.
#[derive(Debug)]
struct Ends(&'static [u8]);

impl Sieve for Ends {
    fn lines(&self, block: &[u8]) -> Vec<Range<usize>> {
        let mut from = 0;
        let mut lines = Vec::new();
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            if line.strip_suffix(b"\n").unwrap_or(line).ends_with(self.0) {
                lines.push(from..from + line.len());
            }
            from += line.len();
        }
        lines
    }
}

#[derive(Debug, Default)]
struct Read {
    deleted: u64,
    damaged: u64,
    bytes: usize,
    texts: HashMap<String, usize>,
}

fn read(chain: &ChainFiles) -> Read {
    let mut reader = Reader::new(chain.clone(), begin(chain).unwrap());
    let mut read = Read::default();
    while let Some(block) = reader.next_block().unwrap() {
        read.deleted += block.deleted;
        read.damaged += block.damaged;
        for line in block.lines {
            read.bytes += line.bytes.len() + usize::from(!line.is_partial);
            *read.texts.entry(String::from_utf8(line.bytes).unwrap()).or_default() += 1;
        }
    }
    read
}

fn texts(merge: &mut Merge<()>) -> Vec<String> {
    merge.look().unwrap();
    let mut texts = Vec::new();
    while let Some((line, ())) = merge.next_line().unwrap() {
        texts.push(String::from_utf8(line.bytes).unwrap());
    }
    texts
}

fn line_number(line: &Line) -> Option<usize> {
    str::from_utf8(&line.bytes).ok()?.strip_prefix("line ")?.parse().ok()
}

fn number(line: usize) -> u64 {
    line.try_into().unwrap()
}

/// Each line has ten bytes and its end.
fn offset_of(line: usize) -> u64 {
    11 * number(line)
}

/// Returns a chain whose first segment is compressed.
fn compressed(name: &str) -> ChainFiles {
    let chain = ChainFiles::new(&folder(name), "web");
    let lines: Vec<String> = (0..LINES).map(|number| format!("line {number:05}\n")).collect();
    let text = lines.concat();
    append(&chain, &text);
    chain.close(1).unwrap();
    append(&chain, "second\n");
    chain.close(2).unwrap();
    append(&chain, "last\n");
    let create = |path: &Path| -> io::Result<File> { File::create(path) };
    let mut work = Compression::begin(&chain, 1, create).unwrap().unwrap();
    let encode = |bytes: &[u8]| Ok(compress_to_vec(bytes, CompressionLevel::Fastest));
    while work.next_frame(encode).unwrap() == Progress::More {}
    work.finish().unwrap();
    remove_plain(&chain, 1).unwrap();
    chain
}

fn append(chain: &ChainFiles, text: &str) {
    let mut file = File::options().append(true).create(true).open(chain.live()).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

fn folder(name: &str) -> PathBuf {
    fresh::folder(&format!("readers-{name}"))
}
