//! What programs say of themselves by the instance's pipe: a batch file's way, and our own.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use mainstay_platform::notify_pipe::{self, Patience};

use crate::{
    foreground::Up,
    sandbox::{self, BINARY, Sandbox, wait_for},
};

const CONFIG: &str = "[services.batch]\n\
                      command = [\"cmd\", \"/c\", \"batch.bat\"]\n\
                      ready = \"notify\"\n\
                      stop = { timeout = \"2s\" }\n\
                      [services.own]\n\
                      command = [\"cmd\", \"/c\", \"own.bat\"]\n\
                      ready = \"notify\"\n\
                      stop = { timeout = \"2s\" }\n";

/// Says where the pipe is; says that it is ready once there is a file.
const BATCH: &str = "@echo off\r\n\
                     echo pipe=%MAINSTAY_NOTIFY_PIPE%\r\n\
                     :again\r\n\
                     if exist go.txt goto ready\r\n\
                     ping -n 1 127.0.0.1 >nul\r\n\
                     goto again\r\n\
                     :ready\r\n\
                     echo STATUS=from a batch file> %MAINSTAY_NOTIFY_PIPE%\r\n\
                     echo READY=1> %MAINSTAY_NOTIFY_PIPE%\r\n\
                     ping -n 1000 127.0.0.1 >nul\r\n";

fn own() -> String {
    format!(
        "@echo off\r\n\
         \"{BINARY}\" notify --ready --status \"our own\" X_MAINSTAY_FACT=port=80 && echo told\r\n\
         :again\r\n\
         if exist more.txt goto more\r\n\
         ping -n 1 127.0.0.1 >nul\r\n\
         goto again\r\n\
         :more\r\n\
         \"{BINARY}\" notify STATUS=more && echo told again\r\n\
         ping -n 1000 127.0.0.1 >nul\r\n"
    )
}

#[test]
fn programs_notify_by_the_pipe_whoever_dies_and_strangers_do_not() {
    let sandbox = Sandbox::new(CONFIG);
    fs::write(sandbox.folder().join("batch.bat"), BATCH).unwrap();
    fs::write(sandbox.folder().join("own.bat"), own()).unwrap();
    let up = Up::start(&sandbox);

    let unit = sandbox.wait_for("own", "running");
    assert_eq!(unit.status_text.as_deref(), Some("our own"));
    assert_eq!(unit.facts.get("port").map(String::as_str), Some("80"));
    wait_for("it is told", || sandbox.get(&["logs", "own"]).contains("told").then_some(()));

    let pipe = wait_for("the batch file says where the pipe is", || {
        let log = sandbox.get(&["logs", "batch", "--raw"]);
        let line = log.lines().find_map(|line| line.trim().strip_prefix("pipe="))?;
        Some(line.to_owned())
    });
    assert_eq!(sandbox.unit("batch").state, "starting");
    refuses_strangers(&sandbox, &pipe);
    hears_others_beside_a_silent_caller(&sandbox, &pipe);
    assert_eq!(sandbox.unit("batch").status_text.as_deref(), Some("from a batch file"));

    // It is said while there is no agent.
    sandbox.kill_agent_and(|| fs::write(sandbox.folder().join("more.txt"), "").unwrap());
    assert_eq!(sandbox.unit("batch").status_text.as_deref(), Some("from a batch file"));
    wait_for("the next agent hears it", || {
        (sandbox.unit("own").status_text.as_deref() == Some("more")).then_some(())
    });
    up.end();
}

/// Its message is dealt with, and means nothing.
fn refuses_strangers(sandbox: &Sandbox, pipe: &str) {
    let mut stranger = Command::new(BINARY);
    stranger.args(["notify", "READY=1"]).env("MAINSTAY_NOTIFY_PIPE", pipe);
    let answer = sandbox::run(&mut stranger);
    assert_eq!(answer.code, 0, "{answer:?}");
    wait_for("it is told", || sandbox.get(&["events"]).contains("is of no run").then_some(()));
    assert_eq!(sandbox.unit("batch").state, "starting");
}

/// Whoever calls and says nothing keeps nobody waiting.
fn hears_others_beside_a_silent_caller(sandbox: &Sandbox, pipe: &str) {
    let silent = fs::File::options().read(true).write(true).open(pipe).unwrap();
    fs::write(sandbox.folder().join("go.txt"), "").unwrap();
    let begun = Instant::now();
    sandbox.wait_for("batch", "running");
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(silent);
    let nobody = pipe.replace("mainstay-", "mainstay-other-");
    let soon = Duration::from_millis(100);
    notify_pipe::send(&nobody, b"READY=1", Patience::None, soon).unwrap_err();
}

#[test]
fn without_a_pipe_our_own_command_says_what_is_missing() {
    let answer = sandbox::run(Command::new(BINARY).args(["notify", "READY=1"]));
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("`MAINSTAY_NOTIFY_PIPE` is not set"), "{answer:?}");
}
