//! The last words of commands that have failed: read by the clerk, and not waited for long.

use std::{collections::BTreeMap, path::Path, time::Duration};

use mainstay_api::keeper::RunRef;
use mainstay_storage::{
    read,
    segment::{self, ChainFiles},
};

/// The keeper says when everything is in the file; so long it is waited for.
const DRAIN_WITHIN: Duration = Duration::from_millis(200);
/// What failed is told without its last words after this time: the disk may hang.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// The last words may be followed by so many lines of other runs, or empty ones.
const LINES_BEHIND: usize = 20;
/// So much of a line is told.
const LETTERS_MAX: usize = 300;

/// What is waited for, each with what it is for.
#[derive(Debug)]
pub(crate) struct LastWords<T> {
    waiting: BTreeMap<RunRef, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    whatfor: T,
    /// When the clerk reads although the keeper has said nothing; nothing once it was asked.
    read_at: Option<Duration>,
    until: Duration,
}

impl<T> Default for LastWords<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new() }
    }
}

impl<T> LastWords<T> {
    /// Begins to wait for the last words of a command.
    pub(crate) fn want(&mut self, command: RunRef, whatfor: T, now: Duration) {
        let waiting =
            Waiting { whatfor, read_at: Some(now + DRAIN_WITHIN), until: now + READ_WITHIN };
        self.waiting.insert(command, waiting);
    }

    /// Everything of a command is in the file; returns whether it is time to read.
    pub(crate) fn drained(&mut self, command: &RunRef) -> bool {
        let waiting = self.waiting.get_mut(command);
        waiting.is_some_and(|waiting| waiting.read_at.take().is_some())
    }

    /// Returns what is to be read although the keeper has said nothing.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<RunRef> {
        let due = self.waiting.iter_mut().filter_map(|(command, waiting)| {
            waiting.read_at.take_if(|at| *at <= now).map(|_| command.clone())
        });
        due.collect()
    }

    /// Returns what is not waited for any longer.
    pub(crate) fn late(&mut self, now: Duration) -> Vec<(RunRef, T)> {
        let late = self.waiting.extract_if(.., |_, waiting| waiting.until <= now);
        late.map(|(command, waiting)| (command, waiting.whatfor)).collect()
    }

    /// Returns what the last words of a command are for; nothing when nobody waits any more.
    pub(crate) fn take(&mut self, command: &RunRef) -> Option<T> {
        self.waiting.remove(command).map(|waiting| waiting.whatfor)
    }

    /// Returns when something is due.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.waiting.values().map(|waiting| waiting.read_at.unwrap_or(waiting.until)).min()
    }
}

/// Reads the last words of a command; nothing when it has said nothing, or they cannot be read.
pub(crate) fn read_last(folder: &Path, number: u64) -> Option<String> {
    let stems = segment::stems(folder).ok()?;
    let chains = stems.iter().map(|stem| ChainFiles::new(folder, stem));
    let last = chains.filter_map(|chain| read::last_lines(&chain, LINES_BEHIND).ok());
    let mut words =
        last.flatten().filter(|line| line.run == number).map(|line| words_of(&line.bytes));
    words.rfind(|words| !words.is_empty())
}

/// Returns the beginning of a line in one piece, with `…` for the rest.
fn words_of(line: &[u8]) -> String {
    let enough = line.get(..4 * LETTERS_MAX).unwrap_or(line);
    let text = String::from_utf8_lossy(enough);
    let mut letters = text.trim().chars().filter(|letter| !letter.is_control());
    let mut words: String = letters.by_ref().take(LETTERS_MAX).collect();
    if letters.next().is_some() || enough.len() < line.len() {
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_when_all_of_them_are_there_and_only_once() {
        let mut words = LastWords::default();
        words.want(command(1), "told", ms(0));
        assert!(words.drained(&command(1)) && !words.drained(&command(1)));
        assert_eq!(words.due(ms(500)), []);
        assert_eq!(words.take(&command(1)), Some("told"));
        assert_eq!(words.take(&command(1)), None);
    }

    #[test]
    fn a_keeper_that_says_nothing_is_not_waited_for() {
        let mut words = LastWords::default();
        words.want(command(1), "told", ms(0));
        assert_eq!(words.next_deadline(), Some(ms(200)));
        assert_eq!(words.due(ms(199)), []);
        assert_eq!(words.due(ms(200)), [command(1)]);
        assert_eq!(words.next_deadline(), Some(ms(1000)));
    }

    #[test]
    fn a_disk_that_hangs_is_not_waited_for() {
        let mut words = LastWords::default();
        words.want(command(1), "told", ms(0));
        assert_eq!(words.late(ms(999)), []);
        assert_eq!(words.late(ms(1000)), [(command(1), "told")]);
        assert_eq!(words.next_deadline(), None);
    }

    #[test]
    fn a_line_is_told_without_what_moves_a_cursor_and_not_whole() {
        assert_eq!(words_of(b"  no \x1b[31mroom\r\n"), "no [31mroom");
        assert_eq!(words_of(b" no room"), "no room");
        assert_eq!(words_of(&[b'x'; 5000]).chars().count(), LETTERS_MAX + 1);
    }

    fn command(run: u64) -> RunRef {
        RunRef { unit: "web:before-start".to_owned(), run }
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }
}
