//! Programs that are paused: they stand still with all that they have started, whoever dies.

use std::fs;

use crate::{
    foreground::Up,
    sandbox::{Sandbox, wait_for},
};

/// Writes a letter a round, and so does what it has started.
const WORK: &str = "@echo off\r\n\
                    if not \"%1\"==\"apart\" start /b cmd /c work.bat apart\r\n\
                    :again\r\n\
                    echo x>>%1\r\n\
                    ping -n 1 127.0.0.1 >nul\r\n\
                    goto again\r\n";

const TWO: &str = "[services.clock]\n\
                   command = ['cmd', '/c', 'clock.bat']\n\
                   stop = { timeout = '2s' }\n\
                   [services.work]\n\
                   command = ['cmd', '/c', 'work.bat', 'work']\n\
                   stop = { timeout = '2s' }\n";

const CLOCK: &str =
    "@echo off\r\n:again\r\necho x>>clock\r\nping -n 1 127.0.0.1 >nul\r\ngoto again\r\n";

fn lengths(sandbox: &Sandbox) -> [u64; 2] {
    ["work", "apart"].map(|name| length(sandbox, name))
}

fn length(sandbox: &Sandbox, name: &str) -> u64 {
    fs::metadata(sandbox.folder().join(name)).map_or(0, |file| file.len())
}

fn goes_on(sandbox: &Sandbox) {
    let before = lengths(sandbox);
    wait_for("it goes on", || {
        let now = lengths(sandbox);
        (now[0] > before[0] && now[1] > before[1]).then_some(())
    });
}

/// Whoever was in the middle of a call comes to the end of it before it stands still.
fn stands_still(sandbox: &Sandbox) {
    wait_for("it stands still while others go on", || {
        let (before, ticks) = (lengths(sandbox), length(sandbox, "clock"));
        wait_for("others go on", || (length(sandbox, "clock") > ticks + 9).then_some(()));
        (before == lengths(sandbox)).then_some(())
    });
}

#[test]
fn who_is_paused_stands_still_and_outlives_its_agent() {
    let sandbox = Sandbox::new(TWO);
    fs::write(sandbox.folder().join("work.bat"), WORK).unwrap();
    fs::write(sandbox.folder().join("clock.bat"), CLOCK).unwrap();
    let up = Up::start(&sandbox);
    goes_on(&sandbox);
    let before = sandbox.unit("work");
    sandbox.get(&["pause", "work"]);
    stands_still(&sandbox);
    sandbox.kill_agent_and(|| ());
    let paused = sandbox.wait_for("work", "paused");
    assert_eq!((paused.pid, paused.run), (before.pid, before.run));
    stands_still(&sandbox);
    sandbox.get(&["resume", "work"]);
    goes_on(&sandbox);
    sandbox.get(&["pause", "work"]);
    sandbox.get(&["kill", "work"]);
    assert_eq!(sandbox.unit("work").state, "stopped");
    up.end();
}
