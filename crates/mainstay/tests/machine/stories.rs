//! What `status`, `show`, `events` and `why` say of units that run, crash or cannot be started.

use std::fs;

use crate::{picture, processes::wait_until, sandbox::Sandbox};

const THREE: &str = r#"
[services.web]
shell = "echo hello; exec sleep 1000"

[services.crashed]
shell = "echo oops; exit 3"
restart = { delay = "1h", max-delay = "1h" }

[services.missing]
command = ["./nothing"]
restart = { delay = "1h", max-delay = "1h" }
"#;

/// Returns an instance whose units have come to rest.
fn three() -> Sandbox {
    let sandbox = Sandbox::up_with(THREE);
    sandbox.wait_for_pid("web");
    sandbox.wait_for("crashed", |unit| unit.state == "backoff");
    sandbox.wait_for("missing", |unit| unit.state == "backoff");
    for unit in ["web", "crashed"] {
        let log = format!(".mainstay/logs/{unit}/{unit}.log");
        wait_until(&format!("the log of `{unit}` is written"), || !sandbox.read(&log).is_empty());
    }
    wait_until("the crash has a bundle", || {
        sandbox.get(&["events", "crashed"]).contains("BundleWritten")
    });
    sandbox
}

#[test]
fn status_shows_first_what_needs_somebody() {
    let sandbox = three();
    assert_eq!(
        picture::of(&sandbox, &sandbox.get(&["status"])),
        "\
DIR/mainstay.toml (keeper PID, agent PID)

UNIT STATE SINCE PID RESTARTS
crashed backoff SPAN - 0 run 1 ended with code 3 after SPAN; start in SPAN
missing backoff SPAN - 0 run 1 was not started: cannot find `./nothing`: No such file or directory (os error 2); start in SPAN
web running SPAN PID 0
"
    );
}

#[test]
fn an_instance_without_services_is_up_and_empty() {
    let mut sandbox = Sandbox::up_with("");
    let status = picture::of(&sandbox, &sandbox.get(&["status"]));
    assert_eq!(
        status,
        "DIR/mainstay.toml (keeper PID, agent PID)\n\nUNIT STATE SINCE PID RESTARTS\n"
    );
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn show_tells_where_everything_is() {
    let sandbox = three();
    let shown = picture::of(&sandbox, &sandbox.get(&["show", "web"]));
    let (shown, used) = shown.split_at(shown.find("cpu ").unwrap());
    let parts: Vec<&str> = used.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(parts, ["cpu", "memory", "tasks", "fds", "io"]);
    assert_eq!(
        shown,
        "\
unit web
state running
since TIME
why its program was started
pid PID
run 1
restarts 0
command /bin/sh -c echo hello; exec sleep 1000
directory DIR
log DIR/.mainstay/logs/web/web.log
"
    );
}

#[test]
fn events_tell_a_life_in_order() {
    let sandbox = three();
    assert_eq!(
        picture::of(&sandbox, &sandbox.get(&["events", "crashed"])),
        "\
TIME info UnitStateChanged `crashed` is starting: its program is being started
TIME info UnitStateChanged `crashed` is running: its program was started
TIME warn UnitStateChanged `crashed` is between two attempts: run 1 ended with code 3 after SPAN
TIME warn UnitExited run 1 of `crashed` ended with code 3
TIME info BundleWritten run 1 of `crashed` crashed: `mainstay why crashed --bundle 1` tells all
"
    );
    let json = sandbox.get(&["events", "crashed", "--json"]);
    let events: Vec<mainstay_api::control::Event> =
        json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.last().unwrap().event, "BundleWritten");
    assert!(events.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "{json}");
}

#[test]
fn up_tells_what_has_happened_since_it_began() {
    let mut sandbox = Sandbox::up_with("[services.web]\ncommand = [\"sleep\", \"1000\"]\n");
    sandbox.wait_for_pid("web");
    for what in ["starting", "running"] {
        let wanted = format!("`web` is {what}: ");
        wait_until("`up` tells it", || sandbox.read("up.log").matches(&wanted).count() == 1);
    }
    sandbox.down();
    sandbox.up();
    sandbox.wait_for_pid("web");
    wait_until("the second `up` tells it once, and nothing of the first one's", || {
        sandbox.read("up.log").matches("`web` is running: ").count() == 2
    });
    assert_eq!(sandbox.read("up.log").matches("`web` is starting: ").count(), 2);
}

