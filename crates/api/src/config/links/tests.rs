//! What people type about who depends on whom, and what they are told.

use std::fmt::Write as _;

use mainstay_core::ServiceName;

use super::super::{Config, Diagnostic, SourceText, parse};

/// Returns services, each with one line of its own.
fn services(all: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, line) in all {
        writeln!(text, "[services.{name}]\ncommand = [\"x\"]\n{line}").unwrap();
    }
    text
}

fn read(text: &str) -> Config {
    parse(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]).unwrap()
}

fn told(files: &[SourceText<'_>]) -> Vec<String> {
    let line = |one: &Diagnostic| {
        let place = format!("{}:{}:{}", one.file, one.line, one.column);
        format!("{place} {}; {}", one.message, one.help)
    };
    parse(files).unwrap_err().iter().map(line).collect()
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(told(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]), expected, "{text}");
}

fn names(all: &[ServiceName]) -> Vec<&str> {
    all.iter().map(ServiceName::as_str).collect()
}

#[test]
fn all_keys_are_read_and_before_is_after_of_the_other_one() {
    let text = services(&[
        ("a", "before = [\"b\"]\nbinds-to = [\"c\"]\npart-of = [\"b\"]"),
        ("b", "requires = [\"@network\", \"c\"]"),
        ("c", ""),
    ]);
    let core = read(&text).core();
    let of = |name: &str| &core[&ServiceName::new(name).unwrap()];
    assert_eq!(names(&of("b").after), ["a"]);
    assert_eq!((names(&of("b").requires), of("b").bonds.network), (vec!["c"], true));
    assert_eq!(names(&of("a").bonds.binds_to), ["c"]);
    assert_eq!(names(&of("a").bonds.part_of), ["b"]);
    assert!(!of("a").bonds.network && of("a").after.is_empty());
}

#[test]
fn a_group_stands_for_its_services_and_for_those_of_its_groups() {
    let text = services(&[
        ("api", "after = [\"@web\"]"),
        ("worker", ""),
        ("db", ""),
        ("top", "requires = [\"@all\", \"api\"]"),
    ]) + "[groups.web]\nservices = ['api', 'worker']\ndescription = 'the site'\n\
          [groups.all]\nservices = ['@web', 'db']\n";
    let config = read(&text);
    let of = |name: &str| &config.services[&ServiceName::new(name).unwrap()];
    assert_eq!(names(&of("top").requires), ["db", "api", "worker"], "each once");
    assert_eq!(names(&of("api").after), ["worker"], "nobody means itself by a group");
    let web = &config.groups[&ServiceName::new("web").unwrap()];
    assert_eq!(web.description.as_deref(), Some("the site"));
    let all = &config.groups[&ServiceName::new("all").unwrap()];
    assert_eq!(
        (names(&all.services), &all.members[..]),
        (vec!["db", "api", "worker"], &["@web".to_owned(), "db".to_owned()][..])
    );
}

#[test]
fn a_group_of_one_file_holds_services_of_another() {
    let (main, more) = (services(&[("api", "")]), "[groups.web]\nservices = [\"api\"]\n");
    let files = [("a.toml", main.as_str()), ("b.toml", more)];
    let files = files.map(|(file, text)| SourceText { file, bytes: text.as_bytes() });
    assert_eq!(parse(&files).unwrap().groups.len(), 1);
    let twice = [files[0], files[1], SourceText { file: "c.toml", ..files[1] }];
    assert_eq!(
        told(&twice),
        ["c.toml:1:9 group `web` is defined twice; it stands in b.toml:1 already"]
    );
}

