//! The usual way: seen, read, noted, written, and then nothing.

use super::*;

#[test]
fn what_is_seen_is_read_noted_and_written_once() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    assert_eq!(stage.phase(0), Phase::Unaddressed);
    stage.sees(ONE);
    assert_eq!(stage.phase(0), Phase::Pending);
    stage.reads(0, TWO);
    assert_eq!(
        stage.disk.bindings["acct/n0.example.org/A"].intent.as_ref().unwrap().values,
        addresses(ONE)
    );
    let change = stage.take_write(0);
    assert_eq!((change.want, change.found.unwrap().values), (addresses(ONE), addresses(TWO)));
    stage.tell(Input::Wrote { binding: 0, result: Ok(good()) });
    let kept = &stage.disk.bindings["acct/n0.example.org/A"];
    assert_eq!(
        (kept.published.as_ref().unwrap().values.clone(), &kept.intent),
        (addresses(ONE), &None)
    );
    assert_eq!(stage.phase(0), Phase::Published);
    let published =
        Event::Published { binding: 0, values: addresses(ONE), code: "good".to_owned() };
    let changed = Event::AddressChanged { sight: 0, from: Vec::new(), to: addresses(ONE) };
    assert_eq!(stage.told, [changed, published]);
    stage.quiet(20 * HOUR, ONE);
    assert_eq!(stage.asked, []);
}

#[test]
fn what_is_so_already_is_not_written() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    stage.sees(ONE);
    stage.reads(0, ONE);
    assert_eq!((stage.asked.len(), stage.phase(0)), (0, Phase::Published));
    let view = stage.view(0);
    assert_eq!((view.reads, view.writes, view.published), (1, 0, addresses(ONE)));
}

#[test]
fn a_time_to_live_that_differs_is_written() {
    let mut plan = plan(Reading::Possible, 1);
    plan.bindings[0].record.ttl = Some(60);
    let mut stage = Stage::new(plan);
    stage.sees(ONE);
    stage.take_read(0);
    let found = Found { values: addresses(ONE), ttl: Some(300), ..Found::default() };
    stage.tell(Input::Read { binding: 0, result: Ok(found) });
    assert_eq!(stage.writes(0), addresses(ONE));
}

#[test]
fn who_cannot_read_writes_at_once() {
    let mut stage = Stage::new(plan(Reading::Impossible, 1));
    stage.sees(ONE);
    assert_eq!(stage.writes(0), addresses(ONE));
    stage.quiet(24 * DAY, ONE);
    assert_eq!(stage.asked, []);
    stage.quiet(2 * DAY, ONE);
    // Services of this kind forget what is not written for a month.
    assert_eq!(stage.writes(0), addresses(ONE));
}

#[test]
fn nothing_is_written_before_the_intent_is_on_the_disk() {
    let mut engine = Engine::new(plan(Reading::Impossible, 1), State::default(), 1, NOW);
    engine.handle(NOW, Input::Tick);
    let votes = vec![Vote { voter: "echo".to_owned(), answer: Ok(addresses(ONE)) }];
    let effects = engine.handle(NOW, Input::Looked { sight: 0, source: 0, votes });
    let [Effect::Tell(_), Effect::Persist { revision, state }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert!(state.bindings["acct/n0.example.org/A"].intent.is_some());
    let is_write = |effects: &[Effect]| matches!(effects, [Effect::Write { .. }]);
    let old = Input::Persisted { revision: revision - 1, result: Ok(()) };
    assert_eq!(engine.handle(NOW, old), []);
    let new = Input::Persisted { revision: *revision, result: Ok(()) };
    assert!(is_write(&engine.handle(NOW, new)));
}

const NOW: Now = Now { at: Duration::ZERO, wall: WALL };

#[test]
fn a_disk_that_refuses_is_told_once_and_does_not_stop_anybody() {
    let mut engine = Engine::new(plan(Reading::Impossible, 2), State::default(), 1, NOW);
    engine.handle(NOW, Input::Tick);
    let votes = vec![Vote { voter: "echo".to_owned(), answer: Ok(addresses(ONE)) }];
    engine.handle(NOW, Input::Looked { sight: 0, source: 0, votes });
    let refused = || Err("no space left on device".to_owned());
    let effects = engine.handle(NOW, Input::Persisted { revision: 1, result: refused() });
    assert!(matches!(
        effects.as_slice(),
        [Effect::Tell(Event::NotKept { .. }), Effect::Write { .. }, Effect::Write { .. }]
    ));
    let effects = engine.handle(NOW, Input::Persisted { revision: 1, result: refused() });
    assert_eq!(effects, []);
    let later = Now { at: MINUTE, wall: WALL + 60 };
    let effects = engine.handle(later, Input::Tick);
    let [Effect::Persist { revision, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let effects = engine.handle(later, Input::Persisted { revision: *revision, result: Ok(()) });
    assert_eq!(effects, [Effect::Tell(Event::KeptAgain)]);
}

#[test]
fn a_disk_that_does_not_answer_is_not_waited_for_for_long() {
    let mut engine = Engine::new(plan(Reading::Impossible, 1), State::default(), 1, NOW);
    engine.handle(NOW, Input::Tick);
    let votes = vec![Vote { voter: "echo".to_owned(), answer: Ok(addresses(ONE)) }];
    engine.handle(NOW, Input::Looked { sight: 0, source: 0, votes });
    let later = Now { at: 30 * SECOND, wall: WALL + 30 };
    assert_eq!(engine.next_deadline(), Some(later.at));
    let effects = engine.handle(later, Input::Tick);
    assert!(matches!(
        effects.as_slice(),
        [Effect::Tell(Event::NotKept { .. }), Effect::Write { .. }]
    ));
}

#[test]
fn another_address_that_is_seen_while_the_first_is_noted_is_the_one_that_is_written() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    stage.sees(ONE);
    stage.tell(Input::Update { bindings: Vec::new() });
    stage.take_read(0);
    stage.sees(TWO);
    let found = Found { values: addresses(ONE), ..Found::default() };
    stage.tell(Input::Read { binding: 0, result: Ok(found) });
    assert_eq!(stage.writes(0), addresses(TWO));
}

#[test]
fn who_answers_what_nobody_asked_changes_nothing() {
    let mut stage = Stage::new(plan(Reading::Possible, 1));
    for binding in [0, 7] {
        stage.tell(Input::Wrote { binding, result: Ok(good()) });
        stage.tell(Input::Read { binding, result: Ok(Found::default()) });
        stage.tell(Input::Verified { binding, result: Ok(Vec::new()) });
    }
    stage.tell(Input::Looked { sight: 3, source: 0, votes: Vec::new() });
    stage.tell(Input::Looked { sight: 0, source: 9, votes: Vec::new() });
    stage.tell(Input::Update { bindings: vec![9] });
    assert_eq!(stage.told, []);
    assert_eq!(stage.view(0).writes, 0);
}
