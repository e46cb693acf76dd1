//! Stories of agents and keepers that follow one another. The simulation found most of them first.

use super::*;

/// An agent that finds `runs` and `wishes` of its predecessor.
fn follow(services: &[Service], runs: Vec<Adopted>, wishes: Vec<Wish>) -> World {
    let mut world = World::closed(services);
    world.pass(100);
    world.tell(Input::Adopt { runs, wishes, hooks: Vec::new() });
    world.tell(Input::Open);
    world
}

fn found(name: &str, run: u64, phase: AdoptedPhase) -> Adopted {
    Adopted { unit: unit(name), run, spec_hash: 1, memo: Memo::default(), phase }
}

fn stopping(adopted: Adopted) -> Adopted {
    Adopted { memo: Memo { stopping: true, ..Memo::default() }, ..adopted }
}

const fn running() -> AdoptedPhase {
    AdoptedPhase::Running { pid: 7, since: Moment::from_start(Duration::ZERO) }
}

fn ended(exit: Exit) -> AdoptedPhase {
    let at = Moment::from_start(Duration::from_secs(50));
    AdoptedPhase::Ended { exit, at, lived: Duration::from_secs(1), strays: false }
}

fn wish(name: &str, up: bool, beyond: u64) -> Wish {
    Wish { unit: unit(name), up, beyond, why: String::new() }
}

#[test]
fn an_end_is_not_decided_again_after_an_operators_stop() {
    let runs = vec![found("web", 3, ended(Exit::Code(1)))];
    let mut world = follow(&[service("web")], runs, vec![wish("web", false, 3)]);
    world.wait();
    assert_eq!((world.state("web"), world.spawns().len()), ("stopped", 0));
}

#[test]
fn a_number_of_which_nobody_knows_any_more_is_not_given_again() {
    let mut world = World::closed(&[service("web")]);
    world.tell(Input::Passed { numbers: vec![(unit("web"), 200), (unit("gone"), 7)] });
    let runs = vec![found("web", 3, AdoptedPhase::Remembered)];
    world.tell(Input::Adopt { runs, wishes: Vec::new(), hooks: Vec::new() });
    // What was never seen to run is not shown as the last run.
    assert_eq!(world.view("web").run(), 3);
    world.tell(Input::Open);
    assert_eq!(world.view("web").run(), 201);
    let services = vec![service("web"), service("gone")];
    world.tell(Input::Configure { services, prune: Prune::Keep });
    assert_eq!(world.view("gone").run(), 8);
}

#[test]
fn what_an_operator_stopped_says_so_after_everything_was_started_anew() {
    let runs = vec![found("web", 3, AdoptedPhase::Remembered)];
    let world = follow(&[service("web"), service("db")], runs, vec![wish("web", false, 3)]);
    assert_eq!(
        (world.state("web"), world.view("web").why()),
        ("stopped", "an operator stopped it")
    );
    assert_eq!(world.state("db"), "starting");
}

#[test]
fn a_new_agent_says_of_what_rests_what_the_former_one_said() {
    let says = |world: &World| {
        let view = world.view("web");
        (view.state(), view.why().to_owned(), view.since(), view.last_exit())
    };
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.pass(49);
    world.command("web", Command::Kill).unwrap();
    world.pass(1);
    world.exited("web", Exit::Signal(9));
    let wishes = world.all.iter().filter_map(|effect| {
        if let Action::Keep(wish) = &effect.action { Some(wish.clone()) } else { None }
    });
    let lived = Duration::from_secs(50);
    let phase = AdoptedPhase::Ended { exit: Exit::Signal(9), at: world.now, lived, strays: false };
    let next = follow(&[service("web")], vec![found("web", 1, phase)], wishes.collect());
    assert_eq!(says(&next), says(&world));
    assert_eq!(
        next.view("web").why(),
        "an operator killed it; run 1 was killed by signal 9 after 50 s"
    );
}