#[test]
fn why_tells_what_is_what_was_and_what_comes_next() {
    let sandbox = three();
    let why = |unit: &str| picture::of(&sandbox, &sandbox.get(&["why", unit]));
    assert_eq!(
        why("web"),
        "\
`web` is running since TIME (SPAN): its program was started.
Its process is PID, in run 1.

The last lines of its log:
  hello
"
    );
    assert_eq!(
        why("crashed"),
        "\
`crashed` is between two attempts since TIME (SPAN): run 1 ended with code 3 after SPAN.
Its next start is in SPAN.

Its last ends:
  TIME run 1 of `crashed` ended with code 3

The last lines of its log:
  oops

All that is known of the crash of run 1: `mainstay why crashed --bundle 1`.
"
    );
    assert_eq!(
        why("missing"),
        "\
`missing` is between two attempts since TIME (SPAN): run 1 was not started: cannot find `./nothing`: No such file or directory (os error 2).
Relative paths begin at its directory, `DIR`.
Its next start is in SPAN.
"
    );
    sandbox.get(&["stop", "web"]);
    assert_eq!(
        why("web"),
        "\
`web` is stopped since TIME (SPAN): an operator stopped it; run 1 was killed by signal 15 after SPAN.
Nothing comes next: `mainstay start web` starts it.

Its last ends:
  TIME run 1 of `web` was killed by signal 15; it was stopping: an operator stopped it

The last lines of its log:
  hello
"
    );
}

#[test]
fn a_program_that_cannot_be_started_is_told_with_the_step_and_the_reason() {
    let mut sandbox = Sandbox::new("");
    let folder = sandbox.folder().display().to_string();
    fs::write(sandbox.path("plain"), "no program\n").unwrap();
    fs::write(sandbox.path("script"), "#!/no/such/shell\n").unwrap();
    fs::write(sandbox.path("garbage"), [0_u8, 1, 2, 3]).unwrap();
    for name in ["script", "garbage"] {
        let status = std::process::Command::new("chmod").arg("+x").arg(sandbox.path(name)).status();
        assert!(status.unwrap().success());
    }
    let cases = [
        (
            "missing",
            "[\"./nothing\"]",
            "cannot find `./nothing`: No such file or directory (os error 2)",
        ),
        (
            "nowhere",
            "[\"no-such-program\"]",
            "cannot find `no-such-program`: No such file or directory (os error 2)",
        ),
        ("forbidden", "[\"./plain\"]", "cannot execute `./plain`: Permission denied (os error 13)"),
        (
            "script",
            "[\"./script\"]",
            "cannot find the interpreter `/no/such/shell`: No such file or directory (os error 2)",
        ),
        (
            "garbage",
            "[\"./garbage\"]",
            "cannot execute `./garbage`: Exec format error (os error 8)",
        ),
        ("folder", "[\"./run\"]", "cannot execute `./run`: Permission denied (os error 13)"),
        (
            "homeless",
            "[\"true\"]\ndirectory = \"gone\"",
            "cannot enter directory `DIR/gone`: No such file or directory (os error 2)",
        ),
        (
            "misplaced",
            "[\"true\"]\ndirectory = \"plain\"",
            "cannot enter directory `DIR/plain`: Not a directory (os error 20)",
        ),
    ];
    let service = |(name, command, _): &(&str, &str, &str)| {
        format!(
            "[services.{name}]\nrestart = {{ delay = \"1h\", max-delay = \"1h\" }}\ncommand = {command}\n"
        )
    };
    let config: String = cases.iter().map(service).collect();
    fs::write(sandbox.file(), config).unwrap();
    sandbox.up();
    for (name, _, expected) in cases {
        let unit = sandbox.wait_for(name, |unit| unit.state == "backoff");
        let expected = expected.replace("DIR", &folder);
        assert_eq!(unit.why, format!("run 1 was not started: {expected}"));
        assert!(sandbox.get(&["why", name]).contains(&unit.why));
    }
}

/// Fails three times, then stays up.
const AT_LAST: &str = r#"
[services.web]
shell = "echo >> tries; test $(wc -l < tries) -gt 3 || exit 1; exec sleep 1000"
restart = { delay = "20ms", max-delay = "20ms", reset-after = "2s" }
"#;

#[test]
fn a_unit_that_stays_up_at_last_is_degraded_no_more() {
    let sandbox = Sandbox::up_with(AT_LAST);
    let degraded = sandbox.wait_for("web", |unit| unit.state == "running" && unit.degraded);
    assert_eq!(degraded.run, 4);
    let well = sandbox.wait_for("web", |unit| !unit.degraded);
    assert_eq!((well.run, well.pid, well.state.as_str()), (4, degraded.pid, "running"));
}
