//! Looking for events in all that is kept: in memory first, and in the files of the journal where
//! that is not enough. Nothing here runs in the loop, which hands over what it has in memory.
//!
//! ```text
//!  journal:  oldest ─────────────────────────── written ┐
//!  memory:                       first ─────────────────┴── last
//! ```
//!
//! One record, one answer and a piece of a file are held at a time, however long the journal is.

mod page;

use std::{io, path::Path, sync::Arc};

use mainstay_api::control::{Event, Events};
use mainstay_storage::journal;
use serde::Deserialize;

use self::page::{Newest, Next};
use crate::calls::EventsQuery;

/// What is in memory, as it was at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    /// Those that the question may be about, oldest first.
    pub(crate) events: Vec<Arc<Event>>,
    /// All from this number on are in memory.
    pub(crate) first: u64,
    /// The number of the last event.
    pub(crate) last: u64,
}

/// What an event of any version has.
#[derive(Debug, Deserialize)]
struct Stamp {
    sequence: u64,
    #[serde(default)]
    timestamp: String,
}

/// An event, and how many bytes it takes.
type Weighed = (Event, usize);

impl Recent {
    fn fitting(&self, query: &EventsQuery) -> impl Iterator<Item = Weighed> {
        let fitting = self.events.iter().filter(|event| query.fits(event));
        // Strings and numbers only: nothing of it can fail.
        let size = |event: &Event| serde_json::to_vec(event).map_or(0, |text| text.len());
        fitting.map(move |event| (Event::clone(event), size(event)))
    }

    /// Returns how many behind a number are not in memory any more.
    fn lacks(&self, after: u64) -> u64 {
        self.first.saturating_sub(after.saturating_add(1))
    }
}

/// Looks into memory; says nothing when that is not enough.
pub(crate) fn in_memory(query: &EventsQuery, recent: &Recent) -> Option<Events> {
    if let Some(after) = query.after {
        return (recent.lacks(after) == 0).then(|| from_memory(query, recent));
    }
    let found = from_memory(query, recent);
    (recent.first <= 1 || found.older.is_some() || query.limit == 0).then_some(found)
}

/// Looks into memory alone, because the journal cannot be read.
pub(crate) fn without_journal(query: &EventsQuery, recent: &Recent, why: String) -> Events {
    let missed = query.after.map_or(0, |after| recent.lacks(after));
    Events { missed, unread: Some(why), ..from_memory(query, recent) }
}

/// Looks into the journal and into memory.
pub(crate) fn in_all(folder: &Path, query: &EventsQuery, recent: &Recent) -> io::Result<Events> {
    let numbers = journal::numbers(folder)?;
    let oldest = oldest(folder, &numbers)?;
    let first = oldest.as_ref().map_or(recent.first, |oldest| oldest.sequence.min(recent.first));
    let missed = query.after.map_or(0, |after| first.saturating_sub(after.saturating_add(1)));
    let found = match query.after {
        Some(after) => next_of_all(folder, &numbers, after, query, recent)?,
        None => newest_of_all(folder, &numbers, query, recent)?,
    };
    let kept_since = oldest.filter(|_| first > 1).map(|oldest| oldest.timestamp);
    Ok(Events { missed, kept_since, ..found })
}

fn from_memory(query: &EventsQuery, recent: &Recent) -> Events {
    if query.after.is_some() {
        let mut page = Next::new(query.limit);
        recent.fitting(query).for_each(|event| page.push(event));
        return page.told(recent.last);
    }
    let mut page = Newest::new(query.limit);
    recent.fitting(query).for_each(|event| page.push(event));
    page.told(recent.last)
}

fn newest_of_all(
    folder: &Path,
    numbers: &[u64],
    query: &EventsQuery,
    recent: &Recent,
) -> io::Result<Events> {
    let mut page = Newest::new(query.limit);
    recent.fitting(query).for_each(|event| page.push(event));
    for number in numbers.iter().rev() {
        page.begin_older();
        if page.is_full() {
            break;
        }
        let first = query.before.map_or(Ok(None), |_| first_of(folder, *number))?;
        if first.is_some_and(|first| query.before <= Some(first.sequence)) {
            continue;
        }
        for event in written(folder, *number, query, recent)? {
            page.push(event?);
        }
    }
    Ok(page.told(recent.last))
}

fn next_of_all(
    folder: &Path,
    numbers: &[u64],
    after: u64,
    query: &EventsQuery,
    recent: &Recent,
) -> io::Result<Events> {
    let mut page = Next::new(query.limit);
    for number in numbers.get(begin(folder, numbers, after)?..).unwrap_or_default() {
        for event in written(folder, *number, query, recent)? {
            page.push(event?);
            if page.is_full() {
                return Ok(page.told(recent.last));
            }
        }
    }
    recent.fitting(query).for_each(|event| page.push(event));
    Ok(page.told(recent.last))
}

