//! Wrong configuration files: every mistake at once, with its place, and nothing starts.

use std::fs;

use crate::sandbox::{Answer, Sandbox};

/// Expects `check` to refuse a text with these words on stderr; `FILE` stands for the path.
fn check(text: impl AsRef<[u8]>, expected: &str) {
    let sandbox = Sandbox::new("");
    fs::write(sandbox.file(), text).unwrap();
    let Answer { code, out, err } = sandbox.ask(&["check"]);
    let err = err.replace(&sandbox.file().display().to_string(), "FILE");
    assert_eq!((code, out.as_str(), err.as_str()), (1, "", expected.trim_start()));
    let up = sandbox.ask(&["up"]);
    assert_eq!((up.code, up.out.as_str()), (1, ""));
    assert_eq!(up.err.replace(&sandbox.file().display().to_string(), "FILE"), err);
    assert!(!sandbox.path(".mainstay").exists(), "a bad file left traces");
}

#[test]
fn every_mistake_is_shown_at_once() {
    check(
        r#"
[services.web]
comand = ["sleep", "1"]
restart = { delay = "5 parsecs" }

[services.api]
command = ["sleep", "1"]
instances = "two"
requires = ["wbe"]
logs = { max-size = "ten" }
"#,
        r#"
error: unknown key `comand` in service `web`
 --> FILE:3:1
  |
3 | comand = ["sleep", "1"]
  | ^^^^^^
  = help: did you mean `command`?

error: `5 parsecs` is no duration; write `200ms`, `1.5s`, `10m`, `2h` or `1d`
 --> FILE:4:21
  |
4 | restart = { delay = "5 parsecs" }
  |                     ^^^^^^^^^^^

error: `instances` must be a whole number, not a text
 --> FILE:8:13
  |
8 | instances = "two"
  |             ^^^^^

error: service `api` requires `wbe`, which is not defined
 --> FILE:9:13
  |
9 | requires = ["wbe"]
  |             ^^^^^
  = help: did you mean `web`?

error: `ten` is no size; write `512KiB`, `10MiB` or `1GiB`
  --> FILE:10:21
   |
10 | logs = { max-size = "ten" }
   |                     ^^^^^
"#,
    );
}

#[test]
fn a_service_that_is_defined_twice_is_pointed_at() {
    check(
        "[services.api]\ncommand = [\"a\"]\n\n[services.api]\ncommand = [\"b\"]\n",
        r#"
error: duplicate key
 --> FILE:4:11
  |
4 | [services.api]
  |           ^^^

error: duplicate key
 --> FILE:5:1
  |
5 | command = ["b"]
  | ^^^^^^^
"#,
    );
}

#[test]
fn a_cycle_is_shown_whole() {
    let service = |name: &str, how: &str, other: &str| {
        format!("[services.{name}]\ncommand = [\"true\"]\n{how} = [\"{other}\"]\n")
    };
    let text = service("a", "requires", "b") + &service("b", "after", "c");
    check(
        text + &service("c", "wants", "a"),
        r"
error: services wait for each other: `a` → `b` → `c` → `a`
 --> FILE:1:11
  |
1 | [services.a]
  |           ^
  = help: `a` requires `b` (FILE:3); `b` comes after `c` (FILE:6); `c` wants `a` (FILE:9); take one of these out
",
    );
}

#[test]
fn a_half_written_file_is_refused_where_it_breaks_off() {
    check(
        "[services.a]\ncommand = [\"slee",
        r#"
error: unclosed array, expected `]`
 --> FILE:2:17
  |
2 | command = ["slee
  |                 ^

error: invalid basic string, expected `"`
 --> FILE:2:17
  |
2 | command = ["slee
  |                 ^
"#,
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_with_the_byte() {
    check(
        b"[services.a]\ncommand = [\"caf\xe9\"]\n",
        r"
error: the file is not UTF-8: byte 28 in line 2
  --> FILE
  = help: save it as UTF-8
",
    );
}

#[test]
fn a_huge_file_is_refused_unread() {
    check(
        vec![b'#'; 10_000_000],
        r"
error: the file has more than 1048576 bytes
  --> FILE
  = help: split it into files under `services.d`
",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let sandbox = Sandbox::new("");
    let refused = |argument: &str, reason: &str| {
        let answer = sandbox.ask(&["check", argument]);
        let err = format!("error: cannot read the file: {reason}\n  --> {argument}\n");
        assert_eq!(answer, Answer { code: 1, out: String::new(), err });
    };
    refused("nowhere.toml", "No such file or directory (os error 2)");
    refused("run", "Is a directory (os error 21)");
}

#[test]
fn files_in_services_d_are_read_and_named_too() {
    let sandbox = Sandbox::new("[services.web]\ncommand = [\"true\"]\n");
    fs::create_dir(sandbox.path("services.d")).unwrap();
    let other = sandbox.path("services.d/api.toml");
    fs::write(&other, "[services.web]\ncommand = [\"true\"]\n").unwrap();
    let answer = sandbox.ask(&["check"]);
    let (file, other) = (sandbox.file().display().to_string(), other.display().to_string());
    let err = answer.err.replace(&file, "FILE").replace(&other, "OTHER");
    assert_eq!(answer.code, 1);
    assert_eq!(
        err,
        r"error: service `web` is defined twice
 --> OTHER:1:11
  |
1 | [services.web]
  |           ^^^
  = help: it stands in FILE:1 already
"
    );
}
