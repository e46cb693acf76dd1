//! Machines that stand still for a while, as virtual ones do: everything is as it was before.

use std::time::Duration;

use mainstay_platform::{clock, process::SignalKind};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// Longer than a keeper waits for an agent that owes it something.
const PAUSE: Duration = Duration::from_millis(5_500);

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]

[services.talk]
shell = "line=0; while :; do line=$((line + 1)); echo $line; sleep 0.01; done"

[services.crash]
shell = "sleep 0.05; exit 1"
restart = { delay = "10ms", max-delay = "10ms" }
"#;

fn pass(time: Duration) {
    let until = clock::monotonic() + time;
    wait_until("time passes", || clock::monotonic() > until);
}

#[test]
fn a_machine_that_stood_still_goes_on_as_if_nothing_had_happened() {
    let sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let before = [sandbox.wait_for_pid("web"), sandbox.wait_for_pid("talk")];
    let (keeper, agent) = (sandbox.status().keeper, sandbox.status().agent);
    wait_until("there is much to do", || sandbox.unit("crash").restarts > 3);

    let all = [before[0], before[1], agent.pid, keeper.pid];
    for pid in &all[..3] {
        processes::signal(*pid, SignalKind::Stop);
    }
    // The agent owes the keeper an answer by now.
    pass(PAUSE / 20);
    processes::signal(keeper.pid, SignalKind::Stop);
    pass(PAUSE);
    for pid in all.iter().rev() {
        processes::signal(*pid, SignalKind::Continue);
    }

    let restarts = sandbox.unit("crash").restarts;
    wait_until("it goes on", || sandbox.unit("crash").restarts > restarts + 3);
    assert_eq!([sandbox.wait_for_pid("web"), sandbox.wait_for_pid("talk")], before);
    assert_eq!((sandbox.status().keeper, sandbox.status().agent), (keeper, agent));
    let log = sandbox.read(".mainstay/logs/talk/talk.log");
    for (line, number) in processes::whole_lines(&log).lines().zip(1..) {
        assert_eq!(line, number.to_string());
    }
}
