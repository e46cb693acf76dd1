//! Hooks and checks that are commands, and agents that are killed in the middle of them.

use std::fs;

use mainstay_api::control::{Event, UnitDetail};
use mainstay_platform::process::{Process, SignalKind};

use crate::{
    foreground::Up,
    sandbox::{Sandbox, wait_for},
};

const WEB: &str = r#"
[services.web]
command = ["cmd", "/c", "ping -n 1000 127.0.0.1"]
stop = { timeout = "2s" }
hooks = { before-start = "cmd /c hook.cmd", after-start = "cmd /c hook.cmd", before-stop = "cmd /c hook.cmd", after-exit = "cmd /c hook.cmd", after-stop = "cmd /c hook.cmd" }
"#;

/// Notes what it is told, and waits for its gate.
const HOOK: &str = "@echo %MAINSTAY_EVENT% %MAINSTAY_RUN% %MAINSTAY_DEADLINE%>>begun\r\n\
    :again\r\n\
    @if exist go-%MAINSTAY_EVENT% goto gone\r\n\
    @ping -n 1 127.0.0.1 >nul\r\n\
    @goto again\r\n\
    :gone\r\n\
    @echo %MAINSTAY_EVENT%>>ended\r\n";

const IN_ORDER: [&str; 5] =
    ["before-start", "after-start", "before-stop", "after-exit", "after-stop"];

#[test]
fn hooks_run_once_and_in_their_places_whoever_dies_meanwhile() {
    let sandbox = Sandbox::new(WEB);
    fs::write(sandbox.folder().join("hook.cmd"), HOOK).unwrap();
    let up = Up::start(&sandbox);
    for hook in ["before-start", "after-start"] {
        goes_on_without_an_agent(&sandbox, hook);
    }
    sandbox.wait_for("web", "running");
    sandbox.get(&["stop", "web", "--no-wait"]);
    for hook in ["before-stop", "after-exit", "after-stop"] {
        goes_on_without_an_agent(&sandbox, hook);
    }
    wait_for("all are told", || (events(&sandbox, "HookEnded").len() == 5).then_some(()));
    let begun = IN_ORDER.map(|hook| {
        let timeout = if hook == "before-start" { 3600 } else { 30 };
        format!("{hook} 1 {timeout}\r\n")
    });
    let begun = begun.concat();
    assert_eq!(read(&sandbox, "begun"), begun);
    assert_eq!(read(&sandbox, "ended"), IN_ORDER.map(|hook| format!("{hook}\r\n")).concat());
    assert!(events(&sandbox, "HookFailed").is_empty());
    up.end();
}

#[test]
fn a_check_that_is_a_command_fails_with_its_last_words_and_a_late_hook_ends_with_its_tree() {
    let sandbox = Sandbox::new(
        r#"
[services.web]
command = ["cmd", "/c", "ping -n 1000 127.0.0.1"]
stop = { timeout = "2s" }
hooks = { after-start = { command = "cmd /c ping -n 1000 127.0.0.2", timeout = "1s" } }
[[services.web.checks]]
name = "disk"
exec = ["cmd", "/c", "echo no room left& exit 2"]
every = "1s"
failures = 1
action = "mark"
"#,
    );
    let up = Up::start(&sandbox);
    let detail = wait_for("it is bad", || {
        let detail: UnitDetail =
            serde_json::from_str(&sandbox.get(&["show", "web", "--json"])).unwrap();
        (detail.unit.unhealthy == ["disk"]).then_some(detail)
    });
    assert_eq!(detail.checks[0].seen, "exit code 2: no room left");
    let log = sandbox.get(&["logs", "web", "--check", "disk", "-n", "1"]);
    assert_eq!(log.trim_end(), "no room left");
    let late = wait_for("the hook is late", || events(&sandbox, "HookFailed").pop());
    assert_eq!(late.message, "`after-start` of `web` took too long and was ended");
    assert_eq!(sandbox.unit("web").restarts, 0);
    up.end();
}

/// Waits until a hook has begun, kills the agent, and lets the hook go on.
fn goes_on_without_an_agent(sandbox: &Sandbox, hook: &str) {
    wait_for(&format!("{hook} has begun"), || read(sandbox, "begun").contains(hook).then_some(()));
    let agent = Process::open_pid(sandbox.status().agent.pid).unwrap().unwrap();
    agent.signal(SignalKind::Kill).unwrap();
    wait_for("the agent is gone", || agent.has_ended().then_some(()));
    fs::write(sandbox.folder().join(format!("go-{hook}")), "").unwrap();
    wait_for(&format!("{hook} has ended"), || read(sandbox, "ended").contains(hook).then_some(()));
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.folder().join(name)).unwrap_or_default()
}

fn events(sandbox: &Sandbox, name: &str) -> Vec<Event> {
    let text = sandbox.get(&["events", "-n", "5000", "--json"]);
    let all = text.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    all.filter(|event| event.event == name).collect()
}
