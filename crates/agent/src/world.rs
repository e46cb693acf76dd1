//! From what the keeper says to inputs of the core.

use std::{collections::BTreeMap, time::Duration};

use mainstay_api::keeper::{
    Entry, Exited, Phase, Report, Rotated, RunRef, SpawnOutcome, Spawned, Status,
};
use mainstay_core::{Adopted, AdoptedPhase, Exit, Input, Memo, Moment, UnitName};
use mainstay_platform::clock;
use mainstay_storage::segment::ChainFiles;

use crate::{beside::RunOf, daemon::Agent, launch};

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
                for RunRef { unit, run } in all {
                    match RunOf::parse(&unit) {
                        Some(RunOf::Unit(unit)) => self.take(Input::Cleared { unit, run }),
                        Some(RunOf::Beside(name)) => self.beside_cleared(&name, run),
                        None => {}
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
                    self.bundles.drained(&drained.unit, drained.run);
                    self.custody.release(&drained.unit, drained.run);
                    if let Some(RunOf::Beside(name)) = RunOf::parse(&drained.unit) {
                        self.beside_drained(&name, drained.run);
                    }
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
            Report::Stored { entries } => {
                let stored = self.keeper.take_stored(entries);
                self.take_stored(stored);
            }
            Report::Deposited(all) => all.iter().for_each(|one| self.deposited(one)),
            Report::Notified(notified) => self.notified(notified),
            Report::Followed(all) => all.iter().for_each(|one| self.followed(one)),
            Report::Signalled(all) => all.into_iter().for_each(|one| self.signalled(one)),
            Report::Done | Report::Welcome(_) | Report::Listed { .. } => {}
        }
    }

    fn spawned(&mut self, spawned: Spawned) {
        let unit = match RunOf::parse(&spawned.unit) {
            Some(RunOf::Unit(unit)) => unit,
            Some(RunOf::Beside(name)) => return self.beside_spawned(&name, &spawned),
            None => return,
        };
        let run = spawned.run;
        if let SpawnOutcome::Started { job, .. } = &spawned.outcome {
            self.custody.want(&spawned.unit, run);
            self.jobs.note(&unit, run, job.as_ref());
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
        if let Ok(unit) = UnitName::parse(&spawned.unit) {
            self.notices.resume(&unit);
        }
    }

    pub(crate) fn exited(&mut self, exited: &Exited) {
        let unit = match RunOf::parse(&exited.unit) {
            Some(RunOf::Unit(unit)) => unit,
            Some(RunOf::Beside(name)) => return self.beside_exited(&name, exited),
            None => return,
        };
        let (run, exit, strays) = (exited.run, exit_of(exited.status), exited.strays);
        let is_crash = self.is_crash(&unit, exited);
        self.notices.note_end(&unit, run, exited.pid);
        self.jobs.forget(&unit, run);
        self.take(Input::Exited { unit: unit.clone(), run, exit, strays });
        if is_crash {
            self.crashed(&unit, exited);
        }
    }

    fn amended(&mut self, exited: &Exited) {
        let Ok(unit) = UnitName::parse(&exited.unit) else { return };
        self.amend_bundle(exited);
        self.take(Input::ExitAmended { unit, run: exited.run, exit: exit_of(exited.status) });
    }

    /// A segment was closed: others may be too many by that.
    fn rotated(&mut self, rotated: &Rotated) {
        let unit = match RunOf::parse(&rotated.unit) {
            Some(RunOf::Unit(unit)) => unit,
            Some(RunOf::Beside(name)) => return self.beside_rotated(&name, rotated),
            None => return,
        };
        let chain = ChainFiles::new(&self.instance.logs_of(&rotated.unit), &rotated.chain);
        self.besides.note_closed(&unit, &chain, rotated);
        self.retention.rotated(&unit, chain);
        self.take(Input::Rotated { unit });
    }

    /// Takes over what a keeper knows when this agent has just begun.
    pub(crate) fn adopt(&mut self, entries: &[Entry]) {
        let mut runs: Vec<Adopted> = entries.iter().filter_map(adopted).collect();
        runs.extend(self.events.exits().map(|(unit, run)| told_before(unit, run)));
        for entry in entries.iter().filter(|entry| matches!(entry.phase, Phase::Running { .. })) {
            self.custody.want(&entry.unit, entry.run);
        }
        self.jobs.take_over(entries);
        self.given.recall(entries);
        self.secrets.take_over(living(entries));
        let wishes = self.wishes.all();
        let mut hooks = self.find_besides(entries);
        self.pass_numbers(entries);
        hooks.extend(self.told_hooks());
        hooks.extend(self.passed_hooks());
        self.take(Input::Adopt { runs, wishes, hooks });
        self.end_lone_besides();
        self.end_former_looks();
        self.recall_crashes(entries);
    }

    /// Opens the bundles that a former agent, or this one with another keeper, may have left open.
    fn recall_crashes(&mut self, entries: &[Entry]) {
        for entry in entries {
            let Ok(unit) = UnitName::parse(&entry.unit) else { continue };
            let memo = launch::read_memo(&entry.memo);
            self.bundles.note_blame(&unit, entry.run, memo);
            let Phase::Ended(exited) = &entry.phase else { continue };
            let is_unasked = !memo.stopping && exited.status != Status::Code(0);
            if is_unasked || memo.blame.is_some() {
                self.crashed(&unit, exited);
            }
        }
    }

    /// Compares what another keeper knows with what we know: ours died, and a new one took over.
    pub(crate) fn reconcile(&mut self, entries: &[Entry]) {
        self.custody.keep_only(&entries.iter().map(run_of).collect());
        self.jobs.take_over(entries);
        let runs = entries.iter().filter_map(adopted).collect();
        let hooks = self.compare_besides(entries);
        self.take(Input::Reconcile { runs, hooks });
        self.recall_crashes(entries);
    }
}

