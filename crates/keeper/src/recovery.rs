//! What a keeper finds when it begins: runs of a predecessor, alive or not.
//!
//! Every slot of the journal is settled before anything is started: that is what makes two copies
//! of a unit impossible. The lock is held, so no child of the predecessor is between clone and
//! exec any more, and an intent without a process can be looked for by the run's `MAINSTAY_ID`.
//!
//! | the slot says | found | the run is |
//! |---|---|---|
//! | intent | a leader of a group carries the id | running |
//! | intent | only others carry the id | ended, status unknown; what is left is ended |
//! | intent, where programs are held until they are noted | somebody | ended before it began |
//! | intent | nobody | never started, its number is not used again; or ended, as the order says |
//! | started | the very process | running |
//! | started | nobody | ended, status unknown unless the system still tells |
//! | ended | – | ended, to be reported |
//!
//! A program without a slot is ended; see [`lost`]. Whoever cannot be asked, for want of
//! descriptors or memory, is neither dead nor never started: the keeper asks again, and after
//! [`INSIST_FOR`] it ends and leaves everything to the next one.

use std::{io, sync::Arc, thread, time::Duration};

use mainstay_api::keeper::{CustodyEntry, Exited, Held, Lost, RunRef, Status, Streams};
use mainstay_platform::{
    clock,
    descriptor::Descriptor,
    fail,
    pipe::{PipeReader, reopen_output},
    port::Token,
    process::{self, Ended, Process, SignalKind},
    spawn,
};

use crate::{
    control::{Control, KeeperError, doing, token},
    journal::{Found, FoundPhase},
    lost,
    note::complain,
    runs::{Lead, RunState},
    upgrade::{Inheritance, Kept},
};

/// How long an unknown status may be amended.
const AMEND_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// For how long a question is asked again; shorter than anybody waits for a keeper.
const INSIST_FOR: Duration = Duration::from_secs(2);
/// The descriptor numbers under which a program has our pipes.
const OUTPUT_NUMBER: u32 = 1;
const ERROR_NUMBER: u32 = 2;

/// A process that ended and whose status only its parent can tell so far.
#[derive(Debug)]
pub(crate) struct Amend {
    key: RunRef,
    process: Process,
    until: Duration,
    next_at: Duration,
}

/// The pipes of a run, as far as they are passed on, and what tells them from others.
struct Pipes {
    kept: Kept,
    serials: [u64; 2],
}

/// What a look at such a process brought.
#[derive(Debug)]
pub(crate) enum Looked {
    /// Nothing yet.
    Later(Amend),
    /// Nobody will ever tell.
    Never,
    /// This is how it ended.
    Known(RunRef, Ended),
}

impl Amend {
    pub(crate) fn new(key: RunRef, process: Process, now: Duration) -> Self {
        Self { key, process, until: now + AMEND_WITHIN, next_at: now + LOOK_EVERY }
    }

    pub(crate) const fn next_at(&self) -> Duration {
        self.next_at
    }

    pub(crate) fn look(mut self, now: Duration) -> Looked {
        if now < self.next_at {
            return Looked::Later(self);
        }
        if let Some(ended) = self.process.ended_elsewhere() {
            return Looked::Known(self.key, ended);
        }
        self.next_at = now + LOOK_EVERY;
        if now >= self.until { Looked::Never } else { Looked::Later(self) }
    }
}

impl Control {
    /// Takes over everything that a predecessor left.
    pub(crate) fn settle(&mut self, inherited: Option<Inheritance>) -> Result<(), KeeperError> {
        let mut inherited = inherited;
        let found = self.journal.found()?;
        for (unit, remembered) in found.remembered {
            self.runs.remember(&unit, remembered);
        }
        for run in found.runs {
            let key = RunRef { unit: run.brief.unit.clone(), run: run.brief.run };
            let kept = inherited.as_mut().and_then(|state| state.take(&key)).unwrap_or_default();
            self.settle_run(&key, run, kept)?;
        }
        if let Some(state) = &mut inherited {
            self.store_again(state);
        }
        let lost = match inherited {
            Some(state) => self.resume_conversation(state).map(|()| Vec::new())?,
            None => lost::end_unknown(&self.options.runtime, &self.runs)
                .map_err(doing("end programs that the journal does not tell of"))?,
        };
        self.reports.standing.damage = lost::describe(self.journal.damage(), &lost);
        Ok(())
    }

