//! Commands beside a program: in which order, how often, and what their failures mean.

use super::{
    ready::{check, seconds},
    *,
};
use crate::{
    check::{Check, CheckAction, CheckId, CheckRole, Watchdog},
    effect::Situation,
    hook::{Hook, HookPolicy},
};

const fn usual(hook: Hook) -> HookPolicy {
    HookPolicy { timeout: hook.timeout() }
}

pub(super) fn hooked(hooks: &[Hook]) -> Service {
    let mut web = service("web");
    web.care.hooks = hooks.iter().map(|hook| (*hook, usual(*hook))).collect();
    web
}

/// Returns a check with an action of its own that one failure makes bad.
fn heals(name: &str) -> Check {
    let check = check(name, CheckRole::Liveness);
    Check { action: CheckAction::Run, failures: 1, successes: 1, ..check }
}

fn acting(checks: &[Check]) -> Service {
    let mut web = service("web");
    let own = |check: &Check| Hook::OfCheck(CheckId::of(&check.name));
    let hook = |check: &Check| (own(check), usual(own(check)));
    web.care.hooks = checks.iter().map(hook).collect();
    web.care.checks = checks.to_vec();
    web
}

const ALL: [Hook; 6] = [
    Hook::BeforeStart,
    Hook::AfterStart,
    Hook::BeforeStop,
    Hook::AfterStop,
    Hook::AfterExit,
    Hook::OnFailure,
];

#[test]
fn a_life_has_its_hooks_in_order() {
    let mut world = World::new(&[hooked(&ALL)]);
    assert_eq!(world.take(), ["hook web before-start 1", "changed web"]);
    world.hook_ends("web", Hook::BeforeStart, 1, Exit::Code(0));
    assert_eq!(world.take(), ["settle-hook web before-start 1", "spawn web 1"]);
    world.tell(Input::Started { unit: unit("web"), run: 1, pid: 7 });
    assert_eq!(world.take(), ["hook web after-start 1", "changed web"]);
    world.hook_ends("web", Hook::AfterStart, 1, Exit::Code(3));
    assert_eq!(world.state("web"), "running", "its failure changes nothing");
    world.take();
    world.command("web", Command::Stop).unwrap();
    let asked = ["keep web down", "changed web", "answer web", "hook web before-stop 1"];
    assert_eq!(world.take(), [&asked[..], &["remember web 1"]].concat());
    world.hook_ends("web", Hook::BeforeStop, 1, Exit::Code(1));
    assert_eq!(world.take(), ["settle-hook web before-stop 1", "remember web 1", "ask web 1"]);
    world.exited("web", Exit::Code(0));
    assert_eq!(world.take(), ["hook web after-exit 1", "changed web", "settle web 1"]);
    world.command("web", Command::Start).unwrap();
    assert_eq!(world.view("web").why(), "its hook `after-exit` is still running");
    world.take();
    world.hook_ends("web", Hook::AfterExit, 1, Exit::Code(0));
    assert_eq!(world.take(), ["settle-hook web after-exit 1", "hook web after-stop 1"]);
    world.hook_ends("web", Hook::AfterStop, 1, Exit::Code(0));
    assert_eq!(
        world.take(),
        ["settle-hook web after-stop 1", "hook web before-start 2", "changed web"]
    );
}

#[test]
fn a_run_whose_hook_fails_is_not_started() {
    let mut world = World::new(&[hooked(&[Hook::BeforeStart, Hook::OnFailure])]);
    world.hook_ends("web", Hook::BeforeStart, 1, Exit::Code(2));
    assert_eq!((world.state("web"), world.view("web").failures()), ("backoff", 1));
    let why = "run 1 was not started: its hook `before-start` ended with code 2";
    assert_eq!(world.view("web").why(), why);
    assert_eq!(world.select("hook web on-failure").len(), 1);
    world.wait();
    assert_eq!(world.select("hook web before-start"), [" 1", " 2"]);
    assert_eq!(world.spawns(), [""; 0]);
}

