//! What is kept on the disk, as far as the engine knows, and what it must wait for.

use std::{collections::BTreeMap, time::Duration};

use crate::engine::{
    input::{Effect, Event, Now},
    state::{Hold, Kept, State},
};

/// A disk that does not answer is not waited for any longer.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How soon a disk that refused is tried again.
const AGAIN: Duration = Duration::from_mins(1);
/// So much is kept of what is not configured any more: it may come back, with its holds.
const OTHERS_MAX: usize = 1000;

/// What is known of the state on the disk.
#[derive(Debug)]
pub(super) struct Ledger {
    revision: u64,
    is_dirty: bool,
    is_refused: bool,
    again: Option<Duration>,
    others: State,
}

impl Ledger {
    /// Returns one that knows what is kept of whom the plan does not name.
    pub(super) fn new(mut others: State) -> Self {
        truncate::<Kept>(&mut others.bindings);
        truncate::<Hold>(&mut others.accounts);
        Self { revision: 0, is_dirty: false, is_refused: false, again: None, others }
    }

    /// Something has changed that must outlive the engine; returns the revision that has it.
    pub(super) const fn note(&mut self) -> u64 {
        self.is_dirty = true;
        self.revision + 1
    }

    /// Returns when something is to be done.
    pub(super) const fn wakes(&self) -> Option<Duration> {
        self.again
    }

    /// Asks for what is new to be kept.
    pub(super) fn advance(
        &mut self,
        now: Now,
        state: impl FnOnce() -> State,
        effects: &mut Vec<Effect>,
    ) {
        let is_again = self.again.is_some_and(|again| again <= now.at);
        if !self.is_dirty && !is_again {
            return;
        }
        self.is_dirty = false;
        self.again = None;
        self.revision += 1;
        effects.push(Effect::Persist { revision: self.revision, state: self.with_others(state()) });
    }

    /// Returns a state together with what is kept of whom the plan does not name.
    pub(super) fn with_others(&self, mut state: State) -> State {
        for (id, kept) in &self.others.bindings {
            state.bindings.entry(id.clone()).or_insert_with(|| kept.clone());
        }
        for (name, hold) in &self.others.accounts {
            state.accounts.entry(name.clone()).or_insert_with(|| hold.clone());
        }
        state
    }

    /// The disk answers, or does not.
    pub(super) fn answered(
        &mut self,
        result: &Result<(), String>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        match result {
            Ok(()) if self.is_refused => effects.push(Effect::Tell(Event::KeptAgain)),
            Err(why) if !self.is_refused => {
                effects.push(Effect::Tell(Event::NotKept { why: why.clone() }));
            }
            Ok(()) | Err(_) => {}
        }
        self.is_refused = result.is_err();
        self.again = result.is_err().then(|| now.at + AGAIN);
    }
}

fn truncate<T>(map: &mut BTreeMap<String, T>) {
    while map.len() > OTHERS_MAX {
        map.pop_last();
    }
}
