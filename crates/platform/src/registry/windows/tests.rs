//! A key of our own in a real registry.

use super::*;
use crate::registry::export;

/// A key that is removed with the value.
struct Guest(String);

impl Guest {
    fn new(name: &str) -> Self {
        let path = format!(r"SOFTWARE\mainstay-test-{name}");
        delete_tree(&path).unwrap();
        Self(path)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        drop(delete_tree(&self.0));
    }
}

#[test]
fn values_of_every_type_come_back_as_they_were_set() {
    let guest = Guest::new("values");
    let key = Key::create(&guest.0, Lasts::Forever).unwrap();
    let long = "人".repeat(2_000);
    let set = [
        ("", Data::Text("the key's own".to_owned())),
        ("Application", Data::Expandable(r"%SystemRoot%\a b.exe".to_owned())),
        ("AppEnvironmentExtra", Data::Texts(vec!["A=1".to_owned(), "B=ü 2".to_owned()])),
        ("AppThrottle", Data::Number(1500)),
        ("long", Data::Text(long)),
        ("none", Data::Texts(Vec::new())),
        ("bytes", Data::Other { kind: 3, bytes: vec![0, 1, 255] }),
        ("torn", Data::Other { kind: REG_DWORD, bytes: vec![1, 2] }),
    ];
    for (name, data) in &set {
        key.set(name, data).unwrap();
    }
    let found = Key::open(&guest.0, Purpose::Look).unwrap().values().unwrap();
    assert_eq!(found.len(), set.len());
    for (name, data) in set {
        let value = found.iter().find(|value| value.name == name).unwrap();
        assert_eq!(value.data, data, "{name}");
    }
}

#[test]
fn a_tree_is_listed_exported_and_deleted_as_a_whole() {
    let guest = Guest::new("tree");
    let below = format!(r"{}\Parameters\AppExit", guest.0);
    Key::create(&below, Lasts::Forever).unwrap().set("1", &Data::Text("Exit".to_owned())).unwrap();
    Key::create(&format!(r"{}\Parameters\AppEvents", guest.0), Lasts::Forever).unwrap();
    let parameters = Key::open(&format!(r"{}\Parameters", guest.0), Purpose::Look).unwrap();
    let mut names = parameters.keys().unwrap();
    names.sort();
    assert_eq!(names, ["AppEvents", "AppExit"]);
    let text = export(&guest.0).unwrap();
    let expected = format!("[HKEY_LOCAL_MACHINE\\{below}]\r\n\"1\"=\"Exit\"\r\n");
    assert!(text.contains(&expected), "{text}");
    delete_tree(&guest.0).unwrap();
    let error = Key::open(&below, Purpose::Look).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    delete_tree(&guest.0).unwrap();
}

#[test]
fn a_key_may_last_until_the_next_boot_only_and_has_no_lasting_ones_below() {
    let guest = Guest::new("volatile");
    Key::create(&guest.0, Lasts::UntilReboot).unwrap();
    let below = format!(r"{}\below", guest.0);
    // ERROR_CHILD_MUST_BE_VOLATILE shows that the system has taken note.
    let refused = Key::create(&below, Lasts::Forever).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(1021));
    Key::create(&below, Lasts::UntilReboot).unwrap();
}
