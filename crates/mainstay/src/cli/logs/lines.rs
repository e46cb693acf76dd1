//! How `mainstay logs` shows lines: as text, as bytes, or as JSON.

use jiff::Timestamp;
use mainstay_storage::{index::Stream, read::Line};
use serde::Serialize;

use super::{
    Args,
    labels::{Colours, Labels},
    neighbours::Found,
    pattern::marked,
    stamps::Stamps,
};
use crate::print;

/// So much is gathered before it is printed.
const PRINTED_BYTES: usize = 64 * 1024;
/// Between lines that do not follow each other, as `grep` has it.
const GAP: &[u8] = b"--\n";
/// Times are less bright than what they belong to.
const DIM: &str = "2";

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

/// Prints lines, many at a time.
#[derive(Debug)]
pub(super) struct Lines {
    labels: Labels,
    colours: Colours,
    stamps: Stamps,
    out: Vec<u8>,
}

impl Lines {
    pub(super) fn new(args: &Args) -> Self {
        let is_plain = args.raw || args.file().is_some();
        let colours = if is_plain { Colours::Left } else { Colours::wanted() };
        let stamps = Stamps::new(args.timestamps);
        Self { labels: Labels::Left, colours, stamps, out: Vec::new() }
    }

    /// Lets lines say whose they are from now on.
    pub(super) const fn label(&mut self, labels: Labels) {
        self.labels = labels;
    }

    pub(super) fn show(&mut self, found: &Found, args: &Args) {
        if args.json {
            self.add_object(found);
        } else {
            self.add_text(found, args);
        }
        if self.out.len() >= PRINTED_BYTES {
            self.flush();
        }
    }

    pub(super) fn flush(&mut self) {
        if !self.out.is_empty() {
            print::bytes(&self.out);
            self.out.clear();
        }
    }

    fn add_object(&mut self, found: &Found) {
        let text = String::from_utf8_lossy(&found.line.bytes);
        let object = JsonLine::of(&found.line, &found.origin.unit, &text);
        // Strings and numbers only: nothing of it can fail.
        self.out.extend_from_slice(&serde_json::to_vec(&object).unwrap_or_default());
        self.out.push(b'\n');
    }

    fn add_text(&mut self, found: &Found, args: &Args) {
        if found.is_behind_gap {
            self.out.extend_from_slice(GAP);
        }
        self.add_head(found);
        if args.raw {
            self.out.extend_from_slice(&found.line.bytes);
        } else {
            let text = String::from_utf8_lossy(&found.line.bytes);
            self.add_shown(&print::harmless(&text), args);
        }
        let is_told = found.line.stream == Stream::Err && !args.raw && args.stream.is_none();
        self.out.extend_from_slice(if is_told { b"  (stderr)\n" } else { b"\n" });
    }

    /// Adds when a line came, and whose it is.
    fn add_head(&mut self, found: &Found) {
        let stamp = self.stamps.of(found.line.realtime_ns);
        let is_dim = self.colours == Colours::Shown && !stamp.is_empty();
        let mut head = if is_dim { print::wrapped(&stamp, DIM) } else { stamp };
        self.labels.add(&mut head, &found.origin.unit, self.colours);
        self.out.extend_from_slice(head.as_bytes());
    }

    /// Adds what is shown of a line, with what a pattern has found in it.
    fn add_shown(&mut self, text: &str, args: &Args) {
        let pattern = args.grep.as_ref().filter(|_| self.colours == Colours::Shown);
        let places = pattern.filter(|_| !args.invert_match).map(|pattern| pattern.places(text));
        self.out.extend_from_slice(marked(text, &places.unwrap_or_default()).as_bytes());
    }
}
