//! `mainstay upgrade`: keeper and agent become another binary, and no program notices.

use std::{fs, process::Command};

use serde_json::Value;

use crate::{
    processes::{self, wait_until},
    sandbox::{BINARY, Sandbox},
};

/// Two programs that number their lines, one as fast as it can.
const NUMBERED: &str = r#"
[services.fast]
shell = "n=0; while :; do n=$((n+1)); echo \"fast $n\"; done"
logs = { max-size = "1MiB", keep = 1000 }

[services.slow]
shell = "n=0; while :; do n=$((n+1)); echo \"slow $n\"; sleep 0.05; done"
"#;

fn numbered() -> Sandbox {
    let sandbox = Sandbox::up_with(NUMBERED);
    sandbox.wait_for_all();
    wait_until("lines are written", || lines(&sandbox, "slow").len() > 5);
    sandbox
}

fn lines(sandbox: &Sandbox, unit: &str) -> Vec<String> {
    let text = sandbox.get(&["logs", unit, "--raw", "-n", "all"]);
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap());
    whole.lines().map(str::to_owned).collect()
}

/// Checks that every line from the first one on is there, once and whole.
fn assert_complete(sandbox: &Sandbox, unit: &str) {
    for (index, line) in lines(sandbox, unit).iter().enumerate() {
        assert_eq!(*line, format!("{unit} {}", index + 1));
    }
}

fn copy_of_binary(sandbox: &Sandbox, name: &str) -> String {
    let copy = sandbox.path(name);
    fs::copy(BINARY, &copy).unwrap();
    copy.display().to_string()
}

#[test]
fn an_upgrade_changes_keeper_and_agent_and_no_program_loses_a_line() {
    let sandbox = numbered();
    let (before, runs) = (sandbox.status(), sandbox.runs());
    for name in ["first", "second"] {
        let copy = copy_of_binary(&sandbox, name);
        let out = sandbox.get(&["upgrade", "--program", &copy, "--json"]);
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(answer["programs"]["kept"], 2, "{out}");
        assert_eq!(answer["lines"]["missing"], 0, "{out}");
        assert_eq!(answer["lines"]["doubled"], 0, "{out}");
        assert!(answer["lines"]["numbered"].as_u64().unwrap() > 1, "{out}");
        let after = sandbox.status();
        assert_eq!(after.keeper.pid, before.keeper.pid);
        assert_eq!(answer["agent"]["after"]["pid"], after.agent.pid);
        assert_ne!(answer["agent"]["before"]["pid"], after.agent.pid);
        for pid in [after.keeper.pid, after.agent.pid] {
            let image = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
            assert_eq!(image.display().to_string(), copy);
        }
        assert_eq!(sandbox.runs(), runs);
    }
    assert_complete(&sandbox, "fast");
    assert_complete(&sandbox, "slow");
}

#[test]
fn without_a_name_it_is_the_binary_that_asks() {
    let sandbox = numbered();
    let runs = sandbox.runs();
    let former = sandbox.status().agent.pid;
    let out = sandbox.get(&["upgrade"]);
    assert!(out.contains(&format!("keeper and agent are now `{BINARY}`")), "{out}");
    assert!(out.contains("2 of 2 run on with the same pid"), "{out}");
    assert_ne!(sandbox.status().agent.pid, former);
    assert_eq!(sandbox.runs(), runs);
}

#[test]
fn what_is_no_mainstay_binary_is_refused_and_everything_is_as_before() {
    let sandbox = numbered();
    let (roles, runs) = (sandbox.status(), sandbox.runs());
    for (name, script) in
        [("says-nothing", "#!/bin/sh\nexit 0\n"), ("says-it-is", "#!/bin/sh\necho mainstay\n")]
    {
        fs::write(sandbox.path(name), script).unwrap();
        let status = Command::new("chmod").arg("+x").arg(sandbox.path(name)).status();
        assert!(status.unwrap().success());
    }
    fs::write(sandbox.path("plain"), "no program\n").unwrap();
    let check = |program: &str, expected: &str| {
        let answer = sandbox.ask(&["upgrade", "--program", program]);
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.err.contains(expected), "{answer:?}");
        let now = sandbox.status();
        assert_eq!((now.keeper, now.agent), (roles.keeper.clone(), roles.agent.clone()));
        assert_eq!(sandbox.runs(), runs);
    };
    check("/bin/true", "is not a mainstay binary");
    check("/usr/bin/yes", "is not a mainstay binary");
    check("./says-nothing", "is not a mainstay binary");
    check("./says-it-is", "is not a mainstay binary");
    check("./plain", "Permission denied");
    check("./gone", "cannot upgrade to `./gone`: No such file or directory");
    check(".", "Permission denied");
    assert_complete(&sandbox, "fast");
    assert_complete(&sandbox, "slow");
}

#[test]
fn a_binary_that_takes_its_time_to_answer_holds_nobody_up() {
    let sandbox = Sandbox::up_with(
        r#"
[services.web]
shell = "echo $$ > web; exec sleep 1000"
restart = { delay = "0s" }
"#,
    );
    wait_until("it runs", || sandbox.read("web").ends_with('\n'));
    // It kills a program and looks for the next run of it, as long as the keeper lets it.
    let script = "#!/bin/sh\ncd \"$(dirname \"$0\")\"\nformer=$(cat web)\nkill -9 $former\n\
        while [ \"$(cat web)\" = $former ]; do sleep 0.01; done\ntouch replaced\n";
    fs::write(sandbox.path("slow"), script).unwrap();
    sandbox.shell("chmod +x slow");
    wait_until("a program is replaced while a binary is asked", || {
        assert_eq!(sandbox.ask(&["upgrade", "--program", "./slow"]).code, 1);
        sandbox.path("replaced").exists()
    });
}

#[test]
fn a_binary_that_left_the_disk_still_brings_its_agent_back() {
    let sandbox = numbered();
    let runs = sandbox.runs();
    let copy = copy_of_binary(&sandbox, "copy");
    sandbox.get(&["upgrade", "--program", &copy]);
    fs::remove_file(&copy).unwrap();
    let former = sandbox.status().agent.pid;
    processes::kill(former);
    wait_until("another agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
    });
    assert_eq!(sandbox.runs(), runs);
}
