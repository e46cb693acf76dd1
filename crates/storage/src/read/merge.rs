//! Lines of several chains in the order of their times.

use std::{collections::VecDeque, io};

use super::{Cursor, Line, Reader};
use crate::segment::ChainFiles;

/// A line, and the name of its chain.
pub type Named<T> = (Line, T);

/// What happens to a line that is still being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// It is given as far as it is there.
    Given,
    /// It is left until it is whole.
    Left,
}

/// Reads several chains as one.
///
/// The lines of a chain stay in their order, even when somebody has set the clock back meanwhile.
#[derive(Debug)]
pub struct Merge<T> {
    feeds: Vec<Feed<T>>,
    unfinished: Unfinished,
}

#[derive(Debug)]
struct Feed<T> {
    name: T,
    reader: Reader,
    /// Where it ends this time: a program that never stops would never let us end.
    end: Option<Cursor>,
    ready: VecDeque<Line>,
    /// So many bytes of its blocks are in lines that nobody has taken yet.
    untaken: u64,
    gone: Gone,
    latest: u64,
}

/// What was kept once and cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gone {
    /// Segments that were deleted before they were read to the end.
    pub segments: u64,
    /// Bytes of compressed segments that are damaged.
    pub bytes: u64,
}

impl<T: Clone> Merge<T> {
    /// Returns one without chains.
    pub const fn new(unfinished: Unfinished) -> Self {
        Self { feeds: Vec::new(), unfinished }
    }

    /// Adds a chain.
    pub fn add(&mut self, name: T, reader: Reader) {
        let (ready, untaken, gone, latest) = (VecDeque::new(), 0, Gone::default(), 0);
        self.feeds.push(Feed { name, reader, end: None, ready, untaken, gone, latest });
    }

    /// Returns the names of its chains, with their readers.
    pub fn chains(&self) -> impl Iterator<Item = (&T, &Reader)> {
        self.feeds.iter().map(|feed| (&feed.name, &feed.reader))
    }

    /// Looks where the chains end at this moment: so far [`next_line`](Self::next_line) reads.
    pub fn look(&mut self) -> io::Result<()> {
        for feed in &mut self.feeds {
            feed.end = Some(feed.reader.look()?);
        }
        Ok(())
    }

    /// Returns the next line and the name of its chain; nothing when all is read.
    pub fn next_line(&mut self) -> io::Result<Option<Named<T>>> {
        for feed in &mut self.feeds {
            feed.fill(self.unfinished)?;
        }
        let waiting = self.feeds.iter_mut().filter(|feed| !feed.ready.is_empty());
        let Some(feed) = waiting.min_by_key(|feed| feed.next_at()) else { return Ok(None) };
        feed.latest = feed.next_at();
        Ok(feed.take().map(|line| (line, feed.name.clone())))
    }

    /// Returns where each chain goes on behind the lines that were taken; lines that were given
    /// unfinished are given again from there.
    pub fn cursors(&self) -> impl Iterator<Item = (&ChainFiles, Cursor)> {
        self.feeds.iter().map(|feed| (feed.reader.chain(), feed.cursor()))
    }

    /// Returns what of which chain cannot be given before the next line, once.
    pub fn take_gone(&mut self) -> Vec<(T, Gone)> {
        let lost = self.feeds.iter_mut().filter(|feed| feed.gone != Gone::default());
        lost.map(|feed| (feed.name.clone(), std::mem::take(&mut feed.gone))).collect()
    }
}

impl<T> Feed<T> {
    fn next_at(&self) -> u64 {
        self.ready.front().map_or(0, |line| line.realtime_ns).max(self.latest)
    }

    fn take(&mut self) -> Option<Line> {
        let line = self.ready.pop_front()?;
        self.untaken = self.untaken.saturating_sub(size(&line));
        Some(line)
    }

    fn cursor(&self) -> Cursor {
        let Cursor { segment, offset } = self.reader.cursor();
        Cursor { segment, offset: offset.saturating_sub(self.untaken) }
    }

    fn fill(&mut self, unfinished: Unfinished) -> io::Result<()> {
        while self.ready.is_empty() && self.end.is_some_and(|end| self.reader.cursor() < end) {
            if let Some(block) = self.reader.next_block()? {
                self.gone.segments += block.deleted;
                self.gone.bytes += block.damaged;
                self.untaken = block.lines.iter().map(size).sum();
                self.ready.extend(block.lines);
                continue;
            }
            if unfinished == Unfinished::Given {
                self.ready.extend(self.reader.rest()?);
                self.untaken = 0;
            }
            self.end = None;
        }
        Ok(())
    }
}

/// Returns how many bytes a line takes in its segment.
fn size(line: &Line) -> u64 {
    let text = u64::try_from(line.bytes.len()).unwrap_or(u64::MAX);
    text + u64::from(!line.is_partial)
}
