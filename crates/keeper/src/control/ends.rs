//! Ends: of runs, of what they leave behind, of pipes, and of strangers.

use std::{collections::HashSet, time::Duration};

use mainstay_api::keeper::{Drained, Exited, Pressure, PressureKind, RunRef, Status, Usage};
use mainstay_platform::{
    clock,
    process::{self, Ended, Orphans, Process, SignalKind},
    usage::Total,
};

use super::{Control, token};
use crate::{
    discarded::Discarded,
    note::complain,
    pump::{Channel, PumpNote},
    recovery::Amend,
    runs::{RunState, microseconds},
    sweep::Swept,
};

/// What is still to be done for programs that have ended, or that nobody wants.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    /// Runs that have ended in this turn.
    pub(crate) ended: Vec<RunRef>,
    /// Runs that have ended, and what waited in their pipes is not in the file yet.
    pub(crate) draining: HashSet<RunRef>,
    /// Runs whose status may still be learnt.
    pub(crate) amends: Vec<Amend>,
    /// Children that are no runs.
    pub(crate) discarded: Discarded,
}

impl Aftermath {
    /// Returns when to look again.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let amends = self.amends.iter().map(Amend::next_at);
        amends.chain(self.discarded.next_deadline()).min()
    }
}

impl Control {
    /// The process of a run has ended.
    pub(crate) fn run_ended(&mut self, serial: u64) {
        let Some(key) = self.runs.key_of(serial) else { return };
        let Some(run) = self.runs.get(&key) else { return };
        let Some(process) = run.process() else { return };
        if !process.has_ended() {
            return;
        }
        // Whoever is followed becomes our child when its parent ends.
        let is_own = if run.followed.is_some() { process.ended().is_ok() } else { run.is_own };
        let ended = if is_own {
            process.ended_and_used().ok().flatten()
        } else {
            process.ended_elsewhere().map(|ended| (ended, None))
        };
        let (status, used) =
            ended.map_or((Status::Unknown, None), |(ended, used)| (status_of(ended), used));
        let exit = run.exit(clock::monotonic(), status);
        if let Some(run) = self.runs.get_mut(&key) {
            run.is_own = is_own;
        }
        self.conclude(&key, Exited { usage: used.map(usage_of), ..exit });
    }

    /// Everything that follows an exit, in the order that keeps it safe: remember, sweep while the
    /// process still holds its number, reap, report.
    pub(crate) fn conclude(&mut self, key: &RunRef, exit: Exited) {
        self.note_end(key, exit);
        self.aftermath.ended.push(key.clone());
    }

    /// Concludes a run whose pipes nobody has found yet.
    pub(crate) fn note_end(&mut self, key: &RunRef, mut exit: Exited) {
        exit.strays = self.sweep(key);
        let Some(run) = self.runs.get_mut(key) else { return };
        let ended =
            RunState::Ended { exit: exit.clone(), is_acknowledged: false, has_strays: exit.strays };
        let former = std::mem::replace(&mut run.state, ended);
        if let Err(error) = self.journal.write(run) {
            complain("cannot note an exit in the journal", &error);
        }
        let is_own = run.is_own;
        if let RunState::Running { process, .. } = former {
            if is_own {
                process.reap();
            } else if exit.status == Status::Unknown
                && let Some(process) = process.release()
            {
                self.aftermath.amends.push(Amend::new(key.clone(), process, clock::monotonic()));
            }
        }
        self.reports.exited.push(exit);
    }

    /// Asks the pumps for what waits in the pipes of runs that have ended. Comes after the reports:
    /// a pump that wakes up must not take the processor from an agent that is to decide.
    pub(crate) fn drain_ended(&mut self) {
        for key in std::mem::take(&mut self.aftermath.ended) {
            if let Some(run) = self.runs.get(&key)
                && run.pump.is_some()
            {
                self.aftermath.draining.insert(key.clone());
                self.pumps.drain(key, run.pump);
            }
        }
    }

    /// Goes on ending what a predecessor had begun to end.
    pub(crate) fn sweep_again(&mut self, key: &RunRef) {
        if !self.sweep(key)
            && let Some(run) = self.runs.get_mut(key)
            && let RunState::Ended { has_strays, .. } = &mut run.state
        {
            *has_strays = false;
            self.reports.cleared.push(key.clone());
        }
    }

    /// Begins to end what is left of a run; returns whether anything is.
    fn sweep(&mut self, key: &RunRef) -> bool {
        let Some(run) = self.runs.get(key).filter(|run| run.is_swept()) else { return false };
        let is_usual = run.is_own && !run.is_found && run.followed.is_none();
        let is_alone = is_usual && process::orphans() == Orphans::None;
        if is_alone {
            return false;
        }
        let main = run.process().map_or(0, Process::pid);
        let swept = Swept { id: &run.id, main, first: run.first(), token: token::STRAY };
        if !self.sweeps.begin(&self.port, key, swept, clock::monotonic()) {
            return false;
        }
        if run.is_own
            && let Some(process) = run.process()
        {
            // The zombie still holds the group's number.
            drop(self.signal_group(run, process, SignalKind::Term));
        }
        true
    }

