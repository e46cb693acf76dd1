//! What `logs` finds in chains that no agent answers for: times, runs, patterns, and how it is shown.

use std::{
    fs::{self, File},
    io::Write as _,
};

use mainstay_storage::{
    index::{Bounds, IndexRecord, SourceFlags, Stream},
    segment::ChainFiles,
};

use crate::sandbox::{Answer, Sandbox};

/// 2026-01-31T08:00:00Z.
const BEGIN: u64 = 1_769_846_400;
/// Central Europe, written out.
const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

const CONFIG: &str = "\
[services.web]\ncommand = \"true\"\n[services.db]\ncommand = \"true\"\n\
[groups.all]\nservices = [\"web\", \"db\"]\n";

/// A line: so many seconds after the beginning, of a run.
type Said<'a> = (u64, u64, &'a str);

/// Writes the chain of a unit as a keeper does; all segments but the last are closed.
fn write(sandbox: &Sandbox, unit: &str, segments: &[&[Said<'_>]]) {
    let folder = sandbox.path(&format!(".mainstay/logs/{unit}"));
    fs::create_dir_all(&folder).unwrap();
    let chain = ChainFiles::new(&folder, unit);
    for (number, lines) in (1..).zip(segments) {
        let mut live = File::create(chain.live()).unwrap();
        let mut index = File::create(chain.index(number)).unwrap();
        let (mut offset, mut former, mut bounds): (u64, u64, Option<Bounds>) = (0, 0, None);
        for (seconds, run, text) in *lines {
            let realtime_ns = (BEGIN + seconds) * 1_000_000_000;
            if *run != former {
                let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
                let source = IndexRecord::Source { offset, run: *run, stream, flags };
                index.write_all(&source.encode()).unwrap();
                former = *run;
            }
            index.write_all(&IndexRecord::Time { offset, realtime_ns }.encode()).unwrap();
            bounds =
                Some(bounds.map_or(Bounds::of(realtime_ns), |bounds| bounds.with(realtime_ns)));
            live.write_all(format!("{text}\n").as_bytes()).unwrap();
            offset += u64::try_from(text.len()).unwrap() + 1;
        }
        if usize::try_from(number).unwrap() < segments.len() {
            let bounds = IndexRecord::Bounds { offset, bounds: bounds.unwrap() };
            index.write_all(&bounds.encode()).unwrap();
            chain.close(number).unwrap();
        }
    }
}

fn sample() -> Sandbox {
    let sandbox = Sandbox::new(CONFIG);
    let web: [&[Said<'_>]; 3] = [
        &[(0, 1, "web one"), (10, 1, "Error: disk")],
        &[(20, 2, "web two"), (30, 2, "\u{1b}[31merror\u{1b}[0m: net")],
        &[(3600, 4, "web three"), (3610, 4, "warn"), (3620, 4, "web four")],
    ];
    write(&sandbox, "web", &web);
    write(&sandbox, "db", &[&[(5, 1, "db one"), (3605, 1, "db two error")]]);
    sandbox
}

/// Asks in Central Europe.
fn ask(sandbox: &Sandbox, arguments: &[&str]) -> Answer {
    let mut command = sandbox.command(&[&["logs"][..], arguments].concat());
    let out = command.env("TZ", ZONE).output().unwrap();
    Answer {
        code: out.status.code().unwrap(),
        out: String::from_utf8(out.stdout).unwrap(),
        err: String::from_utf8(out.stderr).unwrap(),
    }
}

fn check(sandbox: &Sandbox, arguments: &[&str], expected: &[&str]) {
    let answer = ask(sandbox, arguments);
    assert_eq!(answer.out.lines().collect::<Vec<_>>(), expected, "{arguments:?}: {answer:?}");
    assert_eq!(answer.code, 0, "{arguments:?}: {answer:?}");
    assert_eq!(answer.err, "note: no agent answers; this is what the log files hold\n");
}

#[test]
fn times_are_typed_as_people_say_them() {
    let sandbox = sample();
    check(&sandbox, &["web", "--since", "2026-01-31 10:00"], &["web three", "warn", "web four"]);
    check(&sandbox, &["web", "--since", "2026-01-31T09:00:10Z"], &["warn", "web four"]);
    check(&sandbox, &["web", "--until", "2026-01-31 09:00:10"], &["web one", "Error: disk"]);
    let between = ["web", "--since", "2026-01-31 09:00:20", "--until", "2026-01-31 10:00:00"];
    check(&sandbox, &between, &["web two", "error: net", "web three"]);
    check(&sandbox, &["web", "--since", "2026-01-31 09:00:20", "-n", "1"], &["web four"]);
    check(&sandbox, &["web", "--since", "yesterday"], &[]);
    check(&sandbox, &["web", "--until", "2026-01-31"], &[]);
    let wrong = ask(&sandbox, &["web", "--since", "soon"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("write how long ago, as in `10m`"), "{wrong:?}");
}

#[test]
fn logs_are_merged_by_time_under_names_that_line_up() {
    let sandbox = sample();
    let all = [
        "web          | web one",
        "db           | db one",
        "web          | Error: disk",
        "web          | web two",
        "web          | error: net",
        "web          | web three",
        "db           | db two error",
        "web          | warn",
        "web          | web four",
    ];
    check(&sandbox, &[], &all);
    check(&sandbox, &["@all"], &all);
    check(&sandbox, &["w*", "db"], &all);
    check(&sandbox, &["--no-prefix", "-n", "2"], &["warn", "web four"]);
    check(&sandbox, &["-r", "-n", "2"], &[all[8], all[7]]);
    check(
        &sandbox,
        &["db", "-t"],
        &["2026-01-31 09:00:05.000 db one", "2026-01-31 10:00:05.000 db two error"],
    );
    check(&sandbox, &["db", "--timestamps=utc", "-n1"], &["2026-01-31T09:00:05.000Z db two error"]);
    let json = r#"{"time":"2026-01-31T08:00:05.000Z","unit":"db","run":1,"stream":"joined","text":"db one","partial":false}"#;
    check(&sandbox, &["db", "--json", "--until", "2026-01-31 09:30"], &[json]);
    let nobody = ask(&sandbox, &["web", "nosuch"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (1, ""), "{nobody:?}");
}

#[test]
fn a_pattern_may_ignore_case_be_turned_around_and_bring_its_neighbours() {
    let sandbox = sample();
    check(&sandbox, &["web", "--grep", "error"], &["error: net"]);
    check(&sandbox, &["web", "-i", "--grep", "^error: (disk|n)"], &["Error: disk", "error: net"]);
    let others = ["web one", "web two", "web three", "warn", "web four"];
    check(&sandbox, &["web", "-ivg", "error"], &others);
    check(
        &sandbox,
        &["web", "-g", "disk|warn", "-A1"],
        &["Error: disk", "web two", "--", "warn", "web four"],
    );
    check(&sandbox, &["web", "-g", "two", "-C1"], &["Error: disk", "web two", "error: net"]);
    check(
        &sandbox,
        &["web", "-g", "four", "-B9", "--run", "4"],
        &["web three", "warn", "web four"],
    );
    let alone = ask(&sandbox, &["web", "-i"]);
    assert_eq!(alone.code, 2, "{alone:?}");
}

#[test]
fn a_run_is_named_by_number_or_counted_back() {
    let sandbox = sample();
    let last = ["web three", "warn", "web four"];
    check(&sandbox, &["web", "--run", "last"], &last);
    check(&sandbox, &["web", "--run", "4"], &last);
    check(&sandbox, &["web", "--run", "-1"], &["web two", "error: net"]);
    check(&sandbox, &["web", "--run=-2"], &["web one", "Error: disk"]);
    check(&sandbox, &["web", "--run", "3"], &[]);
    let missing = sandbox.ask(&["logs", "web", "--run", "7"]);
    assert_eq!((missing.code, missing.out.as_str()), (1, ""), "{missing:?}");
    let expected = "error: no unit has had a run 7\nhint:  the last runs there are: `web`: 1, 2, 4";
    assert!(missing.err.contains(expected), "{missing:?}");
    // Each unit has a last one of its own.
    check(&sandbox, &["--run", "last", "-n", "1", "db", "web"], &["web          | web four"]);
    check(&sandbox, &["--run", "-1", "-n", "1", "db", "web"], &["error: net"]);
    let none = ask(&sandbox, &["web", "--run", "-3"]);
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.err.contains("error: no unit has had so many runs\n"), "{none:?}");
}

#[test]
fn colours_are_for_whoever_wants_them() {
    let sandbox = sample();
    let out = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command(&["logs", "web", "-g", "disk|net", "-n", "1"]);
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let forced = ("CLICOLOR_FORCE", "1");
    assert_eq!(out(&[]), "error: net\n");
    assert_eq!(out(&[forced]), "error: \u{1b}[1;31mnet\u{1b}[0m\n");
    assert_eq!(out(&[forced, ("NO_COLOR", "1")]), "error: net\n");
    let mut command = sandbox.command(&["logs", "--run", "last"]);
    let out = String::from_utf8(command.env("CLICOLOR_FORCE", "1").output().unwrap().stdout);
    let out = out.unwrap();
    let label = out.lines().next().unwrap().strip_suffix("db one").unwrap().to_owned();
    assert!(
        label.starts_with("\u{1b}[") && label.ends_with("db           | \u{1b}[0m"),
        "{label:?}"
    );
    assert_eq!(out.matches(&label).count(), 2, "{out}");
}

#[test]
fn a_pager_is_for_terminals_only_and_may_leave_early() {
    let sandbox = sample();
    let on_terminal = |variables: &str, options: &str| {
        let line = format!("{variables} {} logs web {options}", crate::sandbox::BINARY);
        sandbox.shell(&format!("script -qec '{line}' /dev/null < /dev/null"))
    };
    let paged = |text: &str| text.contains("paged:");
    let sed = "TERM=xterm MAINSTAY_PAGER=\"sed s/^/paged:/\"";
    let out = on_terminal(sed, "-n 1");
    assert!(out.contains("paged:web four"), "{out:?}");
    assert!(paged(&on_terminal("TERM=xterm PAGER=\"sed s/^/paged:/\"", "")));
    // What one has chosen for this program goes before what one has chosen for all.
    let both = "TERM=xterm PAGER=\"sed s/^/paged:/\" MAINSTAY_PAGER=";
    for (variables, options) in [(sed, "--no-pager"), (sed, "--raw"), (both, "")] {
        let out = on_terminal(variables, options);
        assert!(out.contains("web four") && !paged(&out), "{variables} {options}: {out:?}");
    }
    // `script` ends as the command has ended.
    let left = on_terminal("TERM=xterm MAINSTAY_PAGER=\"head -n 1\"", "--no-prefix -n all");
    assert!(left.contains("web one") && !left.contains("web four"), "{left:?}");
    let out = ask(&sandbox, &["web", "-n", "1"]);
    assert_eq!(out.out, "web four\n");
}
