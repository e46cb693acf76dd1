//! Crash bundles on Windows: the same file, with the minidump that the error reporting has left.

use std::fs;

use mainstay_api::bundle::{Bundle, Dump};
use mainstay_platform::registry::{Data, Key, Lasts, delete_tree};

use crate::{
    foreground::Up,
    sandbox::{Sandbox, wait_for},
};

const LOCAL_DUMPS: &str = r"SOFTWARE\Microsoft\Windows\Windows Error Reporting\LocalDumps\cmd.exe";

const WEB: &str = "[services.web]\n\
                   command = [\"cmd\", \"/c\", \"echo oh no & ping -n 3 127.0.0.1 & exit 3\"]\n\
                   environment = { API_KEY = \"hush-hush\" }\n\
                   restart = { delay = \"1h\" }\n";

#[test]
fn a_crash_leaves_a_bundle_that_names_its_minidump() {
    let sandbox = Sandbox::new(WEB);
    let key = Key::create(LOCAL_DUMPS, Lasts::UntilReboot).unwrap();
    key.set("DumpFolder", &Data::Text(sandbox.folder().display().to_string())).unwrap();
    let up = Up::start(&sandbox);
    let pid = sandbox.wait_for("web", "running").pid.unwrap();
    // Stands for what the error reporting writes while it holds the process.
    let dump = sandbox.folder().join(format!("cmd.exe.{pid}.dmp"));
    fs::File::create(&dump).unwrap();
    sandbox.wait_for("web", "backoff");
    let text = wait_for("the bundle is there", || {
        let answer = sandbox.ask(&["why", "web", "--bundle", "--json"]);
        (answer.code == 0).then_some(answer.out)
    });
    let bundle: Bundle = serde_json::from_str(&text).unwrap();
    assert_eq!((bundle.run, bundle.pid, bundle.exit.code), (1, pid, Some(3)));
    assert_eq!(bundle.dump, Some(Dump::File(dump.display().to_string())));
    assert!(bundle.lines.iter().any(|line| line.text.starts_with("oh no")), "{text}");
    assert!(bundle.environment.iter().any(|one| one.name == "API_KEY"));
    assert!(!text.contains("hush-hush"), "{text}");
    up.end();
    assert!(sandbox.get(&["why", "web", "--bundle"]).contains("ended with code 3"));
    drop(key);
    delete_tree(LOCAL_DUMPS).unwrap();
}
