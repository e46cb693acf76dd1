//! What an agent passes on of a run that it looks after, and what the next one makes of it.

use super::{
    ready::{check, readied, seconds},
    *,
};
use crate::{
    check::{About, CheckRole, ReadyBy, Watchdog},
    hook::{Hook, HookPolicy},
};

/// Returns a world whose agent finds run 3 of a service, with this written on it.
pub(super) fn adopted(service: &Service, memo: Memo, lived: u64) -> World {
    let mut world = World::closed(std::slice::from_ref(service));
    world.pass(lived);
    let phase = AdoptedPhase::Running { pid: 7, since: Moment::default() };
    let unit = unit(service.name.as_str());
    let run = Adopted { unit, run: 3, spec_hash: 1, memo, phase };
    world.tell(Input::Adopt { runs: vec![run], wishes: Vec::new(), hooks: Vec::new() });
    world.tell(Input::Open);
    world
}

fn reached(reached: Reached) -> Memo {
    Memo { reached, ..Memo::default() }
}

/// Returns what was last written on a run.
fn written(world: &World) -> Memo {
    let memos = world.all.iter().rev().filter_map(|effect| {
        let action = &effect.action;
        if let Action::Spawn { memo, .. } | Action::Remember { memo, .. } = action {
            return Some(*memo);
        }
        None
    });
    memos.into_iter().next().unwrap()
}

#[test]
fn the_next_agent_goes_on_waiting_and_forgets_no_readiness() {
    let db = readied("db", ReadyBy::Notice);
    let ready = reached(Reached::Ready { after: seconds(3) });
    assert_eq!(adopted(&db, Memo::default(), 0).state("db"), "running");
    assert_eq!(adopted(&db, ready, 0).state("db"), "running");
    let mut world = adopted(&db, reached(Reached::Settling { within: seconds(30) }), 0);
    assert_eq!((world.state("db"), world.next_in()), ("starting", Some(30)));
    world.says("db", Notice::Ready);
    assert_eq!(world.state("db"), "running");
}

#[test]
fn what_is_reached_is_written_on_the_run() {
    let mut world = World::new(&[readied("db", ReadyBy::Notice)]);
    assert_eq!(written(&world).reached, Reached::Settling { within: seconds(30) });
    world.started("db");
    world.says("db", Notice::Extend(seconds(45)));
    assert_eq!(written(&world).reached, Reached::Settling { within: seconds(45) });
    world.pass(2);
    world.says("db", Notice::Ready);
    assert_eq!(written(&world).reached, Reached::Ready { after: seconds(2) });
    world.says("db", Notice::Stopping);
    let leaving = |within| {
        let (ready_after, after) = (Some(seconds(2)), seconds(2));
        Reached::Leaving { ready_after, after, within: seconds(within) }
    };
    assert_eq!(written(&world).reached, leaving(10));
    world.says("db", Notice::Extend(seconds(600)));
    assert_eq!(written(&world).reached, leaving(600));
    world.command("db", Command::Restart).unwrap();
    assert!(written(&world).stopping, "that, too, is written at once");
}

#[test]
fn a_run_has_what_is_left_of_its_time_and_some_at_least() {
    let db = readied("db", ReadyBy::Notice);
    let left = |within, lived| {
        adopted(&db, reached(Reached::Settling { within: seconds(within) }), lived).next_in()
    };
    assert_eq!(left(30, 5), Some(25), "no more than it had");
    assert_eq!(left(600, 100), Some(500), "it had asked for more");
    assert_eq!(left(30, 3600), Some(10), "nobody looked meanwhile");
}

#[test]
fn a_run_that_was_ready_for_a_moment_was_no_good_run() {
    let db = readied("db", ReadyBy::Notice);
    let failures_after = |after| {
        let memo = Memo { failures: 4, ..reached(Reached::Ready { after: seconds(after) }) };
        let mut world = adopted(&db, memo, 100);
        world.exited("db", Exit::Code(1));
        world.view("db").failures()
    };
    assert_eq!((failures_after(99), failures_after(0)), (5, 1));
}

#[test]
fn who_said_that_it_stops_is_not_judged_by_the_next_agent_either() {
    let mut web = service("web");
    web.care.checks = vec![check("http", CheckRole::Liveness)];
    let action = crate::check::CheckAction::Restart;
    web.care.watchdog = Some(Watchdog { every: seconds(2), action });
    let leaving = |within| {
        let (ready_after, after) = (Some(seconds(0)), seconds(45));
        reached(Reached::Leaving { ready_after, after, within: seconds(within) })
    };
    assert_eq!(adopted(&web, leaving(1200), 50).next_in(), Some(1195), "it had asked for more");
    let mut world = adopted(&web, leaving(10), 50);
    assert_eq!((world.state("web"), world.next_in()), ("stopping", Some(5)));
    assert_eq!(world.asks().len() + world.select("probe ").len(), 0);
    world.exited("web", Exit::Code(1));
    assert_eq!((world.state("web"), world.select("abort ").len()), ("backoff", 0));
}