/// Returns what runs, or is about to.
fn living(entries: &[Entry]) -> BTreeMap<UnitName, u64> {
    let lives = |entry: &&Entry| matches!(entry.phase, Phase::Starting | Phase::Running { .. });
    let all = entries.iter().filter(lives);
    all.filter_map(|entry| Some((UnitName::parse(&entry.unit).ok()?, entry.run))).collect()
}

/// Returns what names the run of an entry.
pub(crate) fn run_of(entry: &Entry) -> RunRef {
    RunRef { unit: entry.unit.clone(), run: entry.run }
}

/// The keeper of another boot forgot it, the history did not: its number is not used again.
fn told_before(unit: UnitName, run: u64) -> Adopted {
    let phase = AdoptedPhase::Remembered;
    Adopted { unit, run, spec_hash: 0, memo: Memo::default(), phase }
}

fn adopted(entry: &Entry) -> Option<Adopted> {
    Some(Adopted {
        unit: UnitName::parse(&entry.unit).ok()?,
        run: entry.run,
        spec_hash: u64::from_str_radix(&entry.spec_hash, 16).unwrap_or_default(),
        memo: launch::read_memo(&entry.memo),
        phase: phase_of(&entry.phase),
    })
}

/// Returns where a run is, as the core is told.
pub(crate) fn phase_of(phase: &Phase) -> AdoptedPhase {
    match phase {
        Phase::Starting => AdoptedPhase::Starting,
        Phase::Running { pid, since_us, .. } => {
            AdoptedPhase::Running { pid: *pid, since: moment(*since_us) }
        }
        Phase::Ended(exited) => AdoptedPhase::Ended {
            exit: exit_of(exited.status),
            at: moment(exited.at_us),
            lived: Duration::from_micros(exited.lived_us),
            strays: exited.strays,
        },
        Phase::Remembered => AdoptedPhase::Remembered,
    }
}

/// Returns a moment of the keeper's on the core's clock.
pub(crate) const fn moment(us: u64) -> Moment {
    Moment::from_start(Duration::from_micros(us))
}

/// Returns how a run ended, as the core is told.
pub(crate) const fn exit_of(status: Status) -> Exit {
    match status {
        Status::Code(code) => Exit::Code(code),
        Status::Signal(signal) => Exit::Signal(signal),
        Status::Unknown => Exit::Unknown,
    }
}
