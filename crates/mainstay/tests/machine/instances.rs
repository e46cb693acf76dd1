//! Several instances of one user: which one a command talks to, and how one is named.

use std::fs;

use crate::{
    processes::wait_until,
    sandbox::{Answer, Sandbox, answer_of},
};

const ONE: &str = "[services.first]\ncommand = [\"sleep\", \"1000\"]\n";
const OTHER: &str =
    "[services.second]\nshell = \"env > environment; exec sleep 1000\"\ndirectory = \".\"\n";

/// Returns an instance in a folder and another, called `other`, in a folder below.
fn two() -> Sandbox {
    let mut sandbox = Sandbox::up_with(ONE);
    fs::create_dir(sandbox.path("below")).unwrap();
    fs::write(sandbox.path("below/mainstay.toml"), OTHER).unwrap();
    sandbox.start_up(sandbox.command(&["up", "below/mainstay.toml", "--instance", "other"]));
    wait_until("the other one runs", || {
        sandbox.ask(&["status", "second", "--instance", "other"]).out.contains("running")
    });
    sandbox
}

fn name_of(sandbox: &Sandbox) -> String {
    sandbox.folder().file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn an_instance_is_found_by_its_name_its_file_and_its_folders() {
    let sandbox = two();
    let own = name_of(&sandbox);
    let file = sandbox.file().display().to_string();
    wait_until("the program has run", || sandbox.read("below/environment").contains("MAINSTAY"));
    let environment = sandbox.read("below/environment");
    let inside = environment.lines().find_map(|line| line.strip_prefix("MAINSTAY_INSTANCE="));
    let check = |named: &str, unit: &str| {
        let out = sandbox.get(&["status", "--instance", named]);
        assert!(out.contains(unit), "{named}: {out}");
        let mut command = sandbox.command(&["status"]);
        let answer = answer_of(command.env("MAINSTAY_INSTANCE", named));
        assert!(answer.out.contains(unit), "{named}: {answer:?}");
    };
    check(&own, "first");
    check(&file, "first");
    check("other", "second");
    check("below", "second");
    check("below/mainstay.toml", "second");
    // What a program of the instance finds in its environment.
    check(inside.unwrap(), "second");
}

#[test]
fn the_nearest_instance_that_runs_is_meant() {
    let sandbox = two();
    let status = |folder: &str| -> Answer {
        answer_of(sandbox.command(&["status"]).current_dir(sandbox.path(folder)))
    };
    fs::create_dir_all(sandbox.path("below/deep/deeper")).unwrap();
    assert!(status("below/deep").out.contains("second"));
    fs::write(sandbox.path("below/deep/mainstay.toml"), ONE).unwrap();
    // Nothing runs of the nearest one.
    assert!(status("below/deep/deeper").out.contains("second"));
    assert!(status(".").out.contains("first"));
    let check = answer_of(sandbox.command(&["check"]).current_dir(sandbox.path("below/deep")));
    assert!(check.out.contains("below/deep/mainstay.toml: 1 service"), "{check:?}");
}

#[test]
fn far_from_any_file_the_only_instance_that_runs_is_meant() {
    let sandbox = Sandbox::up_with(ONE);
    let far = |arguments: &[&str]| answer_of(sandbox.command(arguments).current_dir("/"));
    assert!(far(&["status"]).out.contains("first"));
    // Nothing is started by accident.
    assert_eq!(far(&["up"]).code, 3);
}

#[test]
fn who_names_nothing_that_exists_is_shown_what_does() {
    let sandbox = two();
    let own = name_of(&sandbox);
    let file = sandbox.file().display().to_string();
    let lines = [
        format!("       {own}  {file}  (runs)"),
        format!("       other  {}  (runs)", sandbox.path("below/mainstay.toml").display()),
    ];
    let check = |answer: &Answer, expected: &str| {
        assert_eq!(answer.code, 3, "{answer:?}");
        assert!(answer.err.contains(expected), "{answer:?}");
        for line in &lines {
            assert!(answer.err.contains(line), "{line} is missing: {answer:?}");
        }
    };
    check(&sandbox.ask(&["status", "--instance", "nobody"]), "there is no instance `nobody`");
    let lost = answer_of(sandbox.command(&["status"]).current_dir("/"));
    check(&lost, "there is no `mainstay.toml` in this folder or above");
}

#[test]
fn the_programs_of_an_instance_inside_another_one_carry_one_mark() {
    let mut sandbox = Sandbox::new("[services.inner]\ncommand = [\"sleep\", \"1000\"]\n");
    let mut up = sandbox.command(&["up"]);
    up.env("MAINSTAY_ID", "outer");
    sandbox.start_up(up);
    wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
    let pid = sandbox.wait_for_pid("inner");
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let marks: Vec<&[u8]> = environment
        .split(|byte| *byte == 0)
        .filter(|variable| variable.starts_with(b"MAINSTAY_ID="))
        .collect();
    assert!(marks.len() == 1 && marks != [b"MAINSTAY_ID=outer"], "{marks:?}");
}
