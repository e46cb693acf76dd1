//! The manual pages, read by a program that is strict with them.

use std::{fs, process::Command};

use crate::sandbox::{Sandbox, answer_of};

#[test]
fn every_command_has_a_manual_page_without_a_mistake() {
    let sandbox = Sandbox::new("");
    let answer = sandbox.ask(&["man", "--out", "man1"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let pages = fs::read_dir(sandbox.path("man1")).unwrap();
    let mut names: Vec<String> =
        pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(answer.err, format!("wrote {} pages into `man1`\n", names.len()));
    for name in ["mainstay.1", "mainstay-logs.1", "mainstay-secret-set.1"] {
        assert!(names.iter().any(|page| page == name), "{name} of {names:?}");
    }
    let mut lint = sandbox.prepare(Command::new("mandoc"), &["-T", "lint", "-W", "error"]);
    let found = answer_of(lint.args(names.iter().map(|name| format!("man1/{name}"))));
    assert_eq!((found.out.as_str(), found.err.as_str()), ("", ""));
}

#[test]
fn a_manual_page_reads_like_one() {
    let sandbox = Sandbox::new("");
    let page = sandbox.shell(&format!(
        "{} man logs | mandoc -T ascii -O width=80 | sed 's/.\\x08//g'",
        crate::sandbox::BINARY
    ));
    for line in [
        "NAME\n       mainstay-logs - Show what programs wrote\n",
        "\nEXAMPLES\n       mainstay logs web -n 100\n",
        "\n       3      No agent can be reached.\n",
        "\nSEE ALSO\n       mainstay(1)\n",
    ] {
        assert!(page.contains(line), "{line} is missing: {page}");
    }
    assert_eq!(sandbox.read("mainstay.1"), "", "nothing is written that nobody has asked for");
    let answer = sandbox.ask(&["man", "lgos"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.ends_with("hint:  did you mean `logs`?\n"), "{answer:?}");
}
