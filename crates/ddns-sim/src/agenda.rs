//! What will happen, and when.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use mainstay_ddns::engine::{input::Input, state::State};

/// A request that is on its way.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    /// Which.
    pub(crate) number: u64,
    /// Of which life of the engine.
    pub(crate) life: u64,
    /// Of which binding.
    pub(crate) binding: usize,
    /// When the engine asked for it, by its own clock.
    pub(crate) sent: Duration,
    /// What is written; nothing is read only.
    pub(crate) want: Option<Vec<IpAddr>>,
}

/// Something that happens at a moment.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A request reaches its provider.
    Arrives(Flight),
    /// The engine of this life is told what came of a request.
    Answered(Flight, Box<Input>),
    /// A source of a sight answers the engine of this life.
    Seen { life: u64, sight: usize, source: usize },
    /// The authoritative servers answer the engine of this life.
    LookedUp { life: u64, binding: usize },
    /// A state is on the disk, or cannot be put there.
    Persisted { life: u64, revision: u64, state: Box<State>, is_kept: bool },
    /// The network changes once more.
    Flap,
    /// Somebody starts an engine.
    Born,
    /// Something goes wrong, or somebody wants something.
    Storm,
    /// The storm is over.
    Calm,
    /// The calm has lasted so long that something must hold.
    Look,
}

/// What will happen, by moment; things of the same moment in the order in which they were planned.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    planned: BTreeMap<(Duration, u64), Happening>,
    number: u64,
}

impl Agenda {
    pub(crate) fn plan(&mut self, at: Duration, happening: Happening) {
        self.number += 1;
        self.planned.insert((at, self.number), happening);
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.planned.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn take(&mut self) -> Option<Happening> {
        self.planned.pop_first().map(|(_, happening)| happening)
    }
}
