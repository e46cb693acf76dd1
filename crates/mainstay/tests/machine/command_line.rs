//! Help, exit codes and colours.

use std::process::Command;

use serde_json::Value;

use crate::{
    processes::wait_until,
    sandbox::{Sandbox, answer_of},
};

const SLEEPER: &str = "[services.web]\ncommand = [\"sleep\", \"1000\"]\n";

#[test]
fn exit_codes_say_whose_turn_it_is() {
    let sandbox = Sandbox::up_with(SLEEPER);
    let elsewhere = Sandbox::new(SLEEPER);
    let check = |sandbox: &Sandbox, arguments: &[&str], code: i32, expected: &str| {
        let answer = sandbox.ask(arguments);
        assert_eq!(answer.code, code, "{arguments:?}: {answer:?}");
        let talk = if code == 0 { answer.out } else { answer.err };
        assert!(talk.starts_with(expected), "{arguments:?}: {talk}");
    };
    check(&sandbox, &["--version"], 0, "mainstay ");
    check(&sandbox, &["status"], 0, "/");
    check(&sandbox, &["stop", "web"], 0, "web is stopped\n");
    check(&sandbox, &["start", "web"], 0, "web is running (pid ");
    for command in ["status", "events", "why", "show", "start", "stop", "restart", "kill", "reset"]
    {
        let expected = "error: there is no unit or service `nobody`\nhint:  `mainstay status` ";
        check(&sandbox, &[command, "nobody"], 1, expected);
    }
    for command in ["status", "events", "why", "show", "env", "tree", "start", "kill", "reset"] {
        let expected = "error: there is no unit or service `wbe`\nhint:  did you mean `web`?\n";
        check(&sandbox, &[command, "wbe"], 1, expected);
    }
    let expected = "error: there is no log of `wbe`\nhint:  did you mean `web`?\n";
    check(&sandbox, &["logs", "wbe"], 1, expected);
    check(&sandbox, &["logs", "nobody"], 1, "error: there is no log of `nobody`\nhint:  ");
    check(&sandbox, &["check"], 0, "/");
    check(&sandbox, &["nonsense"], 2, "error: unrecognized subcommand 'nonsense'\n");
    check(&sandbox, &["status", "--nonsense"], 2, "error: unexpected argument '--nonsense'");
    check(&sandbox, &["logs", "-n", "few"], 2, "error: invalid value 'few' for '--lines <COUNT>'");
    check(&sandbox, &["logs", "--stream", "out"], 2, "error: invalid value 'out' for '--stream ");
    for (variable, reason) in [("y", "it sets no variable"), ("=x", "the variable has no name")] {
        let expected = format!(
            "error: invalid value '{variable}' for '--env <NAME=VALUE>': {reason}; write `NAME=VALUE`\n"
        );
        check(&sandbox, &["add", "x", "--env", variable, "--", "z"], 2, &expected);
    }
    for command in [["status", "--json"], ["why", "web"], ["stop", "web"], ["events", "web"]] {
        check(&elsewhere, &command, 3, "error: no agent answers for `/");
    }
}

#[test]
fn a_start_succeeds_only_when_the_unit_runs_or_is_done() {
    const FOUR: &str = "[services.missing]\ncommand = [\"/nowhere/at-all\"]\n\
        [services.behind]\ncommand = [\"sleep\", \"1000\"]\nrequires = [\"missing\"]\n\
        [services.base]\ncommand = [\"sleep\", \"1000\"]\nstart = \"manual\"\n\
        [services.top]\ncommand = [\"sleep\", \"1000\"]\nstart = \"manual\"\nrequires = [\"base\"]\n\
        [services.task]\ncommand = [\"true\"]\ntype = \"task\"\n";
    let sandbox = Sandbox::up_with(FOUR);
    sandbox.wait_for("missing", |unit| unit.state == "backoff");
    let check = |command: &str, unit: &str, code: i32, expected: &str| {
        let answer = sandbox.ask(&[command, unit]);
        assert_eq!((answer.code, answer.err.as_str()), (code, ""), "{answer:?}");
        assert!(answer.out.starts_with(expected), "{answer:?}");
    };
    check("start", "missing", 1, "missing is between two attempts: ");
    check("restart", "missing", 1, "missing is between two attempts: ");
    check("start", "behind", 1, "behind is waiting: it requires `missing`");
    check("start", "top", 0, "top is running");
    check("start", "task", 0, "task is ");
    check("stop", "missing", 0, "missing is stopped");
}

