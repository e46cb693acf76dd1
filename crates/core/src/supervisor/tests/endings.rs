//! Stories of programs whose end is the end of everything.

use super::*;

fn ends_all(text: &str, key: ExitKey) -> Service {
    let mut service = service(text);
    service.restart.exits = BTreeMap::from([(key, ExitAction::Exit)]);
    service
}

#[test]
fn an_end_that_is_the_instances_stops_everything_else_first() {
    let mut world = World::new(&[ends_all("web", ExitKey::Code(3)), service("other")]);
    world.started("web");
    world.started("other");
    world.exited("web", Exit::Code(3));
    let expected = [
        "changed web",
        "the instance ended with code 3",
        "changed other",
        "remember other 1",
        "ask other 1",
        "settle web 1",
    ];
    assert_eq!(world.take(), expected);
    assert_eq!(world.view("other").why(), "the instance ends with `web`");
    world.exited("other", Exit::Code(0));
    assert_eq!(world.take(), ["changed other", "settle other 1", "all at rest"]);
    assert_eq!(world.spawns(), ["other 1", "web 1"]);
}

#[test]
fn every_failure_without_an_entry_of_its_own_is_a_failure() {
    let mut web = ends_all("web", ExitKey::Failure);
    web.restart.exits.insert(ExitKey::Code(9), ExitAction::Restart);
    let ends = |exit| {
        let mut world = World::new(std::slice::from_ref(&web));
        world.started("web");
        world.exited("web", exit);
        !world.select("the instance").is_empty()
    };
    assert!(ends(Exit::Code(1)));
    assert!(ends(Exit::Signal(11)));
    assert!(ends(Exit::Unknown));
    assert!(!ends(Exit::Code(9)));
    assert!(!ends(Exit::Code(0)));
}

#[test]
fn whoever_is_stopped_ends_nothing() {
    let mut world = World::new(&[ends_all("web", ExitKey::Failure), service("other")]);
    world.started("web");
    world.started("other");
    world.command("web", Command::Stop).unwrap();
    world.exited("web", Exit::Code(3));
    assert!(world.select("the instance").is_empty());
    assert_eq!(world.state("other"), "running");
}

#[test]
fn the_next_agent_goes_on_with_an_end_that_was_the_instances() {
    let mut world = World::closed(&[ends_all("web", ExitKey::Code(3)), service("xyz")]);
    let at = world.now;
    let ended =
        AdoptedPhase::Ended { exit: Exit::Code(3), at, lived: Duration::ZERO, strays: false };
    let run = |name: &str, phase| Adopted {
        unit: unit(name),
        run: 1,
        spec_hash: 0,
        memo: Memo::default(),
        phase,
    };
    let runs = vec![run("web", ended), run("xyz", AdoptedPhase::Running { pid: 7, since: at })];
    world.tell(Input::Adopt { runs, wishes: Vec::new(), hooks: Vec::new() });
    world.tell(Input::Open);
    assert_eq!(world.asks(), ["xyz 1"]);
    world.exited("xyz", Exit::Code(0));
    assert_eq!(world.select("all at rest"), [""]);
    assert!(world.spawns().is_empty());
}
