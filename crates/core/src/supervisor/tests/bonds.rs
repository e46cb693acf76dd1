//! Stories of what binds units beyond an order: bonds, parts, restarts that spread, the network.

use super::*;

fn bound(text: &str, to: &[&str]) -> Service {
    let binds_to = to.iter().map(|other| name(other)).collect();
    Service { bonds: Bonds { binds_to, ..Bonds::default() }, ..service(text) }
}

fn part(text: &str, of: &[&str]) -> Service {
    let part_of = of.iter().map(|other| name(other)).collect();
    Service { bonds: Bonds { part_of, ..Bonds::default() }, ..service(text) }
}

fn on_network(text: &str) -> Service {
    Service { bonds: Bonds { network: true, ..Bonds::default() }, ..service(text) }
}

/// Returns a world of a program and one that is bound to it, both of which run.
fn pair() -> World {
    let mut world = World::new(&[bound("web", &["db"]), service("db")]);
    assert_eq!(world.view("web").why(), "it requires `db`, which is starting");
    world.started("db");
    world.started("web");
    world
}

#[test]
fn who_is_bound_goes_with_a_crash_and_comes_back_with_what_it_is_bound_to() {
    let mut world = pair();
    world.exited("db", Exit::Signal(9));
    assert_eq!(world.asks(), ["web 1"]);
    assert_eq!(world.view("web").why(), "it is bound to `db`, which is between two attempts");
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.view("web").why(), "it requires `db`, which is between two attempts");
    world.wait();
    assert_eq!(world.spawns(), ["db 1", "web 1", "db 2"], "not before it is ready again");
    world.started("db");
    assert_eq!(world.spawns(), ["db 1", "web 1", "db 2", "web 2"]);
}

#[test]
fn who_is_bound_goes_even_when_the_other_is_back_at_once() {
    let mut db = service("db");
    db.restart.delays = Delays::List(vec![Duration::ZERO]);
    let mut world = World::new(&[bound("web", &["db"]), db]);
    world.started("db");
    world.started("web");
    world.exited("db", Exit::Code(1));
    assert_eq!((world.asks(), world.state("db")), (vec!["web 1".to_owned()], "starting"));
    world.started("db");
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.spawns().last().map(String::as_str), Some("web 2"));
}

#[test]
fn who_is_bound_goes_whatever_ends_the_other() {
    let mut world = pair();
    world.command("db", Command::Kill).unwrap();
    assert_eq!(world.asks(), ["web 1"], "a kill");

    let mut world = pair();
    world.command("db", Command::Stop).unwrap();
    assert_eq!(world.asks(), ["web 1"], "a stop, and it goes first");
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.asks(), ["web 1", "db 1"]);

    let mut db = service("db");
    db.restart.when = RestartWhen::Never;
    let mut world = World::new(&[bound("web", &["db"]), db]);
    world.started("db");
    world.started("web");
    world.exited("db", Exit::Code(3));
    assert_eq!((world.asks(), world.state("db")), (vec!["web 1".to_owned()], "failed"));
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.view("web").why(), "it requires `db`, which has failed");
}

#[test]
fn a_bond_goes_through_several() {
    let mut world = World::new(&[bound("c", &["b"]), bound("b", &["a"]), service("a")]);
    world.all_started(&["a", "b", "c"]);
    world.exited("a", Exit::Code(1));
    assert_eq!(world.asks(), ["c 1"], "the last one goes first");
    world.exited("c", Exit::Signal(15));
    assert_eq!(world.asks(), ["c 1", "b 1"]);
}

#[test]
fn a_bond_to_several_units_holds_while_one_of_them_is_ready() {
    let mut db = service("db");
    db.instances = 2;
    let mut world = World::new(&[bound("web", &["db"]), db]);
    world.started("db");
    world.started("db@2");
    world.started("web");
    world.exited("db", Exit::Code(1));
    assert_eq!(world.state("web"), "running");
    world.exited("db@2", Exit::Code(1));
    assert_eq!(world.state("web"), "stopping");
}

#[test]
fn what_was_stopped_by_hand_does_not_come_back_with_a_bond() {
    let mut world = pair();
    world.command("web", Command::Stop).unwrap();
    world.exited("db", Exit::Code(1));
    world.exited("web", Exit::Signal(15));
    world.wait();
    world.started("db");
    assert_eq!((world.state("web"), world.state("db")), ("stopped", "running"));
}

#[test]
fn the_next_agent_ends_who_lost_what_it_is_bound_to_meanwhile() {
    let mut world = World::closed(&[bound("web", &["db"]), service("db")]);
    let run = |name: &str, phase| Adopted {
        unit: unit(name),
        run: 3,
        spec_hash: 1,
        memo: Memo::default(),
        phase,
    };
    let running = AdoptedPhase::Running { pid: 7, since: Moment::default() };
    let ended = AdoptedPhase::Ended {
        exit: Exit::Code(1),
        at: Moment::default(),
        lived: Duration::from_secs(1),
        strays: false,
    };
    let runs = vec![run("db", ended), run("web", running)];
    world.tell(Input::Adopt { runs, wishes: Vec::new(), hooks: Vec::new() });
    world.tell(Input::Open);
    assert_eq!(world.asks(), ["web 3"]);
}

