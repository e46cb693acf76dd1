//! The simulation itself: lives are lawful, repeatable, and mistakes are found.

use super::*;

/// Enough for every day; the gate lives a hundred times as many.
const SEEDS: u64 = 1000;

#[test]
fn a_thousand_lives_break_no_rule() {
    for seed in 0..SEEDS {
        let life = live(seed, None);
        assert_eq!(life.violation, None, "seed {seed}");
    }
}

#[test]
fn the_same_seed_is_the_same_life() {
    for seed in 0..20 {
        assert_eq!(tell(seed, None).story, tell(seed, None).story);
    }
}

#[test]
fn every_planted_mistake_is_found() {
    for plant in Plant::ALL {
        let found = (0..SEEDS * 100).find(|seed| live(*seed, Some(plant)).violation.is_some());
        assert!(found.is_some(), "{} was not found", plant.name());
    }
}
