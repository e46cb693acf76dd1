//! Reads what the pump wrote and counts what is lost, torn or doubled.
//!
//! A program at full speed fills a disk, so closed segments are judged and removed while it runs.

use std::{collections::BTreeMap, fs, io};

use mainstay_storage::{
    index::{IndexRecord, SourceFlags},
    segment::ChainFiles,
};

use crate::{
    ground::Ground,
    line::{self, Said},
};

/// What was found in a chain, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) segments: u64,
    /// Lines that are missing.
    pub(crate) lost: u64,
    /// Lines that nobody wrote.
    pub(crate) torn: u64,
    /// Lines that came again.
    pub(crate) doubled: u64,
    /// Segments that end within a line.
    pub(crate) cut: u64,
    /// Lines that break off because the run ended while nobody held its pipe: at the end of all, or
    /// where the index says so.
    pub(crate) broken_off: u64,
    /// Who wrote lines.
    pub(crate) writers: u64,
    /// Who never said that it ended.
    pub(crate) unfinished: u64,
    /// Those of them that write at full speed until they are told to end.
    pub(crate) unfinished_writers: u64,
}

/// How much there was, and the first thing that is wrong with it.
pub(crate) type Verdict = (Tally, Option<String>);

/// One chain, as far as it was read.
#[derive(Debug)]
pub(crate) struct Judge {
    chain: ChainFiles,
    judged: u64,
    writers: BTreeMap<String, Progress>,
    tally: Tally,
    scratch: Vec<u8>,
    /// The first line that is not as it should be.
    pub(crate) complaint: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    last: u64,
    has_ended: bool,
}

impl Judge {
    /// Judges the chain with this stem in a unit's folder.
    pub(crate) fn new(ground: &Ground, unit: &str, stem: &str) -> Self {
        Self {
            chain: ChainFiles::new(&ground.instance().logs_of(unit), stem),
            judged: 0,
            writers: BTreeMap::new(),
            tally: Tally::default(),
            scratch: Vec::with_capacity(line::LINE_BYTES_MAX),
            complaint: None,
        }
    }

    /// Judges closed segments; all but the last one are removed, which keeps the numbers going.
    pub(crate) fn judge_closed(&mut self) -> io::Result<()> {
        let Ok(found) = self.chain.find() else { return Ok(()) };
        let before = self.judged;
        for number in found.closed.into_iter().filter(|number| *number > before) {
            let bytes = fs::read(self.chain.closed(number))?;
            self.read(&bytes, &self.breaks_in(number));
            if self.judged > 0 {
                self.chain.remove(self.judged)?;
            }
            self.judged = number;
        }
        Ok(())
    }

    /// Judges what is left once nobody writes any more.
    pub(crate) fn finish(mut self) -> io::Result<Verdict> {
        self.judge_closed()?;
        if let Some(found) = self.chain.find().ok().filter(|found| found.has_live) {
            let bytes = fs::read(self.chain.live())?;
            let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.tally.broken_off += u64::from(end < bytes.len());
            let whole = bytes.get(..end).unwrap_or_default();
            self.read(whole, &self.breaks_in(found.live_number()));
        }
        self.tally.writers = self.writers.len().try_into().unwrap_or_default();
        let unfinished = self.writers.iter().filter(|(_, progress)| !progress.has_ended);
        let (steady, short): (Vec<_>, Vec<_>) =
            unfinished.partition(|(who, _)| who.starts_with('w'));
        self.tally.unfinished = (steady.len() + short.len()).try_into().unwrap_or_default();
        self.tally.unfinished_writers = steady.len().try_into().unwrap_or_default();
        Ok((self.tally, self.complaint))
    }

    /// Returns where, by the index, a run broke off within its line.
    fn breaks_in(&self, number: u64) -> Vec<usize> {
        let index = fs::read(self.chain.index(number)).unwrap_or_default();
        let mut writer = None;
        let mut breaks = Vec::new();
        for record in IndexRecord::decode_all(&index) {
            let IndexRecord::Source { offset, run, stream, flags } = record else { continue };
            let is_other = writer.replace((run, stream)).is_some_and(|last| last != (run, stream));
            if is_other && flags.contains(SourceFlags::UNFINISHED) {
                breaks.extend(usize::try_from(offset));
            }
        }
        breaks
    }

    fn read(&mut self, bytes: &[u8], breaks: &[usize]) {
        self.tally.segments += 1;
        let mut rest = bytes;
        let mut begin = 0;
        for at in breaks {
            let Some((before, after)) = rest.split_at_checked(at - begin) else { break };
            let end = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.read_part(before.get(..end).unwrap_or_default());
            self.tally.broken_off += 1;
            (rest, begin) = (after, *at);
        }
        self.read_part(rest);
    }

