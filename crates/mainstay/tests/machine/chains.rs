//! Chains of causes: a command's trace is in its answer and in every event that follows from it.

use mainstay_api::control::{CommandAnswer, Event};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const CONFIG: &str = r#"
[services.web]
command = ["sleep", "1000"]
restart = { delay = "50ms" }
"#;

fn answer(sandbox: &Sandbox, arguments: &[&str]) -> CommandAnswer {
    serde_json::from_str(&sandbox.get(arguments)).unwrap()
}

fn events(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Event> {
    let out = sandbox.get(&[["events", "--json"].as_slice(), arguments].concat());
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns what the events of a chain say, in one word each.
fn words(events: &[Event]) -> Vec<&str> {
    let word = |event| {
        let Event { event, facts, .. }: &Event = event;
        facts.state.as_deref().unwrap_or(event.as_str())
    };
    events.iter().map(word).collect()
}

#[test]
fn a_restart_is_one_chain_with_its_exit_and_its_new_run() {
    let sandbox = Sandbox::up_with(CONFIG);
    let former = sandbox.wait_for_pid("web");
    let answer = answer(&sandbox, &["restart", "web", "--json"]);
    let fresh = sandbox.wait_for_pid("web");
    let chain = events(&sandbox, &["--trace", &answer.trace_id]);
    assert_eq!(words(&chain), ["CommandReceived", "stopping", "starting", "UnitExited", "running"]);
    let facts = |index: usize| chain[index].facts.clone();
    assert_eq!(facts(1).pid, Some(former));
    assert_eq!(facts(3).signal, Some(15));
    assert_eq!(facts(4).pid, Some(fresh));
    assert!(chain.iter().all(|event| event.trace_id == answer.trace_id));
    assert!(chain.first().unwrap().message.ends_with("asks to restart web"));
}

#[test]
fn a_crash_is_a_chain_of_its_own_up_to_the_next_run() {
    let sandbox = Sandbox::up_with(CONFIG);
    processes::kill(sandbox.wait_for_pid("web"));
    sandbox.wait_for("web", |unit| unit.run == 2 && unit.state == "running");
    let all = events(&sandbox, &["web"]);
    let exit = all.iter().find(|event| event.event == "UnitExited").unwrap();
    assert_eq!(exit.facts.signal, Some(9));
    let chain = || events(&sandbox, &["--trace", &exit.trace_id]);
    let is_bundle = |event: &Event| event.event == "BundleWritten";
    wait_until("its bundle belongs to it", || chain().iter().any(is_bundle));
    // How long that takes is the disk's business.
    let chain: Vec<Event> = chain().into_iter().filter(|event| !is_bundle(event)).collect();
    assert_eq!(words(&chain), ["backoff", "UnitExited", "starting", "running"]);
    let delay = chain.first().unwrap().facts.delay_ms.unwrap();
    assert!((25..=50).contains(&delay), "{delay}");
}

#[test]
fn an_edit_is_a_chain_as_well_and_a_name_may_hold_anything() {
    let sandbox = Sandbox::up_with(CONFIG);
    sandbox.get(&["add", "new", "--", "sleep", "1000"]);
    sandbox.wait_for_pid("new");
    let all = events(&sandbox, &[]);
    let added =
        all.iter().find(|event| event.message.contains("asks to add service `new`")).unwrap();
    let chain = events(&sandbox, &["--trace", &added.trace_id]);
    assert_eq!(words(&chain), ["CommandReceived", "ConfigApplied", "starting", "running"]);

    for command in ["events", "why", "show", "remove"] {
        let answer = sandbox.ask(&[command, "no/such unit?&"]);
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.err.contains("`no/such unit?&`"), "{answer:?}");
    }
    assert_eq!(sandbox.ask(&["events", "--trace", "nonsense"]).code, 2);
}
