//! What is kept of logs: segments are compressed and deleted while they are written and read.

use std::{fs, path::Path};

use crate::{
    foreground::Up,
    own_files::{LINES, VARIABLE, program},
    sandbox::{Sandbox, wait_for},
};

#[test]
fn a_compressed_log_reads_as_it_was_written_and_goes_by_its_number() {
    let command = program().map(|word| format!("'{word}'")).join(", ");
    let sandbox = Sandbox::new(&format!(
        "[services.count]\ncommand = [{command}]\nstop = {{ timeout = '2s' }}\n\
         environment = {{ {VARIABLE} = '{LINES}' }}\n\
         logs = {{ max-size = '64KiB', keep = 0, every = '1h' }}\n"
    ));
    let up = Up::start(&sandbox);
    let last = format!("line {}\n", LINES - 1);
    wait_for("all is written", || {
        sandbox.get(&["logs", "count", "--raw", "-n", "1"]).ends_with(&last).then_some(())
    });
    let folder = sandbox.folder().join(".mainstay").join("logs").join("count");
    wait_for("most of it is compressed", || (count(&folder, ".zst") > 5).then_some(()));
    let all = sandbox.get(&["logs", "count", "--raw", "-n", "all"]);
    let lines: Vec<String> = (0..LINES).map(|number| format!("line {number}\n")).collect();
    let expected = lines.concat();
    assert!(all.ends_with(&expected), "a line is missing, torn or there twice");
    let found = sandbox.get(&["logs", "count", "--grep", "^line 1234$", "-n", "all"]);
    assert_eq!(found.trim_end(), "line 1234", "it lies in a segment that is compressed");

    sandbox.get(&["set", "count", "logs.keep=2"]);
    sandbox.get(&["restart", "count"]);
    wait_for("the rest is gone", || (count(&folder, ".zst") <= 2).then_some(()));
    up.end();
}

/// Counts files by how their names end.
fn count(folder: &Path, end: &str) -> usize {
    let files = fs::read_dir(folder).unwrap().flatten();
    files.filter(|file| file.file_name().to_string_lossy().ends_with(end)).count()
}
