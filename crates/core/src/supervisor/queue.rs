//! Whose turn it is to look again: each unit once, however many called for it.

use std::collections::{BTreeSet, VecDeque};

use crate::name::UnitName;

/// Units in the order in which somebody first called for them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    order: VecDeque<UnitName>,
    waiting: BTreeSet<UnitName>,
}

impl Queue {
    pub(super) fn push_back(&mut self, name: UnitName) {
        if self.waiting.insert(name.clone()) {
            self.order.push_back(name);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<UnitName> {
        let name = self.order.pop_front()?;
        self.waiting.remove(&name);
        Some(name)
    }
}

impl Extend<UnitName> for Queue {
    fn extend<T: IntoIterator<Item = UnitName>>(&mut self, names: T) {
        names.into_iter().for_each(|name| self.push_back(name));
    }
}
