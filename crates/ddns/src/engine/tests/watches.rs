//! What the authoritative servers have, and what follows when it is something else.

use super::*;

fn published(reading: Reading) -> Stage {
    let mut plan = plan(reading, 1);
    plan.bindings[0].verify = Verify::Authoritative;
    let mut stage = Stage::new(plan);
    stage.sees(ONE);
    if reading == Reading::Possible {
        stage.reads(0, TWO);
    }
    stage.writes(0);
    stage.told.clear();
    stage
}

/// Waits for the next question and answers it; returns how long that took.
fn verified(stage: &mut Stage, within: Duration, found: &str) -> Duration {
    let before = stage.now.at;
    stage.quiet(within, ONE);
    let is_verify = |effect: &Effect| matches!(effect, Effect::Verify { .. });
    stage.take(is_verify);
    stage.tell(Input::Verified { binding: 0, result: Ok(addresses(found)) });
    stage.now.at.saturating_sub(before)
}

#[test]
fn what_was_written_is_looked_up_until_it_is_visible_and_then_daily() {
    let mut stage = published(Reading::Possible);
    let waits: Vec<u64> = (0..4).map(|_| verified(&mut stage, HOUR, TWO).as_secs()).collect();
    assert_eq!(waits, [5, 5, 10, 20]);
    verified(&mut stage, HOUR, ONE);
    assert_eq!(stage.told, [Event::Visible { binding: 0 }]);
    assert!(stage.view(0).visible_since.is_some());
    let day = verified(&mut stage, 2 * DAY, ONE);
    assert!(day > 20 * HOUR, "{day:?}");
    assert_eq!(stage.told.len(), 1);
}

#[test]
fn what_is_not_visible_for_long_is_told_once() {
    let mut stage = published(Reading::Impossible);
    let mut last = Duration::ZERO;
    for _ in 0..40 {
        last = verified(&mut stage, HOUR, TWO);
        assert_eq!(stage.asked, []);
    }
    assert_eq!(last, 5 * MINUTE);
    let [Event::Invisible { binding: 0, why }] = stage.told.as_slice() else {
        panic!("{:?}", stage.told)
    };
    assert_eq!(why, "the authoritative servers have 81.2.69.143");
    verified(&mut stage, HOUR, ONE);
    assert_eq!(stage.told[1..], [Event::Visible { binding: 0 }]);
}

#[test]
fn who_can_read_puts_right_what_somebody_else_has_changed() {
    let mut stage = published(Reading::Possible);
    verified(&mut stage, HOUR, ONE);
    verified(&mut stage, 2 * DAY, TWO);
    stage.reads(0, TWO);
    assert_eq!(stage.writes(0), addresses(ONE));
}

#[test]
fn servers_that_differ_from_the_provider_make_nobody_ask_it_again_and_again() {
    let mut stage = published(Reading::Possible);
    verified(&mut stage, HOUR, ONE);
    verified(&mut stage, 2 * DAY, TWO);
    stage.reads(0, ONE);
    let (mut reads, end) = (1, stage.now.at + 10 * HOUR);
    while stage.now.at < end {
        verified(&mut stage, HOUR, TWO);
        if !stage.asked.is_empty() {
            stage.reads(0, ONE);
            reads += 1;
        }
    }
    assert!((8..=11).contains(&reads), "{reads}");
    assert_eq!(stage.view(0).writes, 1);
}

#[test]
fn who_cannot_read_puts_it_right_once_and_not_again_before_it_would_be_refreshed() {
    let mut stage = published(Reading::Impossible);
    let mut corrections = Vec::new();
    let end = stage.now.at + 20 * DAY;
    while stage.now.at < end {
        // Somebody else changes it back a while after it was visible.
        verified(&mut stage, 2 * DAY, ONE);
        for _ in 0..12 {
            verified(&mut stage, 2 * DAY, TWO);
            if !stage.asked.is_empty() {
                stage.writes(0);
                corrections.push(stage.now.at);
                break;
            }
        }
    }
    assert_eq!(corrections.len(), 1, "{corrections:?}");
}

#[test]
fn servers_that_do_not_answer_say_nothing_of_others() {
    let mut stage = published(Reading::Possible);
    verified(&mut stage, HOUR, ONE);
    stage.quiet(2 * DAY, ONE);
    stage.take(|effect| matches!(effect, Effect::Verify { .. }));
    let result = Err(failure(Class::Transient, "SERVFAIL"));
    stage.tell(Input::Verified { binding: 0, result });
    assert_eq!((stage.asked.len(), stage.told.len()), (0, 1));
    // Nor does a question that nobody answers at all.
    stage.quiet(MINUTE, ONE);
    stage.take(|effect| matches!(effect, Effect::Verify { .. }));
    let asked_again = verified(&mut stage, HOUR, ONE);
    assert!(asked_again > 2 * MINUTE, "{asked_again:?}");
}

#[test]
fn what_an_earlier_engine_published_is_looked_up_soon() {
    let stage = published(Reading::Impossible);
    let mut plan = plan(Reading::Impossible, 1);
    plan.bindings[0].verify = Verify::Authoritative;
    let mut stage = stage.restarted(plan);
    stage.sees(ONE);
    let soon = verified(&mut stage, HOUR, ONE);
    assert!(soon < 2 * MINUTE, "{soon:?}");
}
