//! What the next engine does when this one was killed.

use super::*;

/// Returns a stage on which a write was begun and the engine died.
fn killed_while_writing(reading: Reading) -> Stage {
    let mut stage = Stage::new(plan(reading, 1));
    stage.sees(ONE);
    if reading == Reading::Possible {
        stage.reads(0, TWO);
    }
    stage.take_write(0);
    stage
}

#[test]
fn what_was_published_is_not_written_again() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.writes(0);
    let mut stage = stage.restarted(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Published));
    stage.quiet(DAY, ONE);
    assert_eq!(stage.asked, []);
}

#[test]
fn who_can_read_looks_at_once_whether_the_last_write_came_to_its_end() {
    let mut stage = killed_while_writing(Reading::Possible).restarted(plan(Reading::Possible, 1));
    stage.sees(ONE);
    stage.reads(0, ONE);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Published));
    assert_eq!(stage.disk.bindings["acct/n0.example.org/A"].intent, None);
}

#[test]
fn what_was_published_a_moment_ago_is_read_at_once_by_who_can() {
    let mut stage = killed_while_writing(Reading::Possible);
    stage.tell(Input::Wrote { binding: 0, result: Ok(good()) });
    let mut stage = stage.restarted(plan(Reading::Possible, 1));
    stage.sees(ONE);
    assert_eq!(stage.phase(0), Phase::Pending);
    stage.reads(0, ONE);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Published));
}

#[test]
fn what_did_not_come_to_its_end_is_looked_at_twice_and_written_after_the_floor() {
    let mut stage = killed_while_writing(Reading::Possible).restarted(plan(Reading::Possible, 1));
    stage.sees(ONE);
    stage.reads(0, TWO);
    stage.quiet(9 * SECOND, ONE);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Pending));
    stage.quiet(2 * SECOND, ONE);
    stage.reads(0, TWO);
    assert_eq!(stage.writes(0), addresses(ONE));
    assert_eq!(stage.phase(0), Phase::Published);
}

#[test]
fn who_cannot_read_writes_once_more_and_not_at_once() {
    let mut stage =
        killed_while_writing(Reading::Impossible).restarted(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.quiet(59 * SECOND, ONE);
    assert_eq!(stage.asked, []);
    stage.quiet(2 * MINUTE, ONE);
    assert_eq!(stage.writes(0), addresses(ONE));
    stage.quiet(DAY, ONE);
    assert_eq!(stage.asked, []);
    assert!(!stage.told.iter().any(|event| matches!(event, Event::Recovered { .. })));
}

#[test]
fn who_dies_of_every_write_writes_ever_more_seldom() {
    let mut stage = killed_while_writing(Reading::Impossible);
    let began = stage.now.wall;
    for _ in 0..12 {
        stage = stage.restarted(plan(Reading::Impossible, 1));
        stage.sees(ONE);
        stage.quiet(2 * HOUR, ONE);
        stage.take_write(0);
    }
    assert!(stage.now.wall - began > 2 * 3600, "{}", stage.now.wall - began);
}

#[test]
fn the_floor_between_two_writes_outlives_the_engine() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.writes(0);
    stage.skip_to(10 * SECOND);
    let mut stage = stage.restarted(plan(Reading::Impossible, 1));
    stage.sees(TWO);
    stage.quiet(49 * SECOND, TWO);
    assert_eq!(stage.asked, []);
    stage.quiet(5 * SECOND, TWO);
    assert_eq!(stage.writes(0), addresses(TWO));
}

#[test]
fn a_clock_that_was_set_makes_nobody_wait_for_years() {
    for set in [-400, 400_i64] {
        let mut stage = Stage::new(plan(Reading::Impossible, 1));
        stage.sees(ONE);
        stage.write_fails(0, failure(Class::RateLimited, "429"));
        stage.now.wall += set * 86_400;
        let mut stage = stage.restarted(plan(Reading::Impossible, 1));
        stage.sees(ONE);
        stage.quiet(30 * HOUR, ONE);
        assert_eq!(stage.writes(0), addresses(ONE), "{set}");
    }
}

/// Lets the wall clock be right, after it has stood at the beginning of all time.
fn learns_the_time(stage: &mut Stage, wall: i64) {
    stage.now.wall = wall;
    stage.pass(Duration::ZERO);
}

