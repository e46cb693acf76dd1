//! Stories of many layers: up as wide as the graph allows, and down in reverse.

use super::*;

const LAYERS: usize = 10;
const WIDTH: usize = 25;

/// Which service a layer names of the one below, and how it calls that.
type Named = fn(&mut Service, Vec<ServiceName>);

fn id(layer: usize, place: usize) -> String {
    // Against the order of the names: who comes first is no accident.
    format!("s{}-{place}", LAYERS - layer)
}

/// Returns layers of services each of which names all of the layer below.
fn layers(named: Named) -> Vec<Service> {
    let all = (0..LAYERS).flat_map(|layer| (0..WIDTH).map(move |place| (layer, place)));
    let one = |(layer, place): (usize, usize)| {
        let mut one = service(&id(layer, place));
        if layer > 0 {
            named(&mut one, (0..WIDTH).map(|place| name(&id(layer - 1, place))).collect());
        }
        one
    };
    all.map(one).collect()
}

/// Does what is asked, all of it at once, and returns how much that was each time.
fn waves(world: &mut World, prefix: &str, done: impl Fn(UnitName, u64) -> Input) -> Vec<usize> {
    let mut waves = Vec::new();
    loop {
        let lines = world.take();
        let asked: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix(prefix)).collect();
        if asked.is_empty() {
            return waves;
        }
        waves.push(asked.len());
        for line in asked {
            let (name, run) = line.split_once(' ').unwrap();
            world.tell(done(unit(name), run.parse().unwrap()));
        }
    }
}

fn check(named: Named) {
    let mut world = World::new(&layers(named));
    let started = |unit, run| Input::Started { unit, run, pid: 1 };
    assert_eq!(waves(&mut world, "spawn ", started), [WIDTH; LAYERS]);
    assert!(world.supervisor.units().all(|unit| unit.state() == "running"));
    let first = |layer| move |line: &String| line.starts_with(&format!("s{}-", LAYERS - layer));
    assert_eq!(world.spawns().iter().position(first(9)), Some(9 * WIDTH), "the top comes last");

    world.tell(Input::ShutDown);
    let exit = Exit::Code(0);
    let ended = |unit, run| Input::Exited { unit, run, exit, strays: false };
    assert_eq!(waves(&mut world, "ask ", ended), [WIDTH; LAYERS]);
    assert_eq!(world.asks().iter().position(first(0)), Some(9 * WIDTH), "the ground goes last");
    assert!(world.supervisor.units().all(|unit| unit.state() == "stopped"));
}

#[test]
fn layers_that_require_each_other_come_up_and_go_down_as_wide_as_they_are() {
    check(|service, others| service.requires = others);
}

#[test]
fn layers_that_want_each_other_do_so_too() {
    check(|service, others| service.wants = others);
}

#[test]
fn layers_that_only_come_after_each_other_do_so_too() {
    check(|service, others| service.after = others);
}

#[test]
fn layers_that_are_bound_to_each_other_do_so_too() {
    check(|service, others| service.bonds.binds_to = others);
}

#[test]
fn who_comes_after_something_is_not_in_its_way_while_it_stays_up() {
    let mut web = service("web");
    web.after = vec![name("db")];
    let mut world = World::new(&[web, service("db")]);
    world.started("db");
    world.started("web");
    world.command("db", Command::Stop).unwrap();
    assert_eq!((world.asks(), world.state("web")), (vec!["db 1".to_owned()], "running"));
}