#[test]
fn the_wait_before_a_retry_begins_with_the_end_and_not_with_the_next_agent() {
    let mut web = service("web");
    web.restart.delays = Delays::List(vec![Duration::from_secs(51)]);
    let world = follow(&[web], vec![found("web", 3, ended(Exit::Code(1)))], Vec::new());
    assert_eq!((world.state("web"), world.next_in()), ("backoff", Some(1)));
    assert_eq!(world.view("web").why(), "run 3 ended with code 1 after 1 s");
}

#[test]
fn a_start_that_was_wished_after_the_last_end_is_not_forgotten() {
    let mut web = service("web");
    web.restart.when = RestartWhen::Never;
    let runs = || vec![found("web", 3, ended(Exit::Code(0)))];
    let older = follow(std::slice::from_ref(&web), runs(), vec![wish("web", true, 2)]);
    assert_eq!(older.state("web"), "stopped");
    let newer = follow(&[web], runs(), vec![wish("web", true, 3)]);
    assert_eq!(newer.spawns(), ["web 4"]);
}

#[test]
fn a_restart_that_was_under_way_goes_on() {
    let runs = vec![stopping(found("web", 3, running()))];
    let mut world = follow(&[service("web")], runs, Vec::new());
    assert_eq!(world.asks(), ["web 3"]);
    world.exited("web", Exit::Code(0));
    assert_eq!(world.spawns(), ["web 4"]);
}

#[test]
fn what_was_asked_of_an_older_run_is_not_asked_of_its_successor() {
    for phase in [ended(Exit::Signal(15)), AdoptedPhase::Remembered] {
        let runs = vec![stopping(found("web", 1, phase)), found("web", 2, running())];
        let world = follow(&[service("web")], runs, Vec::new());
        assert_eq!((world.state("web"), world.asks().len()), ("running", 0), "{phase:?}");
    }
}

#[test]
fn what_was_stopped_and_then_left_the_files_is_not_started_again() {
    let runs = vec![stopping(found("web", 1, running()))];
    let mut world = follow(&[], runs, vec![wish("web", false, 0)]);
    assert_eq!(world.asks(), ["web 1"]);
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.spawns().len(), 0);
}

#[test]
fn a_start_of_what_left_the_files_is_forgotten_with_it() {
    let mut world = follow(&[], Vec::new(), vec![wish("web", true, 1)]);
    assert_eq!(world.take(), ["forget web"]);
    let mut web = service("web");
    web.start = StartType::Manual;
    world.configure(&[web], Prune::Keep);
    assert_eq!(world.spawns().len(), 0);
}

#[test]
fn what_was_stopped_before_it_left_the_files_stays_stopped_when_it_comes_back() {
    let mut world = follow(&[], Vec::new(), vec![wish("web", false, 1)]);
    assert!(world.view("web").is_orphaned());
    world.configure(&[service("web")], Prune::Keep);
    assert_eq!((world.spawns().len(), world.state("web")), (0, "stopped"));
    world.configure(&[], Prune::Remove);
    assert!(world.take().contains(&"forget web".to_owned()));
}

#[test]
fn a_copy_that_was_stopped_and_is_one_too_many_by_now_is_forgotten() {
    let mut world = follow(&[service("web")], Vec::new(), vec![wish("web@2", false, 1)]);
    assert!(world.take().contains(&"forget web@2".to_owned()));
}

#[test]
fn who_requires_what_is_being_stopped_is_stopped_whoever_was_found_first() {
    let services = [service("a-db"), needs("web", &["a-db"])];
    let runs = vec![found("a-db", 1, running()), found("web", 1, running())];
    let mut world = follow(&services, runs, vec![wish("a-db", false, 0)]);
    assert_eq!(world.asks(), ["web 1"]);
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.asks(), ["web 1", "a-db 1"]);
}