    pub(crate) fn go_on_sweeping(&mut self) {
        let cleared = self.sweeps.go_on(&self.port, token::STRAY, clock::monotonic());
        for key in cleared {
            if let Some(run) = self.runs.get_mut(&key)
                && let RunState::Ended { has_strays, .. } = &mut run.state
            {
                *has_strays = false;
                if let Err(error) = self.journal.write(run) {
                    complain("cannot note in the journal", &error);
                }
            }
            self.reports.cleared.push(key.clone());
            self.bury(&key);
        }
    }

    /// Reaps orphans that became our children; our own programs are told apart by their pidfds.
    pub(crate) fn reap_strangers(&mut self) {
        while let Some(child) = process::ended_child() {
            let own = self
                .runs
                .iter()
                .find(|run| run.process().is_some_and(|process| process.pid() == child.pid));
            let is_agent =
                self.agents.process.as_ref().is_some_and(|agent| agent.pid() == child.pid);
            match own.map(|run| run.serial) {
                Some(serial) => self.run_ended(serial),
                None if is_agent => self.agent_ended(),
                None => process::reap(child.pid),
            }
        }
    }

    /// A pump has news.
    pub(crate) fn pump_said(&mut self, note: PumpNote) {
        match note {
            PumpNote::Drained(drained) => {
                let Drained { unit, run, .. } = drained.clone();
                self.aftermath.draining.remove(&RunRef { unit, run });
                self.reports.drained.push(drained);
            }
            PumpNote::Rotated(rotated) => self.reports.rotated.push(rotated),
            PumpNote::Pressure(pressure) => self.pump_is_pressed(pressure),
            PumpNote::Closed { run, channel } => self.pipe_closed(&run, channel),
        }
    }

    fn pump_is_pressed(&mut self, pressure: Pressure) {
        match pressure.kind {
            PressureKind::DiskFull | PressureKind::DiskFailed => {
                self.reports.standing.pressed.insert(pressure.unit.clone(), pressure.clone());
            }
            PressureKind::DiskRoom => drop(self.reports.standing.pressed.remove(&pressure.unit)),
            PressureKind::DroppedOldest
            | PressureKind::DroppedNew
            | PressureKind::LingeringClosed => {}
        }
        self.reports.pressure.push(pressure);
    }

    fn pipe_closed(&mut self, key: &RunRef, channel: Channel) {
        let Some(run) = self.runs.get_mut(key) else { return };
        match channel {
            Channel::Joined | Channel::Output => run.output = None,
            Channel::Error => run.error = None,
        }
        self.bury(key);
    }

    /// Drops a run of which nothing is left to do but to remember its number.
    pub(crate) fn bury(&mut self, key: &RunRef) {
        if !self.runs.get(key).is_some_and(crate::runs::Run::is_over) {
            return;
        }
        if let Some(run) = self.runs.remove(key) {
            self.journal.remove(&run, &self.runs);
        }
    }

    /// Takes every program down; what they leave behind is ended as they end.
    pub(crate) fn kill_everything(&mut self) {
        self.spawner.kill_all();
        self.sweeps.hurry(clock::monotonic());
        for run in self.runs.iter() {
            let Some(process) = run.process() else { continue };
            if let Err(error) = self.signal_group(run, process, SignalKind::Kill) {
                complain("cannot kill a program's group", &error);
            }
        }
    }

    /// Looks once more for statuses that only a parent could tell at first.
    pub(crate) fn amend(&mut self, now: Duration) {
        for amend in std::mem::take(&mut self.aftermath.amends) {
            match amend.look(now) {
                crate::recovery::Looked::Later(amend) => self.aftermath.amends.push(amend),
                crate::recovery::Looked::Never => {}
                crate::recovery::Looked::Known(key, ended) => self.amended(&key, ended),
            }
        }
    }

    fn amended(&mut self, key: &RunRef, ended: Ended) {
        let Some(run) = self.runs.get_mut(key) else { return };
        let RunState::Ended { exit, .. } = &mut run.state else { return };
        exit.status = status_of(ended);
        self.reports.amended.push(exit.clone());
        if let Err(error) = self.journal.write(run) {
            complain("cannot note in the journal", &error);
        }
    }
}

fn usage_of(total: Total) -> Usage {
    let Total { user, system, memory_peak_bytes } = total;
    Usage { user_us: microseconds(user), system_us: microseconds(system), memory_peak_bytes }
}

/// Returns a status as the protocol says it.
pub(crate) const fn status_of(ended: Ended) -> Status {
    match ended {
        Ended::Code(code) => Status::Code(code),
        Ended::Signal(signal) => Status::Signal(signal),
    }
}
