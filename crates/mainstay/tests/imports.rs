//! Services of other wrappers, in a real database of services where the system has one.

#![expect(clippy::disallowed_methods, reason = "real processes in real time")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    process::{Command, Output},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mainstay_platform::{
    event_log::{self, SOURCE},
    registry::{Data, Key, Lasts},
    scm::{Change, Database, Intent, Purpose, RecoveryAction},
};

fn mainstay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mainstay")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A service of another wrapper, removed with the value.
struct Guest {
    database: Database,
    name: &'static str,
    _alone: MutexGuard<'static, ()>,
}

/// There is one place for our own program, and whoever takes a service over puts it there.
static ALONE: Mutex<()> = Mutex::new(());

impl Guest {
    /// Returns nothing where there are no services.
    fn new(name: &'static str, command_line: &str) -> Option<Self> {
        let database = Database::open(Purpose::Create).ok()?;
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let guest = Self { database, name, _alone: alone };
        guest.forget();
        let command_line = Some(command_line.to_owned());
        guest.database.create(name, &Change { command_line, ..Change::default() }).unwrap();
        Some(guest)
    }

    fn forget(&self) {
        if let Ok(service) = self.database.service(self.name, Intent::Change) {
            drop(service.delete());
        }
    }

    fn key(&self, below: &str) -> Key {
        let path = format!(r"SYSTEM\CurrentControlSet\Services\{}\{below}", self.name);
        Key::create(&path, Lasts::Forever).unwrap()
    }

    /// Returns what the system does when the service fails; nothing where it cannot tell.
    fn actions(&self) -> Vec<(RecoveryAction, Duration)> {
        let service = self.database.service(self.name, Intent::Look).unwrap();
        service.recovery().map(|recovery| recovery.actions).unwrap_or_default()
    }

    fn command_line(&self) -> String {
        let service = self.database.service(self.name, Intent::Look).unwrap();
        service.record().unwrap().command_line
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.forget();
    }
}

