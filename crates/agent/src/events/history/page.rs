//! One answer: it ends when it has as many events as were asked for, or too many bytes.

use std::collections::VecDeque;

use mainstay_api::control::{Event, Events};

use super::Weighed;

/// An answer ends before it has more bytes of events; one event may have as many.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The last events that fit, gathered part by part: each part from its oldest to its newest event,
/// and the newest part first.
#[derive(Debug)]
pub(super) struct Newest {
    /// Parts that are over, the newest first.
    parts: Vec<VecDeque<Weighed>>,
    part: VecDeque<Weighed>,
    /// So many more fit into the answer, and so many bytes, when a part begins.
    left: usize,
    bytes_left: usize,
    /// What the part has of them.
    bytes: usize,
    is_full: bool,
}

/// The first events that fit, from the oldest to the newest.
#[derive(Debug)]
pub(super) struct Next {
    events: Vec<Event>,
    limit: usize,
    bytes: usize,
    is_full: bool,
}

impl Newest {
    pub(super) fn new(limit: usize) -> Self {
        let (parts, part) = (Vec::new(), VecDeque::new());
        let is_full = limit == 0;
        Self { parts, part, left: limit, bytes_left: ANSWER_BYTES_MAX, bytes: 0, is_full }
    }

    /// Adds the next event of a part; the oldest one of it goes where there is no room.
    pub(super) fn push(&mut self, event: Weighed) {
        self.bytes += event.1;
        self.part.push_back(event);
        while self.part.len() > self.left || self.bytes > self.bytes_left && !self.is_alone() {
            self.bytes -= self.part.pop_front().map_or(0, |(_, bytes)| bytes);
            self.is_full = true;
        }
    }

    /// Ends a part; what comes next is older.
    pub(super) fn begin_older(&mut self) {
        let part = std::mem::take(&mut self.part);
        self.left -= part.len();
        self.bytes_left = self.bytes_left.saturating_sub(std::mem::take(&mut self.bytes));
        self.parts.push(part);
        self.is_full |= self.left == 0;
    }

    /// Returns whether nothing older has room.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    fn is_alone(&self) -> bool {
        self.part.len() == 1 && self.parts.iter().all(VecDeque::is_empty)
    }

    pub(super) fn told(mut self, last: u64) -> Events {
        self.begin_older();
        let events = self.parts.into_iter().rev().flatten().map(|(event, _)| event);
        let events: Vec<Event> = events.collect();
        let oldest = events.first().map(|event| event.sequence);
        let older = oldest.filter(|oldest| self.is_full && *oldest > 1);
        Events { events, last, older, missed: 0, kept_since: None, unread: None }
    }
}

impl Next {
    pub(super) const fn new(limit: usize) -> Self {
        Self { events: Vec::new(), limit, bytes: 0, is_full: limit == 0 }
    }

    /// Adds an event, if there is room.
    pub(super) fn push(&mut self, (event, bytes): Weighed) {
        let is_heavy = self.bytes + bytes > ANSWER_BYTES_MAX && !self.events.is_empty();
        self.is_full |= self.events.len() >= self.limit || is_heavy;
        if !self.is_full {
            self.events.push(event);
            self.bytes += bytes;
        }
    }

    /// Returns whether one did not find room.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn told(self, last: u64) -> Events {
        // Whoever goes on from here meets the next one.
        let full = self.events.last().filter(|_| self.is_full);
        let last = full.map_or(last, |event| event.sequence);
        let events = self.events;
        Events { events, last, older: None, missed: 0, kept_since: None, unread: None }
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::control::Facts;

    use super::*;

    #[test]
    fn the_newest_are_gathered_part_by_part() {
        let check = |limit: usize, expected: &[u64], older: Option<u64>| {
            let mut page = Newest::new(limit);
            for part in [[5, 6], [3, 4], [1, 2]] {
                if page.is_full() {
                    break;
                }
                for number in part {
                    page.push((event(number), 10));
                }
                page.begin_older();
            }
            let told = page.told(6);
            assert_eq!((numbers(&told), told.older), (expected.to_vec(), older), "{limit}");
        };
        check(0, &[], None);
        check(1, &[6], Some(6));
        check(3, &[4, 5, 6], Some(4));
        check(4, &[3, 4, 5, 6], Some(3));
        check(6, &[1, 2, 3, 4, 5, 6], None);
        check(9, &[1, 2, 3, 4, 5, 6], None);
    }

    #[test]
    fn the_next_ones_end_where_one_goes_on() {
        let check = |limit: usize, expected: &[u64], last: u64| {
            let mut page = Next::new(limit);
            (1..=4).for_each(|number| page.push((event(number), 10)));
            let told = page.told(9);
            assert_eq!((numbers(&told), told.last), (expected.to_vec(), last), "{limit}");
        };
        check(0, &[], 9);
        check(3, &[1, 2, 3], 3);
        check(4, &[1, 2, 3, 4], 9);
    }

    #[test]
    fn an_answer_has_a_limit_of_bytes_and_one_event_is_always_told() {
        let heavy = ANSWER_BYTES_MAX / 2 + 1;
        for (size, count) in [(heavy, 1), (2 * heavy, 1), (heavy - 1, 2)] {
            let mut newest = Newest::new(9);
            let mut parts = Newest::new(9);
            let mut next = Next::new(9);
            for number in 1..=4 {
                newest.push((event(number), size));
                next.push((event(number), size));
                parts.push((event(10 - number), size));
                parts.begin_older();
            }
            let told = [newest.told(4), next.told(4), parts.told(9)];
            assert_eq!(told.each_ref().map(|told| told.events.len()), [count; 3], "{size}");
            assert_eq!(told[0].older, Some(5 - u64::try_from(count).unwrap()));
            assert_eq!(told[1].last, u64::try_from(count).unwrap());
        }
    }

    fn numbers(told: &Events) -> Vec<u64> {
        told.events.iter().map(|event| event.sequence).collect()
    }

    fn event(sequence: u64) -> Event {
        Event {
            sequence,
            timestamp: String::new(),
            level: "info".to_owned(),
            event: "UnitExited".to_owned(),
            unit: None,
            run: None,
            trace_id: String::new(),
            message: String::new(),
            facts: Facts::default(),
        }
    }
}
