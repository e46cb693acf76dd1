//! Reading a log page by page, from its last lines or from a place that somebody names.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use mainstay_api::control::LogLine;
use mainstay_storage::{
    index::Stream,
    read::{self, Cursor, Line, Merge, Reader, Unfinished},
    segment::{self, ChainFiles},
};

use crate::calls::{Refused, RefusedKind};

/// A page ends before it has more bytes of text; one line may have as many.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// A unit has one chain of segments, or two.
const CHAINS_MAX: usize = 8;

/// Where a reader begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Begin {
    /// With the last lines.
    Last,
    /// Behind these places; chains that have none begin at their first line.
    Behind(Vec<(String, Cursor)>),
}

/// Some lines in a row.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Each with the place behind it.
    pub(super) lines: Vec<(String, LogLine)>,
    /// The place behind all of them.
    pub(super) next: String,
    /// There were more at that moment.
    pub(super) more: bool,
    /// So many segments were deleted before they were read.
    pub(super) missed: u64,
    /// So many bytes cannot be read.
    pub(super) damaged: u64,
}

/// Reads the log of a unit; it keeps its place.
#[derive(Debug)]
pub(super) struct Tail {
    unit: String,
    folder: PathBuf,
    begin: Begin,
    merge: Merge<()>,
    is_first: bool,
}

impl Begin {
    /// Reads a place: `STEM:SEGMENT:OFFSET` for each chain, with commas between.
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        let chains = text.split(',').filter(|chain| !chain.is_empty());
        let places: Option<Vec<_>> = chains.map(read_place).collect();
        places.filter(|places| places.len() <= CHAINS_MAX).map(Self::Behind).ok_or_else(|| {
            let what = format!("{text:?} is no place in a log");
            Refused::new(RefusedKind::Bad, what, "pass on what `next` of another answer says")
        })
    }
}

fn read_place(text: &str) -> Option<(String, Cursor)> {
    let mut parts = text.rsplitn(3, ':');
    let offset = parts.next()?.parse().ok()?;
    let segment = parts.next()?.parse().ok().filter(|segment| *segment < u64::MAX)?;
    Some((parts.next()?.to_owned(), Cursor { segment, offset }))
}

impl Tail {
    /// Returns one for a unit, by its full name.
    pub(super) fn new(logs: &Path, unit: String, begin: Begin) -> Self {
        let folder = logs.join(&unit);
        Self { unit, folder, begin, merge: Merge::new(Unfinished::Left), is_first: true }
    }

    /// Returns whose log it reads.
    pub(super) fn unit(&self) -> &str {
        &self.unit
    }

    /// Reads on: at first what it was asked to begin with, then what is new.
    pub(super) fn page(&mut self, lines_max: usize) -> io::Result<Page> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let mut page = Page { missed: self.find(lines_max, is_first)?, ..Page::default() };
        self.merge.look()?;
        if is_first && self.begin == Begin::Last {
            self.read_last(lines_max, &mut page)?;
        } else {
            self.read_on(lines_max, &mut page)?;
        }
        for ((), gone) in self.merge.take_gone() {
            page.missed += gone.segments;
            page.damaged += gone.bytes;
        }
        page.next = self.place();
        Ok(page)
    }

    /// Adds the chains that have begun meanwhile; returns how many segments were deleted before the
    /// places where we are to begin.
    fn find(&mut self, lines_max: usize, is_first: bool) -> io::Result<u64> {
        let mut missed = 0;
        for stem in segment::stems(&self.folder).unwrap_or_default() {
            let chain = ChainFiles::new(&self.folder, &stem);
            if self.merge.cursors().any(|(known, _)| *known == chain) {
                continue;
            }
            let first = read::begin(&chain)?;
            let cursor = match &self.begin {
                // One more: the line that is still being written counts as well.
                Begin::Last if is_first => read::begin_of_last(&chain, lines_max + 1)?,
                Begin::Last => first,
                Begin::Behind(places) => {
                    let place = places.iter().find(|(name, _)| *name == stem);
                    let cursor = place.map_or(first, |(_, cursor)| *cursor);
                    missed += first.segment.saturating_sub(cursor.segment);
                    // A place that is still to come is one of a log that began anew.
                    let is_to_come = cursor.segment > read::end(&chain)?.segment;
                    if is_to_come { first } else { cursor.max(first) }
                }
            };
            self.merge.add((), Reader::new(chain, cursor));
        }
        Ok(missed)
    }

    /// Reads to the end, and keeps the last lines.
    fn read_last(&mut self, lines_max: usize, page: &mut Page) -> io::Result<()> {
        let mut kept: VecDeque<(String, LogLine)> = VecDeque::new();
        let mut bytes = 0;
        while let Some((line, ())) = self.merge.next_line()? {
            bytes += line.bytes.len();
            kept.push_back((self.place(), told(&line)));
            while kept.len() > lines_max || bytes > PAGE_BYTES_MAX && kept.len() > 1 {
                bytes -= kept.pop_front().map_or(0, |(_, line)| line.text.len()).min(bytes);
            }
        }
        page.lines = kept.into();
        Ok(())
    }

    /// Reads the next lines, as many as fit.
    fn read_on(&mut self, lines_max: usize, page: &mut Page) -> io::Result<()> {
        let mut bytes = 0;
        while page.lines.len() < lines_max && bytes < PAGE_BYTES_MAX {
            let Some((line, ())) = self.merge.next_line()? else { return Ok(()) };
            bytes += line.bytes.len();
            page.lines.push((self.place(), told(&line)));
        }
        page.more = true;
        Ok(())
    }

    /// Returns the place behind the lines that were read.
    fn place(&self) -> String {
        let mut place = String::new();
        for (chain, cursor) in self.merge.cursors() {
            let comma = if place.is_empty() { "" } else { "," };
            let (stem, Cursor { segment, offset }) = (chain.stem(), cursor);
            // A string never refuses.
            let _ = write!(place, "{comma}{stem}:{segment}:{offset}");
        }
        place
    }
}