#[test]
fn a_hook_that_is_late_is_asked_to_leave_then_killed_again_and_again_and_has_failed() {
    let mut web = hooked(&[Hook::BeforeStart]);
    web.care.hooks.insert(Hook::BeforeStart, HookPolicy { timeout: seconds(30) });
    let mut world = World::new(&[web]);
    assert_eq!(world.next_in(), Some(30));
    world.wait();
    assert_eq!(world.select("ask-hook "), ["web before-start 1"]);
    assert_eq!((world.select("kill-hook ").len(), world.next_in()), (0, Some(10)));
    world.wait();
    assert_eq!((world.select("kill-hook ").len(), world.next_in()), (1, Some(5)));
    world.wait();
    assert_eq!((world.select("ask-hook ").len(), world.select("kill-hook ").len()), (1, 2));
    world.hook_ends("web", Hook::BeforeStart, 1, Exit::Code(0));
    let why = "run 1 was not started: its hook `before-start` took longer than 30 s";
    assert_eq!((world.state("web"), world.view("web").why()), ("backoff", why));
}

#[test]
fn what_prepares_a_start_has_time_for_a_database() {
    let world = World::new(&[hooked(&[Hook::BeforeStart])]);
    assert_eq!(world.next_in(), Some(3600));
}

#[test]
fn a_kill_waits_for_nothing_that_prepares_a_start() {
    let mut world = World::new(&[hooked(&[Hook::BeforeStart])]);
    world.command("web", Command::Kill).unwrap();
    assert_eq!((world.select("ask-hook ").len(), world.select("kill-hook ").len()), (0, 1));
}

#[test]
fn a_stop_ends_what_prepares_the_start_and_starts_nothing() {
    let mut world = World::new(&[hooked(&[Hook::BeforeStart])]);
    world.command("web", Command::Stop).unwrap();
    assert_eq!((world.state("web"), world.select("ask-hook ").len()), ("stopped", 1));
    world.command("web", Command::Start).unwrap();
    assert_eq!(world.state("web"), "waiting");
    world.hook_ends("web", Hook::BeforeStart, 1, Exit::Signal(9));
    assert_eq!(world.select("hook web before-start"), [" 1", " 2"]);
    world.hook_ends("web", Hook::BeforeStart, 1, Exit::Code(0));
    assert_eq!(world.spawns(), [""; 0], "that was of the first run");
}

#[test]
fn a_stop_goes_on_when_its_hook_is_late() {
    let mut world = World::new(&[hooked(&[Hook::BeforeStop])]);
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    assert_eq!((world.asks().len(), world.next_in()), (0, Some(30)));
    world.wait();
    assert_eq!((world.asks(), world.select("ask-hook ").len()), (vec!["web 1".to_owned()], 1));
}

#[test]
fn a_kill_waits_for_no_hook() {
    let mut world = World::new(&[hooked(&[Hook::BeforeStop])]);
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.command("web", Command::Kill).unwrap();
    assert_eq!((world.select("kill ").len(), world.select("kill-hook ").len()), (1, 1));
}

#[test]
fn what_happens_again_while_its_hook_runs_runs_it_once_more() {
    let mut world = World::new(&[hooked(&[Hook::AfterRotate])]);
    world.started("web");
    for _ in 0..5 {
        world.tell(Input::Rotated { unit: unit("web") });
    }
    assert_eq!(world.select("hook web after-rotate"), [" 1"]);
    world.hook_ends("web", Hook::AfterRotate, 1, Exit::Code(0));
    assert_eq!(world.select("hook web after-rotate"), [" 1", " 2"]);
    world.hook_ends("web", Hook::AfterRotate, 2, Exit::Code(0));
    assert_eq!(world.select("hook web after-rotate"), [" 1", " 2"]);
}

