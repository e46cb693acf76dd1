//! Numbers of runs: none is given twice, whatever is lost.
//!
//! The keeper knows every number of this boot. What outlives a hard reset, a keeper's journal that is
//! damaged and a history that has gone on is a file of ceilings, one for each name: no number beyond
//! it was given. It runs ahead of the numbers, so that no start waits for a disk.
//!
//! ```text
//!  numbers ──► 1 … 50 ──────► 51 ──────────────► power cut: the next agent begins
//!  ceiling     100 (written)  200 (written)      beyond the ceiling, with 201
//! ```
//!
//! An empty file beside it says that ceilings are kept: an instance of an agent that kept none has
//! lost nothing.
//!
//! Who leaves in order lowers the ceilings to the numbers. Of whatever cannot be read, or has left a
//! log and no ceiling, the next number is far beyond all that were ever given.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, SyncSender},
    thread,
    time::Duration,
};

use mainstay_platform::{clock, paths, random};
use mainstay_storage::{
    atomic,
    instance::Instance,
    numbers::{Ceilings, NumbersError},
};

/// Ceilings are multiples of it.
const BLOCK: u64 = 100;
/// So many starts of a unit may find a disk that takes nothing.
const AHEAD: u64 = 50;
/// What cannot be known is passed over by at least so much, and by chance up to so much more: what
/// was passed over once is not met again.
const JUMP: u64 = 1_000_000;
const JUMP_BY_CHANCE: u64 = 1_000_000_000;
/// A disk that takes longer to tell is not waited for.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// A disk that has not taken a page within so long is taken for one that takes nothing.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);
/// How long after a refusal the disk is asked again.
const RETRY_EVERY: Duration = Duration::from_millis(500);
/// With more names than these, those that nobody has used in this agent's life share one ceiling.
const NAMES_MAX: usize = 20_000;

/// How far the numbers of runs, and of commands that are counted for themselves, have got.
#[derive(Debug)]
pub(crate) struct Numbers {
    path: PathBuf,
    ceilings: Ceilings,
    /// Ceilings of former agents that nobody has asked for: numbers below them may be given again.
    unasked: BTreeMap<String, u64>,
    /// The highest number of each name that this agent knows of.
    highest: BTreeMap<String, u64>,
    logged: Logged,
    writing: Writing,
    /// When the page that is on its way is late.
    late_at: Duration,
    /// That the disk took nothing the last time is told.
    is_refused: bool,
}

/// Of whom there were logs when this agent began.
#[derive(Debug)]
enum Logged {
    These(BTreeSet<String>),
    /// The disk has not told.
    Perhaps,
}

/// Whether this instance has ever done anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    Some,
    None,
}

/// How far a change is on its way to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Done,
    Due,
    UnderWay,
    /// It has changed again meanwhile.
    Overtaken,
    /// The disk took nothing; it is asked again at this time.
    Refused(Duration),
}

/// All ceilings at one instant, on their way to the disk.
#[derive(Debug)]
pub(crate) struct NumbersPage {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// What a disk tells.
struct Told {
    ceilings: Option<Result<Ceilings, String>>,
    logged: Logged,
}

impl Numbers {
    /// Reads the ceilings. What cannot be read, or is missing although it was kept, is passed over;
    /// the reason is in the result.
    pub(crate) fn open(instance: &Instance, history: History) -> (Self, Option<String>) {
        let path = instance.numbers();
        let Told { ceilings, logged } = read(&path, &instance.logs(), history);
        let found = match ceilings {
            Some(Err(reason)) => Err(reason),
            None => Ok(Ceilings::default()),
            Some(Ok(ceilings)) => Ok(ceilings),
        };
        let (ceilings, doubt) = match found {
            Ok(ceilings) => (ceilings, None),
            Err(reason) => {
                let beyond = far_beyond(0);
                let what = "which numbers runs had is not known any more, and the next ones begin";
                let text = format!("{what} beyond {beyond}: {reason}");
                (Ceilings { beyond, names: BTreeMap::new() }, Some(text))
            }
        };
        let writing = if doubt.is_some() { Writing::Due } else { Writing::Done };
        let (highest, late_at) = (BTreeMap::new(), Duration::ZERO);
        let (unasked, is_refused) = (ceilings.names.clone(), false);
        let fresh = Self { path, ceilings, unasked, highest, logged, writing, late_at, is_refused };
        (fresh, doubt)
    }