    /// Takes over what is stored for units.
    fn store_again(&mut self, inherited: &mut Inheritance) {
        for (entry, descriptor) in inherited.take_stored() {
            let stored = descriptor
                .and_then(|one| self.stored.put(&entry, Some(one)).map_err(io::Error::other));
            if let Err(error) = stored {
                complain("cannot take over what is stored", &error);
            }
        }
    }

    fn settle_run(&mut self, key: &RunRef, found: Found, kept: Kept) -> Result<(), KeeperError> {
        let Found { brief, id, phase, pipes } = found;
        match phase {
            FoundPhase::Intent => {
                let carriers = insist(|| process::carrying(&id))
                    .map_err(doing("look for a program that was about to be started"))?;
                self.runs.add(brief, id).is_found = true;
                self.settle_intent(key, carriers, kept)
            }
            FoundPhase::Started { identity, since, first } => {
                let process = insist(|| Process::open(identity))
                    .map_err(doing("look for a program that ran"))?;
                let run = self.runs.add(brief, id);
                run.is_found = true;
                run.followed = first.map(|first| Box::new(Lead { first, main: identity }));
                let Some(process) = process else {
                    self.found_dead(key, identity.pid, since);
                    return Ok(());
                };
                self.adopt(key, process, since, Pipes { kept, serials: pipes })
            }
            FoundPhase::Ended { exit, is_acknowledged, has_strays } => {
                let run = self.runs.add(brief, id);
                run.is_found = true;
                run.state = RunState::Ended { exit, is_acknowledged, has_strays };
                if has_strays {
                    self.sweep_again(key);
                }
                self.pump_again(key, kept.output, kept.error);
                self.bury(key);
                Ok(())
            }
        }
    }

    /// The keeper died before it could note what became of a start.
    fn settle_intent(
        &mut self,
        key: &RunRef,
        carriers: Vec<Process>,
        kept: Kept,
    ) -> Result<(), KeeperError> {
        let now = clock::monotonic();
        let carriers = if spawn::IS_HELD { end_held(&carriers) } else { carriers };
        let has_begun = !carriers.is_empty();
        if let Some(program) = carriers.into_iter().find(Process::leads_group) {
            return self.adopt(key, program, now, Pipes { kept, serials: [0, 0] });
        }
        let is_told = self.runs.get(key).is_some_and(|run| run.brief.lost == Lost::Ended);
        if has_begun || is_told {
            self.found_dead(key, 0, now);
        } else if let Some(run) = self.runs.remove(key) {
            self.journal.remove(&run, &self.runs);
        }
        Ok(())
    }

    /// Makes a running process ours to watch, and its pipes ours to read.
    fn adopt(
        &mut self,
        key: &RunRef,
        process: Process,
        since: Duration,
        pipes: Pipes,
    ) -> Result<(), KeeperError> {
        let pid = process.pid();
        let is_own = process.ended().is_ok();
        let Some(run) = self.runs.get_mut(key) else { return Ok(()) };
        run.is_own = is_own;
        let watched = self.port.watch(process, Token(token::RUNS + run.serial));
        let watched = watched.map_err(doing("watch a program"))?;
        run.state = RunState::Running { process: watched, since };
        let is_split = run.brief.logs.streams == Streams::Split;
        // Whoever is followed may have left the pipes to whom it comes from.
        let pids = [pid, run.first().map_or(pid, |first| first.pid)];
        let Pipes { kept, serials: [first, second] } = pipes;
        let output = kept.output.or_else(|| reopen(pids, OUTPUT_NUMBER, first));
        let error = kept.error.or_else(|| is_split.then(|| reopen(pids, ERROR_NUMBER, second))?);
        self.pump_again(key, output, error);
        self.note_adopted(key);
        Ok(())
    }

