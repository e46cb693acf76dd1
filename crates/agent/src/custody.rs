//! Descriptors of running programs, held beside the keeper: its death loses neither what waits in
//! a pipe nor how a program ended.

use std::collections::{BTreeMap, VecDeque};

use mainstay_api::keeper::{CUSTODY_RUNS_MAX, CustodyEntry, CustodyRequest, Held, Request, RunRef};
use mainstay_platform::descriptor::Descriptor;

/// Runs that were started faster than they could be asked for are left out beyond this.
const WANTED_MAX: usize = 10_000;

/// What is held, and what is still to be asked for.
#[derive(Debug, Default)]
pub(crate) struct Custody {
    wanted: VecDeque<RunRef>,
    held: BTreeMap<RunRef, Vec<Keepsake>>,
    is_asking: bool,
}

/// A descriptor and what it is.
type Keepsake = (Held, Descriptor);

fn duplicate((kind, descriptor): &Keepsake) -> Option<Keepsake> {
    Some((*kind, descriptor.try_clone().ok()?))
}

/// A part of what is held, ready to be given to a new keeper.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    pub(crate) entries: Vec<CustodyEntry>,
    pub(crate) descriptors: Vec<Descriptor>,
}

impl Custody {
    /// A run has begun or was adopted.
    pub(crate) fn want(&mut self, unit: &str, run: u64) {
        if self.wanted.len() < WANTED_MAX {
            self.wanted.push_back(RunRef { unit: unit.to_owned(), run });
        }
    }

    /// Nothing of a run is needed any more.
    pub(crate) fn release(&mut self, unit: &str, run: u64) {
        self.held.remove(&RunRef { unit: unit.to_owned(), run });
    }

    /// Returns the next question, when the last one was answered.
    pub(crate) fn question(&mut self) -> Option<Request> {
        if self.is_asking || self.wanted.is_empty() {
            return None;
        }
        self.is_asking = true;
        let count = self.wanted.len().min(CUSTODY_RUNS_MAX);
        Some(Request::Custody(CustodyRequest::Take(self.wanted.drain(..count).collect())))
    }

    /// Takes an answer with what rode along, in the order of its entries.
    pub(crate) fn take(&mut self, entries: Vec<CustodyEntry>, descriptors: Vec<Descriptor>) {
        self.is_asking = false;
        let mut riders = descriptors.into_iter();
        for entry in entries {
            let held: Vec<Keepsake> = entry.held.into_iter().zip(riders.by_ref()).collect();
            if !held.is_empty() {
                self.held.insert(RunRef { unit: entry.unit, run: entry.run }, held);
            }
        }
    }

    /// Returns duplicates of everything that is held, in parcels, for a new keeper.
    ///
    /// What is ours stays until the new keeper says that all is in the file: it may die as well.
    pub(crate) fn parcels(&mut self) -> Vec<Parcel> {
        self.is_asking = false;
        let mut parcels = Vec::new();
        for (index, (run, held)) in self.held.iter().enumerate() {
            if index % CUSTODY_RUNS_MAX == 0 {
                parcels.push(Parcel::default());
            }
            let Some(parcel) = parcels.last_mut() else { continue };
            let duplicates = held.iter().filter_map(duplicate);
            let (kinds, descriptors): (Vec<Held>, Vec<Descriptor>) = duplicates.unzip();
            let RunRef { unit, run } = run.clone();
            parcel.entries.push(CustodyEntry { unit, run, held: kinds, handles: Vec::new() });
            parcel.descriptors.extend(descriptors);
        }
        parcels
    }
}
