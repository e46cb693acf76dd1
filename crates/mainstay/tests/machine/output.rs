//! What programs write is what `logs --raw` gives, byte for byte.

use std::fs;

use crate::{processes::wait_until, sandbox::Sandbox};

/// Runs a shell text that writes and then ends; returns the instance when it has ended.
fn written_by(shell: &str, logs: &str) -> Sandbox {
    let sandbox = Sandbox::new("");
    fs::write(sandbox.path("program"), shell).unwrap();
    written_in(sandbox, logs)
}

fn written_in(mut sandbox: Sandbox, logs: &str) -> Sandbox {
    let config = "[services.writer]\ncommand = [\"sh\", \"program\"]\ntype = \"task\"\n";
    fs::write(sandbox.file(), format!("{config}logs = {{ {logs} }}\n")).unwrap();
    sandbox.up();
    sandbox.wait_for("writer", |unit| unit.state == "completed");
    sandbox
}

/// Returns everything that `logs --raw` gives, once there is as much as was written.
fn raw(sandbox: &Sandbox, length: usize, more: &[&str]) -> Vec<u8> {
    let arguments = [&["logs", "writer", "--raw", "--lines", "all"], more].concat();
    let mut bytes = Vec::new();
    wait_until("everything is in the log", || {
        bytes = sandbox.command(&arguments).output().unwrap().stdout;
        bytes.len() >= length
    });
    bytes
}

#[test]
fn half_lines_on_both_streams_stay_in_the_order_in_which_they_were_written() {
    let program =
        "printf 'out '; printf 'err ' >&2; printf 'out\\n'; printf 'err\\n' >&2; printf end";
    let expected = "out err out\nerr\nend";
    let sandbox = written_by(program, "streams = \"joined\"");
    assert_eq!(raw(&sandbox, expected.len(), &[]), expected.as_bytes());
}

#[test]
fn split_streams_are_complete_each_for_itself() {
    let program =
        "printf 'out '; printf 'err ' >&2; printf 'out\\n'; printf 'err\\n' >&2; printf end";
    let sandbox = written_by(program, "streams = \"split\"");
    assert_eq!(raw(&sandbox, 11, &["--stream", "stdout"]), b"out out\nend");
    assert_eq!(raw(&sandbox, 8, &["--stream", "stderr"]), b"err err\n");
}

#[test]
fn who_asks_for_output_that_is_discarded_is_told_so() {
    let sandbox =
        Sandbox::up_with("[services.mute]\ncommand = [\"sleep\", \"1000\"]\nlogs = \"off\"\n");
    sandbox.wait_for_pid("mute");
    let told = "its output is discarded (`logs = \"off\"`)";
    let logs = sandbox.ask(&["logs", "mute"]);
    assert_eq!((logs.code, logs.out.as_str()), (0, ""), "{logs:?}");
    assert_eq!(logs.err, format!("note: `mute` has no log: {told}\n"));
    for command in ["show", "why"] {
        assert!(sandbox.get(&[command, "mute"]).contains(told), "{command}");
    }
}

#[test]
fn any_bytes_come_out_as_they_went_in() {
    let sandbox = Sandbox::new("");
    // All pairs of bytes: NULs, broken UTF-8, escape codes, carriage returns.
    let bytes: Vec<u8> =
        (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).flat_map(move |b| [a, b])).collect();
    fs::write(sandbox.path("bytes"), &bytes).unwrap();
    fs::write(sandbox.path("program"), "cat bytes; cat bytes >&2").unwrap();
    let sandbox = written_in(sandbox, "max-size = \"4KiB\", keep = 0");
    let expected = [bytes.as_slice(), &bytes].concat();
    assert!(raw(&sandbox, expected.len(), &[]) == expected, "bytes were changed");
    let shown = sandbox.get(&["logs", "writer", "--lines", "all"]);
    assert!(!shown.contains(['\u{1b}', '\0', '\r']), "a terminal would obey");
}

#[test]
fn a_hundred_megabytes_without_a_newline_are_complete() {
    const LENGTH: usize = 100_000_000;
    let program = format!("head -c {LENGTH} /dev/zero | tr '\\0' x");
    let sandbox = written_by(&program, "keep = 0");
    let bytes = raw(&sandbox, LENGTH, &[]);
    assert_eq!(bytes.len(), LENGTH);
    assert!(bytes.iter().all(|byte| *byte == b'x'), "bytes were changed");
    let why = sandbox.get(&["why", "writer"]);
    assert!(why.contains("xxx…\n") && why.len() < 20_000, "why shows {} bytes", why.len());
}
