//! What the agent keeps on the disk: the configuration, wishes, and events once they are synced.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mainstay_core::{Service, ServiceName, UnitName, Wish};

use crate::wire::Key;

/// Survives everything.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) services: Vec<Service>,
    /// Whose programs are told, as they begin, to say that they are alive.
    pub(crate) watched: BTreeSet<ServiceName>,
    pub(crate) wishes: BTreeMap<UnitName, Wish>,
    pub(crate) events: Vec<Event>,
}

/// What matters of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Exited(Key),
    /// The machine was switched off and on again.
    Rebooted,
    /// The unit moved to another state, with this run as its last.
    Changed(Key),
}

/// Events that are written and not synced yet, with their numbers.
pub(crate) type Unsynced = VecDeque<(u64, Event)>;

impl Disk {
    pub(crate) fn all_wishes(&self) -> Vec<Wish> {
        self.wishes.values().cloned().collect()
    }
}
