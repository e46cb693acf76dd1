//! Secrets: set by the command line, kept under DPAPI, delivered as variables and files.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use crate::{
    foreground::Up,
    sandbox::{Answer, Sandbox, wait_for},
};

const VALUE: &str = "xyzzy-plugh-4711";

#[test]
fn a_program_gets_its_secrets_as_variables_and_files_and_nobody_else_reads_them() {
    let config = "[services.web]\n\
        command = ['cmd', '/c', 'cmd /c echo [%DB%] > got.env & \
                   type %CREDENTIALS_DIRECTORY%\\token > got.file & ping -n 1000 127.0.0.1']\n\
        environment = { DB = { secret = 'db' } }\n\
        secrets = { token = { command = ['cmd', '/c', 'echo from a tool'] } }\n\
        stop = { timeout = '5s' }\n";
    let sandbox = Sandbox::new(config);
    assert_eq!(set(&sandbox, VALUE).code, 0);
    let (store, key) = (kept(&sandbox, "secrets.sealed"), kept(&sandbox, "secret.key"));
    assert!(key.len() > 32 && !has(&store, VALUE), "DPAPI wraps the key");

    let up = Up::start(&sandbox);
    sandbox.wait_for("web", "running");
    let read = |name: &str| fs::read_to_string(sandbox.folder().join(name)).unwrap_or_default();
    wait_for("the program has the file", || read("got.file").contains("from a tool").then_some(()));
    wait_for("the program has it", || read("got.env").contains("[xyzzy-plugh-4711]").then_some(()));
    assert_eq!(set(&sandbox, "other").out, "set anew: db\r\n".replace("\r\n", "\n"));
    assert!(sandbox.get(&["secret", "list"]).ends_with("web\n"));
    for question in [&["status", "--json"][..], &["why", "web"], &["events"], &["logs", "web"]] {
        let said = sandbox.get(question);
        assert!(!said.contains(VALUE) && !said.contains("from a tool"), "{question:?}: {said}");
    }
    expect_silence(&sandbox.folder().join(".mainstay"));

    let removed = sandbox.ask(&["secret", "remove", "db"]);
    assert!(removed.err.contains("web cannot be started any more"), "{removed:?}");
    sandbox.get(&["stop", "web"]);
    sandbox.ask(&["start", "web", "--no-wait"]);
    wait_for("it is told what is missing", || {
        sandbox.get(&["why", "web"]).contains("there is no secret `db`").then_some(())
    });
    up.end();
}

#[test]
fn a_tool_that_hangs_is_ended_with_its_job_and_costs_nobody_else() {
    let config = "[services.slow]\ncommand = ['cmd', '/c', 'ping -n 1000 127.0.0.1']\n\
        environment = { A = { command = ['cmd', '/c', 'ping -n 1000 127.0.0.1'], timeout = '2s' } }\n\
        restart = { delay = '1h', max-delay = '1h' }\nstop = { timeout = '5s' }\n\
        [services.other]\ncommand = ['cmd', '/c', 'ping -n 1000 127.0.0.1']\n\
        environment = { A = { command = ['cmd', '/c', 'echo x'] } }\nstop = { timeout = '5s' }\n";
    let sandbox = Sandbox::new(config);
    let up = Up::start(&sandbox);
    sandbox.wait_for("other", "running");
    sandbox.wait_for("slow", "backoff");
    let why = sandbox.get(&["why", "slow"]);
    assert!(why.contains("`cmd` took longer than 2 s"), "{why}");
    up.end();
}

fn set(sandbox: &Sandbox, value: &str) -> Answer {
    let path = sandbox.folder().join("value.txt");
    File::create(&path).unwrap().write_all(format!("{value}\r\n").as_bytes()).unwrap();
    let answer = sandbox.ask(&["secret", "set", "db", "--file", &path.display().to_string()]);
    fs::remove_file(path).unwrap();
    answer
}

fn kept(sandbox: &Sandbox, name: &str) -> Vec<u8> {
    fs::read(sandbox.folder().join(".mainstay").join(name)).unwrap()
}

fn has(bytes: &[u8], value: &str) -> bool {
    bytes.windows(value.len()).any(|part| part == value.as_bytes())
}

/// Expects the value in no file of a folder. What others hold open for themselves cannot be read.
fn expect_silence(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            expect_silence(&entry.path());
        } else if let Ok(bytes) = fs::read(entry.path()) {
            assert!(!has(&bytes, VALUE), "{}", entry.path().display());
        }
    }
}
