//! How a unit is looked at while it runs, and what follows.

use super::{
    ready::{check, seconds},
    *,
};
use crate::{
    check::{About, CheckAction, CheckRole, ReadyBy, Watchdog},
    hook::{Hook, HookPolicy},
};

fn checked(change: impl FnOnce(&mut crate::check::Check)) -> World {
    let mut web = service("web");
    let mut one = check("http", CheckRole::Liveness);
    change(&mut one);
    web.care.checks = vec![one];
    let mut world = World::new(&[web, needs("shop", &["web"])]);
    world.started("web");
    world.started("shop");
    world
}

fn watched(every: u64) -> World {
    let mut web = service("web");
    web.care.watchdog = Some(Watchdog { every: seconds(every), action: CheckAction::Restart });
    let mut world = World::new(&[web]);
    world.started("web");
    world
}

#[test]
fn so_many_failures_in_a_row_restart_it_and_stop_nobody_else() {
    let mut world = checked(|_| {});
    assert_eq!(world.state("web"), "running", "it is ready without it");
    world.look("web", Outcome::Failed("status 503".to_owned()));
    world.look("web", Outcome::Failed("status 503".to_owned()));
    world.look("web", Outcome::Passed);
    world.turn_bad("web");
    assert_eq!((world.state("web"), world.state("shop")), ("stopping", "running"));
    assert_eq!(world.asks(), ["web 1"]);
    world.exited("web", Exit::Code(0));
    let why = world.view("web").why();
    assert!(why.starts_with("its check `http` is bad: status 503; run 1 ended"), "{why}");
    assert_eq!(world.state("web"), "backoff");
    world.wait();
    assert_eq!(world.spawns().last().map(String::as_str), Some("web 2"));
}

#[test]
fn a_check_never_piles_up_and_one_that_takes_too_long_has_failed() {
    let mut world = checked(|check| check.every = seconds(1));
    world.wait();
    let probes = world.select("probe web").len();
    assert_eq!((probes, world.next_in()), (1, Some(2)), "its time-out comes next");
    world.wait();
    assert_eq!(world.select("abandon web"), [" 1 check-0 1"]);
    assert_eq!(world.view("web").checks().next().unwrap().seen, "no answer within 2 s");
    world.probed("web", ProbeOf::Check(0), 1, Outcome::Passed);
    assert_eq!(world.view("web").checks().next().unwrap().failures, 1, "too late");
}

#[test]
fn a_crowded_machine_is_waited_for_and_a_hang_is_found_all_the_same() {
    let mut world = checked(|check| check.failures = 1);
    world.tell(Input::Crowded { permille: 500 });
    world.wait();
    world.wait();
    assert_eq!(world.state("web"), "running");
    let told = world.select("health web");
    assert_eq!(told, [" Patient { what: \"check `http`\", permille: 500 }"]);
    assert_eq!(world.next_in(), Some(9));
    world.wait();
    assert_eq!(world.state("web"), "stopping");
}

#[test]
fn what_could_not_be_looked_at_is_no_failure() {
    let mut world = checked(|check| check.failures = 1);
    for _ in 0..5 {
        world.look("web", Outcome::Unknown("too many open files".to_owned()));
    }
    assert_eq!(world.state("web"), "running");
    assert_eq!(world.select("health web").len(), 1, "told once");
    assert!(world.next_in() >= Some(9), "no reason to look more often");
}

#[test]
fn what_follows_is_what_its_action_says() {
    let after = |action| {
        let mut world = checked(|check| check.action = action);
        world.turn_bad("web");
        let state = world.state("web");
        if state == "stopping" {
            world.exited("web", Exit::Code(0));
        }
        (state, world.state("web"))
    };
    assert_eq!(after(CheckAction::Restart), ("stopping", "backoff"));
    assert_eq!(after(CheckAction::Stop), ("stopping", "failed"));
    assert_eq!(after(CheckAction::Mark), ("running", "running"));
    assert_eq!(after(CheckAction::Run), ("running", "running"));
}

#[test]
fn a_stop_by_an_operator_ends_all_looks() {
    let mut world = checked(|_| {});
    world.wait();
    world.command("web", Command::Stop).unwrap();
    assert_eq!(world.select("abandon web").len(), 1);
    world.exited("shop", Exit::Code(0));
    world.exited("web", Exit::Code(0));
    assert_eq!((world.state("web"), world.next_in()), ("stopped", None));
}

