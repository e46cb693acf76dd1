//! A kind that is a batch file: found by its ending, given its configuration, heard by the pipe.

use std::{collections::BTreeMap, fs};

use crate::{
    foreground::Up,
    sandbox::{BINARY, Sandbox, wait_for},
};

const CONFIG: &str = "[services.home]\n\
                      kind = \"tide\"\n\
                      config = { port = 80, token = { secret = \"tide\" } }\n\
                      stop = { timeout = \"2s\" }\n\
                      [services.wrong]\n\
                      kind = \"tide\"\n\
                      config = { wrong = true }\n";

/// Keeps what it has read, as no kind may: a secret has come to it, at its place.
fn tide() -> String {
    format!(
        "@echo off\r\n\
         if \"%1\"==\"--describe\" goto describe\r\n\
         set /p config=\r\n\
         echo %config%>\"%MAINSTAY_STATE_DIRECTORY%\\kept\"\r\n\
         if \"%MAINSTAY_UNIT%\"==\"wrong\" goto wrong\r\n\
         if not \"%MAINSTAY_KIND_PROTOCOL%\"==\"1\" exit 78\r\n\
         \"{BINARY}\" notify --ready --status \"%MAINSTAY_KIND% of %MAINSTAY_UNIT%\" \
         X_MAINSTAY_FACT=port=80\r\n\
         ping -n 1000 127.0.0.1 >nul\r\n\
         :wrong\r\n\
         echo `wrong` is no key of mine\r\n\
         exit 78\r\n\
         :describe\r\n\
         echo {{\"name\":\"tide\",\"version\":\"1.0\",\"protocol\":1,\"summary\":\"comes and goes\"}}\r\n"
    )
}

#[test]
fn a_kind_that_is_a_batch_file_reads_its_configuration_and_says_that_it_is_ready() {
    let sandbox = Sandbox::new(CONFIG);
    let kinds = sandbox.folder().join(".mainstay").join("kinds");
    fs::create_dir_all(&kinds).unwrap();
    fs::write(kinds.join("mainstay-kind-tide.cmd"), tide()).unwrap();
    fs::write(sandbox.folder().join("value"), "ebb and flow").unwrap();
    sandbox.get(&["secret", "set", "tide", "--file", "value"]);
    let up = Up::start(&sandbox);

    let home = sandbox.wait_for("home", "running");
    assert_eq!(home.status_text.as_deref(), Some("tide of home"));
    assert_eq!(home.facts, BTreeMap::from([("port".to_owned(), "80".to_owned())]));
    let kept = sandbox.folder().join(".mainstay").join("data").join("home").join("kept");
    let read = fs::read_to_string(kept).unwrap();
    // Wine's shell takes the last letter for the end of the line.
    assert!(read.starts_with("{\"port\":80,\"token\":\"ebb and flow\""), "{read}");

    // 78 says that the next run would go no better.
    assert_eq!(sandbox.wait_for("wrong", "failed").run, 1);
    wait_for("it is told what is wrong", || {
        sandbox.get(&["why", "wrong"]).contains("is no key of mine").then_some(())
    });
    let listed = sandbox.get(&["kind", "list"]);
    assert!(listed.lines().any(|line| line.starts_with("tide  1.0  ")), "{listed}");
    up.end();
}
