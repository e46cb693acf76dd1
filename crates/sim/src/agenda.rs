//! What will happen, and when.

use std::collections::BTreeMap;

use mainstay_core::{Exit, Moment, Notice, Outcome, Probe};

use crate::{
    machine::Identity,
    wire::{Key, Report, Request},
};

/// Something that happens at a moment.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// A frame of the agent of one life reaches the keeper of another.
    ToKeeper { from: u64, to: u64, request: Request },
    /// A frame of the keeper of one life reaches the agent of another.
    ToAgent { from: u64, to: u64, report: Report },
    /// The keeper of one life sees that the agent of another is gone.
    HungUp { from: u64, to: u64 },
    /// The agent of this life sees that the keeper of that life is gone.
    LinkLost { from: u64, to: u64 },
    /// A start of the keeper's `life`th life comes to its end.
    Cloned { life: u64, key: Key },
    /// A process ends.
    Ends { who: Identity, exit: Exit },
    /// What a run left behind is gone.
    Swept { life: u64, key: Key },
    /// The last one who held the pipe of an acknowledged run lets go of it.
    Drained { life: u64, key: Key },
    /// The system tells a keeper how somebody else's child ended.
    Amended { life: u64, key: Key, exit: Exit },
    /// A program says something of itself.
    Says { who: Identity, key: Key, notice: Notice },
    /// A program stops working.
    Sickens { who: Identity },
    /// An agent may look what programs have said.
    Readable,
    /// A look of the agent of this life shows something.
    Seen { life: u64, key: Key, probe: Probe, outcome: Outcome },
    /// Somebody starts a keeper.
    KeeperBorn,
    /// The keeper starts an agent.
    AgentBorn,
    /// Events of the agent of this life up to this one are on the disk.
    Synced { life: u64, up_to: u64 },
    /// Something goes wrong, or somebody wants something.
    Storm,
    /// The storm is over.
    Calm,
}

/// What will happen, by moment; things of the same moment in the order in which they were planned.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    planned: BTreeMap<(Moment, u64), Happening>,
    number: u64,
}

impl Agenda {
    pub(crate) fn plan(&mut self, at: Moment, happening: Happening) {
        self.number += 1;
        self.planned.insert((at, self.number), happening);
    }

    pub(crate) fn next_at(&self) -> Option<Moment> {
        self.planned.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<(Moment, Happening)> {
        self.planned.pop_first().map(|((at, _), happening)| (at, happening))
    }

    /// Returns how many planned things fit.
    pub(crate) fn count(&self, fits: impl Fn(&Happening) -> bool) -> usize {
        self.planned.values().filter(|happening| fits(happening)).count()
    }

    /// Returns the number of what was planned last.
    pub(crate) const fn latest(&self) -> u64 {
        self.number
    }

    /// Returns the runs on which something is about to be written.
    pub(crate) fn memos(&self) -> impl Iterator<Item = &Key> {
        self.planned.values().filter_map(|happening| {
            let Happening::ToKeeper { request: Request::Memo { key, .. }, .. } = happening else {
                return None;
            };
            Some(key)
        })
    }

    /// Returns how many planned things fit that were planned up to a number.
    pub(crate) fn count_up_to(&self, number: u64, fits: impl Fn(&Happening) -> bool) -> usize {
        let early = self.planned.iter().filter(|((_, own), _)| *own <= number);
        early.filter(|(_, happening)| fits(happening)).count()
    }

    /// Removes what fits, but for the first `keep`; returns the moment of the last one kept.
    pub(crate) fn cut(&mut self, keep: usize, fits: impl Fn(&Happening) -> bool) -> Option<Moment> {
        let (mut seen, mut last) = (0, None);
        self.planned.retain(|(at, _), happening| {
            if !fits(happening) {
                return true;
            }
            seen += 1;
            if seen <= keep {
                last = Some(*at);
            }
            seen <= keep
        });
        last
    }
}
