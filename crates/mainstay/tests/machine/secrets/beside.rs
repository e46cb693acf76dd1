//! Commands beside a program get what the program gets, and nobody is blamed for a secret.

use mainstay_api::control::Event;

use super::*;

/// Each command writes down what it was given.
const BESIDE: &str = "[services.web]\ncommand = ['sleep', '1000']\n\
    environment = { DB = { secret = 'db' }, TOOL = { command = ['./tool'] } }\n\
    secrets = { 'tls.key' = { secret = 'key' } }\n\
    hooks = { before-start = 'sh hook.sh', after-start = 'sh hook.sh', before-stop = 'sh hook.sh' }\n\
    [[services.web.checks]]\nname = 'disk'\nexec = 'sh hook.sh'\n\
    every = '100ms'\ntimeout = '2s'\nfailures = 1\naction = 'restart'\n";

const HOOK: &str = "file=${CREDENTIALS_DIRECTORY:+$(cat \"$CREDENTIALS_DIRECTORY/tls.key\")}\n\
    echo \"$DB $TOOL $file\" >> got.$MAINSTAY_EVENT\n";

/// A tool whose answer is in a file that no command line shows.
const TOOL: &str = "echo asked >> asked; cat got.tool";

#[test]
fn commands_beside_a_program_get_its_secrets_and_nobody_else_does() {
    let mut sandbox = with_tool(TOOL);
    sandbox.up();
    let looks = || sandbox.read("got.check").lines().count();
    wait_until("it is looked at", || looks() > 5);
    wait_until("hooks have run", || !sandbox.read("got.after-start").is_empty());
    let all = format!("{VALUE} {KEY} {KEY}\n");
    assert_eq!(sandbox.read("got.before-start"), format!("{VALUE} {KEY} \n"));
    assert_eq!(sandbox.read("got.after-start"), all);
    // The run and two hooks: looks get what the run was given.
    assert_eq!(sandbox.read("asked"), "asked\n".repeat(3));

    kill_agent(&sandbox);
    let before = looks();
    wait_until("the next agent looks", || looks() > before + 5);
    assert_eq!(sandbox.read("asked"), "asked\n".repeat(4));
    let got = sandbox.read("got.check");
    assert_eq!(got, all.repeat(got.lines().count()));
    let unit = sandbox.unit("web");
    assert_eq!((unit.run, unit.unhealthy.len()), (1, 0));
    expect_silence(&sandbox);

    sandbox.get(&["stop", "web"]);
    assert_eq!(sandbox.read("got.before-stop"), all);
    assert_eq!(sandbox.down(), Some(0));
    expect_silence(&sandbox);
    processes::expect_none(sandbox.folder());
}

#[test]
fn nobody_is_blamed_for_a_secret_that_cannot_be_fetched() {
    let mut sandbox = with_tool(TOOL);
    sandbox.up();
    wait_until("it is looked at", || !sandbox.read("got.check").is_empty());
    for (tool, told) in [
        ("exit 5", "cannot fetch `TOOL`: `./tool` ended with code 5"),
        ("exec sleep 1000", "cannot fetch `TOOL`: `./tool` has not answered yet"),
    ] {
        script(&sandbox, "tool", tool);
        kill_agent(&sandbox);
        wait_until("it is told", || {
            let unknown = events(&sandbox, "CheckUnknown");
            unknown.iter().any(|event| event.message.contains(told))
        });
    }
    let unit = sandbox.unit("web");
    assert_eq!((unit.run, unit.restarts, unit.unhealthy.len()), (1, 0, 0));
    script(&sandbox, "tool", "exit 5");
    sandbox.get(&["stop", "web"]);
    wait_until("it is told", || !events(&sandbox, "HookFailed").is_empty());
    let told = events(&sandbox, "HookFailed").swap_remove(0).message;
    let expected = "`before-stop` of `web` was not started: cannot fetch `TOOL`: `./tool` ended";
    assert!(told.starts_with(expected), "{told}");
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_hook_that_is_given_up_before_its_values_are_there_never_runs() {
    let mut sandbox = with_tool("echo asked >> asked; while test ! -e go; do sleep 0.02; done");
    sandbox.up();
    wait_until("its hook waits", || !sandbox.read("asked").is_empty());
    sandbox.get(&["stop", "web"]);
    fs::write(sandbox.path("go"), "").unwrap();
    wait_until("its values are there", || {
        !processes::of_folder(sandbox.folder()).into_iter().any(is_tool)
    });
    assert_eq!(sandbox.unit("web").state, "stopped");
    assert_eq!(sandbox.down(), Some(0));
    assert!(!sandbox.path("got.before-start").exists());
}

fn with_tool(tool: &str) -> Sandbox {
    let sandbox = Sandbox::new(BESIDE);
    fs::write(sandbox.path("hook.sh"), HOOK).unwrap();
    fs::write(sandbox.path("got.tool"), KEY).unwrap();
    script(&sandbox, "tool", tool);
    assert_eq!(set(&sandbox, "db", VALUE).code, 0);
    assert_eq!(set(&sandbox, "key", KEY).code, 0);
    sandbox
}

fn kill_agent(sandbox: &Sandbox) {
    let former = sandbox.status().agent.pid;
    processes::kill(former);
    wait_until("another agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
    });
}

fn is_tool(pid: u32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains("tool")
}

fn events(sandbox: &Sandbox, name: &str) -> Vec<Event> {
    let text = sandbox.get(&["events", "-n", "5000", "--json"]);
    let all = text.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    all.filter(|event| event.event == name).collect()
}
