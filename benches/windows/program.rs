//! What the side-by-side benchmark of service wrappers lets them run. It notes its moments, in
//! nanoseconds since 1970, in a file whose name it is given.
//!
//! `program FACTS [LINES]`: says LINES lines, waits for a file FACTS.crash, and crashes then; after
//! Ctrl-C it cleans up for 300 ms and says goodbye.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

static ASKED: AtomicBool = AtomicBool::new(false);
const CLEAN_UP: Duration = Duration::from_millis(300);

unsafe extern "system" {
    fn SetConsoleCtrlHandler(handler: extern "system" fn(u32) -> i32, add: i32) -> i32;
}

extern "system" fn heard(_kind: u32) -> i32 {
    ASKED.store(true, Ordering::Relaxed);
    1
}

fn main() {
    let began = now();
    unsafe { SetConsoleCtrlHandler(heard, 1) };
    let words: Vec<String> = std::env::args().collect();
    let facts = &words[1];
    note(facts, "start", began);
    if let Some(lines) = words.get(2) {
        say(lines.parse().unwrap());
        note(facts, "said", now());
    }
    let crash = format!("{facts}.crash");
    while !ASKED.load(Ordering::Relaxed) {
        if fs::remove_file(&crash).is_ok() {
            note(facts, "crash", now());
            std::process::exit(3);
        }
        sleep(Duration::from_millis(1));
    }
    note(facts, "asked", now());
    sleep(CLEAN_UP);
    note(facts, "bye", now());
}

fn say(lines: u64) {
    let mut output = std::io::stdout().lock();
    for number in 0..lines {
        writeln!(output, "line {number:09} of a program that has much to say").unwrap();
    }
}

fn note(facts: &str, what: &str, when: u128) {
    let mut file = OpenOptions::new().append(true).create(true).open(facts).unwrap();
    file.write_all(format!("{what} {when}\n").as_bytes()).unwrap();
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()
}
