//! Another process becomes a run's main process, as programs ask that leave their work to a child.
//!
//! From then on its end is the run's. Whoever was the main process lives on as part of the run, and
//! is reaped by nobody but us: its end means nothing, and what it leaves behind is the run's.

use std::io;

use mainstay_api::keeper::{Follow, Followed, Report, RunRef};
use mainstay_platform::{
    port::{Token, Watched},
    process::{self, HAS_TIES, Process, SignalKind, Ties},
};

use super::{Control, token};
use crate::{
    journal::JournalError,
    note::complain,
    runs::{Lead, Run, RunState},
};

/// Processes that were main processes, and were started by this very keeper.
pub(crate) type Formers = Vec<Former>;

/// A process that was a run's main process.
#[derive(Debug)]
pub(crate) struct Former {
    run: RunRef,
    process: Watched<Process>,
}

/// A process that does not become a run's main process.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error("this system does not tell whose process it is")]
    Unsupported,
    #[error("there is no such run")]
    Unknown,
    #[error("the start of the run has not come to an end")]
    Starting,
    #[error("the run has ended")]
    Ended,
    #[error("process {0} has ended")]
    Gone(u32),
    #[error("process {0} does not belong to the run")]
    Stranger(u32),
    #[error("the system does not tell whose process it is: {0}")]
    Unseen(#[from] io::Error),
    #[error("it cannot be noted in the keeper's journal: {0}")]
    Unnoted(#[from] JournalError),
}

impl Control {
    /// Makes each process the main process of its run, or says why not.
    pub(super) fn follow(&mut self, id: u64, all: Vec<Follow>) {
        let mut answers = Vec::with_capacity(all.len());
        for Follow { unit, run, pid } in all {
            let key = RunRef { unit, run };
            let refused = self.follow_one(&key, pid).err().map(|error| error.to_string());
            answers.push(Followed { unit: key.unit, run, pid, refused });
        }
        self.answer(id, Report::Followed(answers));
    }

    fn follow_one(&mut self, key: &RunRef, pid: u32) -> Result<(), FollowError> {
        let run = self.runs.get(key).ok_or(FollowError::Unknown)?;
        let current = match &run.state {
            RunState::Starting => return Err(FollowError::Starting),
            RunState::Ended { .. } => return Err(FollowError::Ended),
            RunState::Running { process, .. } => process,
        };
        if !HAS_TIES {
            return Err(FollowError::Unsupported);
        }
        if current.pid() == pid {
            return Ok(());
        }
        // Held first, asked then: a number that is used again cannot be mistaken.
        let process = Process::open_pid(pid)?.ok_or(FollowError::Gone(pid))?;
        let ties = process::ties_of(&process);
        if process.has_ended() {
            return Err(FollowError::Gone(pid));
        }
        if self.is_taken(pid) || !belongs(run, current, &ties?)? {
            return Err(FollowError::Stranger(pid));
        }
        self.make_main(key, process)
    }

    /// Returns whether a process is the main process of some run, or none of a run's at all.
    fn is_taken(&self, pid: u32) -> bool {
        let is_run = |run: &Run| run.process().is_some_and(|process| process.pid() == pid);
        let agent = self.agents.process.as_ref().map(|process| process.pid());
        pid == std::process::id() || agent == Some(pid) || self.runs.iter().any(is_run)
    }

    /// The journal knows of it before anything depends on it.
    fn make_main(&mut self, key: &RunRef, process: Process) -> Result<(), FollowError> {
        let Some(run) = self.runs.get_mut(key) else { return Ok(()) };
        let main = process.identity();
        let process = self.port.watch(process, Token(token::RUNS + run.serial))?;
        let RunState::Running { process: current, .. } = &mut run.state else { return Ok(()) };
        let former = std::mem::replace(current, process);
        let first = run.first().unwrap_or_else(|| former.identity());
        let followed = run.followed.replace(Box::new(Lead { first, main }));
        if let Err(error) = self.journal.write(run) {
            run.followed = followed;
            if let RunState::Running { process, .. } = &mut run.state {
                *process = former;
            }
            return Err(error.into());
        }
        // One that is back is watched as the run's, and reaped with it.
        self.formers.retain(|former| former.process.identity() != main);
        self.dismiss(key, former);
        Ok(())
    }

    /// Watches a process whose end is no run's any more.
    fn dismiss(&mut self, key: &RunRef, former: Watched<Process>) {
        let Some(former) = former.release() else { return };
        match self.port.watch(former, token::FORMER) {
            Ok(process) => self.formers.push(Former { run: key.clone(), process }),
            Err(error) => complain("cannot watch a former main process", &error),
        }
    }

    /// Some process that was a main process has ended.
    pub(super) fn formers_ended(&mut self) {
        self.formers.retain(|former| {
            let has_ended = former.process.has_ended();
            if has_ended {
                former.process.reap();
            }
            !has_ended
        });
    }

    /// Sends a signal to the group of a run, or to all groups that are known of it.
    pub(super) fn signal_group(
        &self,
        run: &Run,
        process: &Process,
        kind: SignalKind,
    ) -> io::Result<()> {
        if run.followed.is_none() {
            return process.signal_group(kind);
        }
        let group = process.signal_group_around(kind)?;
        let is_its =
            |former: &&Former| former.run.run == run.brief.run && former.run.unit == run.brief.unit;
        for former in self.formers.iter().filter(is_its) {
            if former.process.pid() != group && !former.process.has_ended() {
                former.process.signal_group(kind)?;
            }
        }
        Ok(())
    }
}

/// Returns whether a process is one of a run's: whoever carries a mark is believed, others are
/// known by the main process, which has not been reaped: its group, or its descendants.
fn belongs(run: &Run, main: &Process, ties: &Ties) -> io::Result<bool> {
    if let Some(id) = &ties.id {
        return Ok(*id == run.id);
    }
    let is_descendant = ties.ancestors.contains(&main.pid());
    Ok(is_descendant || process::ties_of(main)?.group == ties.group)
}
