//! `up` as the first process of a container: it becomes the keeper, takes in orphans, and ends
//! everything in order when it is asked to.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// One says goodbye when asked to leave; one leaves an orphan behind that ends soon after.
const CONFIG: &str = r#"
[services.polite]
shell = "trap 'echo bye > bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"

[services.orphans]
shell = "while :; do (sleep 0.01 & exec true); echo orphan; sleep 0.02; done"
"#;

/// A process namespace of its own, and its first process as it is seen from outside.
struct Container {
    sandbox: Sandbox,
    outer: Child,
    first: u32,
}

impl Container {
    fn start() -> Self {
        let sandbox = Sandbox::new(CONFIG);
        let mut unshare = Command::new("unshare");
        unshare.args(["--pid", "--fork", "--mount-proc", crate::sandbox::BINARY]);
        let mut command = sandbox.prepare(unshare, &["up"]);
        let outer = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = None;
        wait_until("the container begins", || {
            first = children_of(outer.id()).first().copied();
            first.is_some() && sandbox.ask(&["status"]).code == 0
        });
        sandbox.wait_for_all();
        Self { sandbox, outer, first: first.unwrap() }
    }

    fn end_code(&mut self) -> i32 {
        let mut code = None;
        wait_until("the container ends", || {
            code = self.outer.try_wait().unwrap().and_then(|status| status.code());
            code.is_some()
        });
        code.unwrap()
    }
}

/// Returns the children of all threads of a process.
fn children_of(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let texts = threads.map(|thread| fs::read_to_string(thread.path().join("children")));
    let text = texts.map(Result::unwrap_or_default).collect::<Vec<String>>().join(" ");
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn words_of(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

#[test]
fn the_first_process_is_the_keeper_and_takes_in_orphans() {
    let container = Container::start();
    assert!(words_of(container.first).contains(" keeper --runtime "), "{}", container.first);
    assert_eq!(container.sandbox.status().keeper.pid, 1);
    // Orphans come all the time; none of them is left as a zombie for long.
    let zombies = || {
        let children = children_of(container.first);
        children.into_iter().filter(|pid| !processes::is_alive(*pid)).collect::<Vec<u32>>()
    };
    for round in 1..5 {
        let made = || container.sandbox.read(".mainstay/logs/orphans/orphans.log").lines().count();
        wait_until("orphans are made", || made() > 5 * round);
        let before = zombies();
        wait_until("what ended is reaped", || zombies().iter().all(|pid| !before.contains(pid)));
    }
    // One run each: no orphan was taken for the program itself.
    assert!(container.sandbox.status().units.iter().all(|unit| unit.run == 1));
}

#[test]
fn the_agent_of_a_container_is_replaced() {
    let container = Container::start();
    let agent = |container: &Container| {
        let children = children_of(container.first);
        children.into_iter().find(|pid| words_of(*pid).contains(" agent --runtime "))
    };
    let former = agent(&container).unwrap();
    let runs = container.sandbox.runs();
    processes::kill(former);
    wait_until("there is another agent", || {
        agent(&container).is_some_and(|pid| pid != former)
            && container.sandbox.ask(&["status"]).code == 0
    });
    assert_eq!(container.sandbox.runs(), runs);
}

/// Their numbers are those of other processes outside.
#[test]
fn no_process_of_a_container_is_hit_from_outside() {
    let container = Container::start();
    let runs = container.sandbox.runs();
    for words in
        [&["drill", "agent"] as &[&str], &["drill", "keeper"], &["drill", "crash", "polite"]]
    {
        let answer = container.sandbox.ask(words);
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.err.contains("the agent runs in another container"), "{answer:?}");
    }
    assert_eq!(container.sandbox.runs(), runs);
}

#[test]
fn whoever_ends_the_container_stops_programs_in_order() {
    for signal in [SignalKind::Term, SignalKind::Interrupt, SignalKind::Hangup] {
        let mut container = Container::start();
        processes::signal(container.first, signal);
        assert_eq!(container.end_code(), 0);
        assert_eq!(container.sandbox.read("bye"), "bye\n");
        let is_over = || processes::of_folder(container.sandbox.folder()).is_empty();
        wait_until("the last process ends", is_over);
    }
}
