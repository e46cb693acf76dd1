//! What programs say in any code page, and a log that is closed for its age.

use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
    time::Duration,
};

use crate::{
    foreground::Up,
    sandbox::{BINARY, Sandbox, wait_for},
};

/// Says that this process is the program.
const VARIABLE: &str = "MAINSTAY_TEST_CODE_PAGES";
/// The same two letters in code page 936 (GBK) and in UTF-8, and bytes that are neither.
const LINES: [&[u8]; 3] =
    [b"gbk \xd6\xd0\xce\xc4\n", b"utf8 \xe4\xb8\xad\xe6\x96\x87\n", b"none \xff\x80\n"];
/// How they are shown: each byte that is no UTF-8 as one sign.
const SHOWN: [&str; 3] =
    ["gbk \u{fffd}\u{fffd}\u{fffd}\u{fffd}", "utf8 中文", "none \u{fffd}\u{fffd}"];

#[test]
fn bytes_of_any_code_page_are_kept_and_a_log_is_closed_for_its_age() {
    let command = program().map(|word| format!("'{word}'")).join(", ");
    let sandbox = Sandbox::new(&format!(
        "[services.web]\ncommand = [{command}]\nstop = {{ timeout = '2s' }}\n\
         environment = {{ {VARIABLE} = '1' }}\n\
         logs = {{ every = '1s', keep = 0, compress = 'off' }}\n"
    ));
    let up = Up::start(&sandbox);
    let said = LINES.concat();
    let raw = || printed(&sandbox, &["logs", "web", "--raw", "-n", "all"]);
    wait_for("all is said", || holds(&raw(), &said).then_some(()));
    let shown = sandbox.get(&["logs", "web", "-n", "all"]);
    assert!(shown.contains(&(SHOWN.join("\n") + "\n")), "{shown}");
    let found = sandbox.get(&["logs", "web", "--grep", "中", "--json"]);
    assert!(found.contains(SHOWN[1]) && found.lines().count() == 1, "{found}");

    let folder = sandbox.folder().join(".mainstay").join("logs").join("web");
    let closed = folder.join("web.000001.log");
    wait_for("what is said in another second closes the log", || {
        sandbox.get(&["restart", "web"]);
        closed.exists().then_some(())
    });
    assert!(fs::metadata(&closed).unwrap().len() < 64 * 1024, "it was not closed for its size");
    assert!(holds(&raw(), &said), "the bytes are those that were said");
    up.end();
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|found| found == part)
}

/// Returns what a command prints, byte by byte.
fn printed(sandbox: &Sandbox, words: &[&str]) -> Vec<u8> {
    let mut command = Command::new(BINARY);
    command.args(words).args(["--instance", sandbox.instance()]);
    let output = command.current_dir::<&Path>(sandbox.folder()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn program() -> [String; 4] {
    let own = env::current_exe().unwrap().display().to_string();
    let name = "log_bytes::a_program_says_what_it_says_in_its_code_page";
    [&own, "--exact", name, "--nocapture"].map(ToOwned::to_owned)
}

#[test]
fn a_program_says_what_it_says_in_its_code_page() {
    let is_asked = env::var_os(VARIABLE).is_some();
    if is_asked {
        let mut out = io::stdout().lock();
        // The harness may have begun a line.
        out.write_all(&[b"\n", LINES.concat().as_slice()].concat()).unwrap();
        out.flush().unwrap();
    }
    // So long lives a program that nobody ends.
    std::thread::park_timeout(if is_asked { Duration::from_mins(2) } else { Duration::ZERO });
}
