//! What people type, and what they are told.

use std::time::Duration;

use mainstay_core::{ServiceName, service::Delays};

use super::*;
use crate::keeper::{Priority, Share, Streams};

#[test]
fn a_number_out_of_range_is_told_the_range() {
    for number in ["0", "10001", "99999999999", "-1"] {
        let text = format!("[services.web]\ncommand = [\"web\"]\ninstances = {number}\n");
        check(&text, "3:13 `instances` must be between 1 and 10000");
    }
}

#[test]
fn mistakes_are_named_with_place_and_remedy() {
    let web = |line: &str| format!("[services.web]\ncommand = [\"web\"]\n{line}\n");
    check(
        &web("instnces = 2"),
        "3:1 unknown key `instnces` in service `web`; did you mean `instances`?",
    );
    check(&web("instances = \"2\""), "3:13 `instances` must be a whole number, not a text");
    check(
        &web("stop = { timeout = \"5 parsecs\" }"),
        "3:20 `5 parsecs` is no duration; write `200ms`, `1.5s`, `10m`, `2h` or `1d`",
    );
    check(
        &web("stop = { timeout = 5 }"),
        "3:20 `timeout` must be a duration as text, such as \"5s\", not a whole number",
    );
    check(
        &web("logs = { max-size = \"10\" }"),
        "3:21 `10` is no size; write `512KiB`, `10MiB` or `1GiB`",
    );
    check(&web("start = \"atuo\""), "3:9 `start` cannot be `atuo`; did you mean `auto`?");
    check(
        &web("restart = { exit = { 0 = \"explode\" } }"),
        "3:26 an entry of `exit` makes no sense; write `42 = \"stop\"`, `TERM = \"fail\"` or `failure = \"exit\"`; there is restart, stop, fail, exit",
    );
    check(
        &web("requires = [\"bd\"]\n[services.db]\ncommand = [\"db\"]"),
        "3:13 service `web` requires `bd`, which is not defined; did you mean `db`?",
    );
    for (key, verb) in
        [("wants", "wants"), ("after", "comes after"), ("conflicts", "conflicts with")]
    {
        let column = key.len() + 5;
        check(
            &web(&format!("{key} = [\"bd\"]\n[services.db]\ncommand = [\"db\"]")),
            &format!(
                "3:{column} service `web` {verb} `bd`, which is not defined; did you mean `db`?"
            ),
        );
    }
    check(
        &web("shell = \"web\""),
        "3:9 `command` and `shell` exclude each other; remove one of them",
    );
    check(&web("user = {}"), "3:1 `user` is not supported by this version; remove it for now");
    check(
        &web("stop = { command = [\"x\"] }"),
        "3:10 `command` is not supported by this version; remove it for now",
    );
    check(
        "[services.web]\n",
        "1:11 the service has no command; add `command = [\"program\", \"argument\"]`",
    );
    check("[services.web]\ncommand = \"a 'b\"\n", "2:11 `command` has a quote that is not closed");
    check(
        "[services.\"w eb\"]\n",
        "1:11 `w eb` cannot name a service; a name has letters, digits, `-`, `_` and `.` only",
    );
    check("services = 1\n", "1:12 `services` must be a table, not a whole number");
}

#[test]
fn files_of_ones_own_say_how_the_streams_are_captured() {
    let logs = |line: &str| {
        let text = format!("[services.web]\ncommand = ['x']\nlogs = {line}\n");
        let config = parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }]);
        config.unwrap().services.into_values().next().unwrap().logs
    };
    let one = logs("{ path = 'web.log' }");
    assert_eq!(one.streams, Streams::Joined);
    assert_eq!(one.path.files, LogFiles::Joined("web.log".to_owned()));
    let table = "{ path = { stdout = 'a', stderr = 'a', max-size = '1MiB', at-start = true } }";
    let same =
        LogPath { files: LogFiles::Joined("a".to_owned()), max_size: 1024 * 1024, at_start: true };
    assert_eq!((logs(table).streams, logs(table).path), (Streams::Joined, same));
    let two = logs("{ path = { stdout = 'a', stderr = 'b' } }");
    assert_eq!(two.streams, Streams::Split);
    assert_eq!(two.path.files.all().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(logs("{ path = { stderr = 'b' } }").streams, Streams::Split);
    assert_eq!(logs("{ path = {} }").path, LogPath::default());
}