#[test]
fn a_startup_check_that_fails_too_often_is_a_failed_start() {
    let mut web = service("web");
    web.care.checks = vec![check("up", CheckRole::Startup)];
    let mut world = World::new(&[web]);
    world.started("web");
    world.turn_bad("web");
    assert_eq!(world.state("web"), "stopping");
    world.exited("web", Exit::Signal(15));
    assert_eq!((world.state("web"), world.view("web").failures()), ("backoff", 1));
}

#[test]
fn a_hang_is_aborted_and_killed_if_need_be() {
    let mut world = watched(30);
    world.pass(20);
    world.says("web", Notice::Alive);
    assert_eq!(world.next_in(), Some(30));
    world.wait();
    assert_eq!(world.select("abort "), ["web 1"]);
    world.wait();
    assert_eq!(world.select("kill "), ["web 1"]);
    world.exited("web", Exit::Signal(9));
    assert_eq!(world.state("web"), "backoff");
    let why = world.view("web").why();
    assert!(why.starts_with("it has not said for 30 s that it is alive"), "{why}");
}

#[test]
fn a_program_says_itself_how_often_it_is_alive_and_when_it_is_not() {
    let mut world = watched(30);
    world.says("web", Notice::AliveEvery(seconds(2)));
    assert_eq!(world.next_in(), Some(2));
    world.says("web", Notice::AliveEvery(Duration::ZERO));
    assert_eq!(world.next_in(), None);
    world.says("web", Notice::Ailing);
    assert_eq!(world.select("abort "), ["web 1"]);
}

#[test]
fn a_watchdog_waits_for_a_crowded_machine() {
    let mut world = watched(10);
    world.tell(Input::Crowded { permille: 1000 });
    world.wait();
    assert_eq!((world.state("web"), world.next_in()), ("running", Some(90)));
    world.says("web", Notice::Alive);
    world.wait();
    world.wait();
    assert_eq!(world.state("web"), "stopping");
}

#[test]
fn whoever_says_that_it_stops_is_not_judged_any_more_and_has_a_time_for_it() {
    let mut world = watched(10);
    world.says("web", Notice::Stopping);
    assert_eq!(
        (world.state("web"), world.next_in(), world.asks().len()),
        ("stopping", Some(10), 0)
    );
    world.exited("web", Exit::Code(0));
    assert_eq!(world.state("web"), "backoff", "its end is what counts");
    let mut world = watched(10);
    world.says("web", Notice::Stopping);
    world.wait();
    assert_eq!(world.select("kill "), ["web 1"]);
    let mut world = watched(10);
    world.says("web", Notice::Stopping);
    world.pass(5);
    world.says("web", Notice::Extend(seconds(100)));
    assert_eq!(world.next_in(), Some(100));
    world.command("web", Command::Stop).unwrap();
    world.exited("web", Exit::Code(0));
    assert_eq!(world.state("web"), "stopped");
}

#[test]
fn what_an_operator_wishes_meanwhile_holds_after_its_end() {
    let ended = |command, exit| {
        let mut world = watched(10);
        world.says("web", Notice::Stopping);
        world.command("web", command).unwrap();
        world.exited("web", exit);
        (world.state("web"), world.view("web").failures())
    };
    assert_eq!(ended(Command::Kill, Exit::Signal(9)), ("stopped", 0));
    assert_eq!(ended(Command::Stop, Exit::Code(1)), ("stopped", 0));
    assert_eq!(ended(Command::Restart, Exit::Code(0)), ("starting", 0));
    assert_eq!(ended(Command::Start, Exit::Code(1)), ("backoff", 1), "its exit counts");
    let mut web = service("web");
    web.restart.when = RestartWhen::OnFailure;
    let mut world = World::new(&[web]);
    world.started("web");
    world.says("web", Notice::Stopping);
    world.command("web", Command::Start).unwrap();
    world.exited("web", Exit::Code(0));
    assert_eq!(world.state("web"), "starting", "where it would rest, it was wished for");
}

#[test]
fn what_was_said_before_a_run_is_ordered_is_not_held_against_it() {
    let mut web = service("web");
    web.care.ready.by = ReadyBy::Notice;
    web.care.hooks = [(Hook::BeforeStart, HookPolicy::default())].into();
    let mut world = World::new(&[web]);
    world.says("web", Notice::Stopping);
    world.says("web", Notice::Ready);
    world.hook_ends("web", Hook::BeforeStart, 1, Exit::Code(0));
    world.started("web");
    assert_eq!((world.state("web"), world.next_in()), ("starting", Some(90)));
}

#[test]
fn whoever_says_so_before_its_start_is_told_is_believed_too() {
    let mut web = service("web");
    web.care.checks = vec![check("http", CheckRole::Liveness)];
    let mut world = World::new(&[web]);
    world.says("web", Notice::Stopping);
    assert_eq!(world.state("web"), "starting");
    world.started("web");
    assert_eq!((world.state("web"), world.select("probe ").len()), ("stopping", 0));
}

