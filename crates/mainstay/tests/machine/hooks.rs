//! Commands beside real programs: what they are told, what becomes of them when they are late, and
//! that an agent may die at any instant of theirs.

use std::fs;

use mainstay_api::control::{Event, Status, Unit, UnitDetail};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// Notes what it is told.
const NOTES: &str = r#"
echo "$MAINSTAY_EVENT run=$MAINSTAY_RUN code=$MAINSTAY_EXIT_CODE signal=$MAINSTAY_SIGNAL \
deadline=$MAINSTAY_DEADLINE state=$MAINSTAY_STATE own=$OWN" >> notes
"#;

/// Notes that it has begun, waits for its gate, and notes that it has ended.
const WAITS: &str = r#"
echo "$MAINSTAY_EVENT $MAINSTAY_CHECK $MAINSTAY_RUN" >> begun
while [ ! -e go-$MAINSTAY_EVENT ]; do sleep 0.05; done
echo "$MAINSTAY_EVENT $MAINSTAY_CHECK $MAINSTAY_RUN" >> ended
"#;

/// The hooks of a run that is stopped.
const IN_ORDER: [&str; 5] =
    ["before-start", "after-start", "before-stop", "after-exit", "after-stop"];

const ALL: &str = r#"
[services.web]
shell = "trap 'exit 7' TERM; while :; do sleep 0.05; done"
environment = { OWN = "too" }
hooks = { before-start = "sh hook.sh", after-start = "sh hook.sh", before-stop = "sh hook.sh", after-stop = { command = "sh hook.sh", timeout = "1.5s" }, after-exit = "sh hook.sh" }
"#;

#[test]
fn every_hook_is_told_what_it_is_about_and_runs_in_its_place() {
    let sandbox = up_with(ALL, NOTES);
    sandbox.wait_for_pid("web");
    wait_until("it has started", || sandbox.read("notes").contains("after-start"));
    sandbox.get(&["stop", "web"]);
    wait_until("all have run", || sandbox.read("notes").contains("after-stop"));
    let expected = "\
        before-start run=1 code= signal= deadline=3600 state=starting own=too\n\
        after-start run=1 code= signal= deadline=30 state=running own=too\n\
        before-stop run=1 code= signal= deadline=30 state=stopping own=too\n\
        after-exit run=1 code=7 signal= deadline=30 state=stopped own=too\n\
        after-stop run=1 code=7 signal= deadline=1.5 state=stopped own=too\n";
    assert_eq!(sandbox.read("notes"), expected);
    let ended = "HookEnded";
    wait_until("all are told", || events(&sandbox, ended).len() == 5);
    let hooks: Vec<String> =
        events(&sandbox, ended).into_iter().filter_map(|event| event.facts.hook).collect();
    assert_eq!(hooks, IN_ORDER);
}

#[test]
fn a_run_whose_hook_fails_is_not_started_and_its_last_words_are_told() {
    let hook = "echo first; echo no room left; exit 3";
    let config = ALL.replace("before-start = \"sh hook.sh\"", "before-start = \"sh fails.sh\"")
        + "restart = { delay = \"1h\", max-delay = \"1h\" }\n";
    let sandbox = Sandbox::new(&config);
    fs::write(sandbox.path("fails.sh"), hook).unwrap();
    fs::write(sandbox.path("hook.sh"), NOTES).unwrap();
    let sandbox = upped(sandbox);
    sandbox.wait_for("web", |unit| unit.state == "backoff");
    wait_until("it is told", || !events(&sandbox, "HookFailed").is_empty());
    let failed = events(&sandbox, "HookFailed").swap_remove(0);
    assert_eq!(failed.message, "`before-start` of `web` ended with code 3: no room left");
    assert_eq!((failed.facts.exit_code, failed.facts.number), (Some(3), Some(1)));
    assert_eq!(failed.level, "warn");
    assert!(!sandbox.read("notes").contains("after-start"), "{}", sandbox.read("notes"));
    let log = sandbox.get(&["logs", "web", "--hook", "before-start", "-n", "2"]);
    assert_eq!(log, "first\nno room left\n");
    let why = sandbox.get(&["why", "web"]);
    assert!(why.contains("`before-start` of `web` ended with code 3: no room left"), "{why}");
}