/// Returns the events of a file that fit and are not in memory.
fn written<'a>(
    folder: &Path,
    number: u64,
    query: &'a EventsQuery,
    recent: &'a Recent,
) -> io::Result<impl Iterator<Item = io::Result<Weighed>> + use<'a>> {
    let mut records = journal::records(folder, number)?;
    let all = std::iter::from_fn(move || records.as_mut()?.next_record().transpose());
    let is_older = |event: &Event| event.sequence < recent.first;
    Ok(all.filter_map(move |record| {
        let understand = |record: Vec<u8>| {
            let event = serde_json::from_slice(&record).ok()?;
            (is_older(&event) && query.fits(&event)).then_some((event, record.len()))
        };
        record.map(understand).transpose()
    }))
}

/// Returns which file of all is the first that may hold something behind a number.
fn begin(folder: &Path, numbers: &[u64], after: u64) -> io::Result<usize> {
    for (place, number) in numbers.iter().enumerate().rev() {
        if first_of(folder, *number)?.is_some_and(|stamp| stamp.sequence <= after) {
            return Ok(place);
        }
    }
    Ok(0)
}

fn oldest(folder: &Path, numbers: &[u64]) -> io::Result<Option<Stamp>> {
    for number in numbers {
        if let Some(stamp) = first_of(folder, *number)? {
            return Ok(Some(stamp));
        }
    }
    Ok(None)
}

