//! The chain that keeps events: whatever has become of its files, it opens, each byte is a part of a
//! record or counted as damaged, and what is written next is read back.
//!
//! The input is files; of each, pieces are records as they should be, or bytes as they are.

use std::{fs, fs::File, path::Path};

use mainstay_api::control::Event;
use mainstay_storage::journal::{self, ChainLimits, Contents, Journal};

use crate::{cut::Cut, scratch};

const LIMITS: ChainLimits = ChainLimits { file_bytes: 1 << 16, total_bytes: 1 << 20 };
/// What stands before a payload, and the number of files of one input.
const PREFIX_BYTES: u64 = 12;
const FILES_MAX: u64 = 3;

/// Reads a chain, goes on with it, and reads it again.
pub(crate) fn run(bytes: &[u8]) {
    let folder = scratch::folder("events");
    let mut cut = Cut::new(bytes);
    let mut written = 0;
    for number in 1..=FILES_MAX {
        if cut.is_over() {
            break;
        }
        let file = file_of(&folder, &mut cut);
        written += u64::try_from(file.len()).unwrap_or_default();
        scratch::write(&folder.join(format!("{number:06}.journal")), file);
    }
    let before = journal::read(&folder).expect("a chain can be read");
    check_bytes(&before, written);
    for record in &before.records {
        check_event(record);
    }
    go_on(&folder, before);
}

/// Returns the bytes of a file: records, and damage between and in them.
fn file_of(folder: &Path, cut: &mut Cut<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..cut.byte() {
        let kind = cut.byte();
        let piece = cut.piece();
        if kind.is_multiple_of(2) {
            bytes.extend_from_slice(piece);
        } else {
            bytes.extend_from_slice(&record_of(folder, piece));
        }
        if kind.is_multiple_of(7) {
            let at = usize::try_from(cut.number()).unwrap_or_default();
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= cut.byte();
            }
        }
        if cut.is_over() {
            break;
        }
    }
    bytes
}

/// Returns a record as the chain itself writes it.
fn record_of(folder: &Path, payload: &[u8]) -> Vec<u8> {
    let apart = folder.join("apart");
    fs::create_dir_all(&apart).expect("the folder is ours");
    let path = apart.join("record");
    let mut journal = Journal::open(&apart, LIMITS, |_| File::create(&path)).expect("it opens");
    journal.append(&[payload], |_| File::create(&path)).expect("there is room");
    fs::read(&path).expect("it was written")
}

/// No byte is lost without a word, and none counts twice.
fn check_bytes(contents: &Contents, written: u64) {
    let length = |record: &Vec<u8>| PREFIX_BYTES + u64::try_from(record.len()).unwrap_or_default();
    let whole: u64 = contents.records.iter().map(length).sum();
    assert_eq!(whole + contents.damaged_bytes, written);
}

/// An event that is understood is the same after it was written again.
fn check_event(record: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Event>(record) else { return };
    let again = serde_json::to_vec(&event).expect("an event can be written");
    assert_eq!(serde_json::from_slice::<Event>(&again).expect("and read"), event);
}

fn go_on(folder: &Path, before: Contents) {
    let mut journal = Journal::open(folder, LIMITS, |path| File::create(path)).expect("it opens");
    let fresh: [&[u8]; 2] = [b"one", b""];
    journal.append(&fresh, |path| File::create(path)).expect("there is room");
    let mut expected = before;
    expected.records.extend(fresh.map(<[u8]>::to_vec));
    assert_eq!(journal::read(folder).expect("a chain can be read"), expected);
}
