//! Runs beside a unit's own: hooks and checks, of units named `UNIT:PART`.

use mainstay_api::keeper::{PROTOCOL, Request, Signal, SignalName, SpawnOutcome, UNIT_BYTES_MAX};

use crate::{Agent, Folder, Story, agent::order, end, own};

pub(crate) const STORIES: [Story; 2] = [
    ("parts_of_a_unit_run_beside_it_through_the_deaths_of_keepers", beside),
    ("a_name_that_no_unit_may_have_is_refused", refused),
];

const UNITS: [&str; 4] = ["web", "web:check-disk", "web@2", "web@2:before-start_1.A"];

fn beside(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let runtime = folder.path("run").display().to_string();
    let mut expected = Vec::new();
    for unit in UNITS {
        let go = folder.path("go").display().to_string();
        let mut spawn = order(folder, unit, &[&own(), "program", "waits", &go, "9"]);
        // A hook carries its unit's name, and the number of the run that it precedes.
        let told =
            [("MAINSTAY_UNIT", "web"), ("MAINSTAY_RUN", "9"), ("MAINSTAY_INSTANCE", &runtime)];
        spawn.environment.set =
            told.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        expected.push((unit.to_owned(), agent.start(spawn)));
    }
    assert_eq!(agent.running(), expected);
    let keeper = folder.replace_keeper(&keeper);
    let mut agent = agent.replaced_by(folder, PROTOCOL);
    assert_eq!(agent.running(), expected);
    kill(&mut agent, "web");
    agent.exit_of("web");
    expected.remove(0);
    assert_eq!(agent.running(), expected, "the others are swept with it");
    std::fs::write(folder.path("go"), "").unwrap();
    for unit in &UNITS[1..] {
        agent.exit_of(unit);
    }
    end(agent, &keeper);
}

fn kill(agent: &mut Agent, unit: &str) {
    let (unit, signal) = (unit.to_owned(), SignalName::Kill);
    let reach = mainstay_api::keeper::Reach::Group;
    agent.ask(Request::Signal(vec![Signal { unit, run: 1, signal, reach }]));
}

fn refused(folder: &Folder) {
    let keeper = folder.start_keeper(1);
    let mut agent = Agent::connect(folder);
    let long = "x".repeat(UNIT_BYTES_MAX + 1);
    for unit in ["", "web:", "web:a b", "web:a:b", &long] {
        let mut spawn = order(folder, "web", &[&own(), "program", "reads"]);
        unit.clone_into(&mut spawn.unit);
        let outcome = agent.spawn(spawn);
        let SpawnOutcome::Failed { step, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(step, "unit", "{unit}");
    }
    assert_eq!(agent.running(), []);
    agent.start(order(folder, "web:says", &[&own(), "program", "reads"]));
    assert_eq!(folder.log_with("web:says", "token\n"), "0 bytes, 0 of a token\n");
    end(agent, &keeper);
}
