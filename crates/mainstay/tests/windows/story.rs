//! The story of a service, told by the system's own tool: installed, crashed, left without its
//! agent, stopped, removed.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Instant,
};

use mainstay_platform::{
    event_log::{self, SOURCE},
    process::{Process, SignalKind},
    registry::{self, Key},
    scm::{Database, Intent, Purpose, State},
};

use crate::{
    folders,
    installed::Installed,
    roles::{self, BYE, CLEAN_UP, CRASH, CRASHES, READY, Role},
    sandbox::{Sandbox, wait_for},
    sc,
};

const NAME: &str = "mainstay-story";

#[test]
fn crashes_and_dead_agents_never_show_and_a_removed_service_leaves_nothing_in_the_registry() {
    let sandbox = Sandbox::of_service(NAME);
    let signal = sandbox.folder().join("crash").display().to_string();
    let variable = format!("{}={signal}", roles::FILE);
    let service = Installed::playing(NAME, Role::Shaky, &["--env", &variable]);
    assert_eq!(sc::query(NAME).unwrap().state, "RUNNING");
    assert!(event_log::is_registered(SOURCE));

    let seen = while_watched(|| {
        for run in 1..=CRASHES {
            fs::write(format!("{signal}{run}"), "").unwrap();
            wait_for("it is back after a crash", || {
                let unit = sandbox.unit(NAME);
                (unit.run > run && unit.state == "running").then_some(())
            });
        }
        kill_agent(&sandbox);
    });
    assert!(seen.iter().all(|state| *state == State::Running), "{seen:?}");
    let events = sandbox.get(&["events"]);
    for run in 1..=CRASHES {
        let end = format!("run {run} of `{NAME}` ended with code {CRASH}");
        assert!(events.contains(&end), "{events}");
    }
    stop(&sandbox);
    remove(service);
}

/// Kills the agent; the program has to notice nothing.
fn kill_agent(sandbox: &Sandbox) {
    let before = sandbox.wait_for(NAME, "running");
    let agent = sandbox.status().agent.pid;
    Process::open_pid(agent).unwrap().unwrap().signal(SignalKind::Kill).unwrap();
    wait_for("another agent answers", || (sandbox.status().agent.pid != agent).then_some(()));
    let after = sandbox.unit(NAME);
    assert_eq!((after.pid, after.run), (before.pid, before.run));
}

/// Stops it by `sc`: there are signs of life, and the program has its last word in time.
fn stop(sandbox: &Sandbox) {
    let run = sandbox.unit(NAME).run.to_string();
    wait_for("it hears Ctrl-C", || {
        sandbox.get(&["logs", "--run", &run]).contains(READY).then_some(())
    });
    let asked = Instant::now();
    assert_eq!(sc::sc(&["stop", NAME]).code, 0);
    let mut signs = Vec::new();
    let end = wait_for("it has stopped", || {
        let seen = sc::query(NAME).unwrap();
        if seen.state == "STOP_PENDING" && signs.last() != Some(&seen.checkpoint) {
            signs.push(seen.checkpoint);
        }
        (seen.state == "STOPPED").then_some(seen)
    });
    assert!(asked.elapsed() < 4 * CLEAN_UP, "nothing is waited for in vain: {:?}", asked.elapsed());
    assert_eq!(end.exit_code, 0);
    assert!(signs.len() >= 2 && signs.is_sorted(), "it ticks each second: {signs:?}");
    assert!(sandbox.get(&["logs"]).contains(BYE), "it could clean up");
}

fn remove(service: Installed) {
    let folder = folders::of_service(NAME);
    service.forget(&[]);
    assert_eq!(sc::query(NAME), None);
    let key = format!(r"SYSTEM\CurrentControlSet\Services\{NAME}");
    let open = Key::open(&key, registry::Purpose::Look);
    assert_eq!(open.map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    assert!(!event_log::is_registered(SOURCE), "it was the last of our services");
    assert!(folder.join("mainstay.toml").is_file(), "the configuration stays without `--purge`");
    fs::remove_dir_all(folder).unwrap();
}

/// Returns every state that the manager told while something went on.
fn while_watched(action: impl FnOnce()) -> Vec<State> {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&is_over));
        let tool = scope.spawn(|| watch_by_tool(&is_over));
        action();
        is_over.store(true, Ordering::Relaxed);
        let by_tool = tool.join().unwrap();
        assert!(by_tool.iter().all(|state| state == "RUNNING"), "{by_tool:?}");
        assert!(by_tool.len() >= 3, "{by_tool:?}");
        watch.join().unwrap()
    })
}

/// Asks the manager as fast as it answers.
fn watch(is_over: &AtomicBool) -> Vec<State> {
    let service = Database::open(Purpose::Look).unwrap().service(NAME, Intent::Look).unwrap();
    let mut seen = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        seen.push(service.status().unwrap().state);
        thread::park_timeout(std::time::Duration::from_millis(1));
    }
    seen
}

fn watch_by_tool(is_over: &AtomicBool) -> Vec<String> {
    let mut seen = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        seen.push(sc::query(NAME).unwrap().state);
    }
    seen
}
