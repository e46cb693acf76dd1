//! Programs that say much when they are asked to leave: all of it is in their logs.

use std::fs;

use crate::sandbox::Sandbox;

/// So many programs speak at once.
const COPIES: usize = 10;

/// Fits into a pipe, so that nobody has to wait for whoever reads; small segments make work of it.
const TALKATIVE: &str = r#"
[services.web]
shell = "trap 'cat words; exit 0' TERM; echo up; while :; do sleep 0.02; done"
instances = 10
logs = { max-size = "1KiB", keep = 1000 }
"#;

#[test]
fn what_is_said_on_the_way_out_is_in_the_log() {
    let words =
        (0..6000).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n") + "\n";
    for _ in 0..3 {
        let mut sandbox = Sandbox::new(TALKATIVE);
        fs::write(sandbox.path("words"), &words).unwrap();
        sandbox.up();
        sandbox.wait_for_all();
        assert_eq!(sandbox.down(), Some(0));
        for number in 1..=COPIES {
            let unit = format!("web@{number}");
            let log = sandbox.get(&["logs", &unit, "--raw", "-n", "all"]);
            // The shell may say that its `sleep` was terminated as well.
            let said = log.len();
            assert!(log.ends_with(&words), "{unit} has lost some of its last words: {said} bytes");
        }
    }
}
