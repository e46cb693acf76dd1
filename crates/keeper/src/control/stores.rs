//! What is stored for units: on request, and told to every new owner.

use std::collections::VecDeque;

use mainstay_api::keeper::{
    DESCRIPTORS_MAX, Deposited, INPUT_BYTES_MAX, Report, STORE_SINCE, Spawn, StoreEntry, check_unit,
};
use mainstay_platform::{descriptor::Descriptor, spawn::CAN_LISTEN};

use super::Control;
use crate::{note::complain, owner::Conversation, spawner::NotStarted, store::Stored};

impl Control {
    /// Stores what rides along, one descriptor for each entry.
    pub(super) fn store(
        &mut self,
        id: u64,
        entries: Vec<StoreEntry>,
        riders: &mut VecDeque<Descriptor>,
    ) {
        let mut answers = Vec::with_capacity(entries.len());
        for entry in entries {
            let stored = self.stored.put(&entry, riders.pop_front());
            let refused = stored.err().map(|error| error.to_string());
            answers.push(Deposited { unit: entry.unit, name: entry.name, refused });
        }
        self.answer(id, Report::Deposited(answers));
    }

    pub(super) fn unstore(&mut self, id: u64, entries: &[StoreEntry]) {
        for entry in entries {
            self.stored.remove(entry);
        }
        self.answer(id, Report::Done);
    }

    /// Gives a new owner duplicates of everything, if it understands what that is.
    pub(super) fn tell_what_is_stored(&mut self) {
        if self.agents.owner.as_ref().map_or(0, Conversation::protocol) < STORE_SINCE {
            return;
        }
        let (mut entries, mut riders) = (Vec::new(), Vec::new());
        for (entry, descriptor) in self.stored.iter() {
            match descriptor.try_clone() {
                Ok(duplicate) => {
                    entries.push(entry);
                    riders.push(duplicate);
                }
                Err(error) => complain("cannot hand over what is stored", &error),
            }
        }
        let mut riders = riders.into_iter();
        for entries in entries.chunks(DESCRIPTORS_MAX) {
            let riders = riders.by_ref().take(entries.len()).collect();
            self.answer_with(0, Report::Stored { entries: entries.to_vec() }, riders);
        }
    }

    /// Returns what a program is to get of what is stored; an error when it cannot be started as
    /// it was ordered.
    pub(super) fn stored_for(&self, spawn: &Spawn) -> Result<Vec<Stored>, NotStarted> {
        check_unit(&spawn.unit).map_err(|error| NotStarted::refused("unit", &error))?;
        let input = spawn.input.as_ref().map_or(0, |input| input.expose().len());
        if input > INPUT_BYTES_MAX {
            let message = format!("its input has {input} bytes, more than {INPUT_BYTES_MAX}");
            return Err(NotStarted::refused("input", &message));
        }
        if !CAN_LISTEN && !spawn.listen.is_empty() {
            let message = "this system cannot pass descriptors on to programs";
            return Err(NotStarted::refused("listen", &message));
        }
        let stored = self.stored.find(&spawn.unit, &spawn.listen);
        stored.map_err(|error| NotStarted::refused("listen", &error))
    }
}
