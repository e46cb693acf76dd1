//! Programs that are frozen on request.

use super::{
    ready::{check, readied, seconds},
    *,
};
use crate::check::{CheckAction, CheckRole, ReadyBy, Watchdog};

/// A unit with a watchdog and a check, on which another relies.
fn world() -> World {
    let mut web = service("web");
    web.care.watchdog = Some(Watchdog { every: seconds(30), action: CheckAction::Restart });
    web.care.checks = vec![check("http", CheckRole::Liveness)];
    let mut world = World::new(&[web, needs("shop", &["web"]), needs("late", &["web"])]);
    world.command("late", Command::Stop).unwrap();
    world.started("web");
    world.started("shop");
    world
}

fn paused() -> World {
    let mut world = world();
    world.take();
    world.command("web", Command::Pause).unwrap();
    world
}

#[test]
fn a_pause_is_written_before_anything_is_frozen_and_lasts() {
    let mut world = paused();
    let told = world.take();
    let place = |what: &str| told.iter().position(|it| it.starts_with(what));
    assert!(place("remember web").unwrap() < place("freeze web 1").unwrap(), "{told:?}");
    assert_eq!((world.state("web"), world.state("shop")), ("paused", "running"));
    assert_eq!(world.view("web").why(), "an operator paused it");
    assert_eq!(world.next_in(), None, "nobody looks, and no watchdog strikes");
    world.pass(3600);
    world.tell(Input::Deadline);
    assert_eq!(world.state("web"), "paused");
    world.command("web", Command::Pause).unwrap();
    assert_eq!(world.take(), ["answer web"], "it is so already");
}

#[test]
fn whoever_goes_on_has_a_whole_interval_before_anybody_judges_it() {
    let mut world = paused();
    world.pass(3600);
    world.take();
    world.command("web", Command::Resume).unwrap();
    let told = world.take();
    let place = |what: &str| told.iter().position(|it| it.starts_with(what));
    assert!(place("thaw web 1").unwrap() < place("remember web").unwrap(), "{told:?}");
    assert_eq!((world.state("web"), world.next_in()), ("running", Some(10)), "its check");
    world.pass(29);
    world.tell(Input::Deadline);
    assert_eq!(world.state("web"), "running");
    world.pass(1);
    world.tell(Input::Deadline);
    assert_eq!(world.state("web"), "stopping", "its watchdog counts again");
}

#[test]
fn an_answer_or_a_word_from_before_the_pause_ends_nobody() {
    let mut world = world();
    world.wait();
    world.command("web", Command::Pause).unwrap();
    assert_eq!(world.select("abandon web").len(), 1);
    world.probed("web", ProbeOf::Check(0), 1, Outcome::Failed("late".to_owned()));
    world.says("web", Notice::Ailing);
    assert_eq!(world.state("web"), "paused");
    world.says("web", Notice::Stopping);
    assert_eq!(world.state("web"), "stopping", "it had said that it leaves");
    assert_eq!(world.select("thaw web").len(), 1);
}

#[test]
fn a_stop_lets_it_go_on_first_and_a_kill_does_not_need_to() {
    for (command, last) in [(Command::Stop, "ask web 1"), (Command::Restart, "ask web 1")] {
        let mut world = paused();
        world.command("shop", Command::Stop).unwrap();
        world.exited("shop", Exit::Code(0));
        world.take();
        world.command("web", command).unwrap();
        let told = world.take();
        let place = |what: &str| told.iter().position(|it| it.starts_with(what));
        assert!(place("thaw web 1").unwrap() < place(last).unwrap(), "{told:?}");
        assert_eq!(world.state("web"), "stopping");
    }
    let mut world = paused();
    world.command("web", Command::Kill).unwrap();
    assert_eq!(world.select("kill web"), [" 1"]);
    world.exited("web", Exit::Signal(9));
    assert_eq!(world.state("web"), "stopped");
}

#[test]
fn an_end_while_it_is_paused_is_an_end_as_any_other() {
    let mut world = paused();
    world.exited("web", Exit::Signal(9));
    assert_eq!((world.state("web"), world.state("shop")), ("backoff", "running"));
    world.wait();
    world.started("web");
    assert_eq!(world.state("web"), "running", "the next run is not paused");
}

#[test]
fn who_is_paused_is_relied_on_by_whoever_runs_and_by_nobody_new() {
    let mut world = paused();
    world.command("late", Command::Start).unwrap();
    assert_eq!(world.view("late").why(), "it requires `web`, which is paused");
    world.command("web", Command::Resume).unwrap();
    assert_eq!(world.state("late"), "starting");
}

#[test]
fn what_makes_no_sense_is_refused_with_state_and_remedy() {
    let mut world = World::new(&[service("web")]);
    let refused = |world: &mut World, command| world.command("web", command).unwrap_err();
    let text = refused(&mut world, Command::Pause);
    assert_eq!(text, "`web` is starting; pause it once it runs");
    world.started("web");
    world.command("web", Command::Resume).unwrap();
    world.command("web", Command::Pause).unwrap();
    let text = refused(&mut world, Command::Start);
    assert_eq!(text, "`web` is paused; `mainstay resume web` lets it go on");
    assert!(refused(&mut world, Command::Reload).contains("cannot reload"));
    world.command("web", Command::Kill).unwrap();
    world.exited("web", Exit::Signal(9));
    let text = refused(&mut world, Command::Pause);
    assert_eq!(text, "`web` is stopped; there is nothing to pause");
    let text = refused(&mut world, Command::Resume);
    assert_eq!(text, "`web` is stopped; `mainstay start web` starts it");
}

#[test]
fn the_next_agent_goes_on_with_a_pause_and_freezes_once_more() {
    let mut web = readied("web", ReadyBy::Notice);
    web.care.watchdog = Some(Watchdog { every: seconds(30), action: CheckAction::Restart });
    let memo = Memo {
        paused_after: Some(seconds(5)),
        reached: Reached::Ready { after: seconds(1) },
        ..Memo::default()
    };
    let mut world = World::closed(&[web]);
    let (since, now) = (world.now, world.now + seconds(100));
    world.now = now;
    let phase = AdoptedPhase::Running { pid: 7, since };
    let run = Adopted { unit: unit("web"), run: 1, spec_hash: 1, memo, phase };
    let runs = vec![run];
    world.tell(Input::Adopt { runs: runs.clone(), wishes: Vec::new(), hooks: Vec::new() });
    world.tell(Input::Open);
    assert_eq!((world.state("web"), world.next_in()), ("paused", None));
    assert_eq!(world.view("web").since(), since + seconds(5));
    assert_eq!(world.select("freeze web").len(), 1);
    world.tell(Input::Reconcile { runs: runs.clone(), hooks: Vec::new() });
    assert_eq!(world.select("freeze web").len(), 2, "the former keeper may not have come to it");
    world.command("web", Command::Resume).unwrap();
    world.tell(Input::Reconcile { runs, hooks: Vec::new() });
    assert_eq!(world.select("thaw web").len(), 2, "nor to that");
}

#[test]
fn what_could_not_be_frozen_runs_and_says_why() {
    let mut world = paused();
    let reason = "it is not supported here".to_owned();
    world.tell(Input::NotPaused { unit: unit("web"), run: 1, reason });
    assert_eq!(world.state("web"), "running");
    let why = "it could not be paused: it is not supported here";
    assert_eq!(world.view("web").why(), why);
}
