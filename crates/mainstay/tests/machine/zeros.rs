//! Bytes that look like the damage of a power cut and are a program's own.

use crate::{
    processes::{self, wait_until},
    sandbox::{BINARY, Sandbox},
};

/// Writes a page of zeros on each of three requests, then a line.
const ZEROS: &str = r#"
[services.zeros]
shell = """
for part in 1 2 3; do
    head -c 8192 /dev/zero
    while ! test -e "part-$part"; do sleep 0.02; done
    echo "after $part"
done
exec sleep 1000
"""
"#;

/// What happens between the zeros and the line.
enum Upheaval {
    KeeperKilled,
    AgentKilled,
    Upgraded,
}

const UPHEAVALS: [Upheaval; 3] =
    [Upheaval::KeeperKilled, Upheaval::Upgraded, Upheaval::AgentKilled];

fn length_of(sandbox: &Sandbox) -> usize {
    sandbox.read(".mainstay/logs/zeros/zeros.log").len()
}

#[test]
fn zeros_at_the_end_of_a_log_outlive_keeper_agent_and_upgrade() {
    let sandbox = Sandbox::up_with(ZEROS);
    let mut expected = String::new();
    for (part, upheaval) in ["1", "2", "3"].into_iter().zip(UPHEAVALS) {
        expected.push_str(&"\0".repeat(8192));
        wait_until("the zeros are written", || length_of(&sandbox) == expected.len());
        match upheaval {
            Upheaval::KeeperKilled => processes::kill(sandbox.status().keeper.pid),
            Upheaval::AgentKilled => processes::kill(sandbox.status().agent.pid),
            Upheaval::Upgraded => drop(sandbox.get(&["upgrade", "--program", BINARY])),
        }
        wait_until("the instance answers again", || sandbox.ask(&["status"]).code == 0);
        std::fs::write(sandbox.path(&format!("part-{part}")), "").unwrap();
        expected.extend(["after ", part, "\n"]);
        wait_until("the line is written", || length_of(&sandbox) >= expected.len());
        let text = sandbox.read(".mainstay/logs/zeros/zeros.log");
        assert_eq!(text.get(..expected.len()), Some(expected.as_str()), "part {part}");
    }
    assert_eq!(sandbox.unit("zeros").run, 1);
}
