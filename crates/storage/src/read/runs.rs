//! Which runs have written to a chain.

use std::{collections::BTreeSet, fs::File, io};

use super::{seek, segments, summary::Summary};
use crate::{index::IndexRecord, segment::ChainFiles};

/// Returns the last runs that wrote to a chain, so many at most, ascending; the index knows them.
pub fn last_runs(chain: &ChainFiles, count: usize) -> io::Result<Vec<u64>> {
    let mut runs = BTreeSet::new();
    for number in segments(chain)?.into_iter().rev() {
        // Only the oldest of these can be missing here, and it is one that nobody asked for.
        if runs.len() > count {
            break;
        }
        runs.extend(runs_of(chain, number));
    }
    let surplus = runs.len().saturating_sub(count);
    Ok(runs.into_iter().skip(surplus).collect())
}

/// Returns the runs that wrote to a segment; an index that cannot be read knows none.
///
/// Where it was one, as it is of nearly all segments of a long run, the end of the index says so.
fn runs_of(chain: &ChainFiles, number: u64) -> BTreeSet<u64> {
    let mut runs = BTreeSet::new();
    if let Some(run) = Summary::of(&chain.index(number)).only_run() {
        return BTreeSet::from([run]);
    }
    let Ok(file) = File::open(chain.index(number)) else { return runs };
    let mut read = 0;
    while let Some(records) = seek::block(&file, &mut read) {
        runs.extend(records.iter().filter_map(IndexRecord::source));
    }
    runs
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::{
        fresh,
        index::{SourceFlags, Stream},
    };

    #[test]
    fn the_last_runs_are_in_as_many_segments_as_it_takes() {
        let chain = ChainFiles::new(&fresh::folder("runs"), "web");
        for (number, runs) in [(1, [1, 2].as_slice()), (2, &[2]), (3, &[2, 3, 7])] {
            let mut index = File::create(chain.index(number)).unwrap();
            for run in runs {
                let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
                let record = IndexRecord::Source { offset: 0, run: *run, stream, flags };
                index.write_all(&record.encode()).unwrap();
            }
            File::create(chain.live()).unwrap();
            chain.close(number).unwrap();
        }
        let check = |count, expected: &[u64]| {
            assert_eq!(last_runs(&chain, count).unwrap(), expected, "{count}");
        };
        check(0, &[]);
        check(1, &[7]);
        check(3, &[2, 3, 7]);
        check(9, &[1, 2, 3, 7]);
    }
}
