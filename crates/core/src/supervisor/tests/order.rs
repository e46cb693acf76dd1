//! Stories of who waits for whom, and who does not.

use super::*;

fn wants(text: &str, wanted: &[&str]) -> Service {
    Service { wants: wanted.iter().map(|other| name(other)).collect(), ..service(text) }
}

#[test]
fn what_is_only_wanted_may_wait_in_vain_without_keeping_anybody() {
    let bad = service("bad");
    let two = needs("two", &["bad"]);
    let mut world = World::new(&[bad, two, needs("three", &["two"]), wants("web", &["three"])]);
    assert_eq!(world.view("web").why(), "it comes after `three`, which is waiting");
    world.tell(Input::NotStarted { unit: unit("bad"), run: 1, reason: "no such file".to_owned() });
    assert_eq!((world.state("two"), world.state("three")), ("waiting", "waiting"));
    assert_eq!(world.state("web"), "starting");
}

#[test]
fn a_task_is_ready_when_it_has_done_its_work_and_not_before() {
    let mut migrate = service("migrate");
    migrate.nature = Nature::Task;
    let mut world = World::new(&[needs("web", &["migrate"]), wants("page", &["migrate"]), migrate]);
    world.started("migrate");
    assert_eq!(world.view("web").why(), "it requires `migrate`, which is running");
    assert_eq!(world.view("page").why(), "it comes after `migrate`, which is running");
    world.exited("migrate", Exit::Code(0));
    assert_eq!(world.spawns(), ["migrate 1", "page 1", "web 1"]);
}

#[test]
fn a_failed_task_is_a_failed_requirement_and_keeps_nobody_who_only_wants_it() {
    let mut migrate = service("migrate");
    (migrate.nature, migrate.restart.when) = (Nature::Task, RestartWhen::Never);
    let mut world = World::new(&[needs("web", &["migrate"]), wants("page", &["migrate"]), migrate]);
    world.started("migrate");
    world.exited("migrate", Exit::Code(1));
    assert_eq!(world.view("web").why(), "it requires `migrate`, which has failed");
    assert_eq!((world.state("web"), world.state("page")), ("waiting", "starting"));
}

#[test]
fn who_waits_in_vain_says_who_is_at_the_bottom_of_it() {
    let services =
        [needs("web", &["cache"]), needs("cache", &["db"]), service("db"), wants("page", &["web"])];
    let mut world = World::closed(&services);
    world.tell(Input::Adopt {
        runs: Vec::new(),
        wishes: vec![Wish { unit: unit("db"), up: false, beyond: 0, why: String::new() }],
        hooks: Vec::new(),
    });
    world.tell(Input::Open);
    assert_eq!(world.view("cache").why(), "it requires `db`, which is stopped");
    assert_eq!(
        world.view("web").why(),
        "it requires `cache`, which waits for `db`, which is stopped"
    );
    assert_eq!(world.state("page"), "starting");
}

#[test]
fn a_reason_to_wait_follows_what_is_in_the_way() {
    let mut world = World::new(&[needs("web", &["db"]), service("db")]);
    world.pass(5);
    let run = world.view("db").run();
    world.tell(Input::NotStarted { unit: unit("db"), run, reason: "no such file".to_owned() });
    assert_eq!(world.view("web").why(), "it requires `db`, which is between two attempts");
    world.wait();
    assert_eq!(world.view("web").why(), "it requires `db`, which is starting");
    world.command("db", Command::Stop).unwrap();
    assert_eq!(world.view("web").why(), "it requires `db`, which is stopping");
    assert_eq!(world.view("web").since(), Moment::default(), "it has waited all the time");
}

#[test]
fn a_conflict_with_what_stays_keeps_nobody_else() {
    let (mut green, page) = (service("green"), wants("page", &["green"]));
    green.conflicts = vec![name("blue")];
    let mut world = World::new(&[service("blue"), green, page]);
    world.started("blue");
    assert_eq!(world.view("green").why(), "it conflicts with `blue`, which is running");
    assert_eq!(world.state("page"), "starting");
}
