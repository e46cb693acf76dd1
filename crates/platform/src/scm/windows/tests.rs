//! The manager of services that Wine has.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;
use crate::scm::{RecoveryAction, State, code, is_lacking};

/// One at a time: of two threads that asked the manager of Wine 8 at once both were once told
/// `ERROR_INVALID_HANDLE`.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A service that is removed with the value.
struct Guest(Service);

impl Guest {
    fn new(name: &str) -> Self {
        let database = Database::open(Purpose::Create).unwrap();
        if let Ok(left) = database.service(name, Intent::Change) {
            left.delete().unwrap();
        }
        Self(database.create(name, &first(name)).unwrap())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        drop(self.0.delete());
    }
}

/// Display names are taken only once, too.
fn first(name: &str) -> Change {
    Change {
        display_name: Some(format!("für 人: {name}")),
        command_line: Some(r#""C:\Program Files\a b.exe" keeper --service "x y""#.to_owned()),
        ..Change::default()
    }
}

#[test]
fn a_service_is_made_as_asked_found_and_listed() {
    let _alone = alone();
    let guest = Guest::new("mainstay test made");
    let (record, asked) = (guest.0.record().unwrap(), first("mainstay test made"));
    assert_eq!(Some(&record.display_name), asked.display_name.as_ref());
    assert_eq!(Some(&record.command_line), asked.command_line.as_ref());
    assert_eq!((record.start, record.account.as_str()), (Start::Demand, "LocalSystem"));
    let status = guest.0.status().unwrap();
    assert_eq!((status.state, status.pid), (State::Stopped, 0));
    let list = Database::open(Purpose::Look).unwrap().list().unwrap();
    let listed = list.iter().find(|listed| listed.name == "mainstay test made").unwrap();
    assert_eq!(listed.display_name, record.display_name);
    assert_eq!(listed.status, status);
}

#[test]
fn a_name_is_given_once_and_free_after_the_removal() {
    let _alone = alone();
    let database = Database::open(Purpose::Create).unwrap();
    let number = |error: io::Error| error.raw_os_error().unwrap();
    let name = "mainstay-test-once";
    {
        let _guest = Guest::new(name);
        assert_eq!(number(database.create(name, &first(name)).unwrap_err()), code::EXISTS);
        let found = database.service(name, Intent::Control).unwrap();
        assert_eq!(number(found.control(Control::Stop).unwrap_err()), code::NOT_ACTIVE);
    }
    let gone = database.service(name, Intent::Look).unwrap_err();
    assert_eq!(number(gone), code::NO_SUCH_SERVICE);
}

#[test]
fn a_change_leaves_alone_what_it_does_not_name() {
    let _alone = alone();
    let guest = Guest::new("mainstay-test-change");
    let change = Change { start: Some(Start::Disabled), ..Change::default() };
    guest.0.change(&change).unwrap();
    let (record, asked) = (guest.0.record().unwrap(), first("mainstay-test-change"));
    assert_eq!(record.start, Start::Disabled);
    assert_eq!(Some(record.command_line), asked.command_line);
    assert_eq!(Some(record.display_name), asked.display_name);
}

#[test]
fn every_setting_is_taken_or_lacking() {
    let _alone = alone();
    let guest = Guest::new("mainstay-test-settings");
    let second = Duration::from_secs(1);
    let recovery = Recovery {
        actions: vec![(RecoveryAction::Restart, second), (RecoveryAction::Run, 5 * second)],
        reset_after: 3600 * second,
        command: Some("cmd /c exit".to_owned()),
    };
    let settings = [
        Setting::Description("Says hello.".to_owned()),
        Setting::Recovery(recovery.clone()),
        Setting::RecoverAfterFailure(true),
        Setting::PreshutdownTimeout(60 * second),
        Setting::OwnIdentity,
        Setting::OthersLook,
        Setting::MayStart(identity_of("mainstay-test-settings").unwrap()),
    ];
    let lacking: Vec<&str> = settings
        .iter()
        .filter_map(|setting| {
            let error = guest.0.set(setting).err()?;
            assert!(is_lacking(&error), "{}: {error}", setting.name());
            Some(setting.name())
        })
        .collect();
    assert_eq!(guest.0.description().unwrap(), "Says hello.");
    assert_eq!(guest.0.preshutdown_timeout().unwrap(), 60 * second);
    if std::env::var_os("MAINSTAY_WINE").is_some() {
        let wine_8 = ["recovery after a failure code", "the service's own identity"];
        assert_eq!(lacking, wine_8);
        assert!(is_lacking(&guest.0.recovery().unwrap_err()));
        assert!(is_lacking(&guest.0.recovers_after_failure().unwrap_err()));
    } else {
        assert_eq!(guest.0.recovery().unwrap(), recovery);
        assert!(guest.0.recovers_after_failure().unwrap());
        assert_eq!(lacking, [""; 0]);
    }
}

#[test]
fn texts_that_follow_each_other_end_twice() {
    let check = |texts: &[&str], expected: &str| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(several(&texts), expected.encode_utf16().collect::<Vec<u16>>());
    };
    check(&[], "\0\0");
    check(&["Tcpip", "+net"], "Tcpip\0+net\0\0");
}

#[test]
fn a_password_is_never_shown() {
    let change = Change { password: Some("hunter2".to_owned()), ..Change::default() };
    assert!(!format!("{change:?}").contains("hunter2"));
}