#[test]
fn names_that_mean_nothing_are_told_with_a_suggestion() {
    let all = |line: &str| services(&[("api", ""), ("web", line)]);
    let group = "[groups.front]\nservices = [\"api\"]\n";
    for (key, verb) in
        [("before", "comes before"), ("binds-to", "is bound to"), ("part-of", "is part of")]
    {
        let place = format!("x.toml:6:{}", key.len() + 5);
        let told = format!(
            "{place} service `web` {verb} `apo`, which is not defined; did you mean `api`?"
        );
        check(&all(&format!("{key} = [\"apo\"]")), &[&told]);
    }
    check(
        &(all("requires = [\"@frnt\"]") + group),
        &[
            "x.toml:6:13 service `web` requires `@frnt`, which is not defined; did you mean `@front`?",
        ],
    );
    check(
        &all("requires = [\"@netwrk\"]"),
        &[
            "x.toml:6:13 service `web` requires `@netwrk`, which is not defined; did you mean `@network`?",
        ],
    );
    check(
        &all("wants = [\"@network\"]"),
        &["x.toml:6:10 `@network` cannot stand in `wants`; write `requires = [\"@network\"]`"],
    );
    check(
        &all("wants = [\"@a b\"]"),
        &[
            "x.toml:6:10 `@a b` cannot name a group; a name has letters, digits, `-`, `_` and `.` only",
        ],
    );
    check(&all("part-of = [\"web\"]"), &["x.toml:6:12 service `web` is part of itself; remove it"]);
}

#[test]
fn mistakes_in_groups_are_named_with_place_and_remedy() {
    let with = |group: &str| services(&[("api", "")]) + group;
    check(
        &with("[groups.web]\nservices = ['apo', '@wob', 'zzzz']\n"),
        &[
            "x.toml:5:13 group `web` names `apo`, which is not defined; did you mean `api`?",
            "x.toml:5:20 group `web` names `@wob`, which is not defined; did you mean `@web`?",
            "x.toml:5:28 group `web` names `zzzz`, which is not defined; there is no such service; take it out of the group",
        ],
    );
    check(
        &with("[groups.network]\nservices = ['api']\n"),
        &["x.toml:4:9 `network` cannot name a group; `@network` is the network of the machine"],
    );
    check(
        &with("[groups.web]\nservices = ['api', '@network']\n"),
        &["x.toml:5:20 group `web` cannot hold `@network`; name it in the `requires` of services"],
    );
    check(
        &with("[groups.web]\nservices = []\n"),
        &["x.toml:4:9 group `web` has no services; name one, or remove the group"],
    );
    check(
        &with("[groups.web]\nservice = ['api']\n"),
        &[
            "x.toml:4:9 group `web` has no services; name one, or remove the group",
            "x.toml:5:1 unknown key `service` in group `web`; did you mean `services`?",
        ],
    );
    check(
        &with("[groups.web]\nservices = ['api']\ndescription = \"\"\"a\nb\"\"\"\n"),
        &[
            "x.toml:6:15 `description` is too long, or has more than one line; it has one line of at most 200 letters",
        ],
    );
    check(
        &with("[groups]\nweb = 1\n"),
        &["x.toml:5:7 `web` must be a table, not a whole number; "],
    );
}

#[test]
fn groups_that_hold_each_other_are_named_as_a_path() {
    let text = services(&[("api", "")])
        + "[groups.a]\nservices = ['@b']\n[groups.b]\nservices = ['api', '@c']\n\
           [groups.c]\nservices = ['@b']\n";
    check(
        &text,
        &["x.toml:6:9 groups hold each other: `@b` → `@c` → `@b`; take one of them out of another"],
    );
    check(
        &(services(&[("api", "")]) + "[groups.a]\nservices = ['@a', 'api']\n"),
        &["x.toml:4:9 groups hold each other: `@a` → `@a`; take one of them out of another"],
    );
}

#[test]
fn a_cycle_names_every_key_and_where_it_stands() {
    let main = services(&[("a", "binds-to = [\"b\"]"), ("b", "")]);
    let more = services(&[("c", "before = [\"b\"]\nrequires = [\"@ring\"]")])
        + "[groups.ring]\nservices = [\"a\"]\n";
    let files = [("x.toml", &main), ("y.toml", &more)];
    let files = files.map(|(file, text)| SourceText { file, bytes: text.as_bytes() });
    assert_eq!(
        told(&files),
        [
            "x.toml:1:11 services wait for each other: `a` → `b` → `c` → `a`; `a` is bound to `b` (x.toml:3); `c` comes before `b` (y.toml:3); `c` requires `a` by `@ring` (y.toml:4); take one of these out"
        ]
    );
}

#[test]
fn parts_of_each_other_are_no_cycle() {
    let text = services(&[("a", "part-of = [\"b\"]"), ("b", "part-of = [\"a\"]")]);
    assert_eq!(read(&text).services.len(), 2);
}
