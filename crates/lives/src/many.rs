//! Many lives at once, as many as the machine has processors.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Live, command_line::Seeds};

/// What became of many lives.
#[derive(Debug)]
pub(crate) struct Many {
    /// The lowest seed whose life broke a rule.
    pub(crate) worst: Option<u64>,
    /// How many things happened in all of them.
    pub(crate) steps: u64,
    /// How long they took us.
    pub(crate) took: Duration,
}

/// Lives them all; after one that breaks a rule, only those of lower seeds.
#[expect(clippy::disallowed_methods, reason = "a life does not see how long it takes us")]
pub(crate) fn live<P: Copy + Sync>(one: Live<P>, seeds: Seeds, plant: Option<P>) -> Many {
    let began = Instant::now();
    let end = seeds.from.saturating_add(seeds.count);
    let (next, steps) = (AtomicU64::new(seeds.from), AtomicU64::new(0));
    let worst = AtomicU64::new(u64::MAX);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || seed > worst.load(Ordering::Relaxed) {
                return;
            }
            let life = one(seed, plant);
            steps.fetch_add(life.steps, Ordering::Relaxed);
            if life.violation.is_some() {
                worst.fetch_min(seed, Ordering::Relaxed);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let worst = Some(worst.into_inner()).filter(|seed| *seed != u64::MAX);
    Many { worst, steps: steps.into_inner(), took: began.elapsed() }
}

#[cfg(test)]
mod tests {
    use crate::{Life, Violation};

    use super::*;

    /// Every seventh life is unlawful, from 20 on.
    fn lawless(seed: u64, _plant: Option<()>) -> Life {
        let is_lawful = seed < 20 || !seed.is_multiple_of(7);
        let violation = Violation { rule: "no sevens", details: String::new() };
        Life { violation: (!is_lawful).then_some(violation), steps: 2, story: Vec::new() }
    }

    #[test]
    fn the_lowest_bad_seed_is_found() {
        assert_eq!(live(lawless, Seeds { from: 0, count: 1000 }, None).worst, Some(21));
        assert_eq!(live(lawless, Seeds { from: 22, count: 7 }, None).worst, Some(28));
        let good = live(lawless, Seeds { from: 1, count: 19 }, None);
        assert_eq!((good.worst, good.steps), (None, 38));
    }
}
