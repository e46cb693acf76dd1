//! Values that are fetched when a run is ordered: they reach the program and nobody else.

mod beside;
mod sources;
mod store;

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    processes::{self, wait_until},
    sandbox::{Answer, Sandbox},
};

/// Nobody says this by chance.
const VALUE: &str = "xyzzy-plugh-4711";
const KEY: &str = "plover-key-0815";

/// Writes down what it was given.
const GREEDY: &str = "[services.web]\n\
    shell = 'printf %s \"$DB\" > got.env; cp \"$CREDENTIALS_DIRECTORY/tls.key\" got.file; \
             echo ready; exec sleep 1000'\n\
    environment = { DB = { secret = 'db' }, PLAIN = 'text' }\n\
    secrets = { 'tls.key' = { secret = 'key' } }\n\
    restart = { delay = '50ms', max-delay = '50ms' }\n";

#[test]
fn a_program_gets_its_secrets_and_nobody_else_ever_reads_them() {
    let mut sandbox = Sandbox::up_with(GREEDY);
    let told = "cannot fetch `DB`: there is no secret `db`; `mainstay secret set db` sets it";
    wait_until("it is told what is missing", || sandbox.get(&["why", "web"]).contains(told));
    assert_eq!(set(&sandbox, "key", KEY).code, 0);
    let answer = set(&sandbox, "db", VALUE);
    assert_eq!((answer.code, answer.out.as_str()), (0, "set: db\n"), "{answer:?}");
    assert!(answer.err.contains("`mainstay restart web`"), "{answer:?}");
    sandbox.wait_for_pid("web");
    wait_until("the program has both", || sandbox.read("got.file") == KEY);
    assert_eq!(sandbox.read("got.env"), VALUE);

    let folder = sandbox.runtime().join("secrets/web");
    assert_eq!(modes(&sandbox, &[&folder, &folder.join("tls.key")]), "700 400");

    let run = sandbox.unit("web").run;
    processes::kill(sandbox.wait_for_pid("web"));
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run > run);
    wait_until("a bundle is there", || {
        let bundle = sandbox.ask(&["why", "web", "--bundle"]).out;
        bundle.contains("DB") && bundle.contains("ready")
    });
    let former = sandbox.status().agent.pid;
    processes::kill(former);
    wait_until("another agent answers", || sandbox.status().agent.pid != former);
    assert_eq!(fs::read_to_string(folder.join("tls.key")).unwrap(), KEY);
    expect_silence(&sandbox);

    sandbox.get(&["stop", "web"]);
    wait_until("the files are gone", || !folder.exists());
    assert_eq!(sandbox.down(), Some(0));
    expect_silence(&sandbox);
    processes::expect_none(sandbox.folder());
}

