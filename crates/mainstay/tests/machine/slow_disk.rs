//! A disk that takes nothing for a while: only whoever asked for something that lasts waits for it.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
};

use mainstay_api::control::CommandAnswer;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]
restart = { delay = "0s" }

[services.other]
command = ["sleep", "1000"]
"#;

/// What a pipe holds.
const PIPE_BYTES: usize = 64 * 1024;

/// Stands in for the file of wishes: a full pipe, which takes nothing until somebody reads.
fn hang_wishes(sandbox: &Sandbox) -> File {
    let path = sandbox.path(".mainstay/agent.journal.new");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut pipe = File::options().read(true).write(true).open(path).unwrap();
    pipe.write_all(&vec![0; PIPE_BYTES]).unwrap();
    pipe
}

fn ask(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    let mut command = sandbox.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn while_the_disk_hangs_a_stop_is_unanswered_and_a_crash_is_mended() {
    let sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let mut pipe = hang_wishes(&sandbox);
    let mut stop = ask(&sandbox, &["stop", "other", "--json"]);
    sandbox.wait_for("other", |unit| unit.state == "stopped");

    for run in 2..6 {
        processes::kill(sandbox.unit("web").pid.unwrap());
        sandbox.wait_for("web", |unit| unit.run == run && unit.state == "running");
    }
    assert!(stop.try_wait().unwrap().is_none(), "it was answered before the wish was kept");

    // A pipe cannot be synced: the wish is not kept, and that is said.
    pipe.read_exact(&mut vec![0; PIPE_BYTES]).unwrap();
    let answer = stop.wait_with_output().unwrap();
    let said = String::from_utf8(answer.stderr).unwrap();
    assert_eq!(answer.status.code(), Some(1), "{said}");
    assert!(said.contains("the next agent will not know it"), "{said}");

    // What is asked for again is tried again, even though nothing of it is new.
    assert!(!sandbox.path(".mainstay/agent.journal.new").exists());
    sandbox.get(&["stop", "other"]);
    assert!(sandbox.read(".mainstay/agent.journal").contains("other"));
}

#[test]
fn many_stops_share_one_wait_and_each_is_answered_with_its_units() {
    let sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let asked: Vec<Child> = (0..8)
        .map(|round| ask(&sandbox, &[["stop", "start"][round % 2], "web", "--no-wait", "--json"]))
        .collect();
    for child in asked {
        let output = child.wait_with_output().unwrap();
        let answer: CommandAnswer = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer.units.first().unwrap().unit, "web");
    }
    wait_until("the wish is kept", || sandbox.read(".mainstay/agent.journal").contains("web"));
}
