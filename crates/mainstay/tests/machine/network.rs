//! `@network`, in a network namespace of the test's own.

use crate::{processes::wait_until, sandbox::Sandbox};

const WEB: &str = r#"
[services.web]
command = ["sleep", "1000"]
requires = ["@network"]

[services.local]
command = ["sleep", "1000"]
"#;

/// Returns an instance on a machine without a network; nothing where nobody may make one.
fn alone() -> Option<Sandbox> {
    let mut sandbox = Sandbox::new(WEB);
    if sandbox.shell("id -u") != "0\n" {
        return None;
    }
    sandbox.through(&["unshare", "--net", "--"]);
    sandbox.up();
    // Commands reach the instance from anywhere: its socket is a file.
    sandbox.through(&["env"]);
    Some(sandbox)
}

fn there(sandbox: &Sandbox, lines: &str) {
    let agent = sandbox.status().agent.pid;
    sandbox.shell(&format!("nsenter --net=/proc/{agent}/ns/net sh -ec '{lines}'"));
}

/// Two ends of a cable, one of which is ours.
const LINK: &str =
    "ip link add one type veth peer name two; ip link set one up; ip link set two up";

const WHY: &str = "it requires `@network`: there is no address with a route";

fn events(sandbox: &Sandbox, what: &str) -> usize {
    sandbox.get(&["events", "--lines", "5000"]).matches(what).count()
}

#[test]
fn who_requires_the_network_starts_when_it_is_there_and_stays_when_it_goes() {
    let Some(sandbox) = alone() else { return };
    sandbox.wait_for_pid("local");
    let web = sandbox.unit("web");
    assert_eq!((web.state.as_str(), web.why.as_str()), ("waiting", WHY));
    assert!(sandbox.get(&["tree", "web"]).contains("requires @network  down"));

    there(&sandbox, LINK);
    there(&sandbox, "ip addr add 169.254.7.7/16 dev one; ip addr add 10.9.0.1/24 dev one");
    let refused = sandbox.ask(&["start", "web"]);
    assert_eq!(refused.code, 1, "an address without a way out is no network");
    assert!(refused.out.contains(WHY), "{refused:?}");

    there(&sandbox, "ip route add default dev one");
    let pid = sandbox.wait_for_pid("web");
    assert_eq!(events(&sandbox, "NetworkFound"), 1);

    there(&sandbox, "ip route del default");
    wait_until("the loss is told", || events(&sandbox, "NetworkLost") == 2);
    assert_eq!(sandbox.wait_for_pid("web"), pid, "what runs, runs on");
    sandbox.get(&["restart", "web", "--no-wait"]);
    sandbox.wait_for("web", |unit| unit.state == "waiting" && unit.why == WHY);
    there(&sandbox, "ip route add 203.0.113.0/24 via 10.9.0.2");
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run == 2);
}

#[test]
fn the_other_family_is_a_network_too() {
    let Some(sandbox) = alone() else { return };
    sandbox.wait_for_pid("local");
    there(&sandbox, LINK);
    there(&sandbox, "ip -6 addr add fd00:9::1/64 dev one nodad; ip -6 route add default dev one");
    sandbox.wait_for_pid("web");
}

#[test]
fn the_next_agent_waits_for_the_network_as_well() {
    let Some(sandbox) = alone() else { return };
    sandbox.wait_for_pid("local");
    let former = sandbox.status().agent.pid;
    crate::processes::kill(former);
    wait_until("another agent is there", || {
        let answer = sandbox.ask(&["status", "--json"]);
        answer.code == 0 && sandbox.status().agent.pid != former
    });
    assert_eq!(sandbox.unit("web").why, WHY);
    there(&sandbox, LINK);
    there(&sandbox, "ip addr add 10.9.0.1/24 dev one; ip route add default dev one");
    sandbox.wait_for_pid("web");
}