#[test]
fn a_file_of_ones_own_has_one_writer() {
    let web = |line: &str| format!("[services.web]\ncommand = [\"web\"]\n{line}\n");
    check(
        &web("logs = { streams = \"split\", path = \"a\" }"),
        "3:20 split streams go into two files; take `streams` out, or name two files",
    );
    check(
        &web("logs = { streams = \"joined\", path = { stderr = \"a\" } }"),
        "3:20 joined streams go into one file; take `streams` out, or name one file for both",
    );
    check(&web("logs = { path = \"\" }"), "3:17 `path` is empty; remove it, or name a file");
    check(
        &web("logs = { path = \"a\" }\ninstances = 2"),
        "1:11 all 2 units of `web` would write `a`; take `logs.path` out: each unit has a log of its own",
    );
    check(
        &(web("logs = { path = \"a\" }")
            + "[services.api]\ncommand = [\"api\"]\nlogs = { path = { stderr = \"a\" } }\n"),
        "1:11 `web` and `api` would both write `a`; give each its own file",
    );
}

#[test]
fn a_share_of_the_processors_is_read_strictly() {
    let web = |line: &str| format!("[services.web]\ncommand = [\"web\"]\n{line}\n");
    check(&web("priority = \"hgih\""), "3:12 `priority` cannot be `hgih`; did you mean `high`?");
    check(&web("affinity = \"0-2,64\""), "3:12 `64` is no number from 0 to 63");
    check(
        &web("affinity = 3"),
        "3:12 `affinity` must be processors as text, such as \"0-2,4\", not a whole number",
    );
    let text = web("priority = \"below-normal\"\naffinity = \"0-2,4\"");
    let config = parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }]).unwrap();
    let web = &config.services[&ServiceName::new("web").unwrap()];
    let share = Share { priority: Some(Priority::BelowNormal), processors: Some(0b1_0111) };
    assert_eq!(web.share, share);
    let usual = ServiceConfig { share: Share::default(), ..web.clone() };
    assert_ne!(web.spec_hash(), usual.spec_hash(), "it is for the next run");
}

#[test]
fn what_no_system_passes_to_a_program_is_refused() {
    let web = |line: &str| format!("[services.web]\n{line}\n");
    let with = |entry: &str| web(&format!("command = [\"w\"]\nenvironment = {{ {entry} }}"));
    let name = |name: &str, column: usize| {
        format!(
            "3:{column} {name} cannot name a variable; a name has at least one letter, and no `=`"
        )
    };
    check(&with("\"\" = \"x\""), &name("\"\"", 22));
    check(&with("\"A=B\" = \"x\""), &name("\"A=B\"", 25));
    check(&with("\"A\\u0000\" = \"x\""), &name("\"A\\0\"", 29));
    let nul = "a text for a program has a NUL in it; remove it";
    check(&with("A = \"x\\u0000\""), &format!("3:21 {nul}"));
    check(&web("command = [\"w\", \"\\u0000\"]"), &format!("2:11 {nul}"));
    check(&web("command = \"w \\u0000\""), &format!("2:11 {nul}"));
    check(&web("shell = \"w \\u0000\""), &format!("2:9 {nul}"));
    check(&web("command = \"w\"\ndirectory = \"\\u0000\""), &format!("3:13 {nul}"));
}

#[test]
fn values_that_nobody_can_mean_are_refused() {
    let web = |line: &str| format!("[services.web]\ncommand = [\"web\"]\n{line}\n");
    let long = "213503982334601d";
    check(
        &web(&format!("stop = {{ timeout = \"{long}\" }}")),
        &format!("3:20 `{long}` is more than 366 days"),
    );
    check(&web("restart = { delays = [\"1s\", \"367d\"] }"), "3:29 `367d` is more than 366 days");
    check(&web("directory = \"\""), "3:13 `directory` is empty; remove it, or write `.`");
    check(
        &web("restart = { delay = \"5s\", max-delay = \"1s\" }"),
        "3:39 `max-delay` is less than `delay`; give both, the larger one as `max-delay`",
    );
    let service = read(&web("restart = { delay = \"5m\" }"));
    let five = Duration::from_mins(5);
    assert_eq!(service.restart.delays, Delays::Exponential { first: five, max: five });
    assert_eq!(read(&web("stop = { timeout = \"366d\" }")).stop.timeout.as_secs(), 31_622_400);
}

