//! Stories of configurations that change: who comes, who goes, and who is left alone.

use super::*;

#[test]
fn a_new_configuration_does_not_undo_an_operators_stop() {
    let mut web = service("web");
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    web.spec_hash = 2;
    world.configure(&[web], Prune::Keep);
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.state("web"), "stopped");
}

#[test]
fn what_was_stopped_taken_out_and_put_back_stays_stopped() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.configure(&[], Prune::Keep);
    world.configure(&[service("web")], Prune::Keep);
    world.exited("web", Exit::Signal(9));
    world.configure(&[service("web"), service("other")], Prune::Keep);
    assert_eq!((world.state("web"), world.state("other")), ("stopped", "starting"));
}

#[test]
fn what_was_stopped_stays_stopped_however_often_it_leaves_the_files() {
    let web = service("web");
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.exited("web", Exit::Signal(15));
    for _ in 0..2 {
        world.configure(&[], Prune::Keep);
        assert!(world.view("web").is_orphaned());
        world.configure(std::slice::from_ref(&web), Prune::Keep);
        assert_eq!(world.state("web"), "stopped");
    }
    world.configure(&[], Prune::Keep);
    world.configure(&[], Prune::Remove);
    assert!(world.supervisor.unit(&unit("web")).is_none());
}

#[test]
fn what_is_added_again_while_it_is_removed_comes_up_again() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.configure(&[], Prune::Remove);
    world.configure(&[service("web")], Prune::Keep);
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.spawns(), ["web 1", "web 2"]);
}

#[test]
fn a_pruned_unit_is_forgotten_once_nothing_is_left_of_it() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.configure(&[], Prune::Remove);
    let (unit, run) = (unit("web"), 1);
    world.tell(Input::Exited { unit: unit.clone(), run, exit: Exit::Signal(15), strays: true });
    assert!(world.supervisor.unit(&unit).is_some());
    world.tell(Input::Cleared { unit: unit.clone(), run });
    assert!(world.supervisor.unit(&unit).is_none());
}

#[test]
fn scaling_restarts_nobody() {
    let mut web = service("web");
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    web.instances = 3;
    world.configure(&[web.clone()], Prune::Keep);
    assert_eq!(world.spawns(), ["web 1", "web@2 1", "web@3 1"]);
    assert_eq!(world.state("web"), "running");
    web.instances = 1;
    world.configure(&[web], Prune::Keep);
    assert_eq!((world.state("web"), world.state("web@2")), ("running", "stopping"));
}

#[test]
fn what_vanished_from_the_files_runs_on_until_pruned() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.configure(&[], Prune::Keep);
    assert!(world.view("web").is_orphaned());
    assert_eq!(world.state("web"), "running");
    world.configure(&[], Prune::Remove);
    world.exited("web", Exit::Signal(15));
    assert!(world.supervisor.unit(&unit("web")).is_none());
    assert!(world.take().contains(&"forget web".to_owned()));
}

#[test]
fn a_changed_configuration_is_another_chance() {
    let mut web = service("web");
    web.restart.exits = BTreeMap::from([(ExitKey::Code(42), ExitAction::Fail)]);
    let mut world = World::new(std::slice::from_ref(&web));
    world.started("web");
    world.exited("web", Exit::Code(42));
    assert_eq!(world.state("web"), "failed");
    web.spec_hash = 2;
    world.configure(&[web], Prune::Keep);
    assert_eq!(world.spawns(), ["web 1", "web 2"]);
}