#[test]
fn a_name_means_the_same_to_every_command() {
    const THREE: &str = "[services.web]\nshell = \"echo hello; exec sleep 1000\"\ninstances = 2\n\
        [services.loud]\ncommand = [\"sleep\", \"1000\"]\n";
    let sandbox = Sandbox::up_with(THREE);
    sandbox.wait_for_all();
    wait_until("both have written", || sandbox.get(&["logs"]).matches("hello").count() == 2);
    for names in [["web"].as_slice(), &["w*"], &["web@1", "?eb@2"], &["web", "web"]] {
        for command in [&["status"], &["events"], &["logs"], &["stop"], &["start"]] {
            let out = sandbox.get(&[command.as_slice(), names].concat()).replace('`', " ");
            let has = ["web ", "web@2 ", "loud "].map(|unit| out.contains(unit));
            assert_eq!(has, [true, true, false], "{command:?} {names:?}: {out}");
        }
        wait_until("both have written", || sandbox.get(&["logs"]).contains("web@2"));
    }
    for command in ["show", "why"] {
        let out = sandbox.get(&[command, "w*"]);
        let has = ["web", "web@2", "loud"].map(|unit| out.contains(unit));
        assert_eq!(has, [true, true, false], "{command}: {out}");
        let objects = sandbox.get(&[command, "web", "--json"]);
        let objects = serde_json::Deserializer::from_str(&objects).into_iter::<Value>();
        assert_eq!(objects.map(Result::unwrap).count(), 2, "{command}");
    }
    for command in ["status", "events", "logs", "stop"] {
        let answer = sandbox.ask(&[command, "web", "nosuch"]);
        assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{command}: {answer:?}");
        assert!(answer.err.contains("`nosuch`"), "{command}: {answer:?}");
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure_and_a_reader_that_leaves_is_none() {
    let sandbox = Sandbox::up_with("[services.web]\nshell = \"seq 100000; exec sleep 1000\"\n");
    wait_until("all is written", || sandbox.get(&["logs", "-n", "1"]) == "100000\n");
    for command in ["status", "logs web -n all", "logs web --raw -n all", "status --json"] {
        let line = format!("{} {command}", crate::sandbox::BINARY);
        let full = sandbox.shell(&format!("{line} 2>&1 > /dev/full || echo $?"));
        let expected = "error: cannot write the output: No space left on device (os error 28)\n1\n";
        assert_eq!(full, expected, "{command}");
        let left = format!("set -o pipefail; {line} | head -c 1");
        assert_eq!(sandbox.shell(&format!("bash -c '{left}' > left")), "", "{command}");
    }
}

#[test]
fn a_folder_without_a_configuration_is_said_with_the_remedy() {
    let sandbox = Sandbox::new("");
    std::fs::remove_file(sandbox.file()).unwrap();
    let answer = sandbox.ask(&["status"]);
    assert_eq!(answer.code, 3);
    assert_eq!(
        answer.err,
        "error: there is no `mainstay.toml` in this folder or above\n\
         hint:  go to its folder, or name it with `--instance NAME`; \
         no instance was ever started by this user\n"
    );
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    const GREEN: &str = "\u{1b}[32mrunning";
    let sandbox = Sandbox::up_with(SLEEPER);
    sandbox.wait_for_pid("web");
    // `script` runs a command on a terminal of its own.
    let command = format!("{} status", crate::sandbox::BINARY);
    let on_terminal = || {
        let arguments = ["--quiet", "--return", "--command", command.as_str(), "/dev/null"];
        sandbox.prepare(Command::new("script"), &arguments)
    };
    let coloured = answer_of(&mut on_terminal());
    assert!(coloured.out.contains(GREEN), "{coloured:?}");
    let plain = answer_of(on_terminal().env("NO_COLOR", "1"));
    assert!(plain.out.contains("running") && !plain.out.contains('\u{1b}'), "{plain:?}");
    let piped = sandbox.get(&["status"]);
    assert!(piped.contains("running") && !piped.contains('\u{1b}'), "{piped}");
}

#[test]
fn no_line_of_status_is_longer_than_the_terminal_is_wide() {
    const LONG: &str = "[services.missing]\ncommand = [\"./a-program-with-a-long-name\"]\n\
        restart = { delay = \"1m\" }\n";
    let sandbox = Sandbox::up_with(LONG);
    sandbox.wait_for("missing", |unit| unit.state == "backoff");
    let command = format!("stty cols 80 rows 24; NO_COLOR=1 {} status", crate::sandbox::BINARY);
    let arguments = ["--quiet", "--return", "--command", command.as_str(), "/dev/null"];
    let shown = answer_of(&mut sandbox.prepare(Command::new("script"), &arguments)).out;
    let line = shown.lines().find(|line| line.starts_with("missing")).unwrap().trim_end();
    assert!(line.ends_with('…') && line.chars().count() == 80, "{shown}");
    assert!(!sandbox.get(&["status"]).contains('…'), "a pipe gets all of it");
}

#[test]
fn what_is_installed_on_windows_alone_says_so_and_what_helps_here() {
    let sandbox = Sandbox::new("");
    for (command, what) in [("install", "installing Mainstay"), ("uninstall", "removing Mainstay")]
    {
        let answer = sandbox.ask(&[command]);
        let expected =
            format!("error: {what} is not possible: there is no service control manager here\n");
        assert!(answer.code == 1 && answer.err.starts_with(&expected), "{answer:?}");
        assert!(answer.err.contains("`mainstay up FILE` keeps programs running here"));
    }
}