#[test]
fn no_service_is_called_like_a_segment_of_a_log() {
    let named = |name: &str| format!("[services.\"{name}\"]\ncommand = [\"x\"]\n");
    let remedy = "closed log segments end with `.` and 6 digits or more";
    check(&named("z.000001"), &format!("1:11 `z.000001` cannot name a service; {remedy}"));
    check(&named("z.1234567"), &format!("1:11 `z.1234567` cannot name a service; {remedy}"));
    for name in ["z.00001", "z.00000a", "000001"] {
        let text = named(name);
        let config = parse(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]).unwrap();
        assert_eq!(config.services.len(), 1);
    }
}

#[test]
fn a_program_gets_no_more_than_a_system_takes() {
    let with = |bytes: usize| {
        let value = "x".repeat(bytes);
        format!("[services.web]\ncommand = [\"web\"]\nenvironment = {{ A = \"{value}\" }}\n")
    };
    assert_eq!(read(&with(100_000)).environment["A"].len(), 100_000);
    check(
        &with(PROGRAM_BYTES_MAX),
        "1:11 command and environment have 131095 bytes, more than 131072; let the program read them from a file",
    );
}

#[test]
fn a_cycle_is_shown_as_a_path() {
    let text = "[services.a]\ncommand = [\"a\"]\nrequires = [\"b\"]\n[services.b]\ncommand = [\"b\"]\nafter = [\"a\"]\n";
    check(
        text,
        "1:11 services wait for each other: `a` → `b` → `a`; `a` requires `b` (x.toml:3); `b` comes after `a` (x.toml:6); take one of these out",
    );
}

#[test]
fn a_cycle_is_shown_whatever_else_is_wrong() {
    let text = "[services.a]\nrequires = [\"b\"]\n[services.b]\ncommand = [\"b\"]\nafter = [\"a\", \"zzz\"]\n";
    let expected = [
        "1:11 the service has no command; add `command = [\"program\", \"argument\"]`",
        "1:11 services wait for each other: `a` → `b` → `a`; `a` requires `b` (x.toml:2); `b` comes after `a` (x.toml:5); take one of these out",
        "5:15 service `b` comes after `zzz`, which is not defined; there is no such service",
    ];
    assert_eq!(told(text), expected);
}

#[test]
fn nobody_needs_two_that_exclude_each_other() {
    let service =
        |name: &str, line: &str| format!("[services.{name}]\ncommand = [\"x\"]\n{line}\n");
    let remedy = "remove it, or what requires them";
    check(
        &service("a", "conflicts = [\"a\"]"),
        &format!("3:14 service `a` conflicts with itself; {remedy}"),
    );
    let needing = |key: &str, last: &str| {
        service("a", &format!("{key} = [\"b\"]"))
            + &service("b", "requires = [\"c\"]")
            + &service("c", last)
    };
    check(
        &needing("requires", "conflicts = [\"a\"]"),
        &format!("9:14 service `c` conflicts with `a`, and `a` needs both to run; {remedy}"),
    );
    let either = service("web", "conflicts = [\"b\"]") + &needing("after", "");
    assert_eq!(read(&either).conflicts.len(), 1);
}

#[test]
fn several_mistakes_are_shown_in_one_run() {
    let text = "[services.a]\ncommand = 1\nwrong = 2\n[services.b]\n";
    assert_eq!(told(text).len(), 3);
}

