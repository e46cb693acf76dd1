//! What survives the keeper's death: one slot for each run that is not forgotten, and one for the
//! highest run of each unit.
//!
//! Written without sync: it must outlive a process, not a machine. A machine that was restarted
//! has another boot identity, and then nothing is taken over.

use std::{collections::HashMap, io, path::Path, sync::Arc, time::Duration};

use mainstay_api::keeper::{Exited, Logs, Lost, RunRef, Scope};
use mainstay_platform::{fail, paths, pipe::PipeReader, process::Identity, random};
use mainstay_storage::{
    atomic,
    slots::{Damage, SlotFile, SlotIndex, SlotRecord, SlotsError},
};
use serde::{Deserialize, Serialize};

use crate::runs::{Brief, Remembered, Run, RunState, Runs, microseconds};

/// The journal of one keeper life after the other.
#[derive(Debug)]
pub(crate) struct Journal {
    slots: SlotFile,
    runs: HashMap<RunRef, SlotIndex>,
    numbers: HashMap<String, Noted>,
    id_base: String,
    ids: u64,
}

/// The number of a unit's highest run that was dropped: one that is not dropped stands in its own
/// slot only, so that nothing else vouches for it when that slot is lost.
#[derive(Debug)]
struct Noted {
    index: SlotIndex,
    highest: u64,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("cannot open it")]
    Unopened(#[source] io::Error),
    #[error("cannot write it")]
    Slots(#[from] SlotsError),
    #[error("cannot express a record")]
    Record(#[from] serde_json::Error),
}

/// Everything a predecessor noted.
#[derive(Debug, Default)]
pub(crate) struct FoundAll {
    pub(crate) runs: Vec<Found>,
    pub(crate) remembered: Vec<(String, Remembered)>,
}

/// A run that a predecessor noted.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) brief: Brief,
    pub(crate) id: String,
    pub(crate) phase: FoundPhase,
    /// Serial numbers of its pipes, or 0.
    pub(crate) pipes: [u64; 2],
}

/// How far a run had come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundPhase {
    /// It was about to be started.
    Intent,
    /// It ran.
    Started {
        identity: Identity,
        since: Duration,
        /// The process that was started, where it is another one.
        first: Option<Identity>,
    },
    /// It had ended.
    Ended { exit: Exited, is_acknowledged: bool, has_strays: bool },
}

#[derive(Debug, Serialize, Deserialize)]
enum Record {
    Run(Box<RunRecord>),
    Number { unit: String, highest: u64, hash: String, memo: String },
}

#[derive(Debug, Serialize, Deserialize)]
struct RunRecord {
    unit: String,
    run: u64,
    hash: String,
    memo: String,
    id: String,
    logs: Logs,
    scope: Scope,
    #[serde(default, skip_serializing_if = "Lost::is_usual")]
    lost: Lost,
    phase: PhaseRecord,
    pipes: [u64; 2],
}

#[derive(Debug, Serialize, Deserialize)]
enum PhaseRecord {
    Intent,
    Started {
        pid: u32,
        started: u64,
        serial: u64,
        since_us: u64,
        /// The process that was started, where it is another one. Keepers of protocol 2 do not know
        /// of it, and watch the other one all the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first: Option<FirstRecord>,
    },
    Ended {
        exit: Exited,
        acknowledged: bool,
        strays: bool,
    },
}

/// The identity of a process.
#[derive(Debug, Serialize, Deserialize)]
struct FirstRecord {
    pid: u32,
    started: u64,
    serial: u64,
}

impl From<Identity> for FirstRecord {
    fn from(Identity { pid, started, serial }: Identity) -> Self {
        Self { pid, started, serial }
    }
}

impl From<FirstRecord> for Identity {
    fn from(FirstRecord { pid, started, serial }: FirstRecord) -> Self {
        Self { pid, started, serial }
    }
}

impl Journal {
    /// Opens the journal, or begins a new one when the old one is of another boot; one of another
    /// version is set aside.
    pub(crate) fn open(path: &Path, boot: &str) -> Result<Self, JournalError> {
        let open = || paths::open_private_file(path).map_err(JournalError::Unopened);
        let slots = match SlotFile::open(open()?, boot) {
            Err(error @ SlotsError::OtherVersion { .. }) => {
                let aside = atomic::set_aside(path).map_err(JournalError::Unopened)?;
                let what = format!("the journal is set aside as `{}`", aside.display());
                crate::note::complain(&what, &error);
                SlotFile::open(open()?, boot)?
            }
            opened => opened?,
        };
        let id_base = format!("{:x}-{:016x}", std::process::id(), random::number());
        Ok(Self { slots, runs: HashMap::new(), numbers: HashMap::new(), id_base, ids: 0 })
    }

