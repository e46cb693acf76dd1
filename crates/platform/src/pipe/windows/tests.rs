//! Pipes that change hands: whoever dies while waiting takes nothing along.

use std::{io::Write as _, process::Command, time::Duration};

use super::*;
use crate::{
    port::{Port, Token},
    process::SignalKind,
    windows::{give, own_process},
};

const SOON: Duration = Duration::from_secs(20);
/// Set for the copy of this test binary that plays a reader.
const ROLE: &str = "MAINSTAY_TEST_READER";

#[test]
fn a_reader_that_is_killed_while_it_waits_takes_no_byte_along() {
    let (reader, writer) = pipe().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "pipe::imp::tests::role", "--nocapture", "--quiet"])
        .env(ROLE, std::process::id().to_string())
        .env("MAINSTAY_TEST_PIPE", reader.raw().addr().to_string())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It says so when its read of nothing is under way.
    let mut word = [0; 6];
    loop {
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut word[5..]).unwrap();
        word.rotate_left(1);
        if &word[..5] == b"armed" {
            break;
        }
    }
    let process = Process::open_pid(child.id()).unwrap().unwrap();
    process.signal(SignalKind::Kill).unwrap();
    child.wait().unwrap();
    file_of(&writer).write_all(b"first").unwrap();
    assert_eq!(reader.waiting().unwrap(), 5);
    assert_eq!(text(&reader), "first");
}

#[test]
fn bytes_that_come_while_a_reader_waits_stay_for_whoever_takes_them() {
    let (reader, writer) = pipe().unwrap();
    let mut port = Port::new().unwrap();
    let other = PipeReader::from_descriptor(reader.duplicate().unwrap());
    let waiting = port.watch_once(other, Token(1)).unwrap();
    waiting.arm().unwrap();
    file_of(&writer).write_all(b"whole").unwrap();
    assert_eq!(port.wait(Some(SOON)).unwrap().len(), 1);
    drop(waiting);
    assert_eq!(text(&reader), "whole");
}

#[test]
fn a_pipe_is_found_again_through_whoever_keeps_its_read_end() {
    let (reader, writer) = pipe().unwrap();
    let number = give(own_process(), writer.reader(), KEPT_ACCESS).unwrap();
    writer.is_kept_as(number);
    let serial = reader.serial();
    file_of(&writer).write_all(b"still here").unwrap();
    drop(reader);
    let found = reopen_output(std::process::id(), 1, serial).unwrap().unwrap();
    assert_eq!(found.serial(), serial);
    assert_eq!(text(&found), "still here");
    let writing = u64::try_from(writer.as_descriptor().as_raw_handle().addr()).unwrap();
    assert!(reopen_output(std::process::id(), 1, writing).unwrap().is_none(), "the other end");
    let other = File::open(std::env::current_exe().unwrap()).unwrap();
    let other = u64::try_from(other.as_raw_handle().addr()).unwrap();
    assert!(reopen_output(std::process::id(), 1, other).unwrap().is_none());
}

#[test]
fn role() {
    let Ok(pid) = std::env::var(ROLE) else { return };
    let number: usize = std::env::var("MAINSTAY_TEST_PIPE").unwrap().parse().unwrap();
    let parent = Process::open_pid(pid.parse().unwrap()).unwrap().unwrap();
    let handle = std::ptr::without_provenance_mut(number);
    let reader = PipeReader::from_descriptor(duplicate_out_of(parent.raw(), handle).unwrap());
    let mut port = Port::new().unwrap();
    let reader = port.watch_once(reader, Token(1)).unwrap();
    reader.arm().unwrap();
    io::stdout().write_all(b"armed\n").unwrap();
    port.wait(None).unwrap();
}

fn file_of(writer: &PipeWriter) -> File {
    File::from(writer.as_descriptor().try_clone_to_owned().unwrap())
}

fn text(reader: &PipeReader) -> String {
    let path = std::env::temp_dir().join(format!("mainstay-pipe-{reader:p}"));
    let file = File::create(&path).unwrap();
    assert!(matches!(reader.move_to(&file, 0, 1 << 16, Way::Copy).unwrap(), Moved::Bytes(_)));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    text
}
