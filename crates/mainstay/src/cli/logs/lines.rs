//! How `mainstay logs` shows lines: as text, as bytes, or as JSON.

use jiff::Timestamp;
use mainstay_storage::{index::Stream, read::Line};
use serde::Serialize;

use super::{Args, Merged};
use crate::print;

/// So much is gathered before it is printed.
const PRINTED_BYTES: usize = 64 * 1024;

/// One line, as JSON says it.
#[derive(Debug, Serialize)]
struct JsonLine<'a> {
    time: Option<String>,
    unit: &'a str,
    run: Option<u64>,
    stream: &'static str,
    text: &'a str,
    partial: bool,
}

impl<'a> JsonLine<'a> {
    fn of(line: &Line, unit: &'a str, text: &'a str) -> Self {
        let time = Timestamp::from_nanosecond(line.realtime_ns.into());
        let time = time.ok().filter(|_| line.realtime_ns > 0).map(|time| format!("{time:.3}"));
        let stream = match line.stream {
            Stream::Joined => "joined",
            Stream::Out => "stdout",
            Stream::Err => "stderr",
        };
        let run = Some(line.run).filter(|run| *run > 0);
        Self { time, unit, run, stream, text, partial: line.is_partial }
    }
}

/// Whether lines say whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    Shown,
    Left,
}

impl Labels {
    /// Lines of one unit need none.
    pub(super) fn of(merged: &Merged) -> Self {
        let mut units = merged.chains().map(|(unit, _)| unit);
        let first = units.next();
        if units.any(|unit| Some(unit) != first) { Self::Shown } else { Self::Left }
    }
}

/// Prints lines, many at a time.
pub(super) struct Lines<'a> {
    args: &'a Args,
    labels: Labels,
    out: Vec<u8>,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(args: &'a Args, labels: Labels) -> Self {
        Self { args, labels, out: Vec::new() }
    }

    pub(super) fn show(&mut self, line: &Line, unit: &str) {
        if self.args.json {
            self.add_object(line, unit);
        } else {
            self.add_text(line, unit);
        }
        if self.out.len() >= PRINTED_BYTES {
            self.flush();
        }
    }

    pub(super) fn flush(&mut self) {
        print::bytes(&self.out);
        self.out.clear();
    }

    fn add_object(&mut self, line: &Line, unit: &str) {
        let text = String::from_utf8_lossy(&line.bytes);
        // Strings and numbers only: nothing of it can fail.
        let object = serde_json::to_vec(&JsonLine::of(line, unit, &text)).unwrap_or_default();
        self.out.extend_from_slice(&object);
        self.out.push(b'\n');
    }

    fn add_text(&mut self, line: &Line, unit: &str) {
        let Args { raw, stream, .. } = self.args;
        if self.labels == Labels::Shown {
            self.out.extend_from_slice(format!("{unit:12} | ").as_bytes());
        }
        if *raw {
            self.out.extend_from_slice(&line.bytes);
        } else {
            let text = String::from_utf8_lossy(&line.bytes);
            self.out.extend_from_slice(print::harmless(&text).as_bytes());
        }
        let is_error = line.stream == Stream::Err && !raw && stream.is_none();
        self.out.extend_from_slice(if is_error { b"  (stderr)\n" } else { b"\n" });
    }
}