#[test]
fn a_service_of_nssm_is_reported_taken_over_and_given_back() {
    let name = "mainstay import nssm";
    let former = r#""C:\Tools x\nssm.exe""#;
    let Some(guest) = Guest::new(name, former) else {
        let text = said(&mainstay(&["import", "nssm", name]));
        assert!(text.contains("there is no service control manager here"), "{text}");
        return;
    };
    let parameters = guest.key("Parameters");
    parameters.set("Application", &Data::Expandable(r"%SystemRoot%\a.exe".to_owned())).unwrap();
    parameters.set("AppRestartDelay", &Data::Number(2000)).unwrap();
    guest.key(r"Parameters\AppExit").set("3", &Data::Text("Exit".to_owned())).unwrap();
    guest.key(r"Parameters\AppEvents\Start").set("Pre", &Data::Text("x".to_owned())).unwrap();

    let report = mainstay(&["import", "nssm", "--all", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let told = told.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    let configuration = told["configuration"].as_str().unwrap();
    assert!(configuration.contains(r"\a.exe"), "{configuration}");
    assert!(configuration.contains(r#"delay = "2s""#), "{configuration}");
    let settings: Vec<&str> = told["remarks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["setting"].as_str())
        .collect();
    for expected in ["AppExit 3", "AppEvents Start/Pre", "account"] {
        assert!(settings.contains(&expected), "{settings:?}");
    }
    assert_eq!(guest.command_line(), former, "a report changes nothing");

    let replaced = mainstay(&["import", "nssm", name, "--replace"]);
    assert!(replaced.status.success(), "{}", said(&replaced));
    let ours = guest.command_line();
    assert!(ours.ends_with(&format!("mainstay.exe\" keeper --service \"{name}\"")), "{ours}");
    assert!(event_log::is_registered(SOURCE));
    let file = told["file"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), configuration);
    let folder = std::path::Path::new(file).parent().unwrap();
    let export = std::fs::read(folder.join("mainstay%20import%20nssm.nssm.reg")).unwrap();
    assert!(export.starts_with(&[0xff, 0xfe]));
    // Wine has neither failure actions nor access lists of services.
    let noted = std::fs::read_to_string(folder.join("added-settings")).unwrap();
    assert_eq!(noted.contains("recovery"), !guest.actions().is_empty(), "{noted}");
    std::fs::write(file, "# edited").unwrap();
    let again = mainstay(&["import", "nssm", name, "--replace"]);
    assert!(said(&again).contains("is ours already"), "{}", said(&again));

    let undone = mainstay(&["import", "nssm", name, "--undo"]);
    assert!(undone.status.success(), "{}", said(&undone));
    assert_eq!(guest.command_line(), former);
    assert!(guest.actions().is_empty(), "{:?}", guest.actions());
    assert!(!folder.join("added-settings").exists());
    let left = mainstay(&["service", "list", "--json"]);
    let left: Vec<serde_json::Value> = serde_json::from_slice(&left.stdout).unwrap();
    assert_eq!(event_log::is_registered(SOURCE), !left.is_empty(), "it goes with the last");
    let again = mainstay(&["import", "nssm", name, "--undo"]);
    assert!(said(&again).contains("was not taken over"), "{}", said(&again));
    let again = mainstay(&["import", "nssm", name, "--replace"]);
    assert!(again.status.success(), "{}", said(&again));
    assert_eq!(std::fs::read_to_string(folder.join("mainstay.toml.former")).unwrap(), "# edited");
    assert!(mainstay(&["import", "nssm", name, "--undo"]).status.success());

    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn services_of_other_kinds_are_told_apart() {
    let name = "mainstay import shawl";
    let line = r#"C:\shawl.exe run --name x --cwd C:\ -- C:\a.exe "b c""#;
    let Some(guest) = Guest::new(name, line) else { return };
    let shawl = said(&mainstay(&["import", "shawl", name]));
    assert!(shawl.contains(r#"command = ['C:\a.exe', "b c"]"#), "{shawl}");
    let nssm = said(&mainstay(&["import", "nssm", name]));
    assert!(nssm.contains("is no service of NSSM"), "{nssm}");
    let plain = said(&mainstay(&["import", "sc", name]));
    assert!(
        plain.contains(&format!("`mainstay import shawl {name}` reads what it runs")),
        "{plain}"
    );
    assert_eq!(guest.command_line(), line);
}

#[test]
fn a_program_without_a_wrapper_is_taken_over_only_when_that_is_said() {
    let name = "mainstay import plain";
    let line = r"C:\app.exe --serve";
    let Some(guest) = Guest::new(name, line) else { return };
    let refused = said(&mainstay(&["import", "sc", name, "--replace"]));
    assert!(refused.contains("does not run below another one (1063)"), "{refused}");
    assert!(refused.contains("`--replace --yes` does it all the same"), "{refused}");
    assert_eq!(guest.command_line(), line);
    let replaced = mainstay(&["import", "sc", name, "--replace", "--yes"]);
    assert!(replaced.status.success(), "{}", said(&replaced));
    assert!(guest.command_line().contains("mainstay.exe"), "{}", guest.command_line());
    let undone = mainstay(&["import", "sc", name, "--undo"]);
    assert!(undone.status.success(), "{}", said(&undone));
    assert_eq!(guest.command_line(), line);
    let driver = mainstay(&["import", "sc", "MountMgr", "--replace", "--yes"]);
    assert!(said(&driver).contains("`MountMgr` is a driver"), "{}", said(&driver));
}

#[test]
fn a_file_that_names_another_service_takes_nothing_over() {
    let name = "mainstay import other";
    let Some(guest) = Guest::new(name, r"C:\other.exe") else { return };
    let folder = std::env::temp_dir().join(format!("mainstay-stale-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("web.xml");
    let text = format!("<service><id>{name}</id><executable>a.exe</executable></service>");
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let refused = said(&mainstay(&["import", "winsw", &file, "--replace", "--yes"]));
    assert!(refused.contains(&format!("`{name}` is not taken over: it runs")), "{refused}");
    assert_eq!(guest.command_line(), r"C:\other.exe");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn services_of_others_are_neither_stopped_nor_changed_nor_removed() {
    let name = "mainstay import stranger";
    let Some(guest) = Guest::new(name, r"C:\stranger.exe") else { return };
    for command in ["start", "stop", "restart", "remove", "edit"] {
        let refused = mainstay(&["service", command, name]);
        let text = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{command}: {text}");
        let expected = format!("`{name}` is no service of Mainstay: it runs `C:\\stranger.exe`");
        assert!(text.contains(&expected), "{command}: {text}");
    }
    let refused = said(&mainstay(&["service", "set", name, "start=disabled"]));
    assert!(refused.contains("is no service of Mainstay"), "{refused}");
    assert_eq!(guest.command_line(), r"C:\stranger.exe");
}

#[test]
fn a_file_of_winsw_is_reported_without_its_service() {
    let folder = std::env::temp_dir().join(format!("mainstay-winsw-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("web.xml");
    let text = "\u{feff}<service><id>web</id><executable>%BASE%/a.exe</executable></service>";
    std::fs::write(&file, text).unwrap();
    let report = said(&mainstay(&["import", "winsw", &file.display().to_string()]));
    if Database::open(Purpose::Look).is_ok() {
        assert!(report.contains("mainstay service install web"), "{report}");
        let slow = text.replace("</service>", "<stoptimeout>400 days</stoptimeout></service>");
        std::fs::write(&file, slow).unwrap();
        let refused = said(&mainstay(&["import", "winsw", &file.display().to_string()]));
        assert!(refused.contains("settings that we refuse: `400d` is more than 366"), "{refused}");
    } else {
        assert!(report.contains("cannot find its folder"), "{report}");
    }
    let missing = said(&mainstay(&["import", "winsw", "no such file"]));
    assert!(missing.contains("cannot read `no such file`"), "{missing}");
    std::fs::remove_dir_all(folder).unwrap();
}
