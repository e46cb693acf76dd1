//! Edits of a configuration: what was set is read back, and nothing else changes.

use mainstay_api::config::{get, set, unset};
use toml::{Table, Value};
use toml_edit::Key;

/// So many services of a file are edited.
const SERVICES_MAX: usize = 2;

/// Sets a key of the first services of a file, reads it back and takes it away.
pub(crate) fn check(text: &str, key: &str, typed: &str) {
    let Ok(before) = text.parse::<Table>() else { return };
    let Some(Value::Table(services)) = before.get("services") else { return };
    for name in services.keys().take(SERVICES_MAX) {
        let edit = Edit { text, name, key, before: &before };
        edit.check_set(typed);
        edit.check_unset();
    }
}

/// An edit of one key.
struct Edit<'e> {
    text: &'e str,
    name: &'e str,
    key: &'e str,
    before: &'e Table,
}

impl Edit<'_> {
    fn check_set(&self, typed: &str) {
        let Ok(after) = set(self.text, self.name, self.key, typed) else { return };
        let table: Table = after.parse().expect("an edited file is TOML");
        let found = get(&after, self.name, self.key).expect("the service is there");
        let found = found.expect("what was set is there");
        // What reads as a value is one, anything else is text.
        let meant = typed.parse().unwrap_or_else(|_| Value::String(typed.to_owned()));
        let found: Value = found.parse().expect("what is read back is a value");
        assert_eq!(shown(&found), shown(&meant), "{after}");
        self.check_rest(&table);
        self.check_back(&after);
    }

    /// Setting back what was there before gives the file as it was, byte by byte: lines that end in
    /// different ways lose that only where a value had more of them than the one in its place.
    fn check_back(&self, after: &str) {
        let Ok(Some(former)) = get(self.text, self.name, self.key) else { return };
        // What is shown of a string has LF at the ends of its lines, whatever it holds.
        let is_shown_whole = |value: &Value| !value.is_table() && !shown(value).contains("\\r");
        let is_plain = self.value().is_some_and(is_shown_whole);
        if is_plain && !self.is_tables() {
            let back = set(after, self.name, self.key, &former).expect("it could be set before");
            if is_even(self.text) {
                assert_eq!(plain(&back), plain(self.text));
            } else {
                let [back, text] = [&back, self.text].map(|text| text.replace("\r\n", "\n"));
                assert_eq!(plain(&back), plain(&text));
            }
        }
    }

    fn check_unset(&self) {
        let Ok(after) = unset(self.text, self.name, self.key) else { return };
        let table: Table = after.parse().expect("an edited file is TOML");
        assert_eq!(get(&after, self.name, self.key).ok().flatten(), None, "{after}");
        self.check_rest(&table);
    }

    /// Returns whether what the key names may be written as tables of their own.
    fn is_tables(&self) -> bool {
        matches!(self.value(), Some(Value::Table(_) | Value::Array(_)))
    }

    /// Returns what the key names; nothing when it is the key of an entry of a list.
    fn value(&self) -> Option<&Value> {
        let parts = parts(self.key);
        parts.iter().try_fold(self.service()?, |value, part| value.get(part))
    }

    fn service(&self) -> Option<&Value> {
        self.before.get("services")?.get(self.name)
    }

    /// All but the key is as it was.
    fn check_rest(&self, after: &Table) {
        let (mut before, mut after) = (self.before.clone(), after.clone());
        for whole in [&mut before, &mut after] {
            let service = whole.get_mut("services").and_then(|all| all.get_mut(self.name));
            if let Some(Value::Table(service)) = service {
                forget(service, &parts(self.key));
            }
        }
        assert_eq!(shown(&Value::Table(before)), shown(&Value::Table(after)));
    }
}

/// Returns whether all lines of a text end in the same way.
fn is_even(text: &str) -> bool {
    let [all, both] = ["\n", "\r\n"].map(|end| text.matches(end).count());
    both == 0 || both == all
}

/// What an edit may change beside its key: headers of the same table have the blanks of the first
/// one between their parts.
fn plain(text: &str) -> String {
    let lines = text.split('\n').map(|line| match line.trim_start() {
        header if header.starts_with('[') => header.replace([' ', '\t'], ""),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the names in a key: as TOML reads them, or what is between its dots.
fn parts(key: &str) -> Vec<String> {
    match Key::parse(key) {
        Ok(parts) => parts.iter().map(|part| part.get().to_owned()).collect(),
        Err(_) => key.split('.').map(str::to_owned).collect(),
    }
}

/// Takes a key away, and the tables on its way that hold nothing else. Of a list of tables, the list.
fn forget(table: &mut Table, key: &[String]) {
    let Some((first, rest)) = key.split_first() else { return };
    if rest.is_empty() {
        table.remove(first);
        return;
    }
    match table.get_mut(first) {
        Some(Value::Table(inner)) => {
            forget(inner, rest);
            if inner.is_empty() {
                table.remove(first);
            }
        }
        Some(Value::Array(_)) => drop(table.remove(first)),
        Some(_) | None => {}
    }
}

/// Returns a value as text: a number that is none is not equal to itself.
fn shown(value: &Value) -> String {
    format!("{value:?}")
}
