//! Crash bundles: each crash leaves one, whoever dies meanwhile, and nothing else does.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write as _,
    process::Command,
};

use mainstay_api::bundle::{Bundle, Dump};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// What a pipe holds.
const PIPE_BYTES: usize = 64 * 1024;

/// Enough units to crash in turn, since each has a bundle a second at most.
#[cfg(feature = "fail")]
const IN_TURN: [&str; 3] = ["web", "api", "job"];

/// Returns the runs of a unit that have a bundle, ascending.
fn runs(sandbox: &Sandbox, unit: &str) -> Vec<u64> {
    let entries = fs::read_dir(sandbox.path(&format!(".mainstay/bundles/{unit}")));
    let names = entries.into_iter().flatten().map(|entry| entry.unwrap().file_name());
    let number = |name: std::ffi::OsString| name.to_str()?.strip_suffix(".json")?.parse().ok();
    let mut runs: Vec<u64> = names.filter_map(number).collect();
    runs.sort_unstable();
    runs
}

fn wait_for_run(sandbox: &Sandbox, run: u64) {
    wait_for_run_of(sandbox, "web", run);
}

fn wait_for_run_of(sandbox: &Sandbox, unit: &str, run: u64) {
    wait_until(&format!("run {run} has a bundle"), || runs(sandbox, unit).contains(&run));
}

fn bundle(sandbox: &Sandbox, run: u64) -> Bundle {
    bundle_of(sandbox, "web", run)
}