fn told(line: &Line) -> LogLine {
    let time = Timestamp::from_nanosecond(line.realtime_ns.into());
    let time = time.ok().filter(|_| line.realtime_ns > 0).map(|time| format!("{time:.3}"));
    let stream = match line.stream {
        Stream::Joined => "joined",
        Stream::Out => "stdout",
        Stream::Err => "stderr",
    };
    LogLine {
        time,
        run: Some(line.run).filter(|run| *run > 0),
        stream: stream.to_owned(),
        text: String::from_utf8_lossy(&line.bytes).into_owned(),
        partial: line.is_partial,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write as _};

    use super::*;

    #[test]
    fn pages_follow_each_other_and_miss_nothing() {
        let logs = Logs::new("pages");
        for number in 1..=10 {
            logs.append("web", &format!("line {number}\n"));
        }
        logs.append("web", "unfinished");
        let mut tail = logs.tail(Begin::Last);
        let page = tail.page(3).unwrap();
        assert_eq!(texts(&page), ["line 8", "line 9", "line 10"]);
        assert_eq!((page.more, page.next.as_str()), (false, "web:1:71"));
        // What was read goes on from anywhere.
        let begin = Begin::parse(&page.lines[0].0).unwrap();
        assert_eq!(texts(&logs.tail(begin).page(9).unwrap()), ["line 9", "line 10"]);
        let mut tail = logs.tail(Begin::parse("web:1:0").unwrap());
        let first = tail.page(4).unwrap();
        assert_eq!((first.lines.len(), first.more), (4, true));
        assert_eq!(tail.page(100).unwrap().lines.len(), 6);
        logs.append("web", " it is no more\n");
        assert_eq!(texts(&tail.page(100).unwrap()), ["unfinished it is no more"]);
        assert_eq!(tail.page(100).unwrap().lines.len(), 0);
    }

    #[test]
    fn a_log_that_begins_later_is_read_from_its_first_line() {
        let logs = Logs::new("later");
        let mut tail = logs.tail(Begin::Last);
        let page = tail.page(5).unwrap();
        assert_eq!((page.lines.len(), page.next.as_str(), page.more), (0, "", false));
        logs.append("web.stdout", "one\n");
        assert_eq!(texts(&tail.page(5).unwrap()), ["one"]);
        logs.append("web.stderr", "two\n");
        let page = tail.page(5).unwrap();
        assert_eq!(texts(&page), ["two"]);
        let begin = Begin::parse(&page.next).unwrap();
        logs.append("web.stdout", "three\n");
        assert_eq!(texts(&logs.tail(begin).page(5).unwrap()), ["three"]);
    }

    #[test]
    fn a_page_has_an_end_whatever_was_written() {
        let logs = Logs::new("large");
        let line = "x".repeat(99_999) + "\n";
        logs.append("web", &line.repeat(25));
        let last = logs.tail(Begin::Last).page(1_000).unwrap();
        assert_eq!(last.lines.len(), 10);
        let first = logs.tail(Begin::parse("").unwrap()).page(1_000).unwrap();
        assert_eq!((first.lines.len(), first.more), (11, true));
        assert_eq!(logs.tail(Begin::Last).page(0).unwrap().lines.len(), 0);
    }

    #[test]
    fn a_place_that_is_gone_or_never_was_harms_nobody() {
        let logs = Logs::new("gone");
        logs.append("web", "one\n");
        let read = |place: &str| logs.tail(Begin::parse(place).unwrap()).page(9).unwrap();
        let gone = read("web:0:7");
        assert_eq!((texts(&gone).as_slice(), gone.missed), (["one".to_owned()].as_slice(), 1));
        assert_eq!(texts(&read("web:99999999999:7")), ["one"]);
        assert_eq!(texts(&read("other:1:7")), ["one"]);
        for bad in ["web", "web:1", "web:x:1", "web:1:-1", "web:18446744073709551615:0", "a,b"] {
            assert_eq!(Begin::parse(bad).unwrap_err().kind, RefusedKind::Bad, "{bad}");
        }
    }

    fn texts(page: &Page) -> Vec<String> {
        page.lines.iter().map(|(_, line)| line.text.clone()).collect()
    }

    struct Logs(PathBuf);

    impl Logs {
        fn new(name: &str) -> Self {
            let name = format!("mainstay-pages-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            drop(fs::remove_dir_all(&folder));
            fs::create_dir_all(folder.join("web")).unwrap();
            Self(folder)
        }

        fn tail(&self, begin: Begin) -> Tail {
            Tail::new(&self.0, "web".to_owned(), begin)
        }

        fn append(&self, stem: &str, text: &str) {
            let chain = ChainFiles::new(&self.0.join("web"), stem);
            let mut options = fs::OpenOptions::new();
            let mut file = options.append(true).create(true).open(chain.live()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
    }

    impl Drop for Logs {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }
}
