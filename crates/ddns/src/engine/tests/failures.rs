//! What follows a failure, class by class.

use super::*;

fn failing(reading: Reading, names: usize) -> Stage {
    let mut stage = Stage::new(plan(reading, names));
    stage.sees(ONE);
    stage
}

#[test]
fn what_may_be_over_soon_is_tried_again_ever_more_slowly() {
    let mut stage = failing(Reading::Impossible, 1);
    let mut waits = Vec::new();
    for _ in 0..12 {
        let before = stage.now.at;
        stage.write_fails(0, failure(Class::Transient, "911"));
        assert_eq!(stage.phase(0), Phase::BackingOff);
        stage.quiet(2 * HOUR, ONE);
        waits.push((stage.now.at.saturating_sub(before)).as_secs());
    }
    assert!(waits.iter().all(|wait| (60..=3600).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait > 1200), "{waits:?}");
    // It is told once, and once more when it is over.
    stage.writes(0);
    let told: Vec<&Event> = stage.told[1..].iter().collect();
    assert!(matches!(
        told.as_slice(),
        [
            Event::Failed { class: Class::Transient, again: Some(_), .. },
            Event::Published { .. },
            Event::Recovered { failures: 12, .. }
        ]
    ));
    let view = stage.view(0);
    assert_eq!((view.failures, view.why, view.failed[&Class::Transient]), (0, None, 12));
}

#[test]
fn another_network_brings_only_what_may_be_over_soon_back() {
    let mut stage = failing(Reading::Impossible, 2);
    stage.write_fails(0, failure(Class::Transient, "connect"));
    stage.write_fails(1, failure(Class::RateLimited, "429"));
    stage.tell(Input::NetworkChanged);
    stage.quiet(9 * SECOND, ONE);
    // Who was not reached need not be left alone.
    assert_eq!(stage.writes(0), addresses(ONE));
    for _ in 0..20 {
        stage.tell(Input::NetworkChanged);
        stage.quiet(25 * SECOND, ONE);
        assert_eq!(stage.asked, []);
    }
}

#[test]
fn another_network_does_not_undercut_the_floor_of_who_was_reached() {
    let mut stage = failing(Reading::Impossible, 1);
    stage.write_fails(0, failure(Class::Transient, "911"));
    let failed_at = stage.now.at;
    for _ in 0..30 {
        stage.tell(Input::NetworkChanged);
        stage.quiet(4 * SECOND, ONE);
        if !stage.asked.is_empty() {
            break;
        }
    }
    stage.take_write(0);
    assert!(stage.now.at.saturating_sub(failed_at) >= Floors::DYNDNS.transient);
}

#[test]
fn who_asks_for_patience_gets_it_whatever_happens() {
    let mut stage = failing(Reading::Impossible, 1);
    let limited = failure(Class::RateLimited, "429").after(Some(2 * HOUR));
    stage.write_fails(0, limited);
    stage.tell(Input::NetworkChanged);
    stage.tell(Input::Update { bindings: Vec::new() });
    stage.quiet(HOUR, TWO);
    stage.quiet(59 * MINUTE + 59 * SECOND, TWO);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::BackingOff));
    stage.quiet(HOUR, TWO);
    assert_eq!(stage.writes(0), addresses(TWO));
}

#[test]
fn a_parked_binding_stays_visible_and_asks_once_a_day() {
    let mut stage = failing(Reading::Impossible, 1);
    stage.write_fails(0, failure(Class::Parked, "nohost"));
    assert_eq!(stage.phase(0), Phase::Parked);
    assert_eq!(stage.view(0).code.as_deref(), Some("nohost"));
    stage.tell(Input::NetworkChanged);
    stage.quiet(23 * HOUR, TWO);
    assert_eq!(stage.asked, []);
    stage.quiet(3 * HOUR, TWO);
    stage.write_fails(0, failure(Class::Parked, "nohost"));
    stage.quiet(23 * HOUR, TWO);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Parked));
    let failed = stage.told.iter().filter(|event| matches!(event, Event::Failed { .. }));
    assert_eq!(failed.count(), 1);
}

#[test]
fn who_was_called_a_nuisance_asks_nobody_until_somebody_wants_it() {
    let mut stage = failing(Reading::Impossible, 1);
    stage.write_fails(0, failure(Class::Parked, "abuse").of_account());
    stage.quiet(30 * DAY, TWO);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Parked));
    stage.tell(Input::Update { bindings: vec![0] });
    stage.answer_looks(TWO);
    assert_eq!(stage.writes(0), addresses(TWO));
    assert_eq!(stage.phase(0), Phase::Published);
}

#[test]
fn a_wrong_clock_is_waited_for_and_a_clock_that_is_set_is_tried_at_once() {
    let mut stage = failing(Reading::Possible, 1);
    stage.reads(0, TWO);
    stage.write_fails(0, failure(Class::Clock, "BADTIME"));
    stage.quiet(59 * SECOND, ONE);
    assert_eq!(stage.asked, []);
    stage.quiet(2 * SECOND, ONE);
    stage.reads(0, TWO);
    stage.write_fails(0, failure(Class::Clock, "BADTIME"));
    stage.now.wall -= 600;
    stage.pass(Duration::ZERO);
    stage.answer_looks(ONE);
    stage.quiet(10 * SECOND, ONE);
    stage.reads(0, TWO);
    stage.writes(0);
}

