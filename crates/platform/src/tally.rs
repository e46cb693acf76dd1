//! What whole runs use of the machine: their programs with everything these have started, read in
//! one pass over all processes, on request and never in a background loop.
//!
//! A process is of a run when it is its main process, is in the group that this leads, descends
//! from one of them, or carries the run's `MAINSTAY_ID`. Where a run has a job (Windows), that says
//! who is of it, and counts those that have ended as well; a job that cannot be asked leaves main
//! process and descent, which is told. What the system does not let us read of one process is left
//! out of the whole run: half a sum is no sum.
//!
//! | what is not as it should be | what is counted |
//! |---|---|
//! | the keeper is dead | the same: the main process keeps the job's name |
//! | the main process has ended as well, its children live on | by descent: the name is gone |
//! | the job may not be opened, or tells nothing | by descent |
//! | the job has as many members as it lists at most | by descent |
//! | the keeper is of a version that names no jobs | by descent |
//! | a member may not be opened | the job's time and transfers; nothing of what members tell |

#[cfg(target_os = "linux")]
#[path = "tally/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "tally/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "tally/windows.rs"]
mod imp;

#[cfg(not(windows))]
#[path = "tally/account/elsewhere.rs"]
mod account;
#[cfg(windows)]
#[path = "tally/account/windows.rs"]
mod account;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    time::Duration,
};

/// A run that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Its main process, and the one that was started where that is another one.
    pub pids: Vec<u32>,
    /// A moment of the monotonic clock at which it ran: who was started later has only its number.
    pub since: Duration,
    /// The label of its job, where it is known; see [`HAS_JOBS`].
    pub job: Option<String>,
}

/// Whether each run is in a job of its own: on Windows.
pub const HAS_JOBS: bool = cfg!(windows);

/// How much is read of each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Its time on processors.
    Time,
    /// Everything.
    All,
}

/// What the processes of a run use; nothing where the system does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Whose processes they are was told by descent, because there was no job that could be asked.
    pub by_descent: bool,
    /// How many processes there are.
    pub processes: u64,
    /// How many threads they have.
    pub threads: Option<u64>,
    /// Their time on processors, with that of children that have ended and were waited for; of a
    /// job, with that of all that have ended.
    pub processor_time: Option<Duration>,
    /// The memory that they occupy, each by itself: what two share counts twice.
    pub memory_bytes: Option<u64>,
    /// Their proportional share of the memory that they occupy; on Linux alone.
    pub memory_share_bytes: Option<u64>,
    /// The most that each has occupied so far, added up.
    pub memory_peak_bytes: Option<u64>,
    /// Open descriptors, or handles.
    pub descriptors: Option<u64>,
    /// What was read: from storage on Linux and macOS, by any call on Windows.
    pub read_bytes: Option<u64>,
    /// What was written: to storage on Linux and macOS, by any call on Windows.
    pub written_bytes: Option<u64>,
}

impl Tally {
    const NONE: Self = Self {
        by_descent: HAS_JOBS,
        processes: 0,
        threads: Some(0),
        processor_time: Some(Duration::ZERO),
        memory_bytes: Some(0),
        memory_share_bytes: Some(0),
        memory_peak_bytes: Some(0),
        descriptors: Some(0),
        read_bytes: Some(0),
        written_bytes: Some(0),
    };

    /// A process that may not be looked into.
    pub const CLOSED: Self = Self {
        by_descent: HAS_JOBS,
        processes: 1,
        threads: None,
        processor_time: None,
        memory_bytes: None,
        memory_share_bytes: None,
        memory_peak_bytes: None,
        descriptors: None,
        read_bytes: None,
        written_bytes: None,
    };

