//! Lines that are printed to be kept: through the shell they do what they say, and nothing else.

use std::{env, fs, path::Path, process::Command};

use crate::{
    installed::Installed,
    sandbox::{Answer, BINARY, Sandbox, run},
};

/// Words that a shell would do something with.
const WORDS: [&str; 9] =
    ["ping", "a&calc", "x|y", "<in>out", "100%", "%PATH%", "two words", "a\"b", "caret^(d)"];

#[test]
fn a_dumped_line_installs_the_same_words_through_the_shell() {
    let sandbox = Sandbox::of_service("mainstay-lines");
    let options = ["--no-start", "--env", "TOKEN=50% & <x>"];
    let service = Installed::new("mainstay-lines", &options, &WORDS.map(ToOwned::to_owned));
    let said = |service: &Installed| {
        ["command", "environment.TOKEN"]
            .map(|key| service.ask_with(&["service", "get"], &[key]).out)
    };
    let before = said(&service);
    assert!(before[0].contains("a&calc") && before[1].contains("50% & <x>"), "{before:?}");

    let hidden = service.ask(&["service", "dump"]);
    assert!(!hidden.out.contains("50%") && hidden.out.contains("--env-file"), "{hidden:?}");
    let dumped = service.ask_with(&["service", "dump"], &["--show-values"]);
    assert_eq!(dumped.code, 0, "{dumped:?}");
    assert_eq!(service.ask(&["service", "remove"]).code, 0);
    let line = dumped.out.replace(" install ", " install --no-start --allow-writable ");
    let file = sandbox.folder().join("again.cmd");
    fs::write(&file, format!("@{line}\r\n")).unwrap();
    let answer = through_shell(&file);
    assert_eq!(answer.code, 0, "{line}: {answer:?}");
    assert_eq!(said(&service), before, "{line}");
    service.remove();
}

#[test]
fn a_kept_configuration_makes_way_and_is_not_lost() {
    let service = Installed::new("mainstay-kept", &["--no-start"], &["ping".to_owned()]);
    let folder = Path::new(r"C:\ProgramData\mainstay\services").join(service.name);
    assert_eq!(service.ask(&["service", "remove"]).code, 0);
    let file = folder.join("mainstay.toml");
    fs::write(&file, "# mine").unwrap();
    let mut again = Command::new(BINARY);
    again.args(["service", "install", service.name, "--account", "LocalSystem", "--no-start"]);
    let answer = run(again.args(["--allow-writable", "--", "ping"]));
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(fs::read_to_string(folder.join("mainstay.toml.former")).unwrap(), "# mine");
    assert!(fs::read_to_string(&file).unwrap().contains("ping"));
    // A name that is taken changes nothing.
    let former = fs::read_to_string(&file).unwrap();
    let refused = run(Command::new(BINARY).args(["service", "install", service.name, "--", "cmd"]));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), former);
    assert_eq!(service.ask(&["service", "remove"]).code, 0);
    fs::remove_dir_all(folder).unwrap();
}

/// Runs a file of commands that calls us by our name.
fn through_shell(file: &Path) -> Answer {
    let own = Path::new(BINARY).parent().unwrap().display().to_string();
    let path = format!("{own};{}", env::var("PATH").unwrap());
    run(Command::new("cmd").args(["/d", "/c"]).arg(file).env("PATH", path))
}