fn bundle_of(sandbox: &Sandbox, unit: &str, run: u64) -> Bundle {
    let text = sandbox.get(&["why", unit, "--bundle", &run.to_string(), "--json"]);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_crash_leaves_all_that_is_known_of_it_and_no_secret() {
    let mut sandbox = Sandbox::up_with(
        "[services.web]\n\
         shell = \"echo first; echo oh no >&2; exit 3\"\n\
         environment = { PORT = \"8080\", API_KEY = \"hush-hush\", DB = \"pg://me:hush-hush@db/x\" }\n\
         limits = { files = 512 }\n\
         restart = { delay = \"1h\" }\n",
    );
    wait_for_run(&sandbox, 1);
    let bundle = bundle(&sandbox, 1);
    let Bundle { exit, then, command, limits, lines, .. } = &bundle;
    assert_eq!((exit.code, exit.how.as_str()), (Some(3), "ended with code 3"));
    assert!(exit.started <= exit.ended, "{exit:?}");
    assert_eq!((then.state.as_str(), then.failures), ("backoff", 1));
    assert!(then.starts.as_ref().is_some_and(|at| *at > exit.ended), "{then:?}");
    assert_eq!(command[2], "echo first; echo oh no >&2; exit 3");
    let said: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(said, ["first", "oh no"]);
    assert!(lines.iter().all(|line| line.at.is_some()));
    assert_eq!(limits.configured["limits.files"], "512");
    assert!(limits.system.iter().any(|limit| limit.name == "open files"));
    let value = |name: &str| {
        let mut all = bundle.environment.iter();
        all.find(|one| one.name == name).map(|one| one.value.clone())
    };
    assert_eq!(value("PORT"), Some(Some("8080".to_owned())));
    assert_eq!(
        [value("API_KEY"), value("DB"), value("PATH")],
        [Some(None), Some(None), Some(None)]
    );
    assert_eq!(value("MAINSTAY_RUN"), Some(Some("1".to_owned())));

    let file = sandbox.path(".mainstay/bundles/web/1.json");
    assert!(!fs::read_to_string(&file).unwrap().contains("hush-hush"));
    let modes = sandbox.shell("stat -c %a .mainstay/bundles/web/1.json .mainstay/bundles/web");
    assert_eq!(modes, "600\n700\n");
    assert!(sandbox.get(&["why", "web"]).contains("`mainstay why web --bundle 1`"));

    // It is there for whoever comes when all is over, too.
    assert_eq!(sandbox.down(), Some(0));
    let told = sandbox.get(&["why", "web", "--bundle"]);
    assert!(told.starts_with("Run 1 of `web` ended with code 3 after 0s.\n"), "{told}");
    assert!(told.contains("\n  API_KEY = … (configured)\n"), "{told}");
    assert!(sandbox.get(&["why", "web", "--list"]).ends_with("web  run 1  ended with code 3\n"));
    let answer = sandbox.ask(&["why", "web", "--bundle", "2"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("no crash bundle of run 2 of `web`"), "{answer:?}");
}

#[test]
fn an_end_that_was_asked_for_or_is_none_of_a_crash_leaves_no_bundle() {
    let sandbox = Sandbox::up_with(
        "[services.web]\n\
         shell = \"trap 'exit 7' TERM; echo up; while :; do sleep 0.02; done\"\n\
         [services.task]\n\
         command = [\"true\"]\n\
         restart = { delay = \"10ms\" }\n\
         [services.off]\n\
         command = [\"false\"]\n\
         bundles = 0\n\
         restart = { delay = \"10ms\" }\n",
    );
    sandbox.wait_for_pid("web");
    for command in ["restart", "kill", "start", "stop", "start"] {
        sandbox.get(&[command, "web"]);
    }
    sandbox.wait_for("off", |unit| unit.run > 3);
    sandbox.wait_for("task", |unit| unit.run > 3);
    // The end of this one is the last to be written, so the others' would be there.
    processes::kill(sandbox.wait_for_pid("web"));
    let run = sandbox.wait_for("web", |unit| unit.restarts > 0).last_exit.unwrap().run;
    wait_for_run(&sandbox, run);
    assert_eq!(runs(&sandbox, "web"), [run]);
    assert_eq!(bundle(&sandbox, run).exit.signal, Some(9));
    assert_eq!([runs(&sandbox, "task").len(), runs(&sandbox, "off").len()], [0, 0]);
}

#[test]
fn a_loop_of_crashes_leaves_few_bundles_and_says_how_many_there_are_none_of() {
    let sandbox = Sandbox::up_with(
        "[services.web]\n\
         shell = \"exit 3\"\n\
         restart = { delay = \"20ms\", max-delay = \"20ms\", limit = 150 }\n\
         bundles = 2\n",
    );
    sandbox.wait_for("web", |unit| unit.state == "failed");
    wait_for_run(&sandbox, 150);
    wait_until("the oldest went", || runs(&sandbox, "web").len() == 2);
    let before = runs(&sandbox, "web")[0];
    assert!((10..150).contains(&before), "they are a second apart, but of the last: {before}");
    let last = bundle(&sandbox, 150);
    assert_eq!(last.left_out, 150 - before - 1);
    assert_eq!(last.then.state, "failed");
}

#[test]
fn a_core_file_is_named_where_the_system_leaves_one() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let sandbox = Sandbox::up_with(
        "[services.web]\nshell = \"ulimit -c unlimited; kill -SEGV $$\"\nrestart = { delay = \"1h\" }\n",
    );
    wait_for_run(&sandbox, 1);
    let bundle = bundle(&sandbox, 1);
    assert_eq!(bundle.exit.signal, Some(11));
    if pattern.trim() == "core" && sandbox.path("core").exists() {
        let file = sandbox.path("core").display().to_string();
        assert_eq!(bundle.dump, Some(Dump::File(file)));
    } else if pattern.starts_with('|') {
        assert!(bundle.dump.is_some());
    }
}

#[test]
fn a_program_that_hangs_leaves_a_bundle_with_the_watchdogs_word() {
    let sandbox = Sandbox::up_with(
        "[services.web]\n\
         shell = \"echo begun; exec sleep 1000\"\n\
         watchdog = \"1s\"\n\
         restart = { delay = \"1h\", max-delay = \"1h\" }\n\
         checks = [{ name = \"looks\", exec = \"exit 1\", every = \"100ms\", action = \"mark\" }]\n",
    );
    wait_for_run(&sandbox, 1);
    let bundle = bundle(&sandbox, 1);
    assert_eq!(bundle.then.state, "backoff");
    assert!(bundle.exit.signal.is_some(), "{:?}", bundle.exit);
    assert!(bundle.then.why.contains("that it is alive; run 1 was"), "{:?}", bundle.then);
    let lines: Vec<&str> = bundle.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["begun"]);
    assert!(bundle.results.iter().any(|one| one.what == "check looks"), "{:?}", bundle.results);
}