    /// Returns a text that no other run of this machine carries.
    pub(crate) fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{}-{:x}", self.id_base, self.ids)
    }

    /// Reads everything; slots that cannot be understood are freed.
    pub(crate) fn found(&mut self) -> Result<FoundAll, JournalError> {
        let mut all = FoundAll::default();
        for SlotRecord { index, payload } in self.slots.records()? {
            match serde_json::from_slice(&payload) {
                Ok(Record::Run(record)) => {
                    let key = RunRef { unit: record.unit.clone(), run: record.run };
                    self.runs.insert(key, index);
                    all.runs.push(Found::from(*record));
                }
                Ok(Record::Number { unit, highest, hash, memo }) => {
                    self.numbers.insert(unit.clone(), Noted { index, highest });
                    all.remembered.push((unit, Remembered { highest, hash, memo }));
                }
                Err(error) => {
                    crate::note::complain("a slot of the journal makes no sense", &error);
                    self.slots.free(index)?;
                }
            }
        }
        Ok(all)
    }

    /// Returns what of it made no sense when it was read.
    pub(crate) const fn damage(&self) -> Damage {
        self.slots.damage()
    }

    /// Writes where a run is.
    pub(crate) fn write(&mut self, run: &Run) -> Result<(), JournalError> {
        let record = serde_json::to_vec(&Record::Run(Box::new(RunRecord::of(run))))?;
        let key = run.key();
        let [before, after] = points_of(&run.state);
        fail::point(before);
        if let Some(index) = self.runs.get(&key) {
            self.slots.put(*index, &record)?;
        } else {
            let index = self.slots.add(&record)?;
            self.runs.insert(key, index);
        }
        fail::point(after);
        Ok(())
    }

    /// Drops a run and notes its number.
    pub(crate) fn remove(&mut self, run: &Run, runs: &Runs) {
        let key = run.key();
        let outcome = self.note_number(run, runs).and_then(|()| {
            let Some(index) = self.runs.remove(&key) else { return Ok(()) };
            fail::point("keeper.journal.free.before");
            self.slots.free(index)?;
            fail::point("keeper.journal.free.after");
            Ok(())
        });
        if let Err(error) = outcome {
            crate::note::complain("cannot note in the journal", &error);
        }
    }

    fn note_number(&mut self, run: &Run, runs: &Runs) -> Result<(), JournalError> {
        let unit = &run.brief.unit;
        let Some(Remembered { highest, hash, memo }) = runs.dropped(run) else { return Ok(()) };
        let noted = self.numbers.get(unit).map(|noted| (noted.index, noted.highest));
        if noted.is_some_and(|(_, noted)| noted > highest) {
            return Ok(());
        }
        let number = Record::Number { unit: unit.clone(), highest, hash, memo };
        let record = serde_json::to_vec(&number)?;
        fail::point("keeper.journal.number.before");
        let index = match noted {
            Some((index, _)) => self.slots.put(index, &record).map(|()| index)?,
            None => self.slots.add(&record)?,
        };
        self.numbers.insert(unit.clone(), Noted { index, highest });
        Ok(())
    }

    /// Drops a unit's number.
    pub(crate) fn forget(&mut self, unit: &str) {
        let Some(noted) = self.numbers.remove(unit) else { return };
        fail::point("keeper.journal.forget");
        if let Err(error) = self.slots.free(noted.index) {
            crate::note::complain("cannot note in the journal", &error);
        }
    }

    /// Drops everything: nothing outlives this keeper.
    pub(crate) fn clear(&mut self) -> Result<(), JournalError> {
        self.numbers.clear();
        self.runs.clear();
        Ok(self.slots.clear()?)
    }
}

/// Returns the instants before and after the note of a state.
const fn points_of(state: &RunState) -> [&'static str; 2] {
    match state {
        RunState::Starting => ["keeper.journal.intent.before", "keeper.journal.intent.after"],
        RunState::Running { .. } => {
            ["keeper.journal.started.before", "keeper.journal.started.after"]
        }
        RunState::Ended { is_acknowledged: false, .. } => {
            ["keeper.journal.ended.before", "keeper.journal.ended.after"]
        }
        RunState::Ended { .. } => {
            ["keeper.journal.acknowledged.before", "keeper.journal.acknowledged.after"]
        }
    }
}

impl RunRecord {
    fn of(run: &Run) -> Self {
        let serial = |pipe: &Option<Arc<PipeReader>>| pipe.as_ref().map_or(0, |pipe| pipe.serial());
        let Brief { unit, run: number, spec_hash, memo, logs, scope, lost } = run.brief.clone();
        Self {
            unit,
            run: number,
            hash: spec_hash,
            memo,
            id: run.id.clone(),
            logs: Logs::clone(&logs),
            scope,
            lost,
            phase: PhaseRecord::of(&run.state, run.first()),
            pipes: [serial(&run.output), serial(&run.error)],
        }
    }
}

impl PhaseRecord {
    fn of(state: &RunState, first: Option<Identity>) -> Self {
        match state {
            RunState::Starting => Self::Intent,
            RunState::Running { process, since } => {
                let Identity { pid, started, serial } = process.identity();
                let (since_us, first) = (microseconds(*since), first.map(FirstRecord::from));
                Self::Started { pid, started, serial, since_us, first }
            }
            RunState::Ended { exit, is_acknowledged, has_strays } => {
                let exit = exit.clone();
                Self::Ended { exit, acknowledged: *is_acknowledged, strays: *has_strays }
            }
        }
    }
}

impl From<RunRecord> for Found {
    fn from(record: RunRecord) -> Self {
        let phase = match record.phase {
            PhaseRecord::Intent => FoundPhase::Intent,
            PhaseRecord::Started { pid, started, serial, since_us, first } => FoundPhase::Started {
                identity: Identity { pid, started, serial },
                since: Duration::from_micros(since_us),
                first: first.map(Identity::from),
            },
            PhaseRecord::Ended { exit, acknowledged, strays } => {
                FoundPhase::Ended { exit, is_acknowledged: acknowledged, has_strays: strays }
            }
        };
        let brief = Brief {
            unit: record.unit,
            run: record.run,
            spec_hash: record.hash,
            memo: record.memo,
            logs: Arc::new(record.logs),
            scope: record.scope,
            lost: record.lost,
        };
        Self { brief, id: record.id, phase, pipes: record.pipes }
    }
}
