//! Logs that go into a file: as a whole or not at all, and nothing that was there is lost.

use std::{fs, path::Path, process::Command};

use mainstay_platform::paths;

use crate::{
    processes::wait_until,
    sandbox::{BINARY, Sandbox, answer_of},
};

/// Writes 30,000 lines, in many segments that are compressed.
const MANY: &str = "[services.web]\nshell = \"seq -f 'line %g' 30000; exec sleep 1000\"\n\
    logs = { max-size = \"64KiB\", keep = 100, compress = \"zstd\" }\n\
    [services.red]\nshell = 'printf \"\\033[31mred\\033[0m\\n\"; exec sleep 1000'\n";

fn up() -> Sandbox {
    let sandbox = Sandbox::up_with(MANY);
    wait_until("all is written", || sandbox.get(&["logs", "web", "-n", "1"]) == "line 30000\n");
    wait_until("all is written", || sandbox.get(&["logs", "red", "-n", "1"]) == "red\n");
    sandbox
}

/// Returns what these lines are, from the first number to the last.
fn lines(first: u32, last: u32) -> String {
    (first..=last).map(|number| format!("line {number}\n")).collect::<Vec<_>>().concat()
}

#[test]
fn a_log_goes_into_a_file_as_it_is_shown_or_as_it_was_written() {
    let sandbox = up();
    let answer = sandbox.ask(&["logs", "web", "--out", "web.log"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, ""), "{answer:?}");
    assert!(answer.err.starts_with("wrote ") && answer.err.ends_with(" into `web.log`\n"));
    assert_eq!(sandbox.read("web.log"), lines(1, 30_000));
    sandbox.get(&["logs", "web", "--raw", "--out", "raw.log"]);
    assert_eq!(sandbox.read("raw.log"), lines(1, 30_000));
    sandbox.get(&["logs", "web", "-o", "few.log", "-n", "3"]);
    assert_eq!(sandbox.read("few.log"), lines(29_998, 30_000));
    assert_eq!(sandbox.get(&["logs", "web", "--out", "-"]), lines(1, 30_000));
    sandbox.get(&["logs", "red", "--out", "red.log"]);
    assert_eq!(sandbox.read("red.log"), "red\n");
    sandbox.get(&["logs", "red", "--raw", "--out", "red.raw"]);
    assert_eq!(sandbox.read("red.raw"), "\u{1b}[31mred\u{1b}[0m\n");
    sandbox.get(&["logs", "--run", "1", "--json", "-g", "red|line 7$", "--out", "two.jsonl"]);
    let two = sandbox.read("two.jsonl");
    assert!(two.lines().all(|line| line.starts_with("{\"time\":\"")), "{two}");
    assert_eq!(two.lines().count(), 2, "{two}");
}

#[test]
fn a_file_is_compressed_by_its_name_and_every_zstd_reads_it() {
    let sandbox = up();
    sandbox.get(&["logs", "web", "--out", "web.log.zst"]);
    let size = |name: &str| fs::metadata(sandbox.path(name)).unwrap().len();
    assert!(size("web.log.zst") < 200_000);
    let mut zstd = sandbox.prepare(Command::new("zstd"), &["--decompress", "--stdout"]);
    let whole = answer_of(zstd.arg("web.log.zst"));
    assert_eq!((whole.code, whole.out), (0, lines(1, 30_000)));
}

#[test]
fn nothing_is_replaced_unless_it_is_said_and_a_failure_leaves_no_half() {
    let sandbox = up();
    fs::write(sandbox.path("web.log"), "mine\n").unwrap();
    let answer = sandbox.ask(&["logs", "web", "--out", "web.log"]);
    let expected = "error: `web.log` is there already\n\
                    hint:  name another file, or replace it with `--force`\n";
    assert_eq!((answer.code, answer.err.as_str()), (1, expected));
    assert_eq!(sandbox.read("web.log"), "mine\n");
    sandbox.get(&["logs", "web", "--out", "web.log", "--force"]);
    assert_eq!(sandbox.read("web.log"), lines(1, 30_000));
    // A file may be no longer than so much: the disk is full, as far as we can tell.
    let answer = sandbox.shell(&format!(
        "(trap '' XFSZ; ulimit -f 8; {BINARY} logs web --out half.log 2>&1) || echo $?"
    ));
    assert!(answer.starts_with("error: cannot write the output: ") && answer.ends_with("\n1\n"));
    let names = fs::read_dir(sandbox.folder()).unwrap();
    let halves = names
        .filter(|name| name.as_ref().unwrap().file_name().to_string_lossy().contains("half.log"));
    assert_eq!(halves.count(), 0);
    let nowhere = sandbox.ask(&["logs", "web", "--out", "no/where.log"]);
    assert!(nowhere.err.starts_with("error: cannot write `no/where.log`: No such file"));
    assert_eq!(sandbox.ask(&["logs", "web", "--force"]).code, 2);
}

#[test]
fn an_exported_log_is_nobody_elses_and_what_lies_beside_it_is_not_touched() {
    let sandbox = up();
    fs::write(sandbox.path("web.log.new"), "mine\n").unwrap();
    fs::write(sandbox.path("theirs"), "theirs\n").unwrap();
    paths::link(Path::new("theirs"), &sandbox.path("link.log.new")).unwrap();
    paths::link(Path::new("theirs"), &sandbox.path("link.log")).unwrap();
    let export = format!("umask 0; {BINARY} logs web -n 1 --out web.log; stat -c %a web.log");
    assert_eq!(sandbox.shell(&export), "600\n");
    assert_eq!(sandbox.read("web.log.new"), "mine\n");
    assert_eq!(sandbox.ask(&["logs", "web", "-n", "1", "--out", "link.log"]).code, 1);
    sandbox.get(&["logs", "web", "-n", "1", "--out", "link.log", "--force"]);
    assert_eq!(sandbox.read("link.log"), "line 30000\n");
    assert_eq!(sandbox.read("theirs"), "theirs\n");
    // Stands for a device: one of the system's own would be lost, should this ever break.
    let refused = "mkfifo pipe; $BINARY logs web --out pipe --force 2>&1; stat -c %F pipe";
    let expected =
        "error: `pipe` is no regular file\nhint:  name another file; `--out -` is stdout\nfifo\n";
    assert_eq!(sandbox.shell(&refused.replace("$BINARY", BINARY)), expected);
}
