//! How often anything is written, and how many at once.

use super::*;

#[test]
fn two_writes_of_one_name_keep_their_distance() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    stage.writes(0);
    stage.tell(Input::NetworkChanged);
    stage.quiet(5 * SECOND, TWO);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Pending));
    stage.quiet(54 * SECOND, TWO);
    assert_eq!(stage.asked, []);
    stage.quiet(2 * SECOND, TWO);
    assert_eq!(stage.writes(0), addresses(TWO));
}

#[test]
fn fifty_flaps_in_ten_seconds_make_two_writes_at_most() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    let mut writes = 0;
    let mut seen = [ONE, TWO].into_iter().cycle();
    for _ in 0..50 {
        stage.skip_to(stage.now.at + SECOND / 5);
        stage.tell(Input::NetworkChanged);
        stage.answer_looks(seen.next().unwrap());
        if !stage.asked.is_empty() {
            stage.reads(0, "1.1.1.1");
            stage.writes(0);
            writes += 1;
        }
    }
    assert!(writes <= 2, "{writes}");
}

#[test]
fn an_operator_has_everything_written_and_the_newest_address_looked_for() {
    let mut stage = Stage::new(plan(Reading::Impossible, 2));
    stage.sees(ONE);
    stage.writes(0);
    stage.writes(1);
    stage.skip_to(2 * MINUTE);
    stage.tell(Input::Update { bindings: vec![1] });
    stage.answer_looks(ONE);
    assert_eq!((stage.writes(1), stage.asked.len()), (addresses(ONE), 0));
    stage.skip_to(4 * MINUTE);
    stage.tell(Input::Update { bindings: Vec::new() });
    stage.answer_looks(ONE);
    assert_eq!((stage.writes(0), stage.writes(1)), (addresses(ONE), addresses(ONE)));
}

#[test]
fn an_account_has_no_more_requests_under_way_than_it_bears() {
    let mut stage = Stage::new(plan(Reading::Possible, 9));
    stage.sees(ONE);
    let mut served = Vec::new();
    while !stage.asked.is_empty() {
        assert!(stage.asked.len() <= 2);
        let Effect::Read { binding, .. } = stage.asked[0] else { panic!("{:?}", stage.asked) };
        stage.reads(binding, ONE);
        served.push(binding);
    }
    assert_eq!(served.len(), 9);
}

#[test]
fn accounts_share_what_is_under_way_in_all() {
    let mut plan = plan(Reading::Possible, 60);
    for account in 1..6 {
        let mut another = plan.accounts[0].clone();
        another.name = format!("acct{account}");
        plan.accounts.push(another);
    }
    for account in &mut plan.accounts {
        account.at_once = 100;
    }
    for (number, binding) in plan.bindings.iter_mut().enumerate() {
        binding.account = number / 10;
    }
    let mut stage = Stage::new(plan);
    stage.sees(ONE);
    assert_eq!(stage.asked.len(), 16);
    let of_first = stage
        .asked
        .iter()
        .filter(|effect| matches!(effect, Effect::Read { binding, .. } if *binding < 10));
    assert_eq!(of_first.count(), 8);
}

#[test]
fn what_goes_wrong_with_one_name_does_not_stop_another() {
    let mut stage = Stage::new(plan(Reading::Impossible, 100));
    stage.sees(ONE);
    let mut written = 0;
    while let Some(effect) = stage.asked.first() {
        let Effect::Write { binding, .. } = *effect else { panic!("{effect:?}") };
        if binding % 2 == 0 {
            stage.write_fails(binding, failure(Class::Parked, "nohost"));
        } else {
            stage.writes(binding);
            written += 1;
        }
    }
    assert_eq!((written, stage.now.at), (50, Duration::ZERO));
}

#[test]
fn a_service_whose_answers_cannot_be_looked_up_is_read_once_a_day() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    stage.sees(ONE);
    stage.reads(0, ONE);
    let before = stage.now.at;
    stage.quiet(2 * DAY, ONE);
    stage.reads(0, TWO);
    assert_eq!(stage.writes(0), addresses(ONE));
    assert!(stage.now.at.saturating_sub(before) >= 23 * HOUR);
}

#[test]
fn what_somebody_else_has_put_beside_ours_is_his() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    stage.sees(ONE);
    stage.reads(0, "1.1.1.1");
    assert_eq!(stage.take_write(0).ours, addresses(ONE));
    stage.tell(Input::Wrote { binding: 0, result: Ok(good()) });
    stage.tell(Input::Update { bindings: Vec::new() });
    stage.answer_looks(ONE);
    stage.quiet(MINUTE, ONE);
    stage.reads(0, &format!("{ONE} 1.1.1.1"));
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Published));
}

#[test]
fn what_may_be_there_of_earlier_attempts_is_ours() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    let seen = [ONE, TWO, "81.2.69.144"];
    for (number, one) in seen.iter().enumerate() {
        stage.answer_looks(one);
        stage.quiet(MINUTE, one);
        stage.reads(0, "");
        if number < 2 {
            stage.write_fails(0, failure(Class::Transient, "timeout"));
            stage.tell(Input::NetworkChanged);
            stage.pass(4 * SECOND);
        }
    }
    let mut ours = stage.take_write(0).ours;
    ours.sort_unstable();
    assert_eq!(ours, addresses(&seen.join(" ")));
    let mut stage = stage.restarted(plan(Reading::Possible, 1));
    stage.sees(ONE);
    // One of them is there, beside what is wanted: it goes.
    let there = format!("{ONE} {TWO}");
    for _look in ["whether the last write is there", "before the next one"] {
        stage.quiet(MINUTE, ONE);
        stage.reads(0, &there);
    }
    stage.writes(0);
    assert_eq!(stage.disk.bindings["acct/n0.example.org/A"].tried, addresses(""));
}

#[test]
fn a_write_knows_what_the_other_family_of_its_name_shall_have() {
    let mut plan = plan(Reading::Impossible, 2);
    plan.sights.push(SightPlan { family: Family::V6, ..plan.sights[0].clone() });
    let v6 = &mut plan.bindings[1];
    (v6.sight, v6.id) = (1, "acct/n0.example.org/AAAA".to_owned());
    v6.record = Record { family: Family::V6, ..binding(0).record };
    let mut stage = Stage::new(plan);
    stage.asked.clear();
    stage.sees_by(0, 0, ONE);
    assert_eq!(stage.take_write(0).beside, addresses(""));
    stage.sees_by(1, 0, "2a00::1");
    assert_eq!(stage.take_write(1).beside, addresses(ONE));
}

#[test]
fn what_differs_is_not_forgotten_while_the_account_is_held() {
    let mut stage = Stage::new(plan(Reading::Possible, 2));
    stage.sees(ONE);
    for binding in 0..2 {
        stage.reads(binding, TWO);
        stage.writes(binding);
    }
    while !stage.asked.iter().any(|effect| matches!(effect, Effect::Read { .. })) {
        stage.quiet(HOUR, ONE);
    }
    stage.take_read(1);
    let busy = failure(Class::RateLimited, "429").of_account();
    stage.tell(Input::Read { binding: 1, result: Err(busy) });
    stage.reads(0, TWO);
    stage.quiet(HOUR, ONE);
    assert_eq!(stage.asked.len(), 1, "one alone tries what was held");
    stage.reads(0, TWO);
    assert_eq!(stage.writes(0), addresses(ONE));
}