#[test]
fn the_hook_after_a_start_is_made_up_for_if_it_was_owed() {
    let mut web = service("web");
    web.care.hooks = [(Hook::AfterStart, HookPolicy::default())].into();
    assert!(written(&World::new(std::slice::from_ref(&web))).owes_after_start);
    let owed = Memo { owes_after_start: true, ..Memo::default() };
    assert_eq!(adopted(&web, owed, 1).select("hook "), ["web after-start 3"]);
    let stopping = Memo { stopping: true, ..owed };
    assert_eq!(adopted(&web, stopping, 1).select("hook ").len(), 0, "it is on its way down");
    let none = adopted(&web, Memo::default(), 1);
    assert_eq!(none.select("hook ").len(), 0, "it came into the files later");
}

#[test]
fn a_hook_after_a_start_that_waits_for_another_is_owed() {
    let mut web = readied("web", ReadyBy::Notice);
    web.care.hooks = [(Hook::AfterStart, HookPolicy::default())].into();
    let mut world = World::new(&[web]);
    world.started("web");
    world.says("web", Notice::Ready);
    assert!(!written(&world).owes_after_start);
    world.exited("web", Exit::Code(1));
    world.wait();
    world.started("web");
    world.says("web", Notice::Ready);
    assert_eq!(world.select("hook "), ["web after-start 1"]);
    assert!(written(&world).owes_after_start, "the one before it is still under way");
    world.hook_ends("web", Hook::AfterStart, 1, Exit::Code(0));
    assert_eq!(world.select("hook ").last().unwrap(), "web after-start 2");
    assert!(!world.supervisor.unit_memo("web").owes_after_start);
}

/// Returns what was last written on a run that has ended.
fn pardon(world: &World) -> Memo {
    let memos = world.all.iter().rev().filter_map(|effect| {
        let Action::Remember { memo, .. } = effect.action else { return None };
        Some(memo)
    });
    memos.into_iter().next().unwrap()
}

/// Returns a world whose agent finds that run 1 of a service has ended, with this written on it.
fn ended(service: &Service, memo: Memo) -> World {
    let mut world = World::closed(std::slice::from_ref(service));
    let (at, exit, lived) = (Moment::default(), Exit::Code(1), seconds(1));
    let phase = AdoptedPhase::Ended { exit, at, lived, strays: false };
    let unit = unit(service.name.as_str());
    let run = Adopted { unit, run: 1, spec_hash: 1, memo, phase };
    world.tell(Input::Adopt { runs: vec![run], wishes: Vec::new(), hooks: Vec::new() });
    world.tell(Input::Open);
    world
}

#[test]
fn a_reset_makes_no_stop_of_an_end() {
    let mut web = service("web");
    web.care.hooks = [(Hook::AfterStop, HookPolicy::default())].into();
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.command("web", Command::Reset).unwrap();
    let memo = pardon(&world);
    assert_eq!((memo.pardoned, memo.stopping), (true, false));
    let world = ended(&web, memo);
    assert_eq!(world.spawns(), ["web 2"], "its end decides nothing");
    assert_eq!(world.select("hook ").len(), 0, "and nobody stopped it");
    assert_eq!(ended(&web, Memo::default()).spawns().len(), 0, "it is retried later");
}

#[test]
fn a_reset_does_not_forget_that_a_run_was_asked_to_end() {
    let mut web = service("web");
    let hooks = [Hook::AfterExit, Hook::AfterStop];
    web.care.hooks = hooks.into_iter().map(|hook| (hook, HookPolicy::default())).collect();
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.exited("web", Exit::Code(0));
    world.command("web", Command::Reset).unwrap();
    assert!(pardon(&world).stopping, "`after-stop` has not begun");
    world.hook_ends("web", Hook::AfterExit, 1, Exit::Code(0));
    world.command("web", Command::Reset).unwrap();
    assert!(pardon(&world).stopping, "its order may not have arrived");
    world.hook_ends("web", Hook::AfterStop, 1, Exit::Code(0));
    world.command("web", Command::Reset).unwrap();
    assert!(!pardon(&world).stopping);
}

