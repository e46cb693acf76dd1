//! `mainstay up` and the commands that talk to it, by way of a pipe and an agent that is replaced.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    thread,
};

use mainstay_platform::{
    pipe::{self, Moved, PipeReader, Way},
    process::{Ended, Process, SignalKind},
    random,
    spawn::{self, Program},
};

use serde_json::Value;

use crate::sandbox::{BINARY, Sandbox, wait_for};

/// Nothing prints more at a time.
const PRINTED_MAX: usize = 64 * 1024;

const WEB: &str = "[services.web]\n\
                   command = [\"cmd\", \"/c\", \"echo hello & ping -n 1000 127.0.0.1\"]\n\
                   stop = { timeout = \"5s\" }\n";

#[test]
fn an_instance_is_brought_up_looked_at_changed_and_ended() {
    let sandbox = Sandbox::new(WEB);
    let up = Up::start(&sandbox);
    let web = sandbox.wait_for("web", "running");
    wait_for("it says hello", || sandbox.get(&["logs", "web"]).contains("hello").then_some(()));
    assert!(sandbox.get(&["why", "web"]).contains("`web` is running since"));

    sandbox.get(&["add", "more", "--", "cmd", "/c", "ping -n 1000 127.0.0.1"]);
    sandbox.wait_for("more", "running");
    assert_eq!(sandbox.unit("web").pid, web.pid);
    sandbox.get(&["remove", "more"]);
    assert!(sandbox.status().units.iter().all(|unit| unit.unit != "more"));

    sandbox.get(&["stop", "web"]);
    assert_eq!(sandbox.unit("web").state, "stopped");
    assert!(has_ended(web.pid.unwrap()));
    sandbox.get(&["start", "web"]);
    let web = sandbox.wait_for("web", "running");

    up.end();
    assert!(has_ended(web.pid.unwrap()), "what was started has stopped");
    let answer = sandbox.ask(&["status"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains("start it with `mainstay up"), "{answer:?}");
}

#[test]
fn an_agent_that_is_killed_costs_no_program_and_no_client() {
    let sandbox = Sandbox::new(WEB);
    let up = Up::start(&sandbox);
    let web = sandbox.wait_for("web", "running");
    let mut agents = BTreeSet::from([sandbox.status().agent.pid]);
    for _ in 0..3 {
        let report = sandbox.get(&["drill", "agent"]);
        assert!(report.contains("1 of 1 run on with the same pid"), "{report}");
        agents.insert(sandbox.status().agent.pid);
    }
    assert_eq!(agents.len(), 4, "each agent was another one");
    assert_eq!(sandbox.unit("web").pid, web.pid);
    let shown: Value = serde_json::from_str(&sandbox.get(&["show", "web", "--json"])).unwrap();
    let usage = &shown["usage"];
    let is_by_job = usage["processes"].as_u64() >= Some(2) && usage["by-descent"].is_null();
    assert!(is_by_job, "an agent that has not started it knows its job: {usage}");

    // Clients that come while there is no agent wait for the next one.
    let agent = Process::open_pid(sandbox.status().agent.pid).unwrap().unwrap();
    agent.signal(SignalKind::Kill).unwrap();
    wait_for("it is gone", || agent.has_ended().then_some(()));
    thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| sandbox.ask(&["status"]))).collect();
        for client in clients {
            let answer = client.join().unwrap();
            assert_eq!(answer.code, 0, "{answer:?}");
        }
    });
    up.end();
}

#[test]
fn whoever_has_access_is_found_by_the_name_of_the_group() {
    let access = "[[access]]\ngroup = \"Administrators\"\nrole = \"viewer\"\n\
                  [[access]]\ngroup = \"no-such-group\"\nrole = \"viewer\"\n";
    let sandbox = Sandbox::new(&format!("{WEB}{access}"));
    let up = Up::start(&sandbox);
    wait_for("the one that there is not is told", || {
        let events = sandbox.get(&["events"]);
        assert!(!events.contains("group `Administrators`"), "{events}");
        assert!(!events.contains("cannot let groups"), "{events}");
        events.contains("there is no group `no-such-group` on this system").then_some(())
    });
    // The pipe goes by another list of rights, and we are still on it.
    sandbox.wait_for("web", "running");
    up.end();
}

/// A command on a console of its own, such as `up`.
pub(crate) struct Up {
    process: Process,
    output: PipeReader,
}

impl Up {
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::run(sandbox, &["up", sandbox.instance()])
    }

    /// Runs a command that holds the sandbox's instance in the foreground.
    pub(crate) fn run(sandbox: &Sandbox, words: &[&str]) -> Self {
        let up = Self::begin(words);
        wait_for("the instance answers", || (sandbox.ask(&["status"]).code == 0).then_some(()));
        up
    }

    /// Runs a command of which nobody knows yet how it begins.
    pub(crate) fn begin(words: &[&str]) -> Self {
        let (output, writer) = pipe::pipe().unwrap();
        let command: Vec<String> =
            [BINARY].iter().chain(words).map(|word| (*word).to_owned()).collect();
        let label = format!("up {:016x}", random::number());
        let up = Program {
            output: spawn::Output::Pipe(&writer),
            ..Program::new(&label, &command, spawn::own_environment())
        };
        Self { process: spawn::spawn(&up).unwrap(), output }
    }

    /// Returns what it has printed since somebody last asked.
    pub(crate) fn printed(&self, sandbox: &Sandbox) -> String {
        let path = sandbox.folder().join("printed");
        let file = File::options().create(true).write(true).truncate(true).open(&path).unwrap();
        let mut length = 0;
        while let Moved::Bytes(count) =
            self.output.move_to(&file, length, PRINTED_MAX, Way::Copy).unwrap()
        {
            length += u64::try_from(count).unwrap();
        }
        fs::read_to_string(path).unwrap()
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn end(&self) {
        self.process.signal(SignalKind::Interrupt).unwrap();
        let ended = wait_for("it ends", || self.process.ended().unwrap());
        assert_eq!(ended, Ended::Code(0));
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if thread::panicking() {
            // What runs would be in the way of the next story.
            drop(self.process.signal(SignalKind::Interrupt));
        }
    }
}

pub(crate) fn has_ended(pid: u32) -> bool {
    Process::open_pid(pid).unwrap().is_none_or(|process| process.has_ended())
}
