//! Other checks, other times, other actions while a program runs.

use super::{
    ready::{check, readied, seconds},
    *,
};
use crate::check::{Check, CheckAction, CheckRole, ReadyBy};

fn with(checks: Vec<Check>) -> Service {
    let mut web = service("web");
    web.care.checks = checks;
    web
}

#[test]
fn other_checks_hold_without_another_run() {
    let http = || check("http", CheckRole::Liveness);
    let mut world = World::new(&[with(vec![http()])]);
    world.started("web");
    for _ in 0..2 {
        world.look("web", Outcome::Failed("status 503".to_owned()));
    }
    let fresh = vec![check("new", CheckRole::Liveness), http()];
    world.configure(&[with(fresh)], Prune::Keep);
    assert_eq!((world.state("web"), world.view("web").run()), ("running", 1));
    let counts: Vec<u32> = world.view("web").checks().map(|check| check.failures).collect();
    assert_eq!(counts, [0, 2]);
}

#[test]
fn a_check_that_is_as_it_was_goes_on_as_if_nothing_had_happened() {
    let slow = Check { delay: seconds(300), ..check("slow", CheckRole::Liveness) };
    let mut world = World::new(&[with(vec![slow.clone()])]);
    world.started("web");
    let before = world.supervisor.next_deadline();
    world.pass(200);
    let other = Check { delay: seconds(3000), ..check("other", CheckRole::Liveness) };
    world.configure(&[with(vec![other, slow])], Prune::Keep);
    assert_eq!(world.supervisor.next_deadline(), before);
}

#[test]
fn a_look_under_way_answers_for_its_own_check_alone() {
    let (a, b) = (check("a", CheckRole::Liveness), check("b", CheckRole::Liveness));
    let far = Check { delay: seconds(900), ..a };
    let mut world = World::new(&[with(vec![far, b.clone()])]);
    world.started("web");
    world.wait();
    assert_eq!(world.select("probe "), ["web 1 check-1 1"]);
    world.configure(&[with(vec![b])], Prune::Keep);
    assert_eq!(world.select("abandon "), ["web 1 check-1 1"]);
    world.probed("web", ProbeOf::Check(1), 1, Outcome::Failed("late".to_owned()));
    assert_eq!(
        (world.view("web").checks().next().unwrap().failures, world.next_in()),
        (0, Some(0))
    );
    world.wait();
    assert_eq!(world.select("probe "), ["web 1 check-1 1", "web 1 check-0 2"]);
}

#[test]
fn a_startup_check_that_has_passed_is_not_asked_again() {
    let mut world = World::new(&[with(vec![
        check("up", CheckRole::Startup),
        check("serves", CheckRole::Readiness),
    ])]);
    world.started("web");
    world.wait();
    world.probed("web", ProbeOf::Check(0), 1, Outcome::Passed);
    let serves = Check { every: seconds(3), ..check("serves", CheckRole::Readiness) };
    world.configure(&[with(vec![check("up", CheckRole::Startup), serves])], Prune::Keep);
    world.wait();
    let probes = world.select("probe ");
    assert_eq!(probes, ["web 1 check-0 1", "web 1 check-1 2", "web 1 check-1 3"]);
}

#[test]
fn an_action_that_was_changed_holds_from_the_next_look_on() {
    let marked = Check { action: CheckAction::Mark, ..check("http", CheckRole::Liveness) };
    let mut world = World::new(&[with(vec![marked])]);
    world.started("web");
    world.turn_bad("web");
    world.configure(&[with(vec![check("http", CheckRole::Liveness)])], Prune::Keep);
    assert_eq!(world.state("web"), "running");
    world.look("web", Outcome::Failed("status 503".to_owned()));
    assert_eq!(world.state("web"), "stopping");
}

#[test]
fn a_service_that_comes_back_with_other_checks_is_looked_at_by_these() {
    let mut world = World::new(&[with(vec![check("http", CheckRole::Liveness)])]);
    world.started("web");
    world.configure(&[], Prune::Keep);
    world.configure(&[with(Vec::new())], Prune::Keep);
    assert_eq!((world.view("web").checks().count(), world.next_in()), (0, None));
}

#[test]
fn a_hang_that_was_only_marked_counts_when_it_is_to_be_ended() {
    let watched = |action| {
        let mut web = service("web");
        web.care.watchdog = Some(crate::check::Watchdog { every: seconds(5), action });
        web
    };
    let mut world = World::new(&[watched(CheckAction::Mark)]);
    world.started("web");
    world.wait();
    world.configure(&[watched(CheckAction::Restart)], Prune::Keep);
    world.wait();
    assert_eq!(world.select("abort "), ["web 1"]);
}

#[test]
fn what_was_said_counts_for_who_asks_for_it_later() {
    let by = ReadyBy::Probe { every: seconds(1), timeout: seconds(5) };
    let mut world = World::new(&[readied("db", by)]);
    world.started("db");
    world.says("db", Notice::Ready);
    world.configure(&[readied("db", ReadyBy::Notice)], Prune::Keep);
    assert_eq!(world.state("db"), "running");
}

#[test]
fn what_is_asked_no_more_is_not_waited_for() {
    let mut world = World::new(&[readied("db", ReadyBy::Notice)]);
    world.started("db");
    world.configure(&[service("db")], Prune::Keep);
    assert_eq!((world.state("db"), world.next_in()), ("running", None));
    assert_eq!(world.take().last().map(String::as_str), Some("changed db"));
    world.configure(&[readied("db", ReadyBy::Notice)], Prune::Keep);
    assert_eq!((world.state("db"), world.next_in()), ("running", None));
}

#[test]
fn another_time_holds_for_who_is_waited_for_already() {
    let mut world = World::new(&[readied("db", ReadyBy::Notice)]);
    world.started("db");
    world.pass(10);
    let mut patient = readied("db", ReadyBy::Notice);
    patient.care.ready.timeout = seconds(300);
    world.configure(&[patient], Prune::Keep);
    assert_eq!(world.next_in(), Some(290));
    world.says("db", Notice::Extend(seconds(600)));
    world.configure(&[readied("db", ReadyBy::Notice)], Prune::Keep);
    assert_eq!(world.next_in(), Some(600), "what it asked for is not taken away");
    world.wait();
    assert_eq!((world.state("db"), world.select("health ").len()), ("stopping", 0));
}
