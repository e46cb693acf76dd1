//! What the keeper knows of runs: one current run a unit, and those that have not been cleared.
//!
//! ```text
//!            spawn          started            exit             ack (and nothing left)
//!  (nothing) ─────► Starting ──────► Running ──────► Ended ───────────────────────► (number only)
//!                      │ not started                   ▲
//!                      └─► (number only)               │ found dead by a new keeper
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use mainstay_api::keeper::{Entry, Exited, Logs, Lost, Phase, RunRef, Scope, Spawn, Status};
use mainstay_platform::{
    pipe::PipeReader,
    port::Watched,
    process::{Identity, Process},
    tally,
};

use crate::pump::PumpKey;

/// Everything the keeper knows of units.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    units: BTreeMap<String, Unit>,
    by_serial: HashMap<u64, RunRef>,
    next_serial: u64,
}

#[derive(Debug, Default)]
struct Unit {
    highest: u64,
    hash: String,
    /// What an agent wrote on the highest run, for a time when there is nothing else left of it.
    memo: String,
    /// Boxed: a node of the map has room for eleven.
    runs: BTreeMap<u64, Box<Run>>,
}

/// What is left of the runs of a unit: the highest number, its hash and its memo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) highest: u64,
    pub(crate) hash: String,
    pub(crate) memo: String,
}

/// What has to be known of a run beyond its start: of what the agent ordered, the lesser part.
#[derive(Debug, Clone)]
pub(crate) struct Brief {
    /// The unit's name.
    pub(crate) unit: String,
    /// The run's number.
    pub(crate) run: u64,
    /// The hash of what was ordered.
    pub(crate) spec_hash: String,
    /// What the agent last wrote on it.
    pub(crate) memo: String,
    /// Where its output goes.
    pub(crate) logs: Arc<Logs>,
    /// What happens to its descendants.
    pub(crate) scope: Scope,
    /// What becomes of it when nobody knows whether it began.
    pub(crate) lost: Lost,
}

/// One run that is not forgotten yet.
#[derive(Debug)]
pub(crate) struct Run {
    /// What is known of it.
    pub(crate) brief: Brief,
    /// The run's `MAINSTAY_ID`.
    pub(crate) id: String,
    /// The number of its registrations.
    pub(crate) serial: u64,
    /// Where it is.
    pub(crate) state: RunState,
    /// The read end of its joined or stdout pipe, until it ends.
    pub(crate) output: Option<Arc<PipeReader>>,
    /// The read end of its stderr pipe, until it ends.
    pub(crate) error: Option<Arc<PipeReader>>,
    /// The pump that reads them.
    pub(crate) pump: Option<PumpKey>,
    /// The request that is to be answered when its start comes to an end.
    pub(crate) asked_by: u64,
    /// False for a run that an earlier keeper started: the system tells its end to others.
    pub(crate) is_own: bool,
    /// Another process than the one that was started is its main process.
    pub(crate) followed: Option<Box<Lead>>,
    /// It was found: what it leaves behind may have become somebody else's child.
    pub(crate) is_found: bool,
}

/// Who is who in a run whose main process is another one than was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lead {
    /// The process that was started.
    pub(crate) first: Identity,
    /// The process that is its main process.
    pub(crate) main: Identity,
}

/// Where a run is.
#[derive(Debug)]
pub(crate) enum RunState {
    /// Its start has not come to an end.
    Starting,
    /// It runs.
    Running { process: Watched<Process>, since: Duration },
    /// It has ended.
    Ended {
        exit: Exited,
        is_acknowledged: bool,
        /// Processes of the run are still alive.
        has_strays: bool,
    },
}

/// Why a spawn is not simply started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Start it.
    Fresh,
    /// This very run was started before.
    Known,
    /// The number was used by another program.
    Conflict {
        /// The highest number of the unit.
        highest: u64,
    },
}