#[test]
fn a_hook_that_came_into_the_files_does_not_follow_an_end_before_the_last_start() {
    let mut web = service("web");
    web.care.hooks = [(Hook::AfterExit, HookPolicy::default())].into();
    let hooks_of = |successors: &[u64]| {
        let mut world = World::closed(std::slice::from_ref(&web));
        let (at, exit, lived) = (Moment::default(), Exit::Code(1), seconds(1));
        let ended = AdoptedPhase::Ended { exit, at, lived, strays: false };
        let found = |run, phase| Adopted {
            unit: unit("web"),
            run,
            spec_hash: 1,
            memo: Memo::default(),
            phase,
        };
        let later = successors.iter().map(|run| found(*run, AdoptedPhase::Starting));
        let runs = std::iter::once(found(1, ended)).chain(later).collect();
        world.tell(Input::Adopt { runs, wishes: Vec::new(), hooks: Vec::new() });
        world.select("hook ")
    };
    assert_eq!(hooks_of(&[]), ["web after-exit 1"]);
    assert_eq!(hooks_of(&[2]).len(), 0, "run 2 is under way");
}

#[test]
fn the_marks_of_other_checks_mean_nothing() {
    let with = |names: &[&str]| {
        let mut web = service("web");
        web.care.checks = names.iter().map(|name| check(name, CheckRole::Liveness)).collect();
        web
    };
    let mut world = World::new(&[with(&["disk", "api"])]);
    world.started("web");
    let memo = Memo { bad: 1, ..world.supervisor.unit_memo("web") };
    assert_eq!(adopted(&with(&["disk", "api"]), memo, 1).asks(), ["web 3"]);
    assert_eq!(adopted(&with(&["api"]), memo, 1).asks().len(), 0);
    let mut changed = with(&["disk", "api"]);
    changed.care.checks[0].role = CheckRole::Readiness;
    assert_eq!(adopted(&changed, memo, 1).asks().len(), 0, "it means something else now");
    let earlier = Memo { checks: 0, ..memo };
    assert_eq!(adopted(&with(&["disk", "api"]), earlier, 1).asks(), ["web 3"]);
}

#[test]
fn a_hook_that_came_while_it_was_ready_is_owed_by_nobody() {
    let mut web = service("web");
    web.care.checks = vec![check("http", CheckRole::Liveness)];
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    web.care.hooks = [(Hook::AfterStart, HookPolicy::default())].into();
    world.configure(&[web], Prune::Keep);
    assert!(!written(&world).owes_after_start);
}

#[test]
fn a_delay_counts_from_the_start_whoever_looks() {
    let mut web = readied("web", ReadyBy::Started);
    let up = check("up", CheckRole::Startup);
    web.care.checks = vec![crate::check::Check { delay: seconds(20), ..up }];
    let memo = reached(Reached::Settling { within: seconds(30) });
    let mut world = adopted(&web, memo, 15);
    assert_eq!(world.next_in(), Some(5));
    world.wait();
    assert_eq!(world.select("probe "), ["web 3 check-0 1"]);
}

#[test]
fn who_has_to_be_heard_again_has_the_time_for_a_word() {
    let mut web = readied("web", ReadyBy::Started);
    let beat = crate::check::Check {
        about: About::Heartbeat,
        every: seconds(50),
        ..check("beat", CheckRole::Startup)
    };
    web.care.checks = vec![beat];
    let mut world = adopted(&web, reached(Reached::Settling { within: seconds(30) }), 25);
    world.wait();
    assert_eq!((world.state("web"), world.next_in()), ("starting", Some(50)));
}

#[test]
fn a_mark_for_a_hang_is_no_news_to_the_next_agent() {
    let mut web = service("web");
    let action = crate::check::CheckAction::Mark;
    web.care.watchdog = Some(Watchdog { every: seconds(5), action });
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    world.wait();
    let mut world = adopted(&web, written(&world), 60);
    let is_marked = |world: &World| world.view("web").checks().any(|it| it.name == "watchdog");
    assert!(is_marked(&world) && world.next_in().is_none());
    world.says("web", Notice::Alive);
    assert!(!is_marked(&world) && !written(&world).hung);
}

#[test]
fn a_hang_that_was_only_marked_is_ended_once_the_files_say_so() {
    let mut web = service("web");
    let action = crate::check::CheckAction::Restart;
    web.care.watchdog = Some(Watchdog { every: seconds(5), action });
    let mut world = adopted(&web, Memo { hung: true, ..Memo::default() }, 60);
    assert_eq!(world.next_in(), Some(5), "it may be heard once more");
    world.wait();
    assert_eq!(world.select("abort "), ["web 3"]);
}

#[test]
fn a_hang_stays_one() {
    let memo = Memo { blame: Some(Blame::Hang), ..Memo::default() };
    let world = adopted(&service("web"), memo, 1);
    assert_eq!((world.select("abort "), world.asks().len()), (vec!["web 3".to_owned()], 0));
}
