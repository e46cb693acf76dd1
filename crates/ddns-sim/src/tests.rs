//! The simulation itself: lives are lawful, repeatable, and mistakes are found.

use std::collections::BTreeSet;

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
        let found = (0..SEEDS * 10).find(|seed| live(*seed, Some(plant)).violation.is_some());
        assert!(found.is_some(), "{} was not found", plant.name());
    }
}

#[test]
fn every_rule_is_broken_by_some_mistake() {
    let lives = Plant::ALL.into_iter().flat_map(|plant| (0..300).map(move |seed| (seed, plant)));
    let broken = lives.filter_map(|(seed, plant)| live(seed, Some(plant)).violation);
    let rules: BTreeSet<&str> = broken.map(|violation| violation.rule).collect();
    let expected = [
        "an account has no more requests than it bears",
        "every life comes to rest",
        "nobody is asked who has called us a nuisance",
        "nothing is asked for while nothing changes",
        "nothing is written that is there already",
        "only addresses are published that this machine has had",
        "two writes of one name keep their distance",
        "what is published stays published",
        "what is wanted is published in the end",
        "whoever wants to be left alone is left alone",
    ];
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), expected);
}