#[test]
fn a_failure_is_told_once_of_each_run_and_once_that_it_was_the_last() {
    let mut web = hooked(&[Hook::OnFailure]);
    web.restart.limit = 2;
    let mut world = World::new(&[web]);
    for run in 1..3 {
        world.started("web");
        world.exited("web", Exit::Code(1));
        world.hook_ends("web", Hook::OnFailure, 2 * run, Exit::Code(0));
        world.wait();
    }
    assert_eq!(world.state("web"), "failed");
    assert_eq!(world.select("hook web on-failure"), [" 2", " 4", " 5"]);
}

#[test]
fn whoever_is_given_up_has_failed_whatever_its_code_was_and_is_told_once() {
    for (code, action) in [(0, ExitAction::Fail), (1, ExitAction::Fail)] {
        let mut web = hooked(&[Hook::OnFailure]);
        web.restart.exits = BTreeMap::from([(ExitKey::Code(code), action)]);
        let mut world = World::new(&[web]);
        world.started("web");
        world.exited("web", Exit::Code(code));
        assert_eq!(world.state("web"), "failed");
        assert_eq!(world.select("hook web on-failure"), [" 3"], "it was the last");
        assert_eq!(world.situation().state, "failed");
    }
    let mut web = acting(&[Check { action: CheckAction::Stop, ..heals("api") }]);
    web.care.hooks = BTreeMap::from([(Hook::OnFailure, usual(Hook::OnFailure))]);
    let mut world = World::new(&[web]);
    world.started("web");
    world.look("web", Outcome::Failed("status 503".to_owned()));
    world.exited("web", Exit::Code(0));
    assert_eq!((world.state("web"), world.select("hook web on-fail").len()), ("failed", 1));
    assert_eq!(world.select("hook web on-failure"), [" 3"]);
}

#[test]
fn a_hang_is_a_failure() {
    let mut web = hooked(&[Hook::OnFailure]);
    web.care.watchdog = Some(Watchdog { every: seconds(5), action: CheckAction::Restart });
    let mut world = World::new(&[web]);
    world.started("web");
    world.wait();
    assert_eq!(world.state("web"), "stopping");
    world.exited("web", Exit::Signal(6));
    assert_eq!(world.select("hook web on-failure"), [" 2"]);
    assert_eq!(world.situation().exit, Some(Exit::Signal(6)));
}

#[test]
fn a_hook_is_told_how_its_unit_stood_and_not_what_came_next() {
    let mut web = hooked(&[Hook::BeforeStart, Hook::AfterExit, Hook::BeforeStop, Hook::OnFailure]);
    web.restart.delays = Delays::List(vec![Duration::ZERO]);
    let mut world = World::new(&[web]);
    assert_eq!(world.situation().state, "starting");
    world.hook_ends("web", Hook::BeforeStart, 1, Exit::Code(0));
    world.started("web");
    world.exited("web", Exit::Code(7));
    let why = world.situation().why;
    assert!(why.starts_with("run 1 ended with code 7"), "{why}");
    world.hook_ends("web", Hook::AfterExit, 1, Exit::Code(0));
    world.hook_ends("web", Hook::BeforeStart, 2, Exit::Code(0));
    world.started("web");
    world.exited("web", Exit::Signal(6));
    world.hook_ends("web", Hook::AfterExit, 2, Exit::Code(0));
    world.hook_ends("web", Hook::BeforeStart, 3, Exit::Code(0));
    world.started("web");
    world.hook_ends("web", Hook::OnFailure, 2, Exit::Code(0));
    assert_eq!(world.select("hook web on-failure"), [" 2", " 4"]);
    assert_eq!(world.situation().exit, Some(Exit::Signal(6)), "that of the run it is about");
    world.command("web", Command::Stop).unwrap();
    assert_eq!(world.situation().state, "stopping");
}

#[test]
fn a_start_waits_for_what_is_in_its_way_and_for_no_other_hook() {
    let mut web = hooked(&[Hook::AfterExit, Hook::OnFailure]);
    web.restart.delays = Delays::List(vec![Duration::ZERO]);
    let mut world = World::new(&[web]);
    world.started("web");
    world.exited("web", Exit::Code(1));
    assert_eq!(world.spawns(), ["web 1"]);
    world.hook_ends("web", Hook::AfterExit, 1, Exit::Code(0));
    assert_eq!(world.spawns(), ["web 1", "web 2"], "`on-failure` is still running");
}

