//! Configuration files that are no files: they are refused, and nobody waits for them.

use std::fs;

use mainstay_api::control::Status;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const WEB: &str = "[services.web]\ncommand = [\"sleep\", \"3600\"]\n";

#[test]
fn a_named_pipe_among_the_files_holds_nobody_up() {
    let sandbox = Sandbox::up_with(WEB);
    let pid = sandbox.wait_for_pid("web");
    fs::create_dir(sandbox.path("services.d")).unwrap();
    sandbox.shell("mkfifo services.d/x.toml");
    for arguments in [["check"].as_slice(), &["add", "x", "--", "true"], &["remove", "web"]] {
        let answer = sandbox.ask(arguments);
        assert_eq!(answer.code, 1, "{arguments:?}: {answer:?}");
        assert!(answer.err.contains("no regular file"), "{arguments:?}: {}", answer.err);
    }
    assert_eq!(sandbox.read("mainstay.toml"), WEB);

    let agent = sandbox.status().agent.pid;
    processes::kill(agent);
    wait_until("another agent answers", || {
        let answer = sandbox.ask(&["status", "--json"]);
        let status = serde_json::from_str::<Status>(&answer.out);
        status.is_ok_and(|status| status.agent.pid != agent)
    });
    assert_eq!(sandbox.wait_for_pid("web"), pid);
    sandbox.get(&["stop", "web"]);
    assert_eq!(sandbox.wait_for("web", |unit| unit.state == "stopped").pid, None);
}