    fn add(&mut self, one: &Self) {
        fn sum<T: std::ops::Add<Output = T>>(all: &mut Option<T>, one: Option<T>) {
            *all = all.take().zip(one).map(|(all, one)| all + one);
        }
        self.processes += one.processes;
        sum(&mut self.threads, one.threads);
        sum(&mut self.processor_time, one.processor_time);
        sum(&mut self.memory_bytes, one.memory_bytes);
        sum(&mut self.memory_share_bytes, one.memory_share_bytes);
        sum(&mut self.memory_peak_bytes, one.memory_peak_bytes);
        sum(&mut self.descriptors, one.descriptors);
        sum(&mut self.read_bytes, one.read_bytes);
        sum(&mut self.written_bytes, one.written_bytes);
    }
}

/// A process, as it was seen in the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kin {
    pid: u32,
    parent: u32,
    /// 0 where there are no groups.
    group: u32,
    /// When it was started, in the system's own unit.
    started: u64,
}

/// Returns what each run uses, in order; nothing for a run without a process.
pub fn of(roots: &[Root], depth: Depth) -> io::Result<Vec<Option<Tally>>> {
    let seen = imp::look()?;
    // Behind the look: who is held keeps its number, so that members are who was seen.
    let accounts: Vec<Option<Account>> = roots.iter().map(|root| open(root, depth)).collect();
    let meant = roots.iter().zip(&accounts).map(|(root, account)| match account {
        Some(account) => Root { pids: account.members.clone(), ..root.clone() },
        None => root.clone(),
    });
    let roots = &meant.collect::<Vec<_>>();
    let kin: Vec<Kin> = seen.iter().map(imp::Seen::kin).collect();
    let is_late = |index: usize, root: &Root| {
        seen.get(index).is_none_or(|seen| seen.is_later_than(root.since))
    };
    let owners = owners(&kin, roots, is_late, imp::mark_of);
    let mut tallies: Vec<Option<Tally>> = vec![None; roots.len()];
    for (index, owner) in owners {
        let (Some(seen), Some(tally)) = (seen.get(index), tallies.get_mut(owner)) else { continue };
        // Whoever is gone meanwhile uses nothing.
        if let Some(one) = seen.read(depth)? {
            tally.get_or_insert(Tally::NONE).add(&one);
        }
    }
    for (tally, account) in tallies.iter_mut().zip(&accounts) {
        if let (Some(tally), Some(account)) = (tally, account) {
            account.complete(tally);
        }
    }
    Ok(tallies)
}

/// What a job tells of a run.
#[derive(Debug, Default)]
struct Account {
    /// Who is in it.
    members: Vec<u32>,
    /// How many of them may not be looked into.
    closed: u64,
    /// The time of all who are or were in it.
    time: Option<Duration>,
    /// What all who are or were in it have read and written.
    transfers: Option<(u64, u64)>,
}

/// Asks the job of a run, if it has one that answers.
fn open(root: &Root, depth: Depth) -> Option<Account> {
    account::of(root.job.as_deref()?, depth).ok().flatten()
}

impl Account {
    /// Puts what the job counts in the place of what was added up.
    ///
    /// A job has counted all that its members tell, and more; one that tells less does not count
    /// (Wine).
    fn complete(&self, tally: &mut Tally) {
        tally.by_descent = false;
        for _ in 0..self.closed {
            tally.add(&Tally::CLOSED);
        }
        let (read, written) = self.transfers.unzip();
        tally.processor_time = tally.processor_time.max(some(self.time));
        tally.read_bytes = tally.read_bytes.max(some(read));
        tally.written_bytes = tally.written_bytes.max(some(written));
    }
}

/// Returns nothing instead of a number that says nothing.
fn some<T: Default + PartialEq>(counted: Option<T>) -> Option<T> {
    counted.filter(|counted| *counted != T::default())
}

