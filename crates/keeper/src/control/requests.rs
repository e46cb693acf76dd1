//! What the owner asks for.

use std::{collections::VecDeque, io, time::Duration};

use mainstay_api::keeper::{
    CUSTODY_RUNS_MAX, CustodyEntry, CustodyRequest, Entry, Held, Reach, Report, Request,
    RequestFrame, RunMemo, RunRef, Signal, SignalName, Signalled,
};
use mainstay_platform::{
    clock,
    descriptor::Descriptor,
    process::{Process, SignalKind},
};

use super::{Control, ladders};
use crate::{
    note::complain,
    runs::{Run, RunState},
};

/// So many entries stay far below the frame limit, whatever their memos.
const ENTRIES_A_FRAME: usize = 100;

impl Control {
    /// Obeys frames in order; descriptors belong to the frames that speak of them, in order.
    pub(crate) fn obey(&mut self, frames: Vec<RequestFrame>, descriptors: Vec<Descriptor>) {
        let mut riders = VecDeque::from(descriptors);
        for frame in frames {
            self.obey_one(frame, &mut riders);
        }
        if let Some(owner) = &mut self.agents.owner {
            owner.keep_riders(riders);
        }
    }

    fn obey_one(&mut self, frame: RequestFrame, riders: &mut VecDeque<Descriptor>) {
        let RequestFrame { id, request } = frame;
        match request {
            Request::Hello(_) => self.answer(id, Report::Welcome(self.welcome())),
            Request::Spawn(spawns) => self.spawn(id, spawns),
            Request::List => self.list(id),
            Request::Signal(signals) => self.signal(id, &signals),
            Request::Rotate(units) => {
                for unit in &units {
                    self.pumps.rotate(unit);
                }
                self.answer(id, Report::Done);
            }
            Request::Ack(keys) => keys.iter().for_each(|key| self.acknowledge(key)),
            Request::Forget(units) => {
                for unit in &units {
                    self.forget(unit);
                }
                self.answer(id, Report::Done);
            }
            Request::Memo(memos) => memos.into_iter().for_each(|memo| self.remember(memo)),
            Request::Store(entries) => self.store(id, entries, riders),
            Request::Unstore(entries) => self.unstore(id, &entries),
            Request::Follow(all) => self.follow(id, all),
            Request::Custody(CustodyRequest::Take(runs)) => self.give_custody(id, &runs),
            Request::Custody(CustodyRequest::Give(entries)) => {
                for entry in &entries {
                    self.take_custody(entry, riders);
                }
                self.answer(id, Report::Custody { entries: Vec::new() });
            }
            Request::Upgrade { program } => self.want_upgrade(id, program.into()),
            Request::Ending => self.reports.standing.stop_requested = true,
            Request::EndWith { code } => {
                self.reports.standing.stop_requested = true;
                self.reports.standing.end_with = Some(code);
            }
            Request::Shutdown { programs } => {
                self.answer(id, Report::Done);
                self.begin_to_end(programs);
            }
            Request::Next { at_us, handled } => {
                let at = at_us.map(Duration::from_micros);
                self.agents.life.heard(clock::monotonic(), handled, at);
                self.reception.acknowledge(handled);
                self.notifications.acknowledge(handled);
            }
        }
    }

