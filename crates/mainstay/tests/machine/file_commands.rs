//! `diff`, `apply`, `set`, `get` and `edit`: what they say, what they write, and what they leave
//! alone.

use std::fs;

use mainstay_api::control::{CommandAnswer, DiffAnswer, KeyEffect};

use crate::sandbox::Sandbox;

/// Nothing is applied by itself here.
const THREE: &str = r#"# what we run
hot-reload = false

[services.api] # the API
command = ["sleep", "1000"]
logs = { keep = 3 } # few

[services.old]
command = ["sleep", "1000"]

[services.web]
command = ["sleep", "1000"]
"#;

const CHANGED: &str = r#"
hot-reload = false

[services.api]
command = ["sleep", "2000"]
stop = { timeout = "1s" }
logs = { max-size = "1MiB" }

[services.new]
command = ["sleep", "1000"]

[services.web]
command = ["sleep", "1000"]
"#;

fn up() -> Sandbox {
    let sandbox = Sandbox::up_with(THREE);
    sandbox.wait_for_all();
    sandbox
}

fn diff(sandbox: &Sandbox, words: &[&str]) -> (i32, DiffAnswer) {
    let answer = sandbox.ask(&[&["diff", "--json"], words].concat());
    (answer.code, serde_json::from_str(&answer.out).unwrap())
}

#[test]
fn a_difference_is_told_key_by_key_and_touches_nothing() {
    let sandbox = up();
    let before = sandbox.runs();
    let same = sandbox.ask(&["diff"]);
    assert_eq!((same.code, same.out.contains("nothing to apply")), (0, true), "{same:?}");
    fs::write(sandbox.path("next.toml"), CHANGED).unwrap();
    let (code, answer) = diff(&sandbox, &["next.toml"]);
    assert_eq!((code, answer.differs), (1, true));
    assert_eq!(
        (&answer.changes.added[..], &answer.orphaned[..]),
        (&["new".to_owned()][..], &["old".to_owned()][..])
    );
    let api = &answer.changes.changed[0];
    let effects: Vec<(&str, KeyEffect)> =
        api.keys.iter().map(|one| (one.key.as_str(), one.effect)).collect();
    let expected =
        [("command", KeyEffect::Restart), ("stop", KeyEffect::Live), ("logs", KeyEffect::NextRun)];
    assert_eq!(effects, expected);
    let told = sandbox.ask(&["diff", "next.toml"]).out;
    for line in
        ["  + new: new", "command (restart), stop (live), logs (next run) changed", "  - old:"]
    {
        assert!(told.contains(line), "{line} is missing in: {told}");
    }
    fs::write(sandbox.path("bad.toml"), "[services.web]\ncomand = 1\n").unwrap();
    let bad = sandbox.ask(&["diff", "bad.toml"]);
    assert_eq!((bad.code, bad.err.contains("did you mean `command`?")), (2, true), "{bad:?}");
    assert_eq!((sandbox.runs(), sandbox.read("mainstay.toml")), (before, THREE.to_owned()));
}

#[test]
fn what_is_applied_is_what_was_told_and_pruning_ends_what_is_left() {
    let sandbox = up();
    let before = sandbox.runs();
    let bad = sandbox.ask(&["apply", "nowhere.toml"]);
    assert_eq!(bad.code, 1, "{bad:?}");
    fs::write(sandbox.file(), CHANGED).unwrap();
    let (_, told) = diff(&sandbox, &[]);
    let answer: CommandAnswer = serde_json::from_str(&sandbox.get(&["apply", "--json"])).unwrap();
    assert_eq!(answer.changes, Some(told.changes));
    assert_eq!((sandbox.unit("api").run, sandbox.unit("new").state.as_str()), (2, "running"));
    assert!(sandbox.unit("old").orphaned && sandbox.unit("old").state == "running");
    assert!(sandbox.runs().contains(before.iter().find(|run| run.0 == "web").unwrap()));
    let (code, rest) = diff(&sandbox, &[]);
    assert_eq!((code, &rest.orphaned[..]), (0, &["old".to_owned()][..]));
    let pruned = sandbox.get(&["apply", "--prune"]);
    assert!(pruned.contains("  - old: stopped and forgotten"), "{pruned}");
    assert!(sandbox.status().units.iter().all(|unit| unit.unit != "old"));
    fs::write(sandbox.file(), "hot-reload = false\n").unwrap();
    let all = sandbox.ask(&["apply", "--prune"]);
    assert_eq!((all.code, all.err.contains("pruning would stop everything")), (1, true), "{all:?}");
    assert_eq!(sandbox.unit("web").state, "running");
}

#[test]
fn files_without_a_service_let_go_of_none_unless_that_is_meant() {
    let sandbox = up();
    let before = sandbox.runs();
    fs::write(sandbox.file(), "hot-reload = false\n").unwrap();
    let (code, told) = diff(&sandbox, &[]);
    assert_eq!((code, told.empty, told.orphaned.len()), (1, true, 3));
    let note = "`mainstay apply` refuses that without `--allow-empty`";
    assert!(sandbox.ask(&["diff"]).err.contains(note));
    for words in [&["apply"][..], &["apply", "mainstay.toml"]] {
        let refused = sandbox.ask(words);
        let hint = "`mainstay apply --allow-empty` lets go of all of them";
        assert_eq!((refused.code, refused.err.contains(hint)), (1, true), "{refused:?}");
    }
    assert!(sandbox.status().units.iter().all(|unit| !unit.orphaned));
    let let_go = sandbox.get(&["apply", "--allow-empty"]);
    assert_eq!(let_go.matches("not configured any more").count(), 3, "{let_go}");
    assert_eq!(sandbox.runs(), before);
    let again = sandbox.ask(&["apply", "--allow-empty"]);
    let old = "`old` is orphaned; `mainstay apply --prune` ends it";
    assert_eq!((again.code, again.err.contains(old)), (0, true), "{again:?}");
    let stopped = sandbox.get(&["apply", "--prune", "--allow-empty"]);
    assert_eq!(stopped.matches("stopped and forgotten").count(), 3, "{stopped}");
}