impl Runs {
    /// Decides what becomes of a spawn request.
    pub(crate) fn admit(&self, spawn: &Spawn) -> Admission {
        let Some(unit) = self.units.get(&spawn.unit) else { return Admission::Fresh };
        if spawn.run > unit.highest {
            return Admission::Fresh;
        }
        let is_same = spawn.run == unit.highest && spawn.spec_hash == unit.hash;
        if is_same && unit.runs.contains_key(&spawn.run) {
            return Admission::Known;
        }
        Admission::Conflict { highest: unit.highest }
    }

    /// Adds a run that is about to be started, or that was found running.
    pub(crate) fn add(&mut self, brief: Brief, id: String) -> &mut Run {
        let serial = self.next_serial;
        self.next_serial += 1;
        let number = brief.run;
        let key = RunRef { unit: brief.unit.clone(), run: number };
        let unit = self.units.entry(brief.unit.clone()).or_default();
        if number >= unit.highest {
            unit.highest = number;
            unit.hash.clone_from(&brief.spec_hash);
        }
        self.by_serial.insert(serial, key);
        let run = Run {
            brief,
            id,
            serial,
            state: RunState::Starting,
            output: None,
            error: None,
            pump: None,
            asked_by: 0,
            is_own: true,
            followed: None,
            is_found: false,
        };
        unit.runs.entry(number).insert_entry(Box::new(run)).into_mut()
    }

    /// Remembers that a unit once had this run.
    pub(crate) fn remember(&mut self, unit: &str, remembered: Remembered) {
        let unit = self.units.entry(unit.to_owned()).or_default();
        if remembered.highest >= unit.highest {
            (unit.highest, unit.hash) = (remembered.highest, remembered.hash);
            unit.memo = remembered.memo;
        }
    }

    /// Returns a run.
    pub(crate) fn get(&self, key: &RunRef) -> Option<&Run> {
        self.units.get(&key.unit)?.runs.get(&key.run).map(Box::as_ref)
    }

    /// Returns a run for change.
    pub(crate) fn get_mut(&mut self, key: &RunRef) -> Option<&mut Run> {
        self.units.get_mut(&key.unit)?.runs.get_mut(&key.run).map(Box::as_mut)
    }

    /// Returns the run that was registered under a number.
    pub(crate) fn key_of(&self, serial: u64) -> Option<RunRef> {
        self.by_serial.get(&serial).cloned()
    }

    /// Drops a run; its number stays remembered.
    pub(crate) fn remove(&mut self, key: &RunRef) -> Option<Box<Run>> {
        let unit = self.units.get_mut(&key.unit)?;
        let run = unit.runs.remove(&key.run)?;
        if key.run == unit.highest {
            unit.memo.clone_from(&run.brief.memo);
        }
        self.by_serial.remove(&run.serial);
        Some(run)
    }

    /// Makes a run's number free again, because it never started.
    pub(crate) fn retract(&mut self, key: &RunRef) -> Option<Box<Run>> {
        let run = self.remove(key)?;
        if let Some(unit) = self.units.get_mut(&key.unit) {
            unit.hash.clear();
        }
        Some(run)
    }

    /// Forgets a unit of which nothing is left.
    pub(crate) fn forget(&mut self, unit: &str) {
        if self.units.get(unit).is_some_and(|unit| unit.runs.is_empty()) {
            self.units.remove(unit);
        }
    }

