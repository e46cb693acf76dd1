//! What the end of a closed segment's index says of all of it.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::Wanted;
use crate::index::{Bounds, IndexRecord, Order, RECORD_BYTES, RunSpan};

/// So many records are about all of a segment.
const RECORDS: usize = 2;

/// The last records of an index, as far as they are about the whole segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Summary {
    bounds: Option<Bounds>,
    runs: Option<RunSpan>,
}

impl Summary {
    /// Reads that of a closed segment; an index that cannot be read, or of an older version, says
    /// nothing.
    pub(super) fn of(index: &Path) -> Self {
        let [before, last] = last_records(index).unwrap_or_default();
        match (before, last) {
            (Some(IndexRecord::Runs { runs, .. }), Some(IndexRecord::Bounds { bounds, .. })) => {
                Self { bounds: Some(bounds), runs: Some(runs) }
            }
            (_, Some(IndexRecord::Bounds { bounds, .. })) => {
                Self { bounds: Some(bounds), runs: None }
            }
            (_, Some(IndexRecord::Runs { runs, .. })) => Self { bounds: None, runs: Some(runs) },
            _ => Self::default(),
        }
    }

    /// Returns whether nothing of the segment is wanted.
    pub(super) fn is_outside(&self, wanted: Wanted) -> bool {
        let bounds = self.known_bounds();
        let is_older = |bounds: Bounds| wanted.since_ns.is_some_and(|at| bounds.latest_ns < at);
        let is_newer = |bounds: Bounds| wanted.until_ns.is_some_and(|at| bounds.earliest_ns > at);
        // Nor is a run of 0 one.
        let run = wanted.run.filter(|run| *run > 0);
        let is_of_others = |runs: RunSpan| run.is_some_and(|run| !runs.contains(run));
        bounds.is_some_and(|bounds| is_older(bounds) || is_newer(bounds))
            || self.runs.is_some_and(is_of_others)
    }

    /// Returns whether the times of the index may be looked up by halves.
    pub(super) fn rises(&self) -> bool {
        self.known_bounds().is_some_and(|bounds| bounds.order == Order::Rising)
    }

    /// Returns the bounds where they hold all times: one of 0 is none.
    fn known_bounds(&self) -> Option<Bounds> {
        self.bounds.filter(|bounds| bounds.earliest_ns > 0)
    }

    /// Returns the only run that wrote to the segment, if it was one and is known.
    pub(super) fn only_run(&self) -> Option<u64> {
        self.runs.filter(|runs| runs.lowest == runs.highest).map(|runs| runs.lowest)
    }
}

fn last_records(index: &Path) -> Option<[Option<IndexRecord>; RECORDS]> {
    let mut file = File::open(index).ok()?;
    let end = file.metadata().ok()?.len();
    let record = u64::try_from(RECORD_BYTES).ok()?;
    // A torn record behind them would be of another end.
    if end == 0 || end % record != 0 {
        return None;
    }
    let count = u64::try_from(RECORDS).ok()?.min(end / record);
    file.seek(SeekFrom::Start(end - count * record)).ok()?;
    let mut bytes = Vec::new();
    file.take(count * record).read_to_end(&mut bytes).ok()?;
    let (records, _torn) = bytes.as_chunks::<RECORD_BYTES>();
    let mut backward = records.iter().rev().map(IndexRecord::decode);
    let last = backward.next().flatten();
    Some([backward.next().flatten(), last])
}