#[test]
fn a_restart_reaches_who_requires_it_after_it_is_ready() {
    let mut world = World::new(&[needs("web", &["db"]), needs("off", &["db"]), service("db")]);
    world.started("db");
    world.started("web");
    world.started("off");
    world.command("off", Command::Stop).unwrap();
    world.exited("off", Exit::Code(0));
    world.command("db", Command::Restart).unwrap();
    world.exited("web", Exit::Signal(15));
    world.exited("db", Exit::Signal(15));
    assert_eq!(world.state("web"), "waiting");
    world.started("db");
    assert_eq!((world.state("web"), world.state("off")), ("starting", "stopped"));
}

#[test]
fn a_stop_and_a_restart_by_hand_reach_the_parts_and_nothing_else_does() {
    let mut world = World::new(&[part("worker", &["app"]), part("off", &["app"]), service("app")]);
    world.all_started(&["app", "worker", "off"]);
    world.command("off", Command::Stop).unwrap();
    world.exited("off", Exit::Code(0));

    world.exited("app", Exit::Code(1));
    assert_eq!(world.state("worker"), "running", "a crash is no wish");
    world.wait();
    world.started("app");

    world.command("app", Command::Restart).unwrap();
    assert_eq!(world.asks(), ["off 1", "app 2", "worker 1"], "neither waits for the other");
    world.exited("worker", Exit::Signal(15));
    world.exited("app", Exit::Signal(15));
    assert_eq!((world.state("worker"), world.state("off")), ("starting", "stopped"));
    world.started("app");
    world.started("worker");

    world.command("app", Command::Stop).unwrap();
    world.exited("app", Exit::Signal(15));
    world.exited("worker", Exit::Signal(15));
    assert_eq!((world.state("app"), world.state("worker")), ("stopped", "stopped"));
    world.command("app", Command::Start).unwrap();
    assert_eq!((world.state("app"), world.state("worker")), ("starting", "stopped"));
}

#[test]
fn a_part_that_is_stopped_with_the_whole_is_held() {
    let mut world = World::new(&[part("worker", &["app"]), service("app")]);
    world.started("app");
    world.started("worker");
    world.take();
    world.command("app", Command::Stop).unwrap();
    let kept = |line: &String| line == "keep worker down";
    assert!(world.take().iter().any(kept), "it outlives the agent");
    world.exited("worker", Exit::Signal(15));
    world.configure(&[part("worker", &["app"]), service("app"), service("new")], Prune::Keep);
    assert_eq!(world.state("worker"), "stopped");
}

#[test]
fn a_start_brings_back_the_parts_that_it_wants() {
    let app = Service { wants: vec![name("worker")], ..service("app") };
    let mut world = World::new(&[part("worker", &["app"]), app]);
    world.started("worker");
    world.started("app");
    world.command("app", Command::Stop).unwrap();
    world.exited("app", Exit::Signal(15));
    world.exited("worker", Exit::Signal(15));
    world.command("app", Command::Start).unwrap();
    assert_eq!((world.state("worker"), world.state("app")), ("starting", "waiting"));
}

#[test]
fn parts_of_each_other_stop_and_restart_together() {
    let mut world = World::new(&[part("left", &["right"]), part("right", &["left"])]);
    world.started("left");
    world.started("right");
    world.command("left", Command::Restart).unwrap();
    assert_eq!(world.asks(), ["left 1", "right 1"]);
    world.exited("left", Exit::Signal(15));
    world.exited("right", Exit::Signal(15));
    world.started("left");
    world.started("right");
    world.command("right", Command::Stop).unwrap();
    assert_eq!((world.state("left"), world.state("right")), ("stopping", "stopping"));
}

#[test]
fn parts_stay_while_a_copy_of_the_whole_stays() {
    let mut app = service("app");
    app.instances = 2;
    let mut world = World::new(&[part("worker", &["app"]), app]);
    world.all_started(&["app", "app@2", "worker"]);
    world.command("app", Command::Stop).unwrap();
    assert_eq!(world.state("worker"), "running");
    world.command("app@2", Command::Stop).unwrap();
    assert_eq!(world.state("worker"), "stopping");
}

#[test]
fn who_requires_the_network_waits_for_it_and_stays_when_it_goes() {
    let mut world = World::new(&[on_network("web"), needs("page", &["web"])]);
    let why = "it requires `@network`: there is no address with a route";
    assert_eq!((world.state("web"), world.view("web").why()), ("waiting", why));
    assert_eq!(
        world.view("page").why(),
        "it requires `web`, which waits for `@network`, which has no address with a route"
    );
    world.tell(Input::Network { up: true });
    assert_eq!(world.spawns(), ["web 1"]);
    world.started("web");
    world.tell(Input::Network { up: false });
    assert_eq!((world.state("web"), world.asks()), ("running", Vec::new()));
    world.exited("web", Exit::Code(1));
    world.wait();
    assert_eq!(world.view("web").why(), why, "the next run waits again");
}

#[test]
fn who_only_wants_what_waits_for_the_network_does_not_wait() {
    let page = Service { wants: vec![name("web")], ..service("page") };
    let world = World::new(&[on_network("web"), page]);
    assert_eq!((world.state("web"), world.state("page")), ("waiting", "starting"));
}