#[test]
fn a_hook_that_is_late_is_asked_to_leave_and_ends_with_everything_it_has_begun() {
    let config = ALL.replace(
        "before-start = \"sh hook.sh\"",
        "before-start = { command = \"sh late.sh\", timeout = \"500ms\" }",
    );
    let sandbox = Sandbox::new(&config);
    let hook = "trap 'echo asked >>notes; exit 0' TERM
        sleep 1000 & setsid sh -c 'trap \"\" TERM; sleep 1000; sleep 1000' & wait";
    fs::write(sandbox.path("late.sh"), hook).unwrap();
    fs::write(sandbox.path("hook.sh"), NOTES).unwrap();
    let sandbox = upped(sandbox);
    wait_until("it is told", || !events(&sandbox, "HookFailed").is_empty());
    let failed = events(&sandbox, "HookFailed").swap_remove(0);
    assert_eq!(failed.message, "`before-start` of `web` took too long and was ended");
    assert!(failed.facts.late);
    assert!(sandbox.read("notes").starts_with("asked\n"), "{}", sandbox.read("notes"));
    sandbox.get(&["stop", "web"]);
    wait_until("nobody is left", || sandbox.copies_of("web").is_empty());
}

#[test]
fn an_agent_may_die_in_the_middle_of_every_hook() {
    for (place, hook) in IN_ORDER.into_iter().enumerate() {
        let mut sandbox = Sandbox::new(ALL);
        fs::write(sandbox.path("hook.sh"), WAITS).unwrap();
        for other in IN_ORDER.into_iter().filter(|other| *other != hook) {
            open_gate(&sandbox, other);
        }
        sandbox.up();
        let has = |file, hook| sandbox.read(file).contains(hook);
        let stop = || {
            sandbox.wait_for_pid("web");
            wait_until("it has started", || has("ended", "after-start"));
            sandbox.get(&["stop", "web", "--no-wait"]);
        };
        let is_of_stop = place >= 2;
        if is_of_stop {
            stop();
        }
        wait_until(&format!("{hook} has begun"), || has("begun", hook));
        kill_agent(&sandbox);
        open_gate(&sandbox, hook);
        if !is_of_stop {
            stop();
        }
        wait_until("all are over", || has("ended", "after-stop"));
        let each = IN_ORDER.map(|hook| format!("{hook}  1\n")).concat();
        assert_eq!((hook, sandbox.read("begun")), (hook, each.clone()));
        assert_eq!((hook, sandbox.read("ended")), (hook, each));
        wait_until("each is told once", || {
            sandbox.unit("web").state == "stopped" && events(&sandbox, "HookEnded").len() == 5
        });
        assert_eq!(events(&sandbox, "HookFailed").len(), 0, "{hook}");
    }
}

const CHECKED: &str = r#"
[services.web]
command = "sleep 1000"
[[services.web.checks]]
name = "disk"
exec = "sh hook.sh"
every = "200ms"
timeout = "30s"
failures = 2
action = "mark"
"#;

#[test]
fn an_agent_that_dies_in_the_middle_of_a_check_neither_loses_nor_doubles_it() {
    let sandbox = up_with(CHECKED, WAITS);
    wait_until("it looks", || !sandbox.read("begun").is_empty());
    for _ in 0..3 {
        kill_agent(&sandbox);
    }
    // Long enough for another look, if there were one.
    wait_until("the next agent has looked", || sandbox.unit("web").since_seconds >= 2);
    assert_eq!(sandbox.read("begun"), "check disk 1\n");
    open_gate(&sandbox, "check");
    wait_until("it goes on", || sandbox.read("ended").lines().count() > 3);
    let detail = detail(&sandbox);
    assert_eq!(detail.checks[0].verdict, "good", "{:?}", detail.checks);
    assert_eq!((detail.unit.run, detail.unit.restarts), (1, 0));
}

#[test]
fn a_check_that_fails_says_why_and_its_log_can_be_read() {
    let sandbox = up_with(CHECKED, "echo about to look; echo disk is full >&2; exit 2");
    let unit = sandbox.wait_for("web", |unit| !unit.unhealthy.is_empty());
    assert_eq!(unit.unhealthy, ["disk"]);
    let bad = events(&sandbox, "UnitUnhealthy").swap_remove(0);
    let expected =
        "`web` is unhealthy: `disk` has failed 2 times in a row: exit code 2: disk is full";
    assert_eq!(bad.message, expected);
    assert_eq!(bad.facts.check.as_deref(), Some("disk"));
    // The next look may be about to write, too.
    wait_until("its log can be read", || {
        let log = sandbox.get(&["logs", "web", "--check", "disk", "-n", "2"]);
        log == "about to look\ndisk is full\n"
    });
    assert!(events(&sandbox, "HookFailed").is_empty());
    fs::write(sandbox.path("hook.sh"), "exit 0").unwrap();
    sandbox.wait_for("web", |unit| unit.unhealthy.is_empty());
    assert_eq!(sandbox.unit("web").restarts, 0);
}