#[test]
fn a_clock_that_is_set_all_the_time_makes_no_storm() {
    let mut stage = failing(Reading::Possible, 1);
    let mut failed = 0;
    for _ in 0..120 {
        stage.now.wall += 3600;
        stage.quiet(SECOND, ONE);
        if !stage.asked.is_empty() {
            stage.take_read(0);
            let result = Err(failure(Class::Clock, "RequestExpired"));
            stage.tell(Input::Read { binding: 0, result });
            failed += 1;
        }
    }
    assert!((2..=30).contains(&failed), "{failed}");
}

#[test]
fn a_wrong_password_holds_the_account_and_one_alone_tries_it() {
    let mut stage = failing(Reading::Impossible, 5);
    assert_eq!(stage.asked.len(), 2);
    stage.write_fails(0, failure(Class::Parked, "badauth").of_account());
    stage.write_fails(1, failure(Class::Parked, "badauth").of_account());
    stage.quiet(23 * HOUR, ONE);
    assert_eq!(stage.asked, []);
    assert!((0..5).all(|binding| stage.phase(binding) == Phase::Parked));
    assert_eq!(stage.view(4).why.as_deref(), Some("the provider says badauth"));
    stage.quiet(3 * HOUR, ONE);
    assert_eq!(stage.asked.len(), 1);
    let Effect::Write { binding, .. } = stage.asked[0] else { panic!("{:?}", stage.asked) };
    stage.writes(binding);
    assert_eq!(stage.asked.len(), 2);
}

#[test]
fn what_fails_together_counts_once() {
    let mut together = failing(Reading::Impossible, 2);
    for binding in [0, 1] {
        together.write_fails(binding, failure(Class::RateLimited, "429").of_account());
        together.skip_to(together.now.at + SECOND);
    }
    assert_eq!(together.disk.accounts["acct"].failures, 1);
}

#[test]
fn of_what_fails_together_the_longest_wait_counts() {
    let mut stage = failing(Reading::Impossible, 2);
    stage.write_fails(0, failure(Class::Parked, "abuse").of_account());
    stage.write_fails(1, failure(Class::RateLimited, "429").of_account());
    stage.quiet(30 * DAY, ONE);
    assert_eq!((stage.asked.len(), stage.phase(1)), (0, Phase::Parked));
}

#[test]
fn a_wait_is_kept_when_something_else_is_wanted() {
    let mut stage = failing(Reading::Impossible, 1);
    stage.write_fails(0, failure(Class::Transient, "911"));
    let next = stage.view(0).next;
    stage.tell(Input::NetworkChanged);
    stage.quiet(4 * SECOND, TWO);
    assert_eq!((stage.view(0).want, stage.asked.len()), (addresses(TWO), 0));
    assert!(stage.view(0).next.unwrap() <= next.unwrap());
    assert!(stage.view(0).next.unwrap() >= 55 * SECOND);
}

#[test]
fn what_a_server_in_trouble_did_not_write_is_tried_again_soon() {
    for (code, is_soon) in [("HTTP 503", true), ("timeout", false)] {
        let mut stage = failing(Reading::Impossible, 1);
        stage.write_fails(0, failure(Class::Transient, code));
        let Some(Event::Failed { again: Some(again), .. }) = stage.told.last().cloned() else {
            panic!("{:?}", stage.told)
        };
        assert_eq!(again < MINUTE / 2, is_soon, "{code}: {again:?}");
        stage.quiet(again + SECOND, ONE);
        assert_eq!(stage.writes(0), addresses(ONE), "{code}");
    }
}

#[test]
fn who_does_not_answer_is_given_up_and_blocks_nobody() {
    let mut stage = failing(Reading::Impossible, 3);
    assert_eq!(stage.asked.len(), 2);
    stage.writes(1);
    // The first one hangs; the third has had its place.
    assert_eq!(stage.writes(2), addresses(ONE));
    stage.asked.clear();
    stage.quiet(2 * MINUTE, ONE);
    assert_eq!(stage.phase(0), Phase::BackingOff);
    assert_eq!(stage.view(0).code.as_deref(), Some("timeout"));
    // What comes after that is nobody's answer.
    stage.tell(Input::Wrote { binding: 0, result: Ok(good()) });
    assert_eq!(stage.phase(0), Phase::BackingOff);
}

#[test]
fn a_refusal_does_not_make_certain_what_was_not_certain_before() {
    let mut stage = failing(Reading::Impossible, 1);
    stage.writes(0);
    stage.skip_to(2 * MINUTE);
    for (seen, class) in [(TWO, Class::Transient), ("81.2.69.144", Class::Parked)] {
        stage.tell(Input::NetworkChanged);
        stage.quiet(3 * MINUTE, seen);
        stage.write_fails(0, failure(class, "no"));
    }
    stage.tell(Input::NetworkChanged);
    stage.quiet(MINUTE, ONE);
    // The second address may be there: the first one is not taken for published.
    stage.tell(Input::Update { bindings: Vec::new() });
    stage.quiet(3 * MINUTE, ONE);
    assert_eq!(stage.writes(0), addresses(ONE));
    assert_eq!(stage.disk.bindings["acct/n0.example.org/A"].tried, addresses(""));
}
