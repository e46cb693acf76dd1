//! What real shells are told when somebody presses the key.

use std::{fs, path::Path, process::Command};

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::{BINARY, Sandbox, answer_of},
};

const CONFIG: &str = "[services.web]\ncommand = [\"sleep\", \"1000\"]\ninstances = 2\n\
    [services.worker]\ncommand = [\"sleep\", \"1000\"]\n\
    [groups.back]\ndescription = \"what nobody sees\"\nservices = [\"worker\"]\n";

/// Runs a script of a shell that finds our binary as `mainstay`; returns what it prints.
fn shell(sandbox: &Sandbox, line: &[&str], script: &str) -> String {
    let folder = Path::new(BINARY).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).env("PATH", path).env("HOME", sandbox.folder());
    let answer = answer_of(&mut sandbox.prepare(command, &["-c", script]));
    assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{script}: {answer:?}");
    answer.out
}

/// Keeps the script of a shell in a file.
fn keep_script(sandbox: &Sandbox, shell: &str) {
    let script = sandbox.get(&["completions", shell]);
    assert_eq!(script, sandbox.get(&["completion", shell]));
    fs::write(sandbox.path(shell), script).unwrap();
}

/// Returns what bash offers for the last of these words.
fn in_bash(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let (last, count) = (words.last().unwrap(), words.len());
    let script = format!(
        "source ./bash; COMP_WORDS=(mainstay '{}'); COMP_CWORD={count}; COMP_TYPE=9; \
         _clap_complete_mainstay mainstay '{last}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join("' '")
    );
    let told = shell(sandbox, &["bash"], &script);
    told.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Expects that, once the agent answers in time: others may need the processors as well.
fn expect_in_bash(sandbox: &Sandbox, words: &[&str], expected: &[&str]) {
    wait_until(&format!("{words:?} is completed with {expected:?}"), || {
        in_bash(sandbox, words) == expected
    });
}

#[test]
fn bash_completes_commands_and_the_names_that_the_agent_knows() {
    let sandbox = Sandbox::up_with(CONFIG);
    sandbox.wait_for_all();
    keep_script(&sandbox, "bash");
    let check = |words: &[&str], expected: &[&str]| expect_in_bash(&sandbox, words, expected);
    check(&["rest"], &["restart"]);
    check(&["start", "w"], &["web", "web@2", "worker"]);
    check(&["start", "web", "wo"], &["worker"]);
    check(&["logs", "@"], &["@back"]);
    check(&["logs", "--stream", "std"], &["stdout", "stderr"]);
    check(&["get", "w"], &["web", "worker"]);
    check(&["set", "web", "restart.d"], &["restart.delay=", "restart.delays="]);
    check(&["events", "--type", "AgentSt"], &["AgentStarted"]);
    check(&["drill", "crash", "wo"], &["worker"]);
    fs::write(sandbox.path("value"), "12345678").unwrap();
    sandbox.get(&["secret", "set", "db", "--file", "value"]);
    check(&["secret", "remove", "d"], &["db"]);
    let breaks = shell(&sandbox, &["bash"], "source ./bash; echo \"$COMP_WORDBREAKS\"");
    assert!(!breaks.contains('@'), "a group's name is one word: {breaks}");
}

#[test]
fn an_agent_that_is_not_there_or_hangs_holds_up_no_shell() {
    let sandbox = Sandbox::up_with(CONFIG);
    sandbox.wait_for_all();
    keep_script(&sandbox, "bash");
    expect_in_bash(&sandbox, &["stop", "wo"], &["worker"]);
    let status = sandbox.status();
    for pid in [status.keeper.pid, status.agent.pid] {
        processes::signal(pid, SignalKind::Stop);
    }
    assert_eq!(in_bash(&sandbox, &["stop", "wo"]), [""; 0]);
    assert_eq!(in_bash(&sandbox, &["sto"]), ["stop"]);
    let elsewhere = Sandbox::new(CONFIG);
    keep_script(&elsewhere, "bash");
    assert_eq!(in_bash(&elsewhere, &["stop", "wo"]), [""; 0]);
}

#[test]
fn zsh_and_fish_are_told_what_each_name_is() {
    let sandbox = Sandbox::up_with(CONFIG);
    sandbox.wait_for_all();
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        keep_script(&sandbox, shell);
    }
    let line = "fish --no-config".split(' ').collect::<Vec<_>>();
    let check = |line: &[&str], script: &str, expected: &str| {
        wait_until(&format!("{script} tells {expected}"), || {
            shell(&sandbox, line, script) == expected
        });
    };
    let units = "web\trunning\nweb@2\trunning\nworker\trunning\n";
    check(&line, "source ./fish; complete -C 'mainstay start w'", units);
    check(&line, "source ./fish; complete -C 'mainstay start @'", "@back\twhat nobody sees\n");
    // Its own functions are there on a terminal only.
    let script = "compdef() { : }; _describe() { print -l -- ${(P)3} }; source ./zsh; \
                  words=(mainstay stop wo); CURRENT=3; _clap_dynamic_completer_mainstay";
    check(&["zsh", "-f"], script, "worker:running\n");
    let script = script.replace("mainstay stop wo", "mainstay resta").replace("NT=3", "NT=2");
    let chinese = format!("export MAINSTAY_LANG=zh-CN; {script}");
    let told = shell(&sandbox, &["zsh", "-f"], &chinese);
    assert_eq!(told, "restart:先停止再启动单元\n");
    for (shell, words) in
        [("powershell", "Register-ArgumentCompleter"), ("elvish", "arg-completer")]
    {
        let script = sandbox.read(shell);
        assert!(script.contains(words) && script.contains("MAINSTAY_COMPLETE"), "{script}");
    }
    assert_eq!(sandbox.ask(&["completions", "dos"]).code, 2);
}
