//! Programs that are frozen on request, and go on: whoever asks is answered once the keeper has
//! done so, by when it has also noted what the next agent has to know.

use std::collections::BTreeSet;

use mainstay_api::{
    control::CommandAnswer,
    keeper::{Reach, Signal, SignalName, Signalled},
};
use mainstay_core::{Input, UnitName};

use crate::{calls::Reply, daemon::Agent};

/// What the keeper was asked for, and who waits for that.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    /// In this turn.
    asked: BTreeSet<Asked>,
    debts: Vec<Debt>,
}

/// A run, by the name of its unit, and what it was sent.
type Asked = (String, u64, IsFrozen);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum IsFrozen {
    Yes,
    No,
}

/// An answer that waits for the keeper.
#[derive(Debug)]
struct Debt {
    open: BTreeSet<Asked>,
    reply: Reply<CommandAnswer>,
    answer: CommandAnswer,
}

impl Debt {
    /// Notes what came of a signal.
    fn settle(&mut self, asked: &Asked, refused: Option<&str>) {
        let Some(reason) = refused.filter(|_| self.open.contains(asked)) else {
            self.open.remove(asked);
            return;
        };
        self.open.remove(asked);
        let name = &asked.0;
        let text = match asked.2 {
            IsFrozen::Yes => format!("`{name}` could not be paused: {reason}"),
            IsFrozen::No => format!("`{name}` could not be resumed: {reason}"),
        };
        let unit = self.answer.units.iter_mut().find(|unit| unit.unit == asked.0);
        if let Some(unit) = unit {
            unit.refused = Some(text);
        }
    }
}

impl Agent {
    /// Has every process of a run stand still.
    pub(crate) fn freeze(&mut self, unit: &UnitName, run: u64) {
        let (unit, signal) = (unit.to_string(), SignalName::Stop);
        self.pauses.asked.insert((unit.clone(), run, IsFrozen::Yes));
        self.outbox.signals.push(Signal { unit, run, signal, reach: Reach::Group });
    }

    /// Lets every process of a run go on, and takes back what is not sent yet.
    pub(crate) fn thaw(&mut self, unit: &UnitName, run: u64) {
        let (unit, signal) = (unit.to_string(), SignalName::Continue);
        self.outbox.signals.retain(|other| {
            other.signal != SignalName::Stop || other.run != run || other.unit != unit
        });
        self.pauses.asked.insert((unit.clone(), run, IsFrozen::No));
        self.outbox.thaws.push(Signal { unit, run, signal, reach: Reach::Group });
    }

    /// Nothing of what was asked for before is what somebody waits for now.
    pub(crate) fn begin_pauses(&mut self) {
        self.pauses.asked.clear();
    }

    /// Gives an answer once the keeper has done what was asked for since.
    pub(crate) fn owe_pauses(&mut self, reply: Reply<CommandAnswer>, answer: CommandAnswer) {
        let open = std::mem::take(&mut self.pauses.asked);
        self.pauses.debts.push(Debt { open, reply, answer });
        self.settle_pauses();
    }

    /// The keeper tells what came of a signal.
    pub(crate) fn signalled(&mut self, signalled: Signalled) {
        let Signalled { unit, run, signal, refused } = signalled;
        let is_frozen = match signal {
            Some(SignalName::Stop) => IsFrozen::Yes,
            Some(SignalName::Continue) => IsFrozen::No,
            // One of an earlier version: whoever waits is told no more than that it was sent.
            None => return self.forgive_pauses(&unit, run),
            Some(_) => return,
        };
        let asked = (unit, run, is_frozen);
        for debt in &mut self.pauses.debts {
            debt.settle(&asked, refused.as_deref());
        }
        self.settle_pauses();
        if let (Some(reason), IsFrozen::Yes) = (refused, is_frozen)
            && let Ok(unit) = UnitName::parse(&asked.0)
        {
            self.take(Input::NotPaused { unit, run, reason });
        }
    }

    fn forgive_pauses(&mut self, unit: &str, run: u64) {
        for debt in &mut self.pauses.debts {
            debt.open.retain(|(other, of, _)| other != unit || *of != run);
        }
        self.settle_pauses();
    }

    /// Another keeper was told everything once more: nobody waits for the former.
    pub(crate) fn forgive_all_pauses(&mut self) {
        for debt in &mut self.pauses.debts {
            debt.open.clear();
        }
        self.settle_pauses();
    }

    fn settle_pauses(&mut self) {
        for debt in self.pauses.debts.extract_if(.., |debt| debt.open.is_empty()) {
            drop(debt.reply.send(Ok(debt.answer)));
        }
    }
}
