//! What `mainstay doctor` finds out about services and the machine.

use std::{fs, process::Command};

use mainstay_platform::{
    paths,
    scm::{Change, Database, Intent, Purpose},
};
use serde_json::Value;

use crate::{
    installed::Installed,
    sandbox::{BINARY, run},
};

#[test]
fn a_service_with_holes_and_a_folder_without_a_service_are_found() {
    let left = paths::machine_base().unwrap().join(r"services\gone%20service");
    let command = ["cmd", "/c", "ping -n 1000 127.0.0.1"].map(ToOwned::to_owned);
    let service = Installed::new("mainstay-doctor", &[], &command);
    fs::create_dir_all(&left).unwrap();
    let quoted = service.open().record().unwrap().command_line;
    runs(service.name, r"C:\Program Files\mainstay.exe keeper --service x");

    let found = findings();
    runs(service.name, &quoted);
    fs::remove_dir_all(&left).unwrap();
    let unquoted =
        r"command line of `mainstay-doctor` is not quoted: C:\Program Files\mainstay.exe";
    assert_eq!(verdict_of(&found, unquoted), "bad", "{found:#?}");
    let folder = "folder of `gone service`, which is no service any more";
    assert_eq!(verdict_of(&found, folder), "hint", "{found:#?}");
    assert_eq!(verdict_of(&found, "folder of the machine: C:\\ProgramData"), "ok", "{found:#?}");
    service.remove();
    assert_eq!(verdict_of(&findings(), folder), "nothing");
}

/// Changes what a service runs.
fn runs(service: &str, command_line: &str) {
    let database = Database::open(Purpose::Look).unwrap();
    let open = database.service(service, Intent::Change).unwrap();
    let command_line = Some(command_line.to_owned());
    open.change(&Change { command_line, ..Change::default() }).unwrap();
}

/// Asks for JSON; the exit code says whether anything is bad.
fn findings() -> Vec<Value> {
    let answer = run(Command::new(BINARY).args(["doctor", "--json"]));
    let found: Vec<Value> = serde_json::from_str(&answer.out).unwrap();
    let is_bad = found.iter().any(|finding| finding["verdict"] == "bad");
    assert_eq!(answer.code, i32::from(is_bad), "{answer:?}");
    found
}

fn verdict_of<'a>(found: &'a [Value], what: &str) -> &'a str {
    let begins =
        |finding: &&Value| finding["what"].as_str().is_some_and(|text| text.starts_with(what));
    let finding = found.iter().find(begins);
    finding.and_then(|finding| finding["verdict"].as_str()).unwrap_or("nothing")
}
