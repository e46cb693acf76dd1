//! A frozen log disk holds up neither an upgrade's answer nor the end of everything.

use std::{fs, time::Duration};

use mainstay_platform::{clock, process::SignalKind};

use crate::{
    disks::Disk,
    processes::{self, wait_until},
    sandbox::{BINARY, Sandbox},
};

/// The writer pauses, because its disk is small and nothing is to be full here.
const TWO: &str = r#"
[services.writer]
shell = "while :; do for line in 1 2 3 4 5 6 7 8 9 10; do echo 'one more line'; done; sleep 0.01; done"

[services.quiet]
command = ["sleep", "1000"]
restart = { delay = "1ms", max-delay = "1ms" }
"#;

/// What an upgrade and an end may take: a probe, a pump, a slow machine.
const WITHIN: Duration = Duration::from_secs(25);

#[test]
fn an_upgrade_is_refused_and_an_end_comes_while_the_log_disk_is_frozen() {
    let mut sandbox = Sandbox::new(TWO);
    let Some(mut disk) = Disk::freezable(&sandbox.path("disk")) else { return };
    fs::create_dir(sandbox.path(".mainstay")).unwrap();
    assert_eq!(sandbox.shell("ln -s ../disk .mainstay/logs"), "");
    sandbox.up();
    sandbox.wait_for_all();
    let log = sandbox.path(".mainstay/logs/writer/writer.log");
    let length = || fs::metadata(&log).map_or(0, |found| found.len());
    wait_until("it writes", || length() > 10_000);
    let keeper = sandbox.status().keeper.pid;
    disk.freeze();

    let since = clock::monotonic();
    let refused = sandbox.ask(&["upgrade", "--program", BINARY]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.err.contains("its disk does not answer"), "{refused:?}");
    assert!(clock::monotonic() < since + WITHIN, "the upgrade hangs");
    let quiet = sandbox.unit("quiet");
    processes::signal(quiet.pid.unwrap(), SignalKind::Kill);
    sandbox.wait_for("quiet", |unit| unit.run > quiet.run && unit.state == "running");
    assert_eq!(sandbox.status().keeper.pid, keeper);

    disk.thaw();
    let before = length();
    wait_until("it is written again", || length() > before);
    sandbox.get(&["upgrade", "--program", BINARY]);
    let before = length();
    wait_until("the successor writes", || length() > before);

    disk.freeze();
    let since = clock::monotonic();
    assert!(sandbox.down().is_some());
    assert!(clock::monotonic() < since + WITHIN, "the end hangs");
    for unit in ["writer", "quiet"] {
        assert_eq!(sandbox.copies_of(unit), [0_u32; 0], "{unit}");
    }
    disk.thaw();
    let text = fs::read_to_string(&log).unwrap();
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap());
    assert!(whole.lines().all(|line| line == "one more line"), "a torn line");
}