#[test]
fn everything_is_at_rest_only_when_the_last_hook_is() {
    let mut world = World::new(&[hooked(&[Hook::AfterExit])]);
    world.started("web");
    world.tell(Input::ShutDown);
    world.exited("web", Exit::Code(0));
    assert!(!world.take().contains(&"all at rest".to_owned()));
    world.hook_ends("web", Hook::AfterExit, 1, Exit::Code(0));
    assert!(world.take().contains(&"all at rest".to_owned()));
}

#[test]
fn whoever_shuts_down_waits_for_a_hook_of_no_end_as_long_as_for_a_program() {
    let (rotate, exit) = (Hook::AfterRotate, Hook::AfterExit);
    let mut web = hooked(&[rotate, exit]);
    web.care.hooks.insert(rotate, HookPolicy { timeout: seconds(7200) });
    web.care.hooks.insert(exit, HookPolicy { timeout: seconds(600) });
    let mut world = World::new(&[web]);
    world.started("web");
    world.tell(Input::Rotated { unit: unit("web") });
    world.tell(Input::ShutDown);
    world.exited("web", Exit::Code(0));
    assert_eq!(world.next_in(), Some(10), "its `stop.timeout`");
    world.tell(Input::Rotated { unit: unit("web") });
    world.wait();
    assert_eq!(world.select("ask-hook "), ["web after-rotate 1"]);
    world.hook_ends("web", rotate, 1, Exit::Signal(15));
    assert_eq!(world.select("hook web after-rotate"), [" 1", " 2"], "the last segment as well");
    assert_eq!(world.next_in(), Some(10));
    world.hook_ends("web", rotate, 2, Exit::Code(0));
    assert_eq!(world.next_in(), Some(590), "what ends a run has the time it was given");
    world.hook_ends("web", exit, 1, Exit::Code(0));
    assert!(world.take().contains(&"all at rest".to_owned()));
}

#[test]
fn what_is_written_again_comes_after_the_hook_that_it_calls_ordered() {
    let mut world = World::new(&[hooked(&[Hook::AfterStart])]);
    let owing = world.supervisor.unit_memo("web");
    world.started("web");
    assert!(owing.owes_after_start && !world.supervisor.unit_memo("web").owes_after_start);
    world.all.clear();
    let phase = AdoptedPhase::Running { pid: 7, since: Moment::default() };
    let run = Adopted { unit: unit("web"), run: 1, spec_hash: 1, memo: owing, phase };
    world.tell(Input::Reconcile { runs: vec![run], hooks: Vec::new() });
    let of = |is_it: fn(&Action) -> bool| world.all.iter().position(|it| is_it(&it.action));
    let hook = of(|it| matches!(it, Action::Hook { .. }));
    let memo = of(|it| matches!(it, Action::Remember { .. }));
    assert!(hook.is_some() && hook < memo, "{hook:?} {memo:?}");
}

#[test]
fn a_reset_makes_no_stop_of_an_end_whose_hook_an_earlier_agent_has_left_out() {
    let web = hooked(&[Hook::AfterExit, Hook::AfterStop]);
    let mut world = World::closed(std::slice::from_ref(&web));
    let memo = Memo { pardoned: true, ..Memo::default() };
    let (exit, at, lived) = (Exit::Code(0), Moment::default(), seconds(1));
    let phase = AdoptedPhase::Ended { exit, at, lived, strays: false };
    let run = Adopted { unit: unit("web"), run: 1, spec_hash: 1, memo, phase };
    let (hook, phase) =
        (Hook::AfterExit, AdoptedPhase::Running { pid: 9, since: Moment::default() });
    let after_exit = AdoptedHook { unit: unit("web"), hook, number: 1, run: 1, memo, phase };
    world.tell(Input::Adopt { runs: vec![run], wishes: Vec::new(), hooks: vec![after_exit] });
    world.tell(Input::Open);
    world.command("web", Command::Reset).unwrap();
    let written = world.all.iter().rev().find_map(|effect| {
        let Action::Remember { memo, .. } = &effect.action else { return None };
        Some(*memo)
    });
    assert!(written.is_some_and(|memo| memo.pardoned && !memo.stopping));
}