#[test]
fn a_file_that_is_named_becomes_the_instances_own() {
    let sandbox = up();
    fs::write(sandbox.path("next.toml"), CHANGED).unwrap();
    sandbox.get(&["apply", "next.toml", "--prune"]);
    assert_eq!(sandbox.read("mainstay.toml"), CHANGED);
    assert_eq!((sandbox.unit("api").run, sandbox.status().units.len()), (2, 3));
    fs::write(sandbox.path("next.toml"), "[services.web]\n").unwrap();
    for command in ["apply", "diff"] {
        let bad = sandbox.ask(&[command, "next.toml"]);
        assert!(bad.code != 0 && bad.err.contains("--> next.toml:1:"), "{bad:?}");
    }
    assert_eq!(sandbox.read("mainstay.toml"), CHANGED);
}

#[test]
fn keys_are_set_where_they_stand_and_read_back() {
    let sandbox = up();
    sandbox.shell("chmod 640 mainstay.toml");
    let told = sandbox.get(&["set", "api", "logs.keep=5", "restart.delay=2s"]);
    assert!(
        told.contains("  ~ api: restart (live), logs (live) changed; its programs run on"),
        "{told}"
    );
    let expected =
        THREE.replace("{ keep = 3 } # few", "{ keep = 5 } # few\nrestart = { delay = \"2s\" }");
    assert_eq!(sandbox.read("mainstay.toml"), expected);
    assert_eq!(sandbox.shell("stat -c %a mainstay.toml"), "640\n");
    assert_eq!(sandbox.get(&["get", "api", "restart.delay"]), "\"2s\"\n");
    let whole = sandbox.get(&["get", "api"]);
    assert!(whole.starts_with("[services.api] # the API\n") && whole.contains("# few"), "{whole}");
    let unset = sandbox.ask(&["get", "api", "restart.limit"]);
    assert_eq!((unset.code, unset.err.contains("its default holds")), (1, true), "{unset:?}");
    fs::write(sandbox.path("mainstay.toml.new"), "# a draft\n").unwrap();
    sandbox.get(&["set", "api", "--unset", "restart"]);
    assert_eq!(sandbox.read("mainstay.toml.new"), "# a draft\n");
    let text = sandbox.read("mainstay.toml");
    assert_eq!(text, THREE.replace("keep = 3", "keep = 5"));
    let refuse = |service: &str, key: &str, expected: &str| {
        let refused = sandbox.ask(&["set", service, key]);
        assert_eq!((refused.code, refused.err.contains(expected)), (1, true), "{refused:?}");
    };
    refuse("api", "restart.dely=2s", "did you mean `delay`?");
    refuse("api", "instances=many", "`instances` must be a whole number");
    refuse("apo", "instances=2", "has a service `apo`");
    assert_eq!(sandbox.read("mainstay.toml"), text);
    sandbox.get(&["set", "api", "command=[\"sleep\", \"3000\"]"]);
    assert_eq!((sandbox.unit("api").run, sandbox.unit("api").state.as_str()), (2, "running"));
}

#[test]
fn an_editor_writes_only_what_is_good_and_nothing_over_somebody_elses_work() {
    let sandbox = up();
    let edit = |line: &str| {
        let editor = sandbox.path("editor");
        fs::write(&editor, format!("#!/bin/sh\n{line}\n")).unwrap();
        sandbox.shell("chmod +x editor");
        let mut command = sandbox.command(&["edit", "web"]);
        command.env("VISUAL", &editor).env("TMPDIR", sandbox.folder());
        crate::sandbox::answer_of(&mut command)
    };
    let unchanged = edit("true");
    assert_eq!((unchanged.code, unchanged.err.as_str()), (0, "nothing was changed\n"));
    let bad = edit("echo 'comand = 1' >>\"$1\"");
    assert_eq!((bad.code, bad.err.contains("unknown key `comand`")), (1, true), "{bad:?}");
    assert!(bad.err.contains("what you wrote is in `"), "{}", bad.err);
    let mine = format!("{THREE}# mine\n");
    let raced = edit("echo '# mine' >>mainstay.toml; echo '# yours' >>\"$1\"");
    assert_eq!(
        (raced.code, raced.err.contains("somebody else has changed")),
        (1, true),
        "{raced:?}"
    );
    assert_eq!(sandbox.read("mainstay.toml"), mine);
    let good = edit("echo 'instances = 2' >>\"$1\"");
    assert_eq!(
        (good.code, good.out.contains("  ~ web: instances (live) changed")),
        (0, true),
        "{good:?}"
    );
    assert_eq!(sandbox.read("mainstay.toml"), format!("{mine}instances = 2\n"));
    sandbox.wait_for("web@2", |unit| unit.state == "running");
}