    fn read_part(&mut self, bytes: &[u8]) {
        self.tally.bytes += u64::try_from(bytes.len()).unwrap_or_default();
        let Some(whole) = bytes.strip_suffix(b"\n") else {
            if !bytes.is_empty() {
                self.tally.cut += 1;
                self.complain("a segment ends within a line", bytes);
                self.read_lines(bytes);
            }
            return;
        };
        self.read_lines(whole);
    }

    fn read_lines(&mut self, bytes: &[u8]) {
        let mut scratch = std::mem::take(&mut self.scratch);
        for line in bytes.split(|byte| *byte == b'\n') {
            match line::read(line, &mut scratch) {
                Said::Line { who, number } => self.count(who, number, line),
                Said::End { who, count } => self.count_end(who, count, line),
                Said::Nonsense => {
                    self.tally.torn += 1;
                    self.complain("nobody wrote", line);
                }
            }
        }
        self.scratch = scratch;
    }

    fn count(&mut self, who: &str, number: u64, line: &[u8]) {
        self.tally.lines += 1;
        let last = self.progress(who).last;
        if number > last {
            self.progress(who).last = number;
            self.miss(number - last - 1, line);
        } else {
            self.tally.doubled += 1;
            self.complain("came again", line);
        }
    }

    fn count_end(&mut self, who: &str, count: u64, line: &[u8]) {
        let Progress { last, has_ended } = *self.progress(who);
        self.progress(who).has_ended = true;
        if has_ended {
            self.tally.doubled += 1;
            self.complain("ended again", line);
        }
        self.miss(count.saturating_sub(last), line);
    }

    fn progress(&mut self, who: &str) -> &mut Progress {
        if !self.writers.contains_key(who) {
            self.writers.insert(who.to_owned(), Progress::default());
        }
        self.writers.entry(who.to_owned()).or_default()
    }

    fn miss(&mut self, count: u64, line: &[u8]) {
        if count > 0 {
            self.tally.lost += count;
            self.complain(&format!("{count} lines are missing before"), line);
        }
    }

    fn complain(&mut self, what: &str, line: &[u8]) {
        const SHOWN: usize = 160;
        let stem = self.chain.stem();
        let shown = line.get(..line.len().min(SHOWN)).unwrap_or_default();
        let line = String::from_utf8_lossy(shown);
        self.complaint.get_or_insert_with(|| format!("{stem}: {what} `{line}`"));
    }
}

impl Tally {
    /// Adds what was found in another chain.
    pub(crate) const fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.segments += other.segments;
        self.lost += other.lost;
        self.torn += other.torn;
        self.doubled += other.doubled;
        self.cut += other.cut;
        self.broken_off += other.broken_off;
        self.writers += other.writers;
        self.unfinished += other.unfinished;
        self.unfinished_writers += other.unfinished_writers;
    }

    /// Returns whether every line is there once, in order and whole.
    pub(crate) const fn is_clean(self) -> bool {
        self.lost == 0 && self.torn == 0 && self.doubled == 0 && self.cut == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_torn_or_doubled_is_counted() {
        type Spoil = fn(&mut Vec<Vec<u8>>);
        let check = |spoil: Spoil, expected: [u64; 4]| {
            let mut lines: Vec<Vec<u8>> = (1..=9).map(line_of).collect();
            spoil(&mut lines);
            let mut judge = Judge::new(&Ground::at("/none".as_ref()), "w", "w");
            judge.read(&lines.concat(), &[]);
            let Tally { lost, torn, doubled, cut, .. } = judge.tally;
            assert_eq!([lost, torn, doubled, cut], expected);
        };
        check(|_| {}, [0; 4]);
        check(|lines| drop(lines.drain(2..5)), [3, 0, 0, 0]);
        // What is left of one line runs into the next.
        check(|lines| lines[4].truncate(5), [2, 1, 0, 0]);
        check(|lines| lines.insert(4, line_of(2)), [0, 0, 1, 0]);
        check(|lines| lines[8].retain(|byte| *byte != b'\n'), [0, 0, 0, 1]);
    }

    #[test]
    fn a_line_that_breaks_off_as_the_index_says_is_not_torn() {
        let mut bytes = line_of(1);
        bytes.extend_from_slice(b"w.r1 2 abc");
        let at = bytes.len();
        line::write("w.r2", 1, &mut bytes);
        let mut judge = Judge::new(&Ground::at("/none".as_ref()), "w", "w");
        judge.read(&bytes, &[at]);
        assert!(judge.tally.is_clean());
        assert_eq!((judge.tally.lines, judge.tally.broken_off), (2, 1));
    }

    #[test]
    fn the_end_tells_what_is_missing_before_it() {
        let mut bytes = line_of(1);
        line::write_end("w.r1", 4, &mut bytes);
        let mut judge = Judge::new(&Ground::at("/none".as_ref()), "w", "w");
        judge.read(&bytes, &[]);
        assert_eq!(judge.tally.lost, 3);
    }

    fn line_of(number: u64) -> Vec<u8> {
        let mut text = Vec::new();
        line::write("w.r1", number, &mut text);
        text
    }
}