#[test]
fn a_successor_that_came_to_nothing_is_tried_again() {
    let mut web = service("web");
    web.restart.when = RestartWhen::Never;
    let runs =
        vec![found("web", 3, ended(Exit::Code(0))), found("web", 4, AdoptedPhase::Remembered)];
    let mut world = follow(&[web], runs, Vec::new());
    world.wait();
    assert_eq!(world.spawns(), ["web 5"]);
}

#[test]
fn an_order_that_was_lost_with_its_keeper_never_ran() {
    let mut world = World::new(&[service("web")]);
    assert_eq!(world.spawns(), ["web 1"]);
    world.tell(Input::Reconcile { runs: Vec::new(), hooks: Vec::new() });
    assert_eq!(world.state("web"), "backoff");
    assert!(world.view("web").last_exit().is_none());
}

#[test]
fn a_stop_that_was_lost_with_its_keeper_is_asked_for_again() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.tell(Input::Reconcile { runs: vec![found("web", 1, running())], hooks: Vec::new() });
    assert_eq!(world.asks(), ["web 1", "web 1"]);
}

#[test]
fn what_was_left_behind_and_is_gone_keeps_nobody_waiting() {
    let mut web = service("web");
    web.restart.delays = Delays::List(vec![Duration::ZERO]);
    let mut world = World::new(&[web]);
    world.started("web");
    let (unit, exit) = (unit("web"), Exit::Code(1));
    world.tell(Input::Exited { unit, run: 1, exit, strays: true });
    assert_eq!(world.state("web"), "waiting");
    world.tell(Input::Reconcile { runs: vec![found("web", 1, ended(exit))], hooks: Vec::new() });
    assert_eq!(world.spawns(), ["web 1", "web 2"]);
}

#[test]
fn ends_of_runs_that_have_a_successor_are_settled_too() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.wait();
    world.started("web");
    let runs = vec![found("web", 1, ended(Exit::Code(1))), found("web", 2, running())];
    world.tell(Input::Reconcile { runs, hooks: Vec::new() });
    // What was written on the current one may have been lost with that keeper, too.
    assert_eq!(world.take(), ["remember web 2", "settle web 1"]);
}

#[test]
fn an_end_that_becomes_known_is_told_everywhere() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.pass(3);
    world.exited("web", Exit::Unknown);
    let why = "run 1 ended after 3 s, and nobody could learn how";
    assert_eq!(world.view("web").why(), why);
    world.take();
    let amended = || Input::ExitAmended { unit: unit("web"), run: 1, exit: Exit::Signal(9) };
    world.tell(amended());
    assert_eq!(world.view("web").why(), "run 1 was killed by signal 9 after 3 s");
    assert_eq!(world.view("web").last_exit().map(|last| last.exit), Some(Exit::Signal(9)));
    assert_eq!((world.take(), world.state("web")), (vec!["amended web 1".to_owned()], "backoff"));
    world.tell(amended());
    assert!(world.take().is_empty(), "it is told once");
}

#[test]
fn an_end_that_becomes_known_late_changes_nothing_about_the_run_that_followed() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.exited("web", Exit::Unknown);
    world.wait();
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.take();
    world.tell(Input::ExitAmended { unit: unit("web"), run: 1, exit: Exit::Code(0) });
    assert_eq!(world.take(), ["amended web 1"]);
    assert_eq!(world.view("web").why(), "run 2 ended with code 1 after 0 ms");
}

#[test]
fn a_number_is_never_used_twice() {
    let runs = vec![found("web", 41, AdoptedPhase::Remembered)];
    let mut world = follow(&[service("web")], runs, Vec::new());
    assert_eq!(world.spawns(), ["web 42"]);
    world.started("web");
    world.configure(&[], Prune::Remove);
    world.exited("web", Exit::Signal(15));
    world.configure(&[service("web")], Prune::Keep);
    assert_eq!(world.spawns(), ["web 42", "web 43"]);
}