#[test]
fn syntax_and_encoding_and_size_are_mistakes_like_others() {
    let half_written = b"[services.web]\ncommand = [\"web\"\n";
    let found = parse(&[SourceText { file: "x.toml", bytes: half_written }]).unwrap_err();
    assert_eq!(found[0].code, "syntax");
    assert!(told("[services.web]\ncommand = [\"a\"]\ncommand = [\"b\"]\n")[0].starts_with("3:1 "));
    let found =
        parse(&[SourceText { file: "x.toml", bytes: b"a = 1\nb = \"\xff\"\n" }]).unwrap_err();
    assert_eq!(found[0].message, "the file is not UTF-8: byte 11 in line 2");
    let utf_16 = b"\xff\xfe[\0s\0]\0\r\0\n\0";
    let found = parse(&[SourceText { file: "x.toml", bytes: utf_16 }]).unwrap_err();
    assert_eq!(found[0].message, "the file is UTF-16, which TOML is never written in");
    assert!(found[0].help.starts_with("save it as UTF-8"));
    let marked = b"\xef\xbb\xbf[services.web]\r\ncommand = [\"web\"]\r\n";
    assert_eq!(parse(&[SourceText { file: "x.toml", bytes: marked }]).unwrap().services.len(), 1);
    let huge = vec![b'#'; 10 * 1024 * 1024];
    let found = parse(&[SourceText { file: "x.toml", bytes: &huge }]).unwrap_err();
    assert_eq!(found[0].code, "file-too-large");
}

#[test]
fn two_files_may_not_define_one_service() {
    let text = b"[services.web]\ncommand = [\"web\"]\n";
    let files = ["a.toml", "b.toml"].map(|file| SourceText { file, bytes: text });
    let found = parse(&files).unwrap_err();
    assert_eq!(found[0].message, "service `web` is defined twice");
    assert_eq!(
        (found[0].file.as_str(), found[0].help.as_str()),
        ("b.toml", "it stands in a.toml:1 already")
    );
}

#[test]
fn a_service_that_says_nothing_but_its_command_gets_the_defaults() {
    let service = read("[services.web]\ncommand = \"web --port '80 80'\"\n");
    assert_eq!(service.command, ["web", "--port", "80 80"]);
    assert_eq!(service.stop.timeout, Duration::from_secs(30));
    assert_eq!(
        (service.restart.limit, service.logs.streams, service.logs.keep),
        (0, Streams::Joined, 10)
    );
    let (first, max) = (Duration::from_millis(200), Duration::from_mins(1));
    assert_eq!(service.restart.delays, Delays::Exponential { first, max });
}

#[test]
fn a_restart_without_delay_and_logs_with_limits_are_read() {
    let service = read(
        "[services.web]\ncommand = [\"w\"]\nrestart = { when = \"always\", delay = \"0s\", max-delay = \"0s\", limit = 0 }\nlogs = { max-size = \"10485760B\", keep = 300, compress = \"off\" }\n",
    );
    let zero = Duration::ZERO;
    assert_eq!(service.restart.delays, Delays::Exponential { first: zero, max: zero });
    assert_eq!((service.logs.max_size, service.logs.keep), (10_485_760, 300));
    assert_eq!(
        read("[services.web]\ncommand = [\"w\"]\nlogs = \"off\"\n").logs.streams,
        Streams::Off
    );
}

#[test]
fn only_what_the_program_sees_changes_the_hash() {
    let with =
        |line: &str| read(&format!("[services.web]\ncommand = [\"w\"]\n{line}\n")).spec_hash();
    let plain = with("");
    assert_eq!(with("stop = { timeout = \"1s\" }"), plain);
    assert_eq!(with("instances = 3"), plain);
    assert_ne!(with("environment = { A = \"b\" }"), plain);
    assert_ne!(with("directory = \"/x\""), plain);
}

fn check(text: &str, expected: &str) {
    assert_eq!(told(text), [expected], "{text}");
}

fn told(text: &str) -> Vec<String> {
    let found = parse(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]).unwrap_err();
    let line = |one: &Diagnostic| {
        let help = if one.help.is_empty() { String::new() } else { format!("; {}", one.help) };
        format!("{}:{} {}{help}", one.line, one.column, one.message)
    };
    found.iter().map(line).collect()
}

fn read(text: &str) -> ServiceConfig {
    let config = parse(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]).unwrap();
    config.services[&ServiceName::new("web").unwrap()].clone()
}
