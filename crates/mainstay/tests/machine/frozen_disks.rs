//! A disk that takes no write and refuses none: programs and operators do not freeze with it.

use std::{fs, time::Duration};

use mainstay_platform::{clock, process::SignalKind};

use crate::{
    disks::Disk,
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const TWO: &str = r#"
[services.writer]
shell = "while :; do echo 'one more line'; done"
restart = { delay = "1ms", max-delay = "1ms" }
stop = { timeout = "500ms" }

[services.quiet]
command = ["sleep", "1000"]
"#;

#[test]
fn a_program_whose_log_disk_is_frozen_can_be_killed_and_the_agent_answers() {
    let mut sandbox = Sandbox::new(TWO);
    let Some(mut disk) = Disk::freezable(&sandbox.path("disk")) else { return };
    fs::create_dir(sandbox.path(".mainstay")).unwrap();
    assert_eq!(sandbox.shell("ln -s ../disk .mainstay/logs"), "");
    sandbox.up();
    sandbox.wait_for_all();
    let log = sandbox.path(".mainstay/logs/writer/writer.log");
    wait_until("it writes", || fs::metadata(&log).is_ok_and(|found| found.len() > 10_000));
    let (keeper, agent) = (sandbox.status().keeper, sandbox.status().agent);

    disk.freeze();
    let length = || fs::metadata(&log).unwrap().len();
    let mut before = length();
    wait_until("nothing is written any more", || {
        let (former, since) = (std::mem::replace(&mut before, length()), clock::monotonic());
        wait_until("a moment passes", || clock::monotonic() > since + Duration::from_millis(200));
        former == length()
    });
    // From outside, and by the agent: again and again, although no byte of it is read.
    for _ in 0..3 {
        let unit = sandbox.unit("writer");
        let pid = unit.pid.unwrap();
        processes::signal(pid, SignalKind::Kill);
        wait_until("the killed program ends", || !processes::is_alive(pid));
        sandbox.wait_for("writer", |now| now.run > unit.run && now.state == "running");
    }
    sandbox.get(&["stop", "writer"]);
    assert_eq!(sandbox.unit("writer").state, "stopped");
    sandbox.get(&["restart", "quiet"]);
    sandbox.wait_for("quiet", |unit| unit.run == 2 && unit.state == "running");
    assert_eq!((sandbox.status().keeper, sandbox.status().agent), (keeper, agent));

    disk.thaw();
    wait_until("it is written again", || length() > before);
    sandbox.get(&["start", "writer"]);
    sandbox.wait_for_pid("writer");
    assert_eq!(sandbox.down(), Some(0));
    // The keeper stays until all that was in the pipes is written.
    processes::expect_none(sandbox.folder());
    let text = fs::read_to_string(&log).unwrap();
    let torn = text.lines().find(|line| *line != "one more line");
    assert_eq!(torn, None, "a torn line");
}