/// Returns the first event of a file that is understood.
fn first_of(folder: &Path, number: u64) -> io::Result<Option<Stamp>> {
    let Some(mut records) = journal::records(folder, number)? else { return Ok(None) };
    while let Some(record) = records.next_record()? {
        if let Ok(stamp) = serde_json::from_slice(&record) {
            return Ok(Some(stamp));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        io::Write as _,
        path::PathBuf,
    };

    use mainstay_api::control::Facts;
    use mainstay_storage::journal::{ChainLimits, Journal};

    use super::*;
    use crate::events::Level;

    const LIMITS: ChainLimits = ChainLimits { file_bytes: 2_000, total_bytes: 1 << 20 };
    /// So many events are in the journal, ten or so in a file; the last ones are in memory.
    const LAST: u64 = 400;
    const FIRST_IN_MEMORY: u64 = 351;

    #[test]
    fn what_only_the_oldest_file_has_is_found_whatever_is_asked_for() {
        let kept = Kept::new("oldest");
        assert!(journal::numbers(&kept.0).unwrap().len() > 20);
        let check = |change: fn(&mut EventsQuery), expected: &[u64]| {
            let mut query = any();
            change(&mut query);
            assert_eq!(numbers(&kept.search(&query)), expected, "{query:?}");
        };
        let time = |text: &str| Some(text.parse().unwrap());
        check(|query| query.types = vec!["Unit*Two".to_owned()], &[2]);
        check(|query| query.names = vec!["unit-2".to_owned()], &[2]);
        check(|query| query.run = Some(2), &[2]);
        check(|query| query.trace = Some("trace 2".to_owned()), &[2]);
        check(|query| query.before = Some(4), &[1, 2, 3]);
        check(|query| (query.before, query.limit) = (Some(4), 2), &[2, 3]);
        check(|query| (query.after, query.limit) = (Some(1), 2), &[2, 3]);
        check(|query| (query.after, query.before) = (Some(1), Some(3)), &[2]);
        let until = EventsQuery { until: time("2026-01-01T00:00:02Z"), ..any() };
        assert_eq!(numbers(&kept.search(&until)), [1, 2]);
        let since = EventsQuery { since: time("2026-01-01T00:00:02Z"), before: Some(4), ..any() };
        assert_eq!(numbers(&kept.search(&since)), [2, 3]);
        let level = EventsQuery { level: Level::Error, ..any() };
        assert_eq!(numbers(&kept.search(&level)), [2]);
    }

    #[test]
    fn page_by_page_everything_comes_once_and_in_order() {
        let kept = Kept::new("pages");
        let all: Vec<u64> = (1..=LAST).collect();
        for limit in [3, 50, 51, 399, 400, 5_000] {
            let mut query = EventsQuery { limit, ..any() };
            let mut seen = Vec::new();
            loop {
                let page = kept.search(&query);
                assert!(page.events.len() <= limit && page.last == LAST);
                seen.splice(0..0, numbers(&page));
                query.before = page.older;
                if page.older.is_none() {
                    break;
                }
            }
            assert_eq!(seen, all, "back by {limit}");
            let mut query = EventsQuery { limit, after: Some(0), ..any() };
            let mut seen = Vec::new();
            while query.after < Some(LAST) {
                let page = kept.search(&query);
                seen.extend(numbers(&page));
                query.after = Some(page.last);
            }
            assert_eq!(seen, all, "on by {limit}");
        }
    }

    #[test]
    fn who_asks_for_what_is_in_memory_waits_for_no_disk() {
        let check = |query: EventsQuery, expected: Option<Vec<u64>>| {
            let found = in_memory(&query, &recent(&query));
            assert_eq!(found.map(|found| numbers(&found)), expected, "{query:?}");
        };
        check(EventsQuery { limit: 2, ..any() }, Some(vec![399, 400]));
        check(EventsQuery { after: Some(399), ..any() }, Some(vec![400]));
        check(EventsQuery { after: Some(350), limit: 1, ..any() }, Some(vec![351]));
        check(EventsQuery { after: Some(349), limit: 1, ..any() }, None);
        check(EventsQuery { limit: 51, ..any() }, None);
        check(EventsQuery { limit: 0, ..any() }, Some(Vec::new()));
    }

    #[test]
    fn what_is_gone_is_counted_and_said() {
        let kept = Kept::new("gone");
        let numbers_of = journal::numbers(&kept.0).unwrap();
        let oldest = first_of(&kept.0, numbers_of[1]).unwrap().unwrap();
        fs::remove_file(kept.0.join(format!("{:06}.journal", numbers_of[0]))).unwrap();
        let found = kept.search(&EventsQuery { after: Some(1), limit: 1, ..any() });
        assert_eq!(found.missed, oldest.sequence - 2);
        assert_eq!(numbers(&found), [oldest.sequence]);
        assert_eq!(found.kept_since, Some(oldest.timestamp));
        // Without the journal there is what is in memory, and why there is no more.
        let query = EventsQuery { after: Some(1), ..any() };
        let found = without_journal(&query, &recent(&query), "no disk".to_owned());
        assert_eq!((found.missed, found.unread.as_deref()), (349, Some("no disk")));
        assert_eq!(numbers(&found), (FIRST_IN_MEMORY..=LAST).collect::<Vec<_>>());
    }

    #[test]
    fn a_file_that_goes_while_it_is_looked_for_and_damage_cost_themselves() {
        let kept = Kept::new("damage");
        let numbers_of = journal::numbers(&kept.0).unwrap();
        let path = kept.0.join(format!("{:06}.journal", numbers_of[1]));
        let text = fs::read(&path).unwrap();
        let put = |path: PathBuf, text: &[u8]| File::create(path).unwrap().write_all(text).unwrap();
        put(path, &text[text.len() / 2..]);
        put(kept.0.join("000000.journal"), &[]);
        let found = numbers(&kept.search(&any()));
        assert!(found.len() > 350 && found.len() < 400, "{}", found.len());
        assert!(found.is_sorted() && found.contains(&1) && found.contains(&LAST));
        let gone = written(&kept.0, 9_999, &any(), &recent(&any())).unwrap().count();
        assert_eq!(gone, 0);
    }

    /// A journal of many files.
    struct Kept(PathBuf);

    impl Kept {
        fn new(name: &str) -> Self {
            let name = format!("mainstay-history-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            drop(fs::remove_dir_all(&folder));
            fs::create_dir_all(&folder).unwrap();
            let create = |path: &Path| File::create_new(path);
            let mut journal = Journal::open(&folder, LIMITS, create).unwrap();
            for number in 1..=LAST {
                let text = serde_json::to_vec(&event(number)).unwrap();
                journal.append(&[&text], create).unwrap();
            }
            Self(folder)
        }

        fn search(&self, query: &EventsQuery) -> Events {
            let recent = recent(query);
            in_memory(query, &recent).unwrap_or_else(|| in_all(&self.0, query, &recent).unwrap())
        }
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn recent(query: &EventsQuery) -> Recent {
        let after = query.after.unwrap_or_default();
        let before = query.before.unwrap_or(u64::MAX);
        let events = (FIRST_IN_MEMORY..=LAST).filter(|one| *one > after && *one < before);
        let events = events.map(|number| Arc::new(event(number))).collect();
        Recent { events, first: FIRST_IN_MEMORY, last: LAST }
    }

    fn any() -> EventsQuery {
        EventsQuery {
            after: None,
            before: None,
            names: Vec::new(),
            trace: None,
            run: None,
            types: Vec::new(),
            level: Level::Info,
            since: None,
            until: None,
            limit: 5_000,
        }
    }

    fn numbers(found: &Events) -> Vec<u64> {
        found.events.iter().map(|event| event.sequence).collect()
    }

    /// The second one is like no other.
    fn event(sequence: u64) -> Event {
        let at = jiff::Timestamp::from_second(1_767_225_600).unwrap();
        let at = at + std::time::Duration::from_secs(sequence);
        let is_second = sequence == 2;
        Event {
            sequence,
            timestamp: format!("{at:.3}"),
            level: if is_second { "error" } else { "info" }.to_owned(),
            event: if is_second { "UnitTwo" } else { "UnitExited" }.to_owned(),
            unit: Some(format!("unit-{sequence}")),
            run: Some(sequence),
            trace_id: format!("trace {sequence}"),
            message: String::new(),
            facts: Facts::default(),
        }
    }
}