    fn note_adopted(&mut self, key: &RunRef) {
        let Some(run) = self.runs.get(key) else { return };
        // With its pipes: the next keeper tells them from others by what is noted here.
        if let Err(error) = self.journal.write(run) {
            complain("cannot note in the journal", &error);
        }
        // Its keeper may have died between its note and this.
        if let Err(error) = run.process().map_or(Ok(()), Process::release) {
            complain("cannot let a program run", &error);
        }
    }

    /// Reads pipes that were found again, besides those that are read already.
    fn pump_again(&mut self, key: &RunRef, output: Option<PipeReader>, error: Option<PipeReader>) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let (output, error) = (output.map(Arc::new), error.map(Arc::new));
        run.output = output.clone().or_else(|| run.output.take());
        run.error = error.clone().or_else(|| run.error.take());
        self.pump_found(key, output, error);
    }

    fn found_dead(&mut self, key: &RunRef, pid: u32, since: Duration) {
        let now = clock::monotonic();
        let exit = Exited {
            unit: key.unit.clone(),
            run: key.run,
            pid,
            status: Status::Unknown,
            at_us: crate::runs::microseconds(now),
            lived_us: crate::runs::microseconds(now.saturating_sub(since)),
            strays: false,
            usage: None,
        };
        if let Some(run) = self.runs.get_mut(key) {
            run.is_own = false;
        }
        // The agent may have its pipes: until it gave them nobody says that all is in the file.
        self.note_end(key, exit);
    }

    /// Takes what the agent held for a dead keeper.
    pub(crate) fn take_custody(
        &mut self,
        entry: &CustodyEntry,
        riders: &mut std::collections::VecDeque<Descriptor>,
    ) {
        let key = RunRef { unit: entry.unit.clone(), run: entry.run };
        let (mut output, mut error) = (None, None);
        for held in &entry.held {
            let Some(descriptor) = riders.pop_front() else { return };
            match held {
                Held::Process => self.amend_with(&key, descriptor),
                Held::Output => output = Some(PipeReader::from_descriptor(descriptor)),
                Held::Error => error = Some(PipeReader::from_descriptor(descriptor)),
                Held::Job => {}
            }
        }
        let Some(run) = self.runs.get(&key) else { return };
        let (output, error) =
            (output.filter(|_| run.output.is_none()), error.filter(|_| run.error.is_none()));
        if output.is_some() || error.is_some() {
            self.pump_again(&key, output, error);
            if let Some(run) = self.runs.get(&key)
                && matches!(run.state, RunState::Ended { .. })
            {
                self.pumps.drain(key, run.pump);
            }
        }
    }

    /// Asks the process itself, by the descriptor that the agent held, how it ended.
    fn amend_with(&mut self, key: &RunRef, descriptor: Descriptor) {
        let Some(run) = self.runs.get(key) else { return };
        let RunState::Ended { exit, .. } = &run.state else { return };
        if exit.status != Status::Unknown {
            return;
        }
        // What the agent holds may still be the process that another one has followed.
        if run.followed.as_ref().is_some_and(|lead| !process::is_of(&descriptor, lead.main)) {
            return;
        }
        let identity = process::Identity { pid: exit.pid, ..process::Identity::default() };
        let process = Process::from_descriptor(descriptor, identity);
        self.aftermath.amends.push(Amend::new(key.clone(), process, clock::monotonic()));
    }
}

/// Ends programs that were made and never let run; nobody is left.
fn end_held(programs: &[Process]) -> Vec<Process> {
    for program in programs {
        if let Err(error) = program.signal(SignalKind::Kill) {
            complain("cannot end a program that has not begun", &error);
        }
    }
    Vec::new()
}

/// Asks until there is an answer, but no longer than [`INSIST_FOR`].
fn insist<T>(ask: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let until = clock::monotonic() + INSIST_FOR;
    loop {
        let answer = if fail::is_wanted("lack.look") {
            Err(io::ErrorKind::OutOfMemory.into())
        } else {
            ask()
        };
        if answer.is_ok() || clock::monotonic() >= until {
            return answer;
        }
        thread::park_timeout(LOOK_EVERY);
    }
}

fn reopen(pids: [u32; 2], number: u32, serial: u64) -> Option<PipeReader> {
    pids.into_iter().find_map(|pid| reopen_output(pid, number, serial).ok().flatten())
}