#[test]
fn a_program_that_is_never_ready_leaves_a_bundle() {
    let sandbox = Sandbox::up_with(
        "[services.web]\n\
         shell = \"echo begun; exec sleep 1000\"\n\
         ready = { file = \"ready\", timeout = \"500ms\" }\n\
         restart = { delay = \"1h\", max-delay = \"1h\" }\n",
    );
    wait_for_run(&sandbox, 1);
    let bundle = bundle(&sandbox, 1);
    assert_eq!((bundle.then.state.as_str(), bundle.then.failures), ("backoff", 1));
    assert_eq!(bundle.exit.signal, Some(15), "{:?}", bundle.exit);
    assert!(bundle.then.why.contains("not ready"), "{:?}", bundle.then);
    let lines: Vec<&str> = bundle.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(lines, ["begun"]);
}

#[test]
fn a_disk_that_hangs_holds_neither_a_restart_nor_for_ever_an_exit() {
    let sandbox = Sandbox::up_with(
        "[services.web]\ncommand = [\"sleep\", \"1000\"]\nrestart = { delay = \"0s\" }\n",
    );
    sandbox.wait_for_pid("web");
    fs::create_dir_all(sandbox.path(".mainstay/bundles/web")).unwrap();
    let path = sandbox.path(".mainstay/bundles/web/1.json.new");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut pipe = File::options().read(true).write(true).open(&path).unwrap();
    pipe.write_all(&vec![0; PIPE_BYTES]).unwrap();

    processes::kill(sandbox.wait_for_pid("web"));
    sandbox.wait_for("web", |unit| unit.run == 2 && unit.state == "running");
    wait_until("it is told", || sandbox.get(&["events"]).contains("has no bundle"));
    let events = sandbox.get(&["events", "--json"]);
    assert_eq!(events.matches("BundleNotWritten").count(), 1, "{events}");
    let places: Vec<usize> = events.match_indices("\"running\"").map(|found| found.0).collect();
    let given_up = events.find("BundleNotWritten").unwrap();
    assert!(places.len() == 2 && places[1] < given_up, "run 2 has not waited for it: {events}");

    // The keeper knows nothing of it any more: no later agent writes what this one gave up.
    let agent = sandbox.status().agent.pid;
    processes::kill(agent);
    wait_until("the next one answers", || sandbox.status().agent.pid != agent);
    drop(pipe);
    fs::remove_file(&path).unwrap();
    processes::kill(sandbox.wait_for_pid("web"));
    wait_for_run(&sandbox, 2);
    assert_eq!(runs(&sandbox, "web"), [2]);
}

#[cfg(feature = "fail")]
#[test]
fn an_agent_that_dies_over_a_bundle_leaves_it_to_the_next_one() {
    let service = |unit: &str| {
        format!(
            "[services.{unit}]\ncommand = [\"sleep\", \"1000\"]\nrestart = {{ delay = \"0s\" }}\n\
             bundles = 100\n"
        )
    };
    let mut sandbox = Sandbox::new(&IN_TURN.map(service).concat());
    let folder = sandbox.up_fallible();
    sandbox.wait_for_all();
    let points = ["agent.effect.settle", "agent.send", "agent.bundle.before", "agent.bundle.after"];
    let mut crashed = BTreeSet::new();
    for (point, unit) in points.repeat(3).into_iter().zip(IN_TURN.into_iter().cycle()) {
        let run = sandbox.wait_for(unit, |unit| unit.state == "running").run;
        crashed.insert((unit, run));
        let file = folder.join(point);
        File::create(&file).unwrap();
        processes::kill(sandbox.wait_for_pid(unit));
        wait_until("it dies there", || !file.exists());
        wait_for_run_of(&sandbox, unit, run);
        sandbox.wait_for(unit, |unit| unit.run > run);
        assert_eq!(bundle_of(&sandbox, unit, run).exit.signal, Some(9));
    }
    let found = IN_TURN.iter().flat_map(|unit| {
        let runs = runs(&sandbox, unit).into_iter();
        runs.map(move |run| (*unit, run))
    });
    assert_eq!(found.collect::<BTreeSet<_>>(), crashed, "one of each, and of nothing else");
    assert_eq!(crashed.len(), 12);
    let events = sandbox.get(&["events", "--json", "-n", "5000"]);
    for (unit, run) in crashed {
        let told = events.lines().filter(|line| {
            line.contains("BundleWritten") && line.contains(&format!("run {run} of `{unit}`"))
        });
        assert!(told.count() <= 1, "run {run} of `{unit}` was written twice");
    }
}