    /// Returns the runs, by unit and number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Run> {
        self.units.values().flat_map(|unit| unit.runs.values().map(Box::as_ref))
    }

    /// Returns what is remembered of a unit's highest run.
    pub(crate) fn remembered(&self, unit: &str) -> Option<Remembered> {
        let Unit { highest, hash, memo, .. } = self.units.get(unit)?;
        Some(Remembered { highest: *highest, hash: hash.clone(), memo: memo.clone() })
    }

    /// Returns what is to be remembered of a run that was dropped; nothing when its unit was too.
    pub(crate) fn dropped(&self, run: &Run) -> Option<Remembered> {
        let highest = self.remembered(&run.brief.unit)?;
        if self.get(&RunRef { run: highest.highest, ..run.key() }).is_none() {
            return Some(highest);
        }
        let Brief { spec_hash, memo, .. } = &run.brief;
        Some(Remembered { highest: run.brief.run, hash: spec_hash.clone(), memo: memo.clone() })
    }

    /// Returns how many entries a list has.
    pub(crate) fn count(&self) -> usize {
        let beyond = |unit: &Unit| usize::from(!unit.runs.contains_key(&unit.highest));
        self.units.values().map(|unit| unit.runs.len() + beyond(unit)).sum()
    }

    /// Returns how many runs are not forgotten.
    pub(crate) fn len(&self) -> usize {
        self.by_serial.len()
    }

    /// Returns everything, as the agent is told.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.count());
        for (name, unit) in &self.units {
            entries.extend(unit.runs.values().map(|run| run.entry()));
            // One beyond all others was ordered and came to nothing.
            if !unit.runs.contains_key(&unit.highest) {
                entries.push(Entry {
                    unit: name.clone(),
                    run: unit.highest,
                    spec_hash: unit.hash.clone(),
                    memo: unit.memo.clone(),
                    phase: Phase::Remembered,
                });
            }
        }
        entries
    }
}

impl From<&Spawn> for Brief {
    fn from(spawn: &Spawn) -> Self {
        Self {
            unit: spawn.unit.clone(),
            run: spawn.run,
            spec_hash: spawn.spec_hash.clone(),
            memo: spawn.memo.clone(),
            logs: Arc::new(spawn.logs.clone()),
            scope: spawn.scope,
            lost: spawn.lost,
        }
    }
}

impl Run {
    /// Returns what names the run.
    pub(crate) fn key(&self) -> RunRef {
        RunRef { unit: self.brief.unit.clone(), run: self.brief.run }
    }

    /// Returns its process, while it runs.
    pub(crate) fn process(&self) -> Option<&Process> {
        match &self.state {
            RunState::Running { process, .. } => Some(process),
            RunState::Starting | RunState::Ended { .. } => None,
        }
    }

    /// Returns whether nothing has to be kept of it any more but its number.
    pub(crate) fn is_over(&self) -> bool {
        let has_pipes = self.output.is_some() || self.error.is_some();
        matches!(self.state, RunState::Ended { is_acknowledged: true, has_strays: false, .. })
            && !has_pipes
    }

    /// Returns the process that was started, where another one is its main process.
    pub(crate) fn first(&self) -> Option<Identity> {
        self.followed.as_ref().map(|lead| lead.first)
    }

    /// Returns the label of its job, where the system has jobs.
    pub(crate) fn job(&self) -> Option<String> {
        tally::HAS_JOBS.then(|| self.id.clone())
    }

    /// Returns whether what it leaves behind is to be ended.
    pub(crate) fn is_swept(&self) -> bool {
        self.brief.scope == Scope::Tree
    }

    fn entry(&self) -> Entry {
        let phase = match &self.state {
            RunState::Starting => Phase::Starting,
            RunState::Running { process, since } => {
                let since_us = microseconds(*since);
                Phase::Running { pid: process.pid(), since_us, job: self.job() }
            }
            RunState::Ended { is_acknowledged: true, has_strays: false, .. } => Phase::Remembered,
            RunState::Ended { exit, has_strays, .. } => {
                Phase::Ended(Exited { strays: *has_strays, ..exit.clone() })
            }
        };
        Entry {
            unit: self.brief.unit.clone(),
            run: self.brief.run,
            spec_hash: self.brief.spec_hash.clone(),
            memo: self.brief.memo.clone(),
            phase,
        }
    }

    /// Returns how the run ended, when it did at `at` with `status`.
    pub(crate) fn exit(&self, at: Duration, status: Status) -> Exited {
        let (pid, since) = match &self.state {
            RunState::Running { process, since } => (process.pid(), *since),
            RunState::Starting | RunState::Ended { .. } => (0, at),
        };
        Exited {
            unit: self.brief.unit.clone(),
            run: self.brief.run,
            pid,
            status,
            at_us: microseconds(at),
            lived_us: microseconds(at.saturating_sub(since)),
            strays: false,
            usage: None,
        }
    }
}

/// Returns a duration as the protocol counts it.
pub(crate) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