#[test]
fn a_hook_that_was_taken_out_of_the_files_has_no_hour() {
    let left = |web: Service| {
        let mut world = World::closed(std::slice::from_ref(&web));
        let phase = AdoptedPhase::Running { pid: 9, since: Moment::default() };
        let (hook, number, memo) = (Hook::BeforeStart, 4, Memo::default());
        let hook = AdoptedHook { unit: unit("web"), hook, number, run: 4, memo, phase };
        world.tell(Input::Adopt { runs: Vec::new(), wishes: Vec::new(), hooks: vec![hook] });
        world.tell(Input::Open);
        world.next_in()
    };
    assert_eq!(left(hooked(&[Hook::BeforeStart])), Some(3600), "a migration of a database");
    assert_eq!(left(hooked(&[])), Some(30));
}

#[test]
fn a_hook_of_a_unit_that_is_gone_is_killed_until_it_is_gone_and_waited_for() {
    let web = hooked(&[Hook::BeforeStart]);
    let mut world = World::closed(&[service("other")]);
    let (hook, number, memo) = (Hook::BeforeStart, 4, Memo::default());
    let phase = AdoptedPhase::Starting;
    let hook = AdoptedHook { unit: unit("web"), hook, number, run: 4, memo, phase };
    world.tell(Input::Adopt { runs: Vec::new(), wishes: Vec::new(), hooks: vec![hook] });
    world.tell(Input::Open);
    world.started("other");
    assert_eq!(world.select("kill-hook "), ["web before-start 4"]);
    world.wait();
    assert_eq!(world.select("kill-hook ").len(), 2, "it was born only now");
    world.configure(&[service("other"), web], Prune::Keep);
    assert_eq!(world.select("hook "), [""; 0], "there is one of that name");
    world.wait();
    assert_eq!(world.select("kill-hook ").len(), 3);
    world.hook_ends("web", Hook::BeforeStart, 4, Exit::Signal(9));
    assert_eq!(world.select("hook "), ["web before-start 5"]);
}

#[test]
fn who_relies_on_what_was_only_being_prepared_leaves_with_the_others() {
    let mut web = hooked(&[Hook::BeforeStart]);
    (web.instances, web.requires) = (2, vec![name("base")]);
    let app = Service { requires: vec![name("web")], ..service("app") };
    let mut world = World::new(&[app, service("base"), web]);
    world.started("base");
    for web in ["web", "web@2"] {
        world.hook_ends(web, Hook::BeforeStart, 1, Exit::Code(0));
        world.started(web);
    }
    world.started("app");
    world.exited("web@2", Exit::Code(1));
    world.wait();
    assert_eq!(world.state("web@2"), "starting", "its hook runs");
    world.take();
    world.command("base", Command::Stop).unwrap();
    assert_eq!(world.asks(), ["app 1"]);
    world.exited("app", Exit::Code(0));
    assert_eq!(world.asks(), ["app 1", "web 1"]);
}