#[test]
fn a_command_is_asked_whether_a_unit_is_ready() {
    let config = "[services.web]\ncommand = \"sleep 1000\"\n\
        ready = { exec = \"test -e ready\", every = \"100ms\", timeout = \"1m\" }\n";
    let sandbox = up_with(config, "");
    sandbox.wait_for("web", |unit| unit.pid.is_some());
    kill_agent(&sandbox);
    assert_eq!(sandbox.unit("web").state, "starting");
    fs::write(sandbox.path("ready"), "").unwrap();
    let unit = sandbox.wait_for("web", |unit| unit.state == "running");
    assert_eq!((unit.run, unit.ready_since.is_some()), (1, true));
}

#[test]
fn what_needs_no_command_is_looked_at_as_well() {
    let config = "[services.web]\ncommand = \"sleep 1000\"\n\
        ready = { file = \"ready\", every = \"20ms\", timeout = \"1m\" }\n\
        [[services.web.checks]]\nfile = \"well\"\nevery = \"200ms\"\nfailures = 2\naction = \"mark\"\n";
    let sandbox = up_with(config, "");
    sandbox.wait_for("web", |unit| unit.pid.is_some());
    kill_agent(&sandbox);
    assert_eq!(sandbox.unit("web").state, "starting");
    fs::write(sandbox.path("ready"), "").unwrap();
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.unhealthy == ["file"]);
    kill_agent(&sandbox);
    assert_eq!(sandbox.unit("web").unhealthy, ["file"], "the next agent knows it at once");
    fs::write(sandbox.path("well"), "").unwrap();
    let unit = sandbox.wait_for("web", |unit| unit.unhealthy.is_empty());
    assert_eq!((unit.run, unit.restarts), (1, 0));
}

const TROUBLED: &str = r#"
[services.bad]
command = "sleep 1000"
hooks = { on-unhealthy = "sh hook.sh" }
[[services.bad.checks]]
name = "disk"
exec = ["sh", "-c", "echo no room; exit 2"]
every = "200ms"
failures = 1
action = { run = "sh hook.sh" }
[services.loud]
shell = "while :; do echo a line that fills a segment; sleep 0.01; done"
logs = { max-size = "1KiB", keep = 1000 }
hooks = { after-rotate = "sh rotated.sh" }
[services.brief]
shell = "exit 9"
restart = { when = "never" }
hooks = { on-failure = "sh hook.sh" }
"#;