/// Returns to which root each process belongs, both by their places.
fn owners(
    all: &[Kin],
    roots: &[Root],
    is_late: impl Fn(usize, &Root) -> bool,
    mark_of: impl Fn(u32) -> Option<Vec<u8>>,
) -> BTreeMap<usize, usize> {
    let places: BTreeMap<u32, usize> =
        all.iter().enumerate().map(|(index, one)| (one.pid, index)).collect();
    let mut owners = BTreeMap::new();
    let mut leaders = BTreeMap::new();
    for (owner, root) in roots.iter().enumerate() {
        for pid in &root.pids {
            let Some(index) = places.get(pid).filter(|index| !is_late(**index, root)) else {
                continue;
            };
            owners.insert(*index, owner);
            leaders.insert(*pid, owner);
        }
    }
    for (index, one) in all.iter().enumerate().filter(|(_, one)| one.group != 0) {
        if let Some(owner) = leaders.get(&one.group) {
            owners.entry(index).or_insert(*owner);
        }
    }
    descend(all, &places, &mut owners);
    if recognise(all, &leaders, &mut owners, mark_of) {
        descend(all, &places, &mut owners);
    }
    owners
}

/// Gives descendants to whom their ancestors belong.
fn descend(all: &[Kin], places: &BTreeMap<u32, usize>, owners: &mut BTreeMap<usize, usize>) {
    for start in 0..all.len() {
        let (mut path, mut seen, mut at) = (Vec::new(), BTreeSet::new(), start);
        let owner = loop {
            if let Some(owner) = owners.get(&at) {
                break Some(*owner);
            }
            path.push(at);
            let Some(one) = all.get(at).filter(|_| seen.insert(at)) else { break None };
            let Some(parent) = places.get(&one.parent) else { break None };
            // The number of a parent that is gone may be somebody else's by now.
            if all.get(*parent).is_none_or(|parent| parent.started > one.started) {
                break None;
            }
            at = *parent;
        };
        if let Some(owner) = owner {
            owners.extend(path.into_iter().map(|index| (index, owner)));
        }
    }
}