#[test]
fn a_new_value_comes_with_the_next_start() {
    let sandbox = Sandbox::new(GREEDY);
    assert_eq!(set(&sandbox, "key", KEY).code, 0);
    assert_eq!(set(&sandbox, "db", "one").code, 0);
    let mut sandbox = sandbox;
    sandbox.up();
    let first = sandbox.wait_for_pid("web");
    wait_until("the program has the first", || sandbox.read("got.env") == "one");
    assert_eq!(set(&sandbox, "db", "two").out, "set anew: db\n");
    assert_eq!((sandbox.wait_for_pid("web"), sandbox.read("got.env").as_str()), (first, "one"));
    sandbox.get(&["restart", "web"]);
    wait_until("the program has the second", || sandbox.read("got.env") == "two");
    let restarted = set_with(&sandbox, &["db", "--restart"], "three");
    assert!(restarted.out.contains("web is running"), "{restarted:?}");
    wait_until("the program has the third", || sandbox.read("got.env") == "three");
    let run = sandbox.unit("web").run;
    sandbox.get(&["stop", "web"]);
    let rests = set_with(&sandbox, &["db", "--restart"], "four");
    assert_eq!((rests.code, rests.out.as_str()), (0, "set anew: db\n"), "{rests:?}");
    assert!(rests.err.contains("web is stopped, and stays so"), "{rests:?}");
    let unit = sandbox.unit("web");
    assert_eq!((unit.state.as_str(), unit.run), ("stopped", run), "{unit:?}");
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn an_agent_killed_while_values_are_fetched_forgets_no_exit_and_starts_no_run_twice() {
    let config = "[services.web]\nshell = 'echo run >> runs; exit 3'\n\
                  environment = { A = { command = ['./gate'], timeout = '1m' } }\n\
                  restart = { delay = '0s', max-delay = '0s' }\n";
    let mut sandbox = Sandbox::new(config);
    script(&sandbox, "gate", "echo ask >> asked; while test ! -e go; do sleep 0.02; done; echo x");
    fs::write(sandbox.path("go"), "").unwrap();
    sandbox.up();
    wait_until("it has crashed", || sandbox.read("runs").lines().count() > 2);
    fs::remove_file(sandbox.path("go")).unwrap();
    let asked = || sandbox.read("asked").lines().count();
    wait_until("a run waits for its value", || asked() > sandbox.read("runs").lines().count());
    let (former, before) = (sandbox.status().agent.pid, asked());
    processes::kill(former);
    wait_until("another agent asks again", || asked() > before);
    let runs = sandbox.read("runs").lines().count();
    wait_until("what the former one asked has ended", || {
        processes::of_folder(sandbox.folder()).into_iter().filter(|pid| is_gate(*pid)).count() == 1
    });
    let unit = sandbox.unit("web");
    assert_eq!(unit.last_exit.and_then(|exit| exit.code), Some(3));
    fs::write(sandbox.path("go"), "").unwrap();
    wait_until("the run that waited is there", || sandbox.read("runs").lines().count() > runs);
    let exits = sandbox.get(&["events", "-n", "5000"]);
    for run in 1..=runs {
        let told = exits.matches(&format!("run {run} of `web` ended with code 3")).count();
        assert_eq!(told, 1, "run {run}: {exits}");
    }
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

fn is_gate(pid: u32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains("./gate")
}

/// Sets a secret as people do.
fn set(sandbox: &Sandbox, name: &str, value: &str) -> Answer {
    set_with(sandbox, &[name], value)
}

fn set_with(sandbox: &Sandbox, arguments: &[&str], value: &str) -> Answer {
    let mut command = sandbox.command(&[&["secret", "set"], arguments].concat());
    feed(&mut command, value)
}

/// Runs a command with a text on stdin.
fn feed(command: &mut Command, text: &str) -> Answer {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    if let Err(error) = child.stdin.take().unwrap().write_all(text.as_bytes()) {
        // Whoever refuses its arguments reads nothing.
        assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
    }
    let output = child.wait_with_output().unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Puts a program into the folder.
fn script(sandbox: &Sandbox, name: &str, text: &str) {
    let path = sandbox.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // Whoever runs it meanwhile finds the old one or the new one.
    let new = path.with_extension("new");
    fs::write(&new, format!("#!/bin/sh\n{text}\n")).unwrap();
    sandbox.shell(&format!("chmod 755 {0} && mv {0} {1}", new.display(), path.display()));
}

/// Returns the modes of files and folders, one after the other.
fn modes(sandbox: &Sandbox, paths: &[&Path]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    sandbox.shell(&format!("stat -c %a {}", paths.join(" "))).trim().replace('\n', " ")
}

/// Expects neither value in what the instance has written, says, or shows of its processes.
fn expect_silence(sandbox: &Sandbox) {
    let mut told = Vec::new();
    for file in files_below(sandbox.folder()) {
        let name = file.display().to_string();
        if !name.contains("got.") && !name.contains("/secrets/web/") {
            told.push((name, fs::read(&file).unwrap_or_default()));
        }
    }
    let questions: &[&[&str]] = &[
        &["status", "--json"],
        &["show", "web", "--json"],
        &["why", "web"],
        &["why", "web", "--bundle"],
        &["events", "-n", "5000"],
        &["logs", "web", "--raw", "-n", "all"],
        &["secret", "list", "--json"],
        &["check", "--json"],
        &["doctor", "--json"],
    ];
    for question in questions {
        let Answer { out, err, .. } = sandbox.ask(question);
        told.push((question.join(" "), (out + &err).into_bytes()));
    }
    for pid in processes::of_folder(sandbox.folder()) {
        let path = format!("/proc/{pid}/cmdline");
        told.push((path.clone(), fs::read(path).unwrap_or_default()));
    }
    assert!(told.len() > questions.len() + 5, "{}", told.len());
    for (what, said) in told {
        for value in [VALUE, KEY] {
            let found = said.windows(value.len()).any(|part| part == value.as_bytes());
            assert!(!found, "a secret is in {what}");
        }
    }
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_below(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            Ok(_) | Err(_) => {}
        }
    }
    found
}
