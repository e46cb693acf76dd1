//! Lines of several chains in the order of their times.

use std::{collections::VecDeque, io};

use super::{Cursor, Line, Reader, end};

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
    deleted: u64,
    latest: u64,
}

impl<T: Clone> Merge<T> {
    /// Returns one without chains.
    pub const fn new(unfinished: Unfinished) -> Self {
        Self { feeds: Vec::new(), unfinished }
    }

    /// Adds a chain.
    pub fn add(&mut self, name: T, reader: Reader) {
        let (ready, deleted, latest) = (VecDeque::new(), 0, 0);
        self.feeds.push(Feed { name, reader, end: None, ready, deleted, latest });
    }

    /// Returns the names of its chains, with their readers.
    pub fn chains(&self) -> impl Iterator<Item = (&T, &Reader)> {
        self.feeds.iter().map(|feed| (&feed.name, &feed.reader))
    }

    /// Looks where the chains end at this moment: so far [`next_line`](Self::next_line) reads.
    pub fn look(&mut self) -> io::Result<()> {
        for feed in &mut self.feeds {
            feed.end = Some(end(feed.reader.chain())?);
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
        Ok(feed.ready.pop_front().map(|line| (line, feed.name.clone())))
    }

    /// Returns how many segments of which chain were deleted before they were read, once.
    pub fn take_deleted(&mut self) -> Vec<(T, u64)> {
        let lost = self.feeds.iter_mut().filter(|feed| feed.deleted > 0);
        lost.map(|feed| (feed.name.clone(), std::mem::take(&mut feed.deleted))).collect()
    }
}

impl<T> Feed<T> {
    fn next_at(&self) -> u64 {
        self.ready.front().map_or(0, |line| line.realtime_ns).max(self.latest)
    }

    fn fill(&mut self, unfinished: Unfinished) -> io::Result<()> {
        while self.ready.is_empty() && self.end.is_some_and(|end| self.reader.cursor() < end) {
            if let Some(block) = self.reader.next_block()? {
                self.deleted += block.deleted;
                self.ready.extend(block.lines);
                continue;
            }
            if unfinished == Unfinished::Given {
                self.ready.extend(self.reader.rest()?);
            }
            self.end = None;
        }
        Ok(())
    }
}