/// Gives processes to the run whose mark they carry; returns whether there was any.
fn recognise(
    all: &[Kin],
    leaders: &BTreeMap<u32, usize>,
    owners: &mut BTreeMap<usize, usize>,
    mark_of: impl Fn(u32) -> Option<Vec<u8>>,
) -> bool {
    let strangers = (0..all.len()).filter(|index| !owners.contains_key(index));
    let marked: Vec<(usize, Vec<u8>)> =
        strangers.filter_map(|index| Some((index, mark_of(all.get(index)?.pid)?))).collect();
    if marked.is_empty() {
        return false;
    }
    let marks: BTreeMap<Vec<u8>, usize> =
        leaders.iter().filter_map(|(pid, owner)| Some((mark_of(*pid)?, *owner))).collect();
    let before = owners.len();
    owners.extend(marked.into_iter().filter_map(|(index, mark)| Some((index, *marks.get(&mark)?))));
    owners.len() > before
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn kin(pid: u32, parent: u32, group: u32) -> Kin {
        Kin { pid, parent, group, started: 0 }
    }

    fn root(pids: &[u32]) -> Root {
        Root { pids: pids.to_vec(), since: Duration::ZERO, job: None }
    }

    /// Returns the numbers of the processes of each of two runs, whose mains are 10 and 20.
    fn shared_out(all: &[Kin], marks: &[(u32, &str)]) -> [Vec<u32>; 2] {
        let mark = |pid: u32| {
            let found = marks.iter().find(|(of, _)| *of == pid)?;
            Some(found.1.as_bytes().to_vec())
        };
        let owners = owners(all, &[root(&[10]), root(&[20])], |_, _| false, mark);
        [0, 1].map(|owner| {
            let own = owners.iter().filter(|(_, of)| **of == owner);
            own.map(|(index, _)| all[*index].pid).collect()
        })
    }

    #[test]
    fn a_process_is_of_the_run_whose_group_it_is_in_or_from_which_it_descends() {
        let all = [
            kin(1, 0, 1),
            kin(10, 1, 10),
            kin(20, 1, 20),
            kin(11, 1, 10),
            kin(12, 11, 12),
            kin(13, 12, 12),
            kin(21, 20, 21),
            kin(30, 1, 30),
        ];
        assert_eq!(shared_out(&all, &[]), [vec![10, 11, 12, 13], vec![20, 21]]);
    }

    #[test]
    fn whoever_has_left_its_group_and_lost_its_parent_is_known_by_its_mark() {
        let all = [kin(1, 0, 1), kin(10, 1, 10), kin(20, 1, 20), kin(11, 1, 11), kin(12, 11, 12)];
        let marks = [(10, "a"), (20, "b"), (11, "a"), (1, "c")];
        assert_eq!(shared_out(&all, &marks), [vec![10, 11, 12], vec![20]]);
    }

    #[test]
    fn a_number_that_is_used_again_makes_nobody_a_member() {
        let late = Kin { started: 5, ..kin(10, 1, 10) };
        let child = Kin { started: 3, ..kin(11, 10, 0) };
        assert_eq!(shared_out(&[late, child], &[]), [vec![10], vec![]]);
        let owners = owners(&[late], &[root(&[10])], |_, _| true, |_| None);
        assert!(owners.is_empty());
    }

    #[test]
    fn parents_in_a_circle_end_the_search() {
        assert_eq!(shared_out(&[kin(3, 4, 3), kin(4, 3, 4)], &[]), [vec![], vec![]]);
    }

    #[test]
    fn what_one_process_does_not_tell_is_missing_for_all() {
        let mut all = Tally::NONE;
        let one = Tally { processes: 1, read_bytes: None, ..Tally::NONE };
        all.add(&Tally { processes: 1, descriptors: Some(3), ..Tally::NONE });
        all.add(&one);
        assert_eq!(
            all,
            Tally { processes: 2, descriptors: Some(3), read_bytes: None, ..Tally::NONE }
        );
    }

    #[test]
    fn a_job_tells_of_those_that_have_ended_and_of_those_that_are_closed_to_us() {
        let second = Duration::from_secs(1);
        let sum = Tally {
            processes: 2,
            processor_time: Some(second * 2),
            read_bytes: Some(7),
            by_descent: true,
            ..Tally::NONE
        };
        let counted = |account: Account| {
            let mut tally = sum;
            account.complete(&mut tally);
            tally
        };
        let whole =
            Account { time: Some(second * 3), transfers: Some((9, 8)), ..Account::default() };
        let tally = counted(whole);
        assert_eq!((tally.processor_time, tally.by_descent), (Some(second * 3), false));
        assert_eq!((tally.read_bytes, tally.written_bytes), (Some(9), Some(8)));

        let silent = Account { time: Some(Duration::ZERO), ..Account::default() };
        assert_eq!(counted(silent), Tally { by_descent: false, ..sum });

        let tally = counted(Account { closed: 1, time: Some(second * 3), ..Account::default() });
        assert_eq!((tally.processes, tally.memory_bytes), (3, None));
        assert_eq!((tally.processor_time, tally.read_bytes), (Some(second * 3), None));
    }

    #[test]
    fn this_process_and_what_it_does_are_seen() {
        let own = [Root {
            pids: vec![std::process::id()],
            since: crate::clock::monotonic(),
            job: Some("nobody's".to_owned()),
        }];
        let before = of(&own, Depth::Time).unwrap()[0].unwrap();
        let until = crate::clock::monotonic() + Duration::from_mins(1);
        loop {
            let after = of(&own, Depth::All).unwrap()[0].unwrap();
            assert!(after.processes >= 1 && after.memory_bytes > Some(0), "{after:?}");
            assert!(after.memory_peak_bytes > Some(0), "{after:?}");
            assert_eq!(after.by_descent, HAS_JOBS, "there is no such job: {after:?}");
            let is_wine = std::env::var_os("MAINSTAY_WINE").is_some();
            assert!(after.descriptors > Some(0) || is_wine, "{after:?}");
            if after.processor_time > before.processor_time {
                break;
            }
            assert!(crate::clock::monotonic() < until, "work is not seen: {after:?}");
        }
        let nobody = [root(&[u32::MAX - 1])];
        assert_eq!(of(&nobody, Depth::All).unwrap(), [None]);
    }
}