#[test]
fn a_stop_takes_no_longer_than_it_may_whatever_its_program_asks_for() {
    let mut world = watched(10);
    world.command("web", Command::Stop).unwrap();
    for _ in 0..3 {
        world.says("web", Notice::Extend(Duration::MAX));
        world.pass(1200);
    }
    assert_eq!(world.next_in(), Some(0));
}

#[test]
fn a_watchdog_that_only_marks_says_so_once_and_until_it_speaks_again() {
    let mut web = service("web");
    web.care.watchdog = Some(Watchdog { every: seconds(5), action: CheckAction::Mark });
    let mut world = World::new(&[web]);
    world.started("web");
    world.wait();
    let view = world.view("web");
    let marks: Vec<_> = view.checks().map(|it| (it.name, it.verdict)).collect();
    assert_eq!((marks, world.next_in()), (vec![("watchdog", Verdict::Bad)], None));
    world.says("web", Notice::Alive);
    assert_eq!((world.view("web").checks().count(), world.next_in()), (0, Some(5)));
    let told = world.select("health web");
    assert_eq!(told, [" Hangs { silent: 5s }", " Good { check: \"watchdog\" }"]);
}

#[test]
fn a_heartbeat_check_asks_nobody() {
    let mut world = checked(|check| (check.about, check.failures) = (About::Heartbeat, 2));
    for _ in 0..8 {
        world.says("web", Notice::Alive);
        world.wait();
    }
    assert_eq!(world.state("web"), "running");
    for _ in 0..3 {
        world.wait();
    }
    assert_eq!((world.state("web"), world.select("probe ").len()), ("stopping", 0));
}

#[test]
fn a_heartbeat_that_makes_it_ready_has_to_be_heard_first() {
    let mut web = service("web");
    let beat = check("beat", CheckRole::Readiness);
    let beat = crate::check::Check { about: About::Heartbeat, failures: 1, ..beat };
    for role in [CheckRole::Startup, CheckRole::Readiness] {
        web.care.checks = vec![crate::check::Check { role, ..beat.clone() }];
        let mut world = World::new(std::slice::from_ref(&web));
        world.started("web");
        world.wait();
        assert_eq!((world.state("web"), world.next_in()), ("starting", Some(90)));
        world.says("web", Notice::Alive);
        assert_eq!(world.state("web"), "running", "at once: the word is taken with this turn");
    }
}

#[test]
fn a_verdict_outlives_the_agent_and_so_does_whose_fault_a_stop_is() {
    let mut world = checked(|check| check.action = CheckAction::Mark);
    world.turn_bad("web");
    let memo = world.supervisor.unit_memo("web");
    assert_eq!(memo.bad, 1);
    // As it would have been written of any of these actions.
    let memo = Memo { checks: 0, ..memo };
    let adopt = |action, memo: Memo, phase| {
        let mut web = service("web");
        web.care.checks =
            vec![crate::check::Check { action, ..check("http", CheckRole::Liveness) }];
        let mut world = World::closed(&[web]);
        let run = Adopted { unit: unit("web"), run: 1, spec_hash: 1, memo, phase };
        world.tell(Input::Adopt { runs: vec![run], wishes: Vec::new(), hooks: Vec::new() });
        world.tell(Input::Open);
        world
    };
    let running = AdoptedPhase::Running { pid: 7, since: Moment::default() };
    let world = adopt(CheckAction::Mark, memo, running);
    assert_eq!(world.view("web").checks().next().unwrap().verdict, Verdict::Bad);
    // What would have followed had not begun.
    assert_eq!(adopt(CheckAction::Restart, memo, running).asks(), ["web 1"]);
    let blamed = Memo { blame: Some(Blame::Retry), ..Memo::default() };
    let world = adopt(CheckAction::Restart, blamed, running);
    assert_eq!((world.state("web"), world.asks()), ("stopping", vec!["web 1".to_owned()]));
    let exit = Exit::Code(0);
    let (at, lived) = (Moment::default(), seconds(1));
    let ended = AdoptedPhase::Ended { exit, at, lived, strays: false };
    assert_eq!(adopt(CheckAction::Restart, blamed, ended).state("web"), "backoff");
}

impl Supervisor {
    pub(super) fn unit_memo(&self, name: &str) -> Memo {
        let service = self.service(&ServiceName::new(name).unwrap()).unwrap();
        self.units[&unit(name)].memo(service)
    }
}
