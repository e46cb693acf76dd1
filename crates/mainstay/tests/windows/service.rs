//! A program as a service of the manager: started, found, adopted, stopped, forgotten.

use mainstay_platform::scm::{Control, Database, Intent, Purpose, State};

use crate::{
    foreground::{Up, has_ended},
    installed::Installed,
    roles::{self, Role},
    sandbox::{Sandbox, wait_for},
};

#[test]
fn a_program_is_a_service_and_an_agent_more_or_less_costs_nothing() {
    let service = Installed::new("mainstay test", &[], &words(HELLO));
    let sandbox = Sandbox::of_service(service.name);
    assert_eq!(service.status().state, State::Running);
    let main = sandbox.wait_for("main", "running");
    wait_for("it says hello", || sandbox.get(&["logs"]).contains("hello").then_some(()));

    let agent = sandbox.status().agent.pid;
    let report = sandbox.get(&["drill", "agent"]);
    assert!(report.contains("1 of 1 run on with the same pid"), "{report}");
    assert_ne!(sandbox.status().agent.pid, agent);
    assert_eq!(sandbox.unit("main").pid, main.pid);
    assert_eq!(sandbox.status().keeper.pid, service.status().pid);

    let answer = service.ask(&["service", "stop"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let status = service.status();
    assert_eq!((status.state, status.exit_code, status.own_code), (State::Stopped, 0, 0));
    service.remove();
}

#[test]
fn a_slow_stop_shows_signs_of_life_until_it_has_come_to_its_end() {
    let service = Installed::playing("mainstay-slow", Role::Stubborn, &["--no-start"]);
    let set = service.ask_with(&["service", "set"], &["stop.timeout=4s"]);
    assert_eq!(set.code, 0, "{set:?}");
    let started = service.ask(&["service", "start"]);
    assert_eq!(started.code, 0, "{started:?}");
    let sandbox = Sandbox::of_service(service.name);
    wait_for("it hears Ctrl-C", || {
        let run = sandbox.unit("mainstay-slow").run.to_string();
        sandbox.get(&["logs", "--run", &run]).contains(roles::READY).then_some(())
    });

    let database = Database::open(Purpose::Look).unwrap();
    let open = database.service(service.name, Intent::Control).unwrap();
    open.control(Control::Stop).unwrap();
    let mut signs = Vec::new();
    wait_for("it has stopped", || {
        let status = open.status().unwrap();
        if status.state == State::StopPending && signs.last() != Some(&status.checkpoint) {
            signs.push(status.checkpoint);
        }
        (status.state == State::Stopped).then_some(())
    });
    assert!(signs.len() >= 3, "it ticks each second: {signs:?}");
    assert!(signs.is_sorted(), "{signs:?}");
    assert_eq!(service.status().exit_code, 0);
    // Whoever holds it open keeps it from being forgotten.
    drop(open);
    service.remove();
}

#[test]
fn a_service_is_run_by_hand_with_its_own_configuration_and_never_twice() {
    let service = Installed::new("mainstay-debug", &[], &words(HELLO));
    let sandbox = Sandbox::of_service(service.name);
    sandbox.wait_for("mainstay-debug", "running");
    let refused = service.ask(&["service", "run"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let expected = "error: cannot run `mainstay-debug` here: the service is RUNNING\n\
                    hint:  stop it first: `mainstay service stop mainstay-debug`";
    assert_eq!(refused.err.trim_end().replace('\r', ""), expected);
    assert_eq!(service.ask(&["service", "stop"]).code, 0);

    let by_hand = Up::run(&sandbox, &["service", "run", service.name]);
    let unit = sandbox.wait_for("mainstay-debug", "running");
    let mut printed = String::new();
    wait_for("it shows what the program says", || {
        printed += &by_hand.printed(&sandbox);
        printed.contains("hello").then_some(())
    });
    assert!(printed.contains("`mainstay-debug` runs here, as you and not as LocalSystem"));
    assert_eq!(service.status().state, State::Stopped, "the manager has no part in it");
    let refused = service.ask(&["service", "start"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let status = service.status();
    assert_eq!((status.state, status.exit_code), (State::Stopped, 1056), "{refused:?}");
    assert_eq!(sandbox.unit("mainstay-debug").pid, unit.pid, "it runs on");
    assert!(refused.out.contains("started ends with Ctrl-C there"), "{refused:?}");
    by_hand.end();
    assert!(has_ended(unit.pid.unwrap()), "Ctrl-C has stopped it");
    assert_eq!(service.ask(&["service", "start"]).code, 0);
    sandbox.wait_for("mainstay-debug", "running");
    service.remove();
}

const HELLO: [&str; 3] = ["cmd", "/c", "echo hello & ping -n 1000 127.0.0.1"];

fn words(words: [&str; 3]) -> Vec<String> {
    words.map(ToOwned::to_owned).to_vec()
}