#[test]
fn the_next_agent_runs_no_hook_a_second_time() {
    let web = hooked(&ALL);
    let ended = AdoptedPhase::Ended {
        exit: Exit::Code(1),
        at: Moment::default(),
        lived: seconds(1),
        strays: false,
    };
    let run =
        Adopted { unit: unit("web"), run: 3, spec_hash: 1, memo: Memo::default(), phase: ended };
    let hook = |hook, number, phase| AdoptedHook {
        unit: unit("web"),
        hook,
        number,
        run: 3,
        memo: Memo::default(),
        phase,
    };
    let mut world = World::closed(std::slice::from_ref(&web));
    let hooks =
        vec![hook(Hook::AfterExit, 3, AdoptedPhase::Remembered), hook(Hook::OnFailure, 6, ended)];
    world.tell(Input::Adopt { runs: vec![run.clone()], wishes: Vec::new(), hooks });
    world.tell(Input::Open);
    assert_eq!(world.select("hook "), [""; 0]);
    assert_eq!(world.select("settle-hook "), ["web on-failure 6"]);
    let mut world = World::closed(&[web]);
    world.tell(Input::Adopt { runs: vec![run], wishes: Vec::new(), hooks: Vec::new() });
    assert_eq!(world.select("hook "), ["web after-exit 3", "web on-failure 6"]);
}

#[test]
fn the_next_agent_goes_on_with_a_start_that_was_being_prepared() {
    let web = hooked(&[Hook::BeforeStart]);
    let adopt = |phase| {
        let mut world = World::closed(std::slice::from_ref(&web));
        let (hook, number) = (Hook::BeforeStart, 4);
        let hook =
            AdoptedHook { unit: unit("web"), hook, number, run: 4, memo: Memo::default(), phase };
        world.tell(Input::Adopt { runs: Vec::new(), wishes: Vec::new(), hooks: vec![hook] });
        world.tell(Input::Open);
        world
    };
    let mut world = adopt(AdoptedPhase::Running { pid: 9, since: Moment::default() });
    assert_eq!((world.state("web"), world.view("web").run()), ("starting", 4));
    world.hook_ends("web", Hook::BeforeStart, 4, Exit::Code(0));
    assert_eq!(world.spawns(), ["web 4"]);
    let (exit, at, lived) = (Exit::Code(0), Moment::default(), seconds(1));
    let world = adopt(AdoptedPhase::Ended { exit, at, lived, strays: false });
    assert_eq!((world.spawns(), world.select("hook ").len()), (vec!["web 4".to_owned()], 0));
}

#[test]
fn what_waits_for_a_hook_of_a_run_that_is_gone_is_not_run() {
    let mut world = World::new(&[hooked(&[Hook::AfterStart])]);
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.wait();
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.hook_ends("web", Hook::AfterStart, 1, Exit::Signal(9));
    assert_eq!(world.select("hook web after-start"), [" 1"]);
}

#[test]
fn the_action_of_a_check_counts_on_wherever_the_check_stands() {
    let (disk, api) = (heals("disk"), heals("api"));
    let mut world = World::new(&[acting(std::slice::from_ref(&api))]);
    world.started("web");
    let turn_bad_and_good = |world: &mut World, check: &str, number| {
        world.look("web", Outcome::Failed("status 503".to_owned()));
        world.hook_ends("web", Hook::OfCheck(CheckId::of(check)), number, Exit::Code(0));
        world.look("web", Outcome::Passed);
        world.select("hook web action")
    };
    assert_eq!(turn_bad_and_good(&mut world, "api", 1), [" 1"]);
    world.configure(&[acting(&[disk])], Prune::Keep);
    assert_eq!(turn_bad_and_good(&mut world, "disk", 1), [" 1", " 1"], "its own first one");
    world.configure(&[acting(&[api])], Prune::Keep);
    assert_eq!(turn_bad_and_good(&mut world, "api", 2), [" 1", " 1", " 2"]);
}

impl World {
    /// Returns what the hook that was ordered last is told.
    fn situation(&self) -> Situation {
        let told = self.all.iter().rev().find_map(|effect| {
            let Action::Hook { situation, .. } = &effect.action else { return None };
            Some(situation.clone())
        });
        told.expect("a hook was ordered")
    }

    pub(super) fn hook_ends(&mut self, name: &str, hook: Hook, number: u64, exit: Exit) {
        self.effects.clear();
        let end = HookEnd::Exited(exit);
        self.tell(Input::HookEnded { unit: unit(name), hook, number, end });
    }
}
