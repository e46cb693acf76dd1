//! Many units that want to start at once.

use super::{
    ready::{readied, seconds},
    *,
};
use crate::{check::ReadyBy, supervisor::gate::HELD_MAX};

fn slow(text: &str) -> Service {
    readied(text, ReadyBy::Notice)
}

fn world(services: &[Service], width: usize) -> World {
    let mut world = World::closed(services);
    world.tell(Input::Gate { width });
    world.tell(Input::Open);
    world
}

impl World {
    fn becomes_ready(&mut self, name: &str) {
        self.started(name);
        self.says(name, Notice::Ready);
    }

    fn places(&self) -> Vec<(String, usize)> {
        let units = self.supervisor.units();
        units.filter_map(|it| Some((it.name().to_string(), it.in_line()?.place))).collect()
    }
}

#[test]
fn no_more_than_so_many_start_at_once_and_the_next_ones_follow_in_order() {
    let mut world = world(&["a", "b", "c", "d"].map(slow), 2);
    assert_eq!(world.spawns(), ["a 1", "b 1"]);
    assert_eq!(world.places(), [("c".to_owned(), 1), ("d".to_owned(), 2)]);
    assert_eq!(world.view("d").why(), "it waits for its turn to start");
    world.started("a");
    assert_eq!(world.spawns().len(), 2, "it has started, and is not ready");
    world.becomes_ready("b");
    assert_eq!(world.spawns(), ["a 1", "b 1", "c 1"]);
    world.exited("a", Exit::Code(1));
    assert_eq!(world.spawns(), ["a 1", "b 1", "c 1", "d 1"]);
    assert_eq!(world.places(), []);
}

#[test]
fn programs_that_are_ready_once_they_run_pass() {
    let mut world = world(&[slow("a"), slow("b"), service("c"), service("d")], 1);
    assert_eq!(world.spawns(), ["a 1", "c 1", "d 1"]);
    world.tell(Input::Gate { width: 0 });
    assert_eq!(world.spawns().len(), 4, "nor is there any gate");
}

#[test]
fn nobody_keeps_its_place_for_ever() {
    let mut world = world(&["a", "b", "c"].map(slow), 1);
    world.started("a");
    assert_eq!(world.next_in(), Some(HELD_MAX.as_secs()));
    world.wait();
    assert_eq!(world.spawns(), ["a 1", "b 1"]);
    world.wait();
    assert_eq!(world.spawns(), ["a 1", "b 1", "c 1"]);
}

#[test]
fn what_others_need_comes_first_and_they_wait_for_it_outside() {
    let mut shop = slow("b");
    shop.requires = vec![name("z")];
    let mut world = world(&[slow("a"), shop, slow("c"), slow("z")], 1);
    assert_eq!(world.spawns(), ["a 1"]);
    assert_eq!(world.places(), [("c".to_owned(), 2), ("z".to_owned(), 1)]);
    world.becomes_ready("a");
    assert_eq!(world.spawns(), ["a 1", "z 1"]);
    world.becomes_ready("z");
    assert_eq!(world.places(), [("b".to_owned(), 1)], "it is needed by nobody, and came later");
    world.becomes_ready("c");
    assert_eq!(world.spawns(), ["a 1", "z 1", "c 1", "b 1"]);
}

#[test]
fn what_an_operator_asks_for_never_waits_nor_does_what_it_needs() {
    let mut web = slow("web");
    (web.requires, web.after) = (vec![name("db")], vec![name("log")]);
    let services = [slow("a"), slow("b"), slow("db"), slow("log"), web];
    let mut world = world(&services, 1);
    world.command("web", Command::Start).unwrap();
    assert_eq!(world.spawns(), ["a 1", "db 1", "log 1"]);
    world.becomes_ready("db");
    world.becomes_ready("log");
    assert_eq!(world.state("web"), "starting");
    assert_eq!(world.places(), [("b".to_owned(), 1)]);
}

#[test]
fn another_attempt_never_waits() {
    let mut world = world(&["a", "b", "c"].map(slow), 2);
    world.becomes_ready("a");
    world.exited("a", Exit::Code(1));
    world.wait();
    assert_eq!(world.spawns(), ["a 1", "b 1", "c 1", "a 2"]);
}

#[test]
fn who_is_stopped_leaves_the_line_and_whoever_is_started_by_another_agent_counts() {
    let mut world = world(&["a", "b", "c"].map(slow), 1);
    world.command("b", Command::Stop).unwrap();
    assert_eq!(world.places(), [("c".to_owned(), 1)]);
    let mut next = World::closed(&["a", "b", "c"].map(slow));
    let memo = Memo { reached: Reached::Settling { within: seconds(60) }, ..Memo::default() };
    let phase = AdoptedPhase::Running { pid: 7, since: next.now };
    let run = Adopted { unit: unit("a"), run: 1, spec_hash: 1, memo, phase };
    next.tell(Input::Gate { width: 1 });
    next.tell(Input::Adopt { runs: vec![run], wishes: Vec::new(), hooks: Vec::new() });
    next.tell(Input::Open);
    assert_eq!(next.spawns(), Vec::<String>::new());
    assert_eq!(next.places().len(), 2);
}

#[test]
fn the_last_ones_wait_for_the_whole_line() {
    let mut last = service("last");
    last.start = StartType::Delayed;
    let mut world = world(&[slow("a"), slow("b"), last], 1);
    world.becomes_ready("a");
    assert_eq!(world.state("last"), "stopped");
    world.becomes_ready("b");
    assert_eq!(world.spawns(), ["a 1", "b 1", "last 1"]);
}