    fn list(&mut self, id: u64) {
        let entries = self.runs.entries();
        self.bursts.count(clock::monotonic(), entries.len());
        let mut parts: Vec<Vec<Entry>> =
            entries.chunks(ENTRIES_A_FRAME).map(<[Entry]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        let last = parts.len() - 1;
        for (index, entries) in parts.into_iter().enumerate() {
            self.answer(id, Report::Listed { entries, more: index < last });
        }
    }

    fn signal(&mut self, id: u64, signals: &[Signal]) {
        let mut results = Vec::with_capacity(signals.len());
        for signal in signals {
            let refused = self.send_signal(signal);
            let (unit, run, signal) = (signal.unit.clone(), signal.run, Some(signal.signal));
            results.push(Signalled { unit, run, signal, refused });
        }
        self.reach_all(signals, &mut results);
        self.answer(id, Report::Signalled(results));
    }

    /// Returns why the signal could not be sent.
    fn send_signal(&mut self, signal: &Signal) -> Option<String> {
        let key = RunRef { unit: signal.unit.clone(), run: signal.run };
        let kind = kind_of(signal.signal);
        if let Some(highest) = ladders::highest_of(kind) {
            return self.climb(&key, highest).err().map(|error| error.to_string());
        }
        let run = self.runs.get(&key)?;
        let sent = match (run.process(), signal.reach) {
            (Some(process), Reach::Main) => and_wake(kind, |kind| process.signal(kind)),
            (Some(process), Reach::Group) => {
                and_wake(kind, |kind| self.signal_group(run, process, kind))
            }
            // It hangs between its birth and its first instruction.
            (None, _) if kind == SignalKind::Kill => self.spawner.kill(&key),
            (None, _) => Ok(()),
        };
        sent.err().map(|error| error.to_string())
    }

    fn acknowledge(&mut self, key: &RunRef) {
        let Some(run) = self.runs.get_mut(key) else { return };
        if let RunState::Ended { is_acknowledged, .. } = &mut run.state {
            *is_acknowledged = true;
            if let Err(error) = self.journal.write(run) {
                complain("cannot note in the journal", &error);
            }
        }
        self.bury(key);
    }

    fn forget(&mut self, unit: &str) {
        self.runs.forget(unit);
        self.pumps.forget(unit);
        self.stored.forget(unit);
        self.reports.standing.pressed.remove(unit);
        self.journal.forget(unit);
    }

    fn remember(&mut self, memo: RunMemo) {
        let key = RunRef { unit: memo.unit, run: memo.run };
        let Some(run) = self.runs.get_mut(&key) else { return };
        run.brief.memo = memo.memo;
        if let Err(error) = self.journal.write(run) {
            complain("cannot note in the journal", &error);
        }
    }

    /// Sends duplicates of what these runs have.
    fn give_custody(&mut self, id: u64, runs: &[RunRef]) {
        let mut riders = Vec::new();
        let known = runs.iter().take(CUSTODY_RUNS_MAX).filter_map(|key| self.runs.get(key));
        let entries = known.map(|run| custody_of(run, &mut riders)).collect();
        self.answer_with(id, Report::Custody { entries }, riders);
    }
}

fn custody_of(run: &Run, riders: &mut Vec<Descriptor>) -> CustodyEntry {
    let mut held = Vec::new();
    let mut add = |what: Held, descriptor: Option<io::Result<Descriptor>>| {
        if let Some(Ok(descriptor)) = descriptor {
            held.push(what);
            riders.push(descriptor);
        }
    };
    add(Held::Process, run.process().map(Process::duplicate));
    add(Held::Output, run.output.as_ref().map(|pipe| pipe.duplicate()));
    add(Held::Error, run.error.as_ref().map(|pipe| pipe.duplicate()));
    let RunRef { unit, run } = run.key();
    CustodyEntry { unit, run, held, handles: Vec::new() }
}

/// Sends a signal; who is asked to leave, or to abort, is woken up for it, as systemd does: a
/// program that was stopped would hear it only when somebody lets it go on.
fn and_wake(kind: SignalKind, send: impl Fn(SignalKind) -> io::Result<()>) -> io::Result<()> {
    send(kind)?;
    match kind {
        SignalKind::Term
        | SignalKind::Interrupt
        | SignalKind::Hangup
        | SignalKind::Quit
        | SignalKind::Abort => {
            // A system without this signal cannot have stopped the program either.
            drop(send(SignalKind::Continue));
            Ok(())
        }
        SignalKind::User1
        | SignalKind::User2
        | SignalKind::Kill
        | SignalKind::Stop
        | SignalKind::Continue => Ok(()),
    }
}

pub(super) const fn kind_of(name: SignalName) -> SignalKind {
    match name {
        SignalName::Term => SignalKind::Term,
        SignalName::Interrupt => SignalKind::Interrupt,
        SignalName::Hangup => SignalKind::Hangup,
        SignalName::Quit => SignalKind::Quit,
        SignalName::User1 => SignalKind::User1,
        SignalName::User2 => SignalKind::User2,
        SignalName::Kill => SignalKind::Kill,
        SignalName::Stop => SignalKind::Stop,
        SignalName::Continue => SignalKind::Continue,
        SignalName::Abort => SignalKind::Abort,
    }
}
