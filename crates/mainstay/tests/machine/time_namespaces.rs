//! Time namespaces: the clocks of a boot are not the same for all of its processes there.

use crate::{processes, sandbox::Sandbox};

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]

[services.api]
shell = "echo hello; exec sleep 1000"
"#;

/// Goes before a command that is to see other clocks.
const ELSEWHERE: [&str; 6] =
    ["unshare", "--time", "--fork", "--monotonic=500000", "--boottime=500000", "--"];

#[test]
fn a_command_with_other_clocks_is_answered_like_any_other() {
    let mut sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let runs = sandbox.runs();
    sandbox.through(&ELSEWHERE);
    assert_eq!(sandbox.runs(), runs);
    sandbox.get(&["restart", "web"]);
    assert!(sandbox.unit("web").since_seconds < 60);
    assert!(sandbox.get(&["logs", "api", "--since", "1m"]).contains("hello"));
}

/// Nothing that was noted by other clocks can be trusted: it counts as another boot.
#[test]
fn a_keeper_with_other_clocks_runs_no_program_twice() {
    let mut sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    for lines in [ELSEWHERE.as_slice(), &["env"]] {
        let before = sandbox.runs();
        sandbox.kill_both();
        sandbox.through(lines);
        sandbox.up();
        sandbox.wait_for_all();
        for unit in ["web", "api"] {
            assert_eq!(sandbox.copies_of(unit), [sandbox.wait_for_pid(unit)]);
            assert!(sandbox.unit(unit).since_seconds < 60);
        }
        for (unit, pid, _) in before {
            assert!(!processes::is_alive(pid.unwrap()), "{unit} was taken over");
        }
    }
}
