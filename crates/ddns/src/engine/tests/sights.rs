//! When sources are asked, and what is told of them.

use super::*;

fn two_sources() -> Plan {
    let mut plan = plan(Reading::Impossible, 1);
    plan.sights[0].sources =
        vec![SourcePlan { agree: 2, voters: 3 }, SourcePlan { agree: 1, voters: 1 }];
    plan
}

fn vote(seen: &str) -> Vote {
    Vote { voter: "echo".to_owned(), answer: Ok(addresses(seen)) }
}

#[test]
fn sources_are_asked_again_at_the_usual_pace() {
    let mut stage = Stage::new(plan(Reading::Impossible, 0));
    stage.sees(ONE);
    for _ in 0..50 {
        let before = stage.now.at;
        stage.pass(HOUR);
        stage.sees(ONE);
        let rest = stage.now.at.saturating_sub(before).as_secs();
        assert!((270..=330).contains(&rest), "{rest}");
    }
}

#[test]
fn whoever_is_not_believed_is_followed_by_the_next() {
    let mut stage = Stage::new(two_sources());
    assert_eq!(stage.asked, [Effect::Look { sight: 0, source: 0 }]);
    stage.asked.clear();
    let votes = vec![vote(ONE), vote("1.2.1.1"), vote("")];
    stage.tell(Input::Looked { sight: 0, source: 0, votes });
    assert_eq!(stage.asked, [Effect::Look { sight: 0, source: 1 }]);
    stage.asked.clear();
    stage.sees_by(0, 1, TWO);
    let view = &stage.engine.view(stage.now).sights[0];
    assert_eq!(
        (view.addresses.clone(), view.source, &view.trouble),
        (addresses(TWO), Some(1), &None)
    );
}

#[test]
fn an_address_that_is_lost_stays_and_is_told_once() {
    let mut stage = Stage::new(two_sources());
    stage.asked.clear();
    stage.tell(Input::Looked { sight: 0, source: 0, votes: vec![vote(ONE), vote(ONE)] });
    stage.writes(0);
    stage.told.clear();
    for _ in 0..10 {
        stage.pass(HOUR);
        stage.asked.clear();
        stage.sees_by(0, 0, "100.64.1.2");
        stage.asked.clear();
        stage.sees_by(0, 1, "?");
    }
    let [Event::AddressLost { sight: 0, why }] = stage.told.as_slice() else {
        panic!("{:?}", stage.told)
    };
    assert!(why.contains("CGNAT"), "{why}");
    assert_eq!(stage.view(0).want, addresses(ONE));
    assert_eq!(stage.phase(0), Phase::Published);
    stage.told.clear();
    stage.pass(HOUR);
    stage.asked.clear();
    stage.sees_by(0, 0, ONE);
    assert_eq!(stage.told, [Event::AddressFound { sight: 0 }]);
}

#[test]
fn after_trouble_sources_are_asked_soon_and_then_at_the_usual_pace() {
    let mut stage = Stage::new(plan(Reading::Impossible, 0));
    let mut rests = Vec::new();
    for _ in 0..9 {
        let before = stage.now.at;
        stage.sees("?");
        stage.pass(HOUR);
        rests.push(stage.now.at.saturating_sub(before).as_secs());
    }
    assert!(rests[0] <= 6 && rests[8] >= 270, "{rests:?}");
}

#[test]
fn a_network_that_changes_is_looked_at_once_it_is_quiet() {
    let mut stage = Stage::new(plan(Reading::Impossible, 0));
    stage.sees(ONE);
    stage.skip_to(MINUTE);
    stage.tell(Input::NetworkChanged);
    stage.skip_to(MINUTE + 2 * SECOND);
    stage.tell(Input::NetworkChanged);
    stage.pass(10 * SECOND);
    assert_eq!(stage.now.at, MINUTE + 5 * SECOND);
    stage.sees(TWO);
}

#[test]
fn a_network_that_is_never_quiet_is_looked_at_all_the_same() {
    let mut stage = Stage::new(plan(Reading::Impossible, 0));
    stage.sees(ONE);
    let mut looks = 0;
    for _ in 0..50 {
        stage.skip_to(stage.now.at + SECOND);
        stage.tell(Input::NetworkChanged);
        if !stage.asked.is_empty() {
            looks += 1;
            stage.sees(ONE);
        }
    }
    assert!((3..=5).contains(&looks), "{looks}");
}

#[test]
fn what_changes_during_a_look_is_looked_at_again() {
    let mut stage = Stage::new(plan(Reading::Impossible, 0));
    stage.tell(Input::NetworkChanged);
    stage.sees(ONE);
    stage.pass(5 * SECOND);
    stage.sees(TWO);
    stage.pass(5 * SECOND);
    assert_eq!(stage.asked, []);
}

#[test]
fn a_source_that_does_not_answer_is_followed_by_the_next() {
    let mut stage = Stage::new(two_sources());
    stage.asked.clear();
    stage.pass(3 * MINUTE);
    assert_eq!(stage.asked, [Effect::Look { sight: 0, source: 1 }]);
    assert_eq!(stage.now.at, 2 * MINUTE);
}

#[test]
fn what_changes_while_a_source_does_not_answer_is_looked_at_afterwards() {
    let mut stage = Stage::new(plan(Reading::Impossible, 0));
    stage.asked.clear();
    stage.skip_to(MINUTE);
    stage.tell(Input::NetworkChanged);
    stage.pass(MINUTE + 10 * SECOND);
    stage.sees(ONE);
}

#[test]
fn who_wakes_up_looks_where_it_is() {
    let mut stage = Stage::new(plan(Reading::Impossible, 0));
    stage.sees(ONE);
    stage.skip_to(30 * SECOND);
    stage.now.wall += 8 * 3600;
    stage.tell(Input::Tick);
    stage.pass(4 * SECOND);
    stage.sees(TWO);
}

#[test]
fn another_prefix_moves_all_machines_in_one_pass() {
    let mut plan = plan(Reading::Impossible, 3);
    plan.sights[0].family = Family::V6;
    for (number, binding) in plan.bindings.iter_mut().enumerate() {
        let host = format!("::{}", number + 1).parse().unwrap();
        binding.compose = Compose::Suffix { prefix_length: 64, host };
    }
    let mut stage = Stage::new(plan);
    stage.sees("2a00:1:2:3:9::9");
    let wants = |stage: &Stage| [0, 1, 2].map(|binding| stage.view(binding).want);
    assert_eq!(wants(&stage), ["2a00:1:2:3::1", "2a00:1:2:3::2", "2a00:1:2:3::3"].map(addresses));
    assert_eq!(stage.take_write(0).prefix, Some(("2a00:1:2:3::".parse().unwrap(), 64)));
    stage.asked.clear();
    stage.tell(Input::NetworkChanged);
    stage.pass(4 * SECOND);
    stage.sees("2a00:1:2:4:9::9");
    assert_eq!(wants(&stage), ["2a00:1:2:4::1", "2a00:1:2:4::2", "2a00:1:2:4::3"].map(addresses));
}
