//! From what the keeper says to inputs of the core.

use std::time::Duration;

use mainstay_api::keeper::{
    Entry, Exited, Phase, Report, Rotated, RunRef, SpawnOutcome, Spawned, Status,
};
use mainstay_core::{Adopted, AdoptedPhase, Exit, Input, Memo, Moment, UnitName};
use mainstay_platform::clock;
use mainstay_storage::segment::ChainFiles;

use crate::{clerk::Job, daemon::Agent, launch};

impl Agent {
    /// Takes what the keeper says.
    pub(crate) fn hear(&mut self, report: Report) {
        match report {
            Report::Spawned(all) => {
                self.bursts.count(clock::monotonic(), all.len());
                for one in all {
                    self.spawned(one);
                }
            }
            Report::Exited(all) => all.into_iter().for_each(|one| self.exited(&one)),
            Report::ExitAmended(all) => all.into_iter().for_each(|one| self.amended(&one)),
            Report::Cleared(all) => {
                for cleared in all {
                    if let Ok(unit) = UnitName::parse(&cleared.unit) {
                        self.take(Input::Cleared { unit, run: cleared.run });
                    }
                }
            }
            Report::Climbed(all) => all.iter().for_each(|one| self.climbed(one)),
            Report::Rotated(all) => all.iter().for_each(|one| self.rotated(one)),
            Report::Pressure(all) => all.into_iter().for_each(|one| self.pressed(&one)),
            Report::StopRequested => self.shut_down(),
            Report::Leaving => self.keeper_leaves(),
            Report::Refused { reason } => self.keeper_refused(&reason),
            Report::Upgraded(welcome) => self.upgraded(welcome),
            Report::Drained(all) => {
                for drained in all {
                    self.custody.release(&drained.unit, drained.run);
                }
            }
            Report::Custody { entries } => {
                let count = entries.iter().map(|entry| entry.held.len()).sum();
                let descriptors = self.keeper.take_descriptors(count);
                self.custody.take(entries, descriptors);
            }
            Report::Listener => {
                let listener = self.keeper.take_listener();
                self.clients.arrive(listener);
            }
            Report::Client => {
                let client = self.keeper.take_client();
                self.clients.arrive(client);
            }
            Report::Signalled(_) | Report::Done | Report::Welcome(_) | Report::Listed { .. } => {}
        }
    }

    fn spawned(&mut self, spawned: Spawned) {
        let Ok(unit) = UnitName::parse(&spawned.unit) else { return };
        let run = spawned.run;
        if matches!(spawned.outcome, SpawnOutcome::Started { .. }) {
            self.custody.want(&spawned.unit, run);
        }
        self.take(match spawned.outcome {
            SpawnOutcome::Started { pid, .. } => Input::Started { unit, run, pid },
            SpawnOutcome::Failed { message, .. } => {
                Input::NotStarted { unit, run, reason: message }
            }
            SpawnOutcome::Conflict { highest } => {
                let reason = format!("the keeper knows run {highest} already");
                Input::NotStarted { unit, run, reason }
            }
        });
    }

    pub(crate) fn exited(&mut self, exited: &Exited) {
        let Ok(unit) = UnitName::parse(&exited.unit) else { return };
        let (run, exit, strays) = (exited.run, exit_of(exited.status), exited.strays);
        self.take(Input::Exited { unit, run, exit, strays });
    }

    fn amended(&mut self, exited: &Exited) {
        let Ok(unit) = UnitName::parse(&exited.unit) else { return };
        self.take(Input::ExitAmended { unit, run: exited.run, exit: exit_of(exited.status) });
    }

    /// Deletes the oldest closed segments past `logs.keep`.
    fn rotated(&mut self, rotated: &Rotated) {
        let Ok(unit) = UnitName::parse(&rotated.unit) else { return };
        let keep = self.config.services.get(&unit.service).map_or(0, |service| service.logs.keep);
        if keep == 0 {
            return;
        }
        let chain = ChainFiles::new(&self.instance.logs_of(&rotated.unit), &rotated.chain);
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        // A clerk that is too busy finds the surplus at the next rotation.
        drop(self.clerk.give(Job::Thin(chain, keep)));
    }

    /// Takes over what a keeper knows when this agent has just begun.
    pub(crate) fn adopt(&mut self, entries: &[Entry]) {
        let mut runs: Vec<Adopted> = entries.iter().filter_map(adopted).collect();
        runs.extend(self.events.exits().map(|(unit, run)| told_before(unit, run)));
        for entry in entries.iter().filter(|entry| matches!(entry.phase, Phase::Running { .. })) {
            self.custody.want(&entry.unit, entry.run);
        }
        self.given.recall(entries);
        let wishes = self.wishes.all();
        self.take(Input::Adopt { runs, wishes });
    }

    /// Compares what another keeper knows with what we know: ours died, and a new one took over.
    pub(crate) fn reconcile(&mut self, entries: &[Entry]) {
        self.custody.keep_only(&entries.iter().map(run_of).collect());
        let runs = entries.iter().filter_map(adopted).collect();
        self.take(Input::Reconcile { runs });
    }
}

fn run_of(entry: &Entry) -> RunRef {
    RunRef { unit: entry.unit.clone(), run: entry.run }
}

/// The keeper of another boot forgot it, the history did not: its number is not used again.
fn told_before(unit: UnitName, run: u64) -> Adopted {
    let phase = AdoptedPhase::Remembered;
    Adopted { unit, run, spec_hash: 0, memo: Memo::default(), phase }
}

fn adopted(entry: &Entry) -> Option<Adopted> {
    let moment = |us: u64| Moment::from_start(Duration::from_micros(us));
    let phase = match &entry.phase {
        Phase::Starting => AdoptedPhase::Starting,
        Phase::Running { pid, since_us } => {
            AdoptedPhase::Running { pid: *pid, since: moment(*since_us) }
        }
        Phase::Ended(exited) => AdoptedPhase::Ended {
            exit: exit_of(exited.status),
            at: moment(exited.at_us),
            lived: Duration::from_micros(exited.lived_us),
            strays: exited.strays,
        },
        Phase::Remembered => AdoptedPhase::Remembered,
    };
    Some(Adopted {
        unit: UnitName::parse(&entry.unit).ok()?,
        run: entry.run,
        spec_hash: u64::from_str_radix(&entry.spec_hash, 16).unwrap_or_default(),
        memo: launch::read_memo(&entry.memo),
        phase,
    })
}

const fn exit_of(status: Status) -> Exit {
    match status {
        Status::Code(code) => Exit::Code(code),
        Status::Signal(signal) => Exit::Signal(signal),
        Status::Unknown => Exit::Unknown,
    }
}
