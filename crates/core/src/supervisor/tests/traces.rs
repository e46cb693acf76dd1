//! Chains of causes: what an input sets off carries its trace, however much later it comes.

use super::*;

#[test]
fn a_restart_is_one_chain_from_the_command_to_the_new_run() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    let before = world.all.len();
    let trace = world.supervisor.next_trace();
    world.command("web", Command::Restart).unwrap();
    world.wait();
    world.exited("web", Exit::Signal(9));
    world.tell(Input::Started { unit: unit("web"), run: 2, pid: 200 });
    assert_eq!(world.state("web"), "running");
    assert_eq!(world.spawns(), ["web 1", "web 2"]);
    assert!(world.traces(before).all(|found| found == trace));
}

#[test]
fn a_crash_begins_a_chain_that_lasts_until_the_next_run() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    let mut chains = Vec::new();
    for run in 1..4 {
        let before = world.all.len();
        world.exited("web", Exit::Code(1));
        world.wait();
        world.tell(Input::Started { unit: unit("web"), run: run + 1, pid: 200 });
        let mut traces: Vec<TraceId> = world.traces(before).collect();
        traces.dedup();
        chains.push(<[TraceId; 1]>::try_from(traces).unwrap());
    }
    let count = chains.len();
    chains.dedup();
    assert_eq!(chains.len(), count, "each crash has a chain of its own");
}

#[test]
fn a_dependant_that_was_waited_for_is_part_of_the_chain() {
    let mut world = World::new(&[service("db"), needs("web", &["db"])]);
    world.started("db");
    world.started("web");
    let before = world.all.len();
    let trace = world.supervisor.next_trace();
    world.command("db", Command::Stop).unwrap();
    world.exited("web", Exit::Signal(15));
    world.exited("db", Exit::Signal(15));
    assert_eq!((world.state("db"), world.state("web")), ("stopped", "waiting"));
    assert!(world.traces(before).all(|found| found == trace));
}

#[test]
fn supervisors_do_not_share_traces() {
    let first = Supervisor::new(1).next_trace();
    let second = Supervisor::new(1_000_000).next_trace();
    assert_ne!(first, second);
}

impl World {
    fn traces(&self, from: usize) -> impl Iterator<Item = TraceId> {
        self.all.iter().skip(from).map(|effect| effect.trace)
    }
}
