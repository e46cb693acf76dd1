//! What is different each time, and what stands for it in a transcript.
//!
//! `DIR`, `BIN`, `PORT`, `TIME`, `PID`, `SPAN`, `SIZE`, `VERSION`, `ID`, `USER`; and two blanks for more of
//! them, since the width of columns follows what is in them. What is quoted, as values in a
//! configuration are, stays; so do states, codes, counts, numbers of runs and every word.

use std::{collections::BTreeSet, path::Path};

use regex::Regex;

use crate::sandbox::BINARY;

/// Patterns, in their order, and what stands for them. `-u` makes a border between a letter and a
/// Chinese one.
const RULES: &[(&str, &str)] = &[
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"(?-u:\b)[0-9a-f]{16}(?-u:\b)", "ID"),
    (
        r#"((?:pid|process|process is|process:|keeper|agent|进程号|进程|进程为|PID)"?:?[ （(]*)\d+(?-u:\b)"#,
        "${1}PID",
    ),
    (r"((?:user|用户) )\d+(?-u:\b)", "${1}USER"),
    (
        r#"([^"`\w.=]|^)\d+(?:\.\d+)? ?(?:(?:ns|µs|ms|s|min|m|h|d)(?-u:\b)|毫秒|秒|分钟|小时)"#,
        "${1}SPAN",
    ),
    (r#"([^"`\w.=]|^)\d+(?:\.\d+)? ?(?:B|KiB|MiB|GiB)(?-u:\b)"#, "${1}SIZE"),
    (r"-> \d+(?-u:\b)", "-> PID"),
    (r"mainstay-edit-\d+", "mainstay-edit-PID"),
    // What is under a line of a file stays under its place.
    (r"([^\s|])  +", "$1  "),
];

/// What is to be replaced.
#[derive(Debug)]
pub(super) struct Mask {
    names: Vec<(String, &'static str)>,
    pids: BTreeSet<String>,
    rules: Vec<(Regex, &'static str)>,
}

impl Mask {
    pub(super) fn new(folder: &Path, port: &str) -> Self {
        let folder = folder.to_str().unwrap().to_owned();
        let (bin, _) = BINARY.rsplit_once('/').unwrap();
        let names = vec![
            (format!("{folder}/work"), "DIR"),
            (folder, "BASE"),
            (bin.to_owned(), "BIN"),
            (port.to_owned(), "PORT"),
            (env!("CARGO_PKG_VERSION").to_owned(), "VERSION"),
        ];
        let rules = RULES.iter().map(|(pattern, name)| (Regex::new(pattern).unwrap(), *name));
        Self { names, pids: BTreeSet::new(), rules: rules.collect() }
    }

    /// Takes these for numbers of processes, where they stand in a column alone.
    pub(super) fn add(&mut self, pids: &BTreeSet<u32>) {
        self.pids.extend(pids.iter().map(u32::to_string));
    }

    pub(super) fn of(&self, text: &str) -> String {
        text.split_inclusive('\n').map(|line| self.line(line)).collect()
    }

    fn line(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for (name, stand_in) in &self.names {
            line = line.replace(name, stand_in);
        }
        for (rule, stand_in) in &self.rules {
            line = rule.replace_all(&line, *stand_in).into_owned();
        }
        let cells: Vec<&str> = line.split("  ").map(|cell| self.cell(cell)).collect();
        cells.join("  ")
    }

    fn cell<'a>(&self, cell: &'a str) -> &'a str {
        let bare = cell.trim_end_matches('\n');
        if !self.pids.contains(bare) {
            return cell;
        }
        if bare == cell { "PID" } else { "PID\n" }
    }
}

#[test]
fn a_mask_leaves_every_word() {
    let mut mask = Mask::new(Path::new("/tmp/x"), "12345");
    mask.add(&BTreeSet::from([4711]));
    let check = |line: &str, expected: &str| assert_eq!(mask.of(line), expected);
    check("web   running      12s    4711        0\n", "web  running  SPAN  PID  0\n");
    check("pid        4711\n", "pid  PID\n");
    check(
        "第 4 次运行在 3 ms 后以代码 3 结束；372ms 后启动",
        "第 4 次运行在 SPAN 后以代码 3 结束；SPAN 后启动",
    );
    check("timeout = \"30s\"", "timeout = \"30s\"");
    check("/tmp/x/work/a.toml:3:5 2026-11-22T13:00:36.054Z (0s)", "DIR/a.toml:3:5 TIME (SPAN)");
    check(
        "  ends with code 1, run 2, 4711 of them, 3 services",
        "  ends with code 1, run 2, 4711 of them, 3 services",
    );
}