    /// A keeper knows that a number was given: it counts on by itself.
    pub(crate) fn note_known(&mut self, name: &str, number: u64) {
        self.unasked.remove(name);
        self.note(name, number);
    }

    /// A number is given.
    pub(crate) fn note(&mut self, name: &str, number: u64) {
        match self.highest.get_mut(name) {
            Some(highest) => *highest = number.max(*highest),
            None => drop(self.highest.insert(name.to_owned(), number)),
        }
        let enough = number.saturating_add(AHEAD);
        if self.ceilings.names.get(name).is_none_or(|ceiling| *ceiling < enough) {
            let ceiling = enough.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
            self.ceilings.names.insert(name.to_owned(), ceiling);
            self.changed();
        }
    }

    /// Returns the number that the next one of a name must be beyond, of which no keeper knows; of
    /// `unit` the logs are.
    pub(crate) fn passed(&mut self, name: &str, unit: &str) -> Option<u64> {
        self.unasked.remove(name);
        if let Some(ceiling) = self.ceilings.names.get(name) {
            return Some(*ceiling);
        }
        if self.ceilings.beyond > 0 {
            return Some(self.ceilings.beyond);
        }
        let is_known = self.ceilings.names.contains_key(unit) || self.highest.contains_key(unit);
        if is_known || !self.logged.may_have(unit) {
            return None;
        }
        // It began, and its ceiling never arrived.
        let ceiling = far_beyond(self.ceilings.highest());
        self.ceilings.names.insert(name.to_owned(), ceiling);
        self.changed();
        Some(ceiling)
    }

    /// Returns whether a number of this name was given in this agent's life, or told by a keeper.
    pub(crate) fn is_counted(&self, name: &str) -> bool {
        self.highest.contains_key(name)
    }

    /// Returns every name that has a ceiling.
    pub(crate) fn names(&self) -> Vec<String> {
        self.ceilings.names.keys().cloned().collect()
    }

    /// Nothing is given any more: what was given is known to the last number. A ceiling that was not
    /// passed over is never lowered: a hook that a reload has brought back began below it.
    pub(crate) fn close(&mut self) {
        for (name, highest) in &self.highest {
            let unasked = self.unasked.get(name).copied().unwrap_or_default();
            self.ceilings.names.insert(name.clone(), unasked.max(*highest));
        }
        self.changed();
    }

    const fn changed(&mut self) {
        self.writing = match self.writing {
            Writing::UnderWay | Writing::Overtaken => Writing::Overtaken,
            Writing::Refused(at) => Writing::Refused(at),
            Writing::Done | Writing::Due => Writing::Due,
        };
    }

    /// Returns what is to be written: one page at a time, with everything that has changed.
    pub(crate) fn page(&mut self) -> Option<NumbersPage> {
        let is_due = match self.writing {
            Writing::Due => true,
            Writing::Refused(at) => clock::monotonic() >= at,
            Writing::Done | Writing::UnderWay | Writing::Overtaken => false,
        };
        if !is_due {
            return None;
        }
        self.share();
        self.writing = Writing::UnderWay;
        self.late_at = clock::monotonic() + WRITTEN_WITHIN;
        Some(NumbersPage { path: self.path.clone(), bytes: self.ceilings.encode() })
    }

    /// Lets names that nobody uses share one ceiling once there are too many.
    fn share(&mut self) {
        if self.ceilings.names.len() <= NAMES_MAX {
            return;
        }
        let Ceilings { beyond, names } = &mut self.ceilings;
        let unused = names.extract_if(.., |name, _| !self.highest.contains_key(name));
        *beyond = unused.map(|(_, ceiling)| ceiling).fold(*beyond, u64::max);
    }

    /// A page is on the disk.
    pub(crate) fn written(&mut self) {
        self.is_refused = false;
        let is_overtaken = self.writing == Writing::Overtaken;
        self.writing = if is_overtaken { Writing::Due } else { Writing::Done };
    }

    /// A page could not be written; returns whether that is news.
    pub(crate) fn refused(&mut self) -> bool {
        self.put_off();
        !std::mem::replace(&mut self.is_refused, true)
    }

    /// A page could not be given to whoever writes it: the disk has said nothing.
    pub(crate) fn put_off(&mut self) {
        self.writing = Writing::Refused(clock::monotonic() + RETRY_EVERY);
    }

