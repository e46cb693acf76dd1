//! Names, paths and words that break command lines elsewhere.

use std::fs;

use mainstay_platform::scm::{Database, Intent, Purpose, State, code};

use crate::{
    installed::Installed,
    roles::{self, Role, WORDS},
    sandbox::{BINARY, Sandbox, run, wait_for},
    sc,
};

/// Spaces, letters beyond ASCII, what shells read, and a dot that folders may not end with.
const NAME: &str = "Größe 网 & 100% (it's ^new!).";
const FOLDER: &str = "it's 100% & [ünï] 网 ^here! (x)";
const WORD: &str = r#"a "quoted" word, C:\ends\ %PATH% & é"#;

#[test]
fn a_service_with_any_name_runs_from_any_folder_with_any_word() {
    let sandbox = Sandbox::of_service(NAME);
    let folder = sandbox.folder().join(FOLDER);
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("my program.exe");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = roles::command();
    program.display().to_string().clone_into(&mut command[0]);
    command.push(WORD.to_owned());
    let words = format!("{WORDS}={WORD}");
    let folder = folder.display().to_string();
    let options = ["--env", &words, "--directory", &folder];
    let service = Installed::playing_as(NAME, Role::Echo, &options, &command);

    assert_eq!(service.status().state, State::Running);
    let told = wait_for("it says what it was given", || {
        let text = sandbox.get(&["logs"]);
        text.contains(roles::READY).then_some(text)
    });
    assert!(told.contains(&format!("variable <{WORD}>")), "{told}");
    assert!(told.contains(&format!("word <{WORD}>")), "{told}");
    assert!(told.contains(&format!("folder <{folder}>")), "{told}");
    let listed = run(std::process::Command::new(BINARY).args(["service", "list"]));
    assert!(listed.out.contains(NAME), "{listed:?}");
    // Wine's tool cannot print such a name, but it knows whom to stop.
    assert_eq!(sc::sc(&["stop", NAME]).code, 0);
    wait_for("it has stopped", || (service.status().state == State::Stopped).then_some(()));
    service.remove();
}

#[test]
fn a_name_that_is_taken_is_refused_however_it_is_written_and_changes_nothing() {
    let service = Installed::playing("mainstay-Twin", Role::Polite, &[]);
    let sandbox = Sandbox::of_service(service.name);
    let before = sandbox.wait_for(service.name, "running");
    for name in ["mainstay-Twin", "MAINSTAY-twin"] {
        let mut install = std::process::Command::new(BINARY);
        let options = ["--account", "LocalSystem", "--allow-writable", "--", "cmd"];
        let answer = run(install.args(["service", "install", name]).args(options));
        assert_eq!(answer.code, 1, "{answer:?}");
        let told = format!("cannot install `{name}`: there is a service of that name (1073)");
        assert!(answer.err.contains(&told), "{answer:?}");
    }
    assert_eq!(sandbox.unit(service.name).pid, before.pid);
    let configured = service.ask_with(&["service", "get"], &["command"]);
    assert!(configured.out.contains("roles::"), "{configured:?}");
    service.remove();
}

#[test]
fn who_looks_at_a_service_keeps_it_marked_for_deletion_and_that_is_said() {
    let service = Installed::playing("mainstay-held", Role::Stubborn, &["--no-start"]);
    let database = Database::open(Purpose::Look).unwrap();
    let held = database.service(service.name, Intent::Look).unwrap();
    let answer = service.ask(&["service", "remove"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let told = "is marked for deletion, and somebody holds it open";
    assert!(answer.err.contains(told), "{answer:?}");
    assert!(answer.err.contains("close services.msc"), "{answer:?}");
    drop(held);
    wait_for("it is gone", || {
        let gone = database.service(service.name, Intent::Look).err();
        gone.filter(|error| error.raw_os_error() == Some(code::NO_SUCH_SERVICE))
    });
    let purged = service.install(&["--no-start"], &roles::command());
    assert_eq!(purged.code, 0, "its name is free: {purged:?}");
    let folder = crate::folders::of_service(service.name);
    assert!(folder.is_dir());
    let removed = service.ask_with(&["service", "remove"], &["--purge"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(!folder.exists(), "nothing is left");
}