#[test]
fn hooks_of_trouble_are_told_what_it_is() {
    let sandbox = Sandbox::new(TROUBLED);
    let hook = "echo \"$MAINSTAY_EVENT $MAINSTAY_CHECK code=$MAINSTAY_EXIT_CODE $MAINSTAY_REASON\" \
                >> notes-$MAINSTAY_UNIT";
    fs::write(sandbox.path("hook.sh"), hook).unwrap();
    fs::write(sandbox.path("rotated.sh"), "test -s \"$MAINSTAY_LOG_FILE\" && echo it >> rotated")
        .unwrap();
    let sandbox = upped(sandbox);
    let lines = |file: &str| {
        let mut lines: Vec<String> = sandbox.read(file).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    wait_until("all are told", || {
        lines("notes-bad").len() == 2
            && !lines("notes-brief").is_empty()
            && lines("rotated").len() > 2
    });
    let bad =
        ["action disk code= exit code 2: no room", "on-unhealthy disk code= exit code 2: no room"];
    assert_eq!(lines("notes-bad"), bad);
    assert!(
        lines("notes-brief")[0].starts_with("on-failure  code=9 "),
        "{:?}",
        lines("notes-brief")
    );
    sandbox.get(&["stop", "loud"]);
    wait_until("no more of them run", || sandbox.copies_of("loud").is_empty());
    let times = lines("rotated").len();
    let segments = fs::read_dir(sandbox.path(".mainstay/logs/loud")).unwrap().count();
    assert!(times <= 1000 && segments > 0, "{times} times, {segments} segments");
    assert!(events(&sandbox, "HookFailed").is_empty(), "{:?}", events(&sandbox, "HookFailed"));
}

#[cfg(feature = "fail")]
#[test]
fn a_hook_over_whose_start_its_keeper_dies_is_told_of_once_and_not_run_again() {
    let mut sandbox = Sandbox::new(
        "[services.web]\ncommand = \"sleep 1000\"\nrestart = { when = \"never\" }\n\
         hooks = { after-exit = \"touch ran\" }\n",
    );
    let folder = sandbox.up_fallible();
    let web = sandbox.wait_for_pid("web");
    fs::write(folder.join("keeper.journal.intent.after"), "").unwrap();
    processes::kill(web);
    wait_until("the keeper dies over it", || fs::read_dir(&folder).unwrap().count() == 0);
    wait_until("it is told", || !events(&sandbox, "HookFailed").is_empty());
    processes::kill(sandbox.status().agent.pid);
    sandbox.wait_for("web", |unit| unit.state == "failed");
    let told = events(&sandbox, "HookFailed");
    assert!(told.len() == 1 && told[0].message.contains("nobody could learn how"), "{told:?}");
    assert!(!sandbox.path("ran").exists());
}

/// So many units, each with hooks at its start and its end.
const MANY: usize = 1_000;

#[test]
fn the_hooks_of_a_thousand_units_leave_no_descriptor_and_no_thread_behind() {
    let mut sandbox = Sandbox::new(
        "[services.web]\ncommand = \"sleep 1000\"\ninstances = 1000\n\
         hooks = { before-start = \"true\", after-start = \"true\", after-exit = \"true\" }\n",
    );
    sandbox.start_up(sandbox.command(&["up"]));
    let rest = |runs: usize, sandbox: &Sandbox| {
        wait_until("all run and no hook does", || {
            let Ok(status) =
                serde_json::from_str::<Status>(&sandbox.ask(&["status", "--json"]).out)
            else {
                return false;
            };
            let is_up = |unit: &Unit| unit.state == "running" && unit.run >= runs as u64;
            status.units.len() == MANY && status.units.iter().all(is_up)
        });
        wait_until("no hook is left", || is_at_rest(sandbox));
    };
    for runs in 1..=2 {
        if runs > 1 {
            sandbox.get(&["restart", "web", "--timeout", "2m"]);
        }
        rest(runs, &sandbox);
        expect_no_hook_held(&sandbox);
    }
    assert!(events(&sandbox, "HookFailed").is_empty());
}

/// Returns whether nobody runs but the programs themselves.
fn is_at_rest(sandbox: &Sandbox) -> bool {
    let programs = processes::of_folder(sandbox.folder()).len();
    // Beside the programs: `up`, the keeper and the agent.
    programs <= MANY + 3
}

/// Each of both holds the process and the pipe of a program, and soon after its end of no hook:
/// what has ended is held until the agent has been told of it.
fn expect_no_hook_held(sandbox: &Sandbox) {
    wait_until("what hooks held is let go", || {
        let [descriptors, threads] = held(sandbox);
        descriptors.iter().all(|count| *count <= 2 * MANY + 128)
            && threads.iter().all(|count| *count <= 32)
    });
}

/// Returns the descriptors, and the threads, of keeper and agent.
fn held(sandbox: &Sandbox) -> [[usize; 2]; 2] {
    let status = sandbox.status();
    let count = |pid: u32, what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    let pids = [status.keeper.pid, status.agent.pid];
    [pids.map(|pid| count(pid, "fd")), pids.map(|pid| count(pid, "task"))]
}

#[test]
fn a_program_reloads_by_signal_and_by_command() {
    let config = r#"
[services.signal]
shell = "trap 'echo again >> signalled' HUP; while :; do sleep 0.05; done"
reload = { signal = "HUP" }
[services.command]
command = "sleep 1000"
reload = { command = "sh hook.sh" }
[services.never]
command = "sleep 1000"
[services.forbidden]
command = "sleep 1000"
reload = { command = "sh hook.sh" }
hooks = { before-reload = "false" }
"#;
    let sandbox = up_with(config, "echo $MAINSTAY_EVENT >> reloaded");
    sandbox.wait_for_all();
    // A shell that has not set its trap yet dies of the signal.
    wait_until("it catches signals", || {
        let pid = sandbox.unit("signal").pid.unwrap();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
        u64::from_str_radix(caught.trim(), 16).unwrap() & 1 == 1
    });
    let before = sandbox.runs();
    let told = "`signal` was sent the signal to reload, and does not answer it\n";
    assert_eq!(sandbox.get(&["reload", "signal"]), told, "nobody knows more");
    wait_until("it has heard", || sandbox.read("signalled") == "again\n");
    assert_eq!(sandbox.get(&["reload", "command"]), "`command` has reloaded\n");
    assert_eq!(sandbox.read("reloaded"), "reload\n");
    let all = sandbox.ask(&["reload", "*", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&all.out).unwrap();
    let units = told["units"].as_array().unwrap().iter();
    let done: Vec<_> = units.map(|unit| (unit["unit"].as_str(), unit["done"].as_bool())).collect();
    let expected = [("command", true), ("forbidden", false), ("never", false), ("signal", true)];
    assert_eq!(done, expected.map(|(unit, done)| (Some(unit), Some(done))), "{all:?}");
    assert_eq!(all.code, 1, "{all:?}");
    fs::write(sandbox.path("reloaded"), "reload\n").unwrap();
    let nothing = sandbox.ask(&["logs", "forbidden", "command", "--hook", "relod"]);
    let told = "error: no hook `relod` of these units has written anything\n";
    assert!(nothing.code == 1 && nothing.err.starts_with(told), "{nothing:?}");
    let never = sandbox.ask(&["reload", "never"]);
    assert_eq!(never.code, 1, "{never:?}");
    let forbidden = sandbox.ask(&["reload", "forbidden"]);
    assert_eq!(
        (forbidden.code, sandbox.read("reloaded").as_str()),
        (1, "reload\n"),
        "{forbidden:?}"
    );
    assert_eq!(sandbox.runs(), before);
}

#[test]
fn nothing_but_its_hook_or_its_secret_is_blamed_while_a_start_waits_for_it() {
    let config = "[services.web]\ncommand = \"sleep 1000\"\nhooks = { before-start = \"sh hook.sh\" }\n\
        [services.secret]\ncommand = \"sleep 1000\"\n\
        environment = { A = { command = ['sh', 'gate.sh'], timeout = '20s' } }\n";
    let mut sandbox = Sandbox::new(config);
    let gate = "while [ ! -e go-before-start ]; do sleep 0.05; done; echo x";
    fs::write(sandbox.path("gate.sh"), gate).unwrap();
    fs::write(sandbox.path("hook.sh"), WAITS).unwrap();
    sandbox.up();
    let waits =
        [("web", "its hook `before-start`"), ("secret", "its values")].map(|(name, expected)| {
            sandbox.wait_for(name, |unit| unit.state == "starting" && unit.since_seconds > 1);
            let why = sandbox.get(&["why", name]);
            assert!(!why.contains("The system has not answered"), "{why}");
            assert!(why.contains(&format!("Its program is started after {expected}.")), "{why}");
            name
        });
    open_gate(&sandbox, "before-start");
    for name in waits {
        sandbox.wait_for(name, |unit| unit.state == "running" && unit.starts_after.is_none());
    }
}

fn up_with(config: &str, hook: &str) -> Sandbox {
    let sandbox = Sandbox::new(config);
    fs::write(sandbox.path("hook.sh"), hook).unwrap();
    upped(sandbox)
}

fn upped(mut sandbox: Sandbox) -> Sandbox {
    sandbox.up();
    sandbox
}

fn open_gate(sandbox: &Sandbox, event: &str) {
    fs::write(sandbox.path(&format!("go-{event}")), "").unwrap();
}

fn kill_agent(sandbox: &Sandbox) {
    let former = sandbox.status().agent.pid;
    processes::kill(former);
    wait_until("another agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
    });
}

fn detail(sandbox: &Sandbox) -> UnitDetail {
    serde_json::from_str(&sandbox.get(&["show", "web", "--json"])).unwrap()
}

fn events(sandbox: &Sandbox, name: &str) -> Vec<Event> {
    let text = sandbox.get(&["events", "-n", "5000", "--json"]);
    let all = text.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    all.filter(|event| event.event == name).collect()
}
