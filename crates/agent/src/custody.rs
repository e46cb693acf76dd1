//! Descriptors of running programs, held beside the keeper: its death loses neither what waits in
//! a pipe nor how a program ended.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mainstay_api::keeper::{CUSTODY_RUNS_MAX, CustodyEntry, CustodyRequest, Held, Request, RunRef};
use mainstay_platform::descriptor::Descriptor;

/// Runs that were started faster than they could be asked for are left out beyond this.
const WANTED_MAX: usize = 10_000;

/// What is held, and what is still to be asked for.
#[derive(Debug, Default)]
pub(crate) struct Custody {
    wanted: VecDeque<RunRef>,
    /// What was asked for and is still needed.
    asked: BTreeSet<RunRef>,
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
        let run = RunRef { unit: unit.to_owned(), run };
        self.wanted.retain(|wanted| *wanted != run);
        self.asked.remove(&run);
        self.held.remove(&run);
    }

    /// Keeps what belongs to runs that another keeper knows: of others, nobody says any more that
    /// they are drained.
    pub(crate) fn keep_only(&mut self, known: &BTreeSet<RunRef>) {
        self.wanted.retain(|run| known.contains(run));
        self.asked.clear();
        self.held.retain(|run, _| known.contains(run));
    }

    /// Returns the next question, when the last one was answered.
    pub(crate) fn question(&mut self) -> Option<Request> {
        if self.is_asking || self.wanted.is_empty() {
            return None;
        }
        self.is_asking = true;
        let count = self.wanted.len().min(CUSTODY_RUNS_MAX);
        let runs: Vec<RunRef> = self.wanted.drain(..count).collect();
        self.asked = runs.iter().cloned().collect();
        Some(Request::Custody(CustodyRequest::Take(runs)))
    }

    /// Takes an answer with what rode along, in the order of its entries, but for what is needed
    /// no more: a run may have been drained while the answer was under way.
    pub(crate) fn take(&mut self, entries: Vec<CustodyEntry>, descriptors: Vec<Descriptor>) {
        self.is_asking = false;
        let mut riders = descriptors.into_iter();
        for entry in entries {
            let held: Vec<Keepsake> = entry.held.into_iter().zip(riders.by_ref()).collect();
            let run = RunRef { unit: entry.unit, run: entry.run };
            if !held.is_empty() && self.asked.remove(&run) {
                self.held.insert(run, held);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drained_before_it_arrives_is_not_held() {
        let mut custody = Custody::default();
        for run in 1..=3 {
            custody.want("web", run);
        }
        assert!(custody.question().is_some());
        custody.release("web", 2);
        let entry = |run| CustodyEntry {
            unit: "web".to_owned(),
            run,
            held: vec![Held::Output],
            handles: Vec::new(),
        };
        custody.take(vec![entry(1), entry(2), entry(3)], vec![rider(), rider(), rider()]);
        assert_eq!(held(&custody), [1, 3]);
        custody.release("web", 1);
        assert_eq!(held(&custody), [3]);
    }

    #[test]
    fn what_is_drained_before_it_was_asked_for_is_not_asked_for() {
        let mut custody = Custody::default();
        custody.want("web", 1);
        custody.release("web", 1);
        assert!(custody.question().is_none());
    }

    fn held(custody: &Custody) -> Vec<u64> {
        custody.held.keys().map(|run| run.run).collect()
    }

    fn rider() -> Descriptor {
        let (reader, _writer) = std::io::pipe().unwrap();
        Descriptor::from(reader)
    }
}