    /// Returns whether the disk has stood still over a page for too long, once.
    pub(crate) fn is_late(&mut self, now: Duration) -> bool {
        let is_late = self.is_being_written() && now >= self.late_at;
        is_late && !std::mem::replace(&mut self.is_refused, true)
    }

    /// Returns whether a page is on its way.
    pub(crate) const fn is_being_written(&self) -> bool {
        matches!(self.writing, Writing::UnderWay | Writing::Overtaken)
    }

    /// Returns when to ask a disk again that took nothing, or to tell that it stands still.
    pub(crate) const fn next_deadline(&self) -> Option<Duration> {
        match self.writing {
            Writing::Refused(at) => Some(at),
            Writing::UnderWay | Writing::Overtaken if !self.is_refused => Some(self.late_at),
            Writing::Done | Writing::Due | Writing::UnderWay | Writing::Overtaken => None,
        }
    }
}

impl NumbersPage {
    /// Writes the page; it is on the disk when this returns.
    pub(crate) fn write(&self) -> io::Result<()> {
        atomic::replace(&self.path, &self.bytes, paths::create_private_file)?;
        mark(&self.path)
    }
}

impl Logged {
    fn may_have(&self, unit: &str) -> bool {
        match self {
            Self::These(units) => units.contains(unit),
            Self::Perhaps => true,
        }
    }
}

/// Returns a number that is beyond a known one, and beyond or beside all that nobody knows of.
fn far_beyond(known: u64) -> u64 {
    known.saturating_add(JUMP).saturating_add(random::number() % JUMP_BY_CHANCE)
}

/// Reads in a thread of its own, which may hang.
fn read(path: &Path, logs: &Path, history: History) -> Told {
    let (answer, question) = mpsc::sync_channel(2);
    let (own, logs) = (path.to_owned(), logs.to_owned());
    let reader = thread::Builder::new().name("numbers".to_owned());
    let reading = reader.spawn(move || tell(&own, &logs, history, &answer));
    if let Err(error) = reading {
        let ceilings =
            Some(Err(format!("there is no thread to read `{}`: {error}", path.display())));
        return Told { ceilings, logged: Logged::Perhaps };
    }
    hear(path, &question)
}

fn hear(path: &Path, question: &Receiver<Piece>) -> Told {
    let late = || Err(format!("`{}` could not be read within {READ_WITHIN:?}", path.display()));
    let mut told = Told { ceilings: Some(late()), logged: Logged::Perhaps };
    let until = clock::monotonic() + READ_WITHIN;
    while let Ok(piece) = question.recv_timeout(until.saturating_sub(clock::monotonic())) {
        match piece {
            Piece::Ceilings(ceilings) => told.ceilings = ceilings,
            Piece::Logged(units) => told.logged = Logged::These(units),
        }
    }
    told
}

/// A part of what a disk tells.
enum Piece {
    Ceilings(Option<Result<Ceilings, String>>),
    Logged(BTreeSet<String>),
}

/// Nobody hears what takes too long.
fn tell(path: &Path, logs: &Path, history: History, answer: &SyncSender<Piece>) {
    let ceilings = recall(path, history);
    let is_first = ceilings.is_none() && history == History::Some;
    drop(answer.send(Piece::Ceilings(ceilings)));
    // Of what an agent without ceilings has begun the events tell.
    let units = if is_first { Ok(BTreeSet::new()) } else { folders(logs) };
    if let Ok(units) = units {
        drop(answer.send(Piece::Logged(units)));
    }
    if history == History::None {
        // The first page does it again.
        drop(mark(path));
    }
}

/// Notes that ceilings are kept from now on.
fn mark(path: &Path) -> io::Result<()> {
    let mark = mark_of(path);
    if mark.exists() { Ok(()) } else { atomic::replace(&mark, b"", paths::create_private_file) }
}

fn mark_of(path: &Path) -> PathBuf {
    path.with_extension("kept")
}

fn recall(path: &Path, history: History) -> Option<Result<Ceilings, String>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let is_lost = history == History::Some && mark_of(path).exists();
            return is_lost.then(|| Err(format!("`{}` is not there", path.display())));
        }
        Err(error) => return Some(Err(format!("cannot read `{}`: {error}", path.display()))),
    };
    Some(Ceilings::decode(&bytes).map_err(|error| set_aside(path, &error)))
}

