//! What is looked at, for `ready` and for `checks`.

use std::{ops::Range, path::Path, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Address, HttpLook, Pattern, Scene, http};
use crate::config::{
    fields::{Fields, Reading, listed, mistyped},
    parse::words,
    program,
};

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// An answer over HTTP.
    Http(HttpLook),
    /// Whether somebody accepts a connection.
    Tcp(Address),
    /// Whether there is a file, and how old it is.
    File(FileLook),
    /// Whether a line of the log has something in it.
    Log(Pattern),
    /// Whether a command succeeds.
    Exec(Vec<String>),
    /// Whether a run takes no more memory of its own than so many bytes.
    Memory(u64),
    /// Whether it has said that it is alive.
    Heartbeat,
}

/// A file that has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLook {
    /// Which.
    pub path: String,
    /// It must have been changed within so long.
    pub max_age: Option<Duration>,
}

/// Kinds of looks that have keys of their own.
const OWNERS: [&str; 2] = ["http", "file"];

/// Returns the keys that go with one kind of look alone.
fn companions(kind: &str) -> &'static [&'static str] {
    match kind {
        "http" => http::KEYS,
        "file" => &["max-age"],
        _ => &[],
    }
}

/// Returns which of several keys is there; that it is exactly one is noted otherwise.
pub(super) fn one(
    fields: &mut Fields<'_, '_>,
    kinds: &[&'static str],
    (none, place): (&str, Range<usize>),
    r: &mut Reading<'_>,
) -> Option<&'static str> {
    let kind = kind(fields, kinds, r);
    if kind.is_none() {
        let help = format!("add one of {}", listed(kinds));
        r.wrong(place, "no-look", none.to_owned(), &help);
    }
    kind
}

/// Returns which of several keys is there; that there are two is noted.
pub(super) fn kind(
    fields: &mut Fields<'_, '_>,
    kinds: &[&'static str],
    r: &mut Reading<'_>,
) -> Option<&'static str> {
    for key in OWNERS.into_iter().flat_map(companions) {
        // It is known where it may go with something, whatever that is.
        if fields.knows(key) {
            fields.value(key);
        }
    }
    let mut kind: Option<&'static str> = None;
    for key in kinds {
        let Some(value) = fields.value(key) else { continue };
        if let Some(first) = kind {
            let message = format!("`{first}` and `{key}` exclude each other");
            r.wrong(value.span(), "two-looks", message, "remove one of them");
        }
        kind = kind.or(Some(*key));
    }
    kind
}

/// Notes keys that go with another kind of look.
pub(super) fn misplaced(fields: &mut Fields<'_, '_>, kind: &str, r: &mut Reading<'_>) {
    for owner in OWNERS.into_iter().filter(|owner| *owner != kind) {
        unfit(fields, companions(owner), (&format!("`{owner}`"), kind), r);
    }
}

/// Notes keys that go with something else than what is there.
pub(super) fn unfit(
    fields: &mut Fields<'_, '_>,
    keys: &[&'static str],
    (owner, kind): (&str, &str),
    r: &mut Reading<'_>,
) {
    for key in keys {
        if let Some(value) = fields.value(key) {
            let message = format!("`{key}` goes with {owner}, not with `{kind}`");
            r.wrong(value.span(), "misplaced", message, "remove it");
        }
    }
}

/// Reads what is looked at.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
    kind: &'static str,
    scene: &Scene<'_>,
    r: &mut Reading<'_>,
) -> Option<Look> {
    match kind {
        "http" => http::read(fields, scene, r).map(Look::Http),
        "tcp" => tcp(fields, r).map(Look::Tcp),
        "file" => file(fields, scene, r).map(Look::File),
        "exec" => {
            let value = fields.value("exec")?;
            words(fields, "exec", value, r).map(Look::Exec)
        }
        "log" => {
            let expected = ("a regular expression as text", "bad-regex");
            fields.measured("log", r, expected, Pattern::new).map(Look::Log)
        }
        "memory" => fields.size("memory", r).map(Look::Memory),
        _ => is_true(fields, kind, r).then_some(Look::Heartbeat),
    }
}

/// Returns whether a key is true; false says nothing, so that it is a mistake.
pub(super) fn is_true(fields: &mut Fields<'_, '_>, key: &'static str, r: &mut Reading<'_>) -> bool {
    let Some(value) = fields.value(key) else { return false };
    let flag = fields.flag(key, r);
    if flag == Some(false) {
        r.wrong(value.span(), "out-of-range", format!("`{key}` can only be true"), "remove it");
    }
    flag == Some(true)
}

fn tcp(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<Address> {
    let value = fields.value("tcp")?;
    if matches!(value.get_ref(), DeValue::Integer(_)) {
        let port = fields.number("tcp", r)?;
        return u16::try_from(port).ok().map(Address::here);
    }
    let expected = ("a port, or a host and a port as text, such as \"db:5432\"", "bad-address");
    fields.measured("tcp", r, expected, |text| {
        let remedy = || "write a port such as 5432, or `127.0.0.1:5432`, `[::1]:5432`";
        Address::read(text, None).map_err(|error| format!("{error}; {}", remedy()))
    })
}

fn file(fields: &mut Fields<'_, '_>, scene: &Scene<'_>, r: &mut Reading<'_>) -> Option<FileLook> {
    let max_age = fields.duration("max-age", r);
    let text = fields.text("file", r)?;
    let span = fields.value("file")?.span();
    program::check_text(r, &text, &span);
    if text.is_empty() {
        r.wrong(span, "out-of-range", "`file` is empty".to_owned(), "name a file");
    }
    let path = Path::new(scene.directory).join(text).display().to_string();
    Some(FileLook { path, max_age })
}

/// Returns a table, or notes what it should have been.
pub(super) fn table_of<'t, 'i>(
    value: &'t Spanned<DeValue<'i>>,
    key: &str,
    expected: &str,
    r: &mut Reading<'_>,
) -> Option<&'t DeTable<'i>> {
    let DeValue::Table(table) = value.get_ref() else {
        return mistyped(r, value, key, expected, value.get_ref());
    };
    Some(table)
}