#[test]
fn a_machine_that_wakes_up_in_1970_writes_nothing_for_that() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.writes(0);
    for _ in 0..2 {
        stage.now.wall = 0;
        stage = stage.restarted(plan(Reading::Impossible, 1));
        stage.sees(ONE);
        stage.quiet(MINUTE, ONE);
    }
    learns_the_time(&mut stage, WALL + 7200);
    stage.quiet(DAY, ONE);
    assert_eq!(stage.asked, []);
    // What is due is due by the right time.
    stage.quiet(24 * DAY, ONE);
    assert_eq!(stage.writes(0), addresses(ONE));
    assert!(stage.now.wall - WALL < 26 * 86_400, "{}", stage.now.wall - WALL);
}

#[test]
fn a_machine_that_wakes_up_in_1970_does_not_wait_for_what_was_before() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    for _ in 0..8 {
        stage.quiet(2 * HOUR, ONE);
        stage.write_fails(0, failure(Class::Transient, "timeout"));
    }
    stage.now.wall = 0;
    let mut stage = stage.restarted(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.quiet(2 * MINUTE, ONE);
    assert_eq!(stage.writes(0), addresses(ONE));
}

#[test]
fn patience_and_parking_outlive_the_engine() {
    for class in [Class::RateLimited, Class::Parked] {
        let mut stage = Stage::new(plan(Reading::Impossible, 1));
        stage.sees(ONE);
        stage.write_fails(0, failure(class, "no").after(Some(2 * HOUR)).of_account());
        stage.skip_to(MINUTE);
        let mut stage = stage.restarted(plan(Reading::Impossible, 1));
        stage.sees(TWO);
        stage.quiet(118 * MINUTE, TWO);
        assert_eq!(stage.asked, [], "{class:?}");
        assert_eq!(stage.view(0).why.as_deref(), Some("the provider says no"));
    }
}

#[test]
fn another_configuration_brings_back_what_was_parked_but_no_patience() {
    for (class, is_back) in [(Class::RateLimited, false), (Class::Parked, true)] {
        for of_account in [false, true] {
            let mut stage = Stage::new(plan(Reading::Impossible, 1));
            stage.sees(ONE);
            let failure = failure(class, "abuse");
            let failure = if of_account { failure.of_account() } else { failure };
            stage.write_fails(0, failure);
            stage.skip_to(2 * MINUTE);
            let mut other = plan(Reading::Impossible, 1);
            other.accounts[0].digest += 1;
            let mut stage = stage.restarted(other);
            stage.sees(TWO);
            stage.quiet(3 * MINUTE, TWO);
            assert_eq!(!stage.asked.is_empty(), is_back, "{class:?}");
        }
    }
}

#[test]
fn what_was_refused_is_tried_at_once_with_another_configuration() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.write_fails(0, failure(Class::Parked, "badauth").of_account());
    stage.skip_to(SECOND);
    let mut other = plan(Reading::Impossible, 1);
    other.accounts[0].digest += 1;
    let mut stage = stage.restarted(other);
    stage.sees(ONE);
    stage.quiet(SECOND, ONE);
    assert_eq!(stage.writes(0), addresses(ONE));
}

#[test]
fn another_configuration_is_written_once() {
    for reading in [Reading::Possible, Reading::Impossible] {
        let mut stage = Stage::new(plan(reading, 1));
        stage.sees(ONE);
        if reading == Reading::Possible {
            stage.reads(0, TWO);
        }
        stage.writes(0);
        let mut other = plan(reading, 1);
        other.bindings[0].digest += 1;
        let mut stage = stage.restarted(other);
        stage.sees(ONE);
        stage.quiet(2 * MINUTE, ONE);
        if reading == Reading::Possible {
            stage.reads(0, ONE);
        }
        assert_eq!(stage.writes(0), addresses(ONE));
        stage.quiet(20 * HOUR, ONE);
        assert_eq!(stage.asked, []);
    }
}

#[test]
fn what_is_not_configured_any_more_keeps_its_holds() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.write_fails(0, failure(Class::Parked, "abuse").of_account());
    let mut other = plan(Reading::Impossible, 1);
    other.accounts[0].name = "other".to_owned();
    other.bindings[0].id = "other/n0.example.org/A".to_owned();
    let mut stage = stage.restarted(other);
    stage.sees(ONE);
    stage.writes(0);
    let mut stage = stage.restarted(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.quiet(DAY, ONE);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Parked));
}