fn set_aside(path: &Path, error: &NumbersError) -> String {
    match atomic::set_aside(path) {
        Ok(aside) => format!("the numbers {error}: set aside as `{}`", aside.display()),
        Err(why) => format!("the numbers {error}, and cannot be set aside: {why}"),
    }
}

fn folders(logs: &Path) -> io::Result<BTreeSet<String>> {
    let names = fs::read_dir(logs)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
    let names: io::Result<Vec<Option<String>>> = names.collect();
    Ok(names?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_on_its_way_long_before_it_is_reached() {
        let (mut numbers, _sandbox) = fresh("ahead");
        let mut pages = 0;
        for number in 1..=1_000 {
            numbers.note("web", number);
            pages += u64::from(write(&mut numbers));
            assert!(on_disk(&numbers).names["web"] >= number + AHEAD, "{number}");
        }
        assert_eq!(pages, 11);
    }

    #[test]
    fn who_was_cut_off_goes_on_beyond_the_ceiling() {
        let (mut numbers, sandbox) = fresh("cut");
        numbers.note("web", 51);
        assert!(write(&mut numbers));
        let (mut next, doubt) = Numbers::open(&sandbox.0, History::Some);
        assert_eq!((next.passed("web", "web"), doubt), (Some(200), None));
        next.note("web", 201);
        assert_eq!(next.ceilings.names["web"], 300);
    }

    #[test]
    fn who_leaves_in_order_passes_nothing_over() {
        let (mut numbers, sandbox) = fresh("order");
        numbers.note("web", 51);
        numbers.close();
        assert!(write(&mut numbers));
        let (mut next, _) = Numbers::open(&sandbox.0, History::Some);
        assert_eq!(next.passed("web", "web"), Some(51));
        assert_eq!(next.passed("new", "new"), None);
    }

    #[test]
    fn a_ceiling_that_nobody_has_passed_over_is_never_lowered() {
        let (mut numbers, sandbox) = fresh("unasked");
        for name in ["web", "web:on-failure", "db"] {
            numbers.note(name, 40);
        }
        assert!(write(&mut numbers));
        let (mut next, _) = Numbers::open(&sandbox.0, History::Some);
        assert_eq!(next.passed("web", "web"), Some(100));
        next.note("web", 101);
        next.note("web:on-failure", 1);
        next.note_known("db", 41);
        next.close();
        let names = [("db", 41), ("web", 101), ("web:on-failure", 100)];
        let names = names.map(|(name, ceiling)| (name.to_owned(), ceiling));
        assert_eq!(next.ceilings.names, BTreeMap::from(names));
    }

    #[test]
    fn what_cannot_be_understood_is_set_aside_and_passed_over_each_time_elsewhere() {
        let mut beyond = BTreeSet::new();
        for spoil in [&b""[..], b"not ours", b"mainstay-numbers 9\n"] {
            let (numbers, sandbox) = fresh("damaged");
            atomic::replace(&numbers.path, spoil, paths::create_private_file).unwrap();
            let (mut next, doubt) = Numbers::open(&sandbox.0, History::Some);
            assert!(doubt.unwrap().contains("set aside as `"));
            assert!(next.passed("web", "web").unwrap() >= JUMP);
            assert!(beyond.insert(next.passed("other", "other").unwrap()));
            assert!(write(&mut next));
            let (mut third, doubt) = Numbers::open(&sandbox.0, History::Some);
            assert_eq!((third.passed("web", "web"), doubt), (next.passed("web", "web"), None));
        }
    }

    #[test]
    fn a_file_that_is_missing_is_doubtful_only_where_it_was_kept_and_there_is_a_history() {
        let (_, sandbox) = fresh("missing");
        let (mut numbers, doubt) = Numbers::open(&sandbox.0, History::None);
        assert_eq!((numbers.passed("web", "web"), doubt), (None, None));
        let (mut numbers, doubt) = Numbers::open(&sandbox.0, History::Some);
        assert!(numbers.passed("web", "web").unwrap() >= JUMP);
        assert!(doubt.unwrap().contains("is not there"));
    }

    #[test]
    fn an_instance_of_an_agent_that_kept_no_ceilings_has_lost_none() {
        let (first, sandbox) = fresh("earlier");
        fs::remove_file(mark_of(&first.path)).unwrap();
        fs::create_dir_all(sandbox.0.logs_of("web")).unwrap();
        let (mut numbers, doubt) = Numbers::open(&sandbox.0, History::Some);
        assert_eq!((numbers.passed("web", "web"), doubt), (None, None));
        numbers.note("web", 7);
        assert!(write(&mut numbers) && mark_of(&numbers.path).exists());
        fs::remove_file(&numbers.path).unwrap();
        assert!(Numbers::open(&sandbox.0, History::Some).1.is_some());
    }

    #[test]
    fn who_has_a_log_and_no_ceiling_began_before_that_arrived() {
        let (mut numbers, sandbox) = fresh("logged");
        numbers.note("web", 51);
        assert!(write(&mut numbers));
        fs::create_dir_all(sandbox.0.logs_of("db")).unwrap();
        let (mut next, _) = Numbers::open(&sandbox.0, History::Some);
        let passed = next.passed("db", "db").unwrap();
        assert!(passed >= JUMP);
        assert_eq!(next.passed("db", "db"), Some(passed));
        assert_eq!(next.passed("new", "new"), None);
        assert_eq!(next.passed("web:reload", "web"), None);
    }

    #[test]
    fn what_changes_while_it_is_written_is_written_next() {
        let (mut numbers, _sandbox) = fresh("overtaken");
        numbers.note("web", 1);
        let page = numbers.page().unwrap();
        numbers.note("db", 1);
        assert!(numbers.page().is_none());
        page.write().unwrap();
        numbers.written();
        assert!(write(&mut numbers));
        assert_eq!(on_disk(&numbers), numbers.ceilings);
    }

    #[test]
    fn a_disk_that_takes_nothing_is_asked_again_later() {
        let (mut numbers, _sandbox) = fresh("refused");
        numbers.note("web", 1);
        assert!(numbers.page().is_some());
        assert!(numbers.refused());
        numbers.note("web", 100);
        assert!(numbers.page().is_none() && numbers.next_deadline().is_some());
        assert!(!numbers.refused());
    }

    #[test]
    fn a_disk_that_stands_still_is_told_of_once_until_it_moves() {
        let (mut numbers, _sandbox) = fresh("still");
        assert!(!numbers.is_late(Duration::MAX), "nothing is on its way");
        numbers.note("web", 1);
        let page = numbers.page().unwrap();
        let late = numbers.next_deadline().unwrap();
        assert!(!numbers.is_late(late.saturating_sub(Duration::from_millis(1))));
        numbers.note("web", 100);
        assert!(numbers.is_late(late));
        assert!(!numbers.is_late(late) && numbers.next_deadline().is_none());
        page.write().unwrap();
        numbers.written();
        assert!(numbers.page().is_some() && numbers.is_late(Duration::MAX));
    }

    #[test]
    fn whoever_has_no_room_for_a_page_does_not_hide_a_disk_that_refuses() {
        let (mut numbers, _sandbox) = fresh("busy");
        numbers.note("web", 1);
        assert!(numbers.page().is_some());
        numbers.put_off();
        assert!(numbers.next_deadline().is_some() && numbers.page().is_none());
        assert!(numbers.refused());
    }

    #[test]
    fn too_many_names_that_nobody_uses_share_one_ceiling() {
        let (mut numbers, sandbox) = fresh("many");
        for name in 0..=NAMES_MAX {
            numbers.ceilings.names.insert(format!("old-{name}"), 100);
        }
        numbers.note("web", 1);
        assert!(write(&mut numbers));
        let (mut next, _) = Numbers::open(&sandbox.0, History::Some);
        assert_eq!(next.names(), ["web"]);
        assert_eq!(next.passed("old-7", "old-7"), Some(100));
    }

    /// An instance whose folder goes with the value.
    struct Sandbox(Instance);

    impl Drop for Sandbox {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0.state));
        }
    }

    fn fresh(name: &str) -> (Numbers, Sandbox) {
        let folder = format!("mainstay-numbers-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        drop(fs::remove_dir_all(&folder));
        let instance = Instance::new(folder.clone(), folder);
        fs::create_dir_all(instance.logs()).unwrap();
        (Numbers::open(&instance, History::None).0, Sandbox(instance))
    }

    fn write(numbers: &mut Numbers) -> bool {
        let Some(page) = numbers.page() else { return false };
        page.write().unwrap();
        numbers.written();
        true
    }

    fn on_disk(numbers: &Numbers) -> Ceilings {
        Ceilings::decode(&fs::read(&numbers.path).unwrap()).unwrap()
    }
}
