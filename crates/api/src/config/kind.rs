//! What a service runs instead of a command: `kind` and `config`.
//!
//! ```toml
//! kind = "heartbeat"
//! config = { url = "https://example.org", every = "60s", token = { secret = "ping" } }
//! ```
//!
//! A kind that comes with Mainstay may have a table of its own name, which says both:
//!
//! ```toml
//! [services.home.ddns.accounts.cf]
//! provider = "cloudflare"
//! ```

use std::{collections::BTreeMap, time::Duration};

use mainstay_core::{
    check::{Ready, ReadyBy},
    service::{ExitAction, ExitKey, Nature},
};
use serde_json::{Map, Number, Value};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    RestartConfig,
    fields::{Fields, Reading},
    secrets::{self, ValueSource, check_secret_name},
};

/// The longest name of a kind.
pub const KIND_NAME_BYTES_MAX: usize = 32;
/// What a kind's program is named, before its name.
pub const KIND_PROGRAM: &str = "mainstay-kind-";
/// The longest configuration of a kind, as JSON.
pub const KIND_CONFIG_BYTES_MAX: usize = 128 * 1024;
/// Kinds whose configuration may stand in a table of their name.
const TABLES: &[&str] = &["ddns"];
/// A kind is ready within this time, unless `ready` says otherwise.
const BOOT_WITHIN: Duration = Duration::from_secs(30);
/// The only key of a table that stands for a secret.
const SECRET: &str = "secret";
/// Its work is done.
const DONE: u32 = 0;
/// `EX_CONFIG`: nothing but another configuration helps.
const BAD_CONFIG: u32 = 78;
/// A configuration deeper than this is a slip of the keyboard.
const DEPTH_MAX: usize = 32;

/// A kind and its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindConfig {
    /// Its name, or the absolute path of its program.
    pub name: String,
    /// An object. A value of it that is `{ "secret": … }` stands for a secret; which these are is
    /// told by [`Fetched::config`](super::Fetched).
    pub config: Value,
    /// Where its secrets come from, by their places in it (RFC 6901).
    pub(super) secrets: BTreeMap<String, ValueSource>,
}

/// Refuses what can name no kind; the error says what can.
pub fn check_kind_name(name: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_short = (1..=KIND_NAME_BYTES_MAX).contains(&name.len());
    if is_short && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(is_plain)
    {
        return Ok(());
    }
    Err("write a name of 1 to 32 of `a-z 0-9 -`, a letter first, or the absolute path of a program")
}

/// Returns whether a kind is named by the absolute path of its program, on any system.
pub fn is_kind_path(name: &str) -> bool {
    let is_drive =
        matches!(name.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    name.starts_with('/') || name.starts_with("\\\\") || is_drive
}

impl KindConfig {
    /// Returns a kind whose secrets are all of the instance's store.
    pub fn new(name: &str, config: Value) -> Self {
        let secrets = stored(&config);
        Self { name: name.to_owned(), config, secrets }
    }

    /// Returns where its secrets come from, by their places.
    pub(super) fn secrets(&self) -> BTreeMap<String, ValueSource> {
        self.secrets.clone()
    }

    /// Returns the places at which secrets stand (RFC 6901).
    pub fn secret_places(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }

    /// Returns what is shown as the command: the program, wherever it lies.
    pub fn command(&self) -> String {
        if is_kind_path(&self.name) {
            self.name.clone()
        } else {
            format!("{KIND_PROGRAM}{}", self.name)
        }
    }
}

/// Reads `kind` and `config`, or the table of a kind.
pub(super) fn read(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<KindConfig> {
    // All keys are asked for, so that each of them is known.
    let tables: Vec<&'static str> =
        TABLES.iter().copied().filter(|table| fields.value(table).is_some()).collect();
    let config = object_of(fields, "config", r);
    if let Some(table) = tables.first() {
        return Some(of_table(fields, table, r));
    }
    let Some(value) = fields.value("kind") else {
        if let Some(value) = fields.value("config") {
            let message = "`config` belongs to a `kind`".to_owned();
            r.wrong(value.span(), "no-kind", message, "add `kind = \"NAME\"`, or remove it");
        }
        return None;
    };
    let span = value.span();
    let name = fields.text("kind", r)?;
    if !is_kind_path(&name)
        && let Err(help) = check_kind_name(&name)
    {
        r.wrong(span, "bad-name", format!("{name:?} cannot name a kind"), help);
    }
    exclude(fields, "kind", &["command", "shell"], r);
    let config = config.unwrap_or_else(|| Value::Object(Map::new()));
    let key = if fields.value("config").is_some() { "config" } else { "kind" };
    Some(complete(fields, key, (&name, config), r))
}

/// Reads the table of a kind, which is alone.
fn of_table(fields: &mut Fields<'_, '_>, key: &'static str, r: &mut Reading<'_>) -> KindConfig {
    exclude(fields, key, &["kind", "config", "command", "shell"], r);
    let config = object_of(fields, key, r).unwrap_or_else(|| Value::Object(Map::new()));
    complete(fields, key, (key, config), r)
}

fn exclude(fields: &mut Fields<'_, '_>, key: &str, others: &[&'static str], r: &mut Reading<'_>) {
    for other in others {
        if let Some(value) = fields.value(other) {
            let message = format!("`{key}` and `{other}` exclude each other");
            r.wrong(value.span(), "two-commands", message, "remove one of them");
        }
    }
}

/// Finds the secrets of a configuration, and checks what can be seen of it without knowing its kind.
fn complete(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    (name, config): (&str, Value),
    r: &mut Reading<'_>,
) -> KindConfig {
    let mut kind = KindConfig::new(name, config);
    let Some(value) = fields.value(key) else { return kind };
    for (place, source) in &kind.secrets {
        if let ValueSource::Secret(name) = source
            && let Err(help) = check_secret_name(name)
        {
            let message = format!("{name:?} at `{place}` cannot name a secret");
            r.wrong(value.span(), "bad-name", message, help);
        }
    }
    fetched_in(value, "", r, &mut kind.secrets);
    let size = kind.config.to_string().len();
    if size > KIND_CONFIG_BYTES_MAX {
        let message = format!("`{key}` has {size} bytes, more than {KIND_CONFIG_BYTES_MAX}");
        r.wrong(value.span(), "too-large", message, "let the kind read the rest from a file");
    }
    kind
}

/// Returns when a run of a kind is ready, unless `ready` says otherwise; a task, as every task, when
/// it has ended well.
pub(super) fn ready(nature: Option<Nature>) -> Ready {
    match nature.unwrap_or_default() {
        Nature::Daemon => Ready { by: ReadyBy::Notice, timeout: BOOT_WITHIN },
        Nature::Task => Ready::default(),
    }
}

/// Fills in what the codes of every kind mean that are not given another meaning: see
/// `docs/spec/kind.md`.
pub(super) fn imply(restart: &mut RestartConfig) {
    restart.exits.entry(ExitKey::Code(DONE)).or_insert(ExitAction::Stop);
    restart.exits.entry(ExitKey::Code(BAD_CONFIG)).or_insert(ExitAction::Fail);
}

fn object_of(fields: &mut Fields<'_, '_>, key: &'static str, r: &mut Reading<'_>) -> Option<Value> {
    let table = fields.table(key, r)?;
    let span = fields.value(key)?.span();
    let object = object(table, DEPTH_MAX);
    if object.is_none() {
        let message = format!("`{key}` holds what JSON cannot hold");
        let help = "numbers are finite and fit into 64 bits, and tables are at most 32 deep";
        r.wrong(span, "out-of-range", message, help);
    }
    object
}

fn object(table: &DeTable<'_>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let entries = table
        .iter()
        .map(|(key, value)| Some((key.get_ref().to_string(), json(value.get_ref(), depth)?)));
    Some(Value::Object(entries.collect::<Option<Map<_, _>>>()?))
}

fn json(value: &DeValue<'_>, depth: usize) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::String(text.to_string())),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from)
        }
        DeValue::Float(number) => {
            Number::from_f64(number.as_str().replace('_', "").parse().ok()?).map(Value::Number)
        }
        DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
        DeValue::Datetime(time) => Some(Value::String(time.to_string())),
        DeValue::Array(array) => {
            let depth = depth.checked_sub(1)?;
            let items = array.iter().map(|item| json(item.get_ref(), depth));
            items.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        DeValue::Table(table) => object(table, depth),
    }
}

/// Returns the secrets of the store that a configuration refers to, by where they stand in it.
fn stored(config: &Value) -> BTreeMap<String, ValueSource> {
    let mut found = BTreeMap::new();
    if let Value::Object(object) = config {
        for (key, value) in object {
            collect(value, &format!("/{}", escaped(key)), &mut found);
        }
    }
    found
}

fn collect(value: &Value, place: &str, found: &mut BTreeMap<String, ValueSource>) {
    match value {
        Value::Object(object) if object.len() == 1 && object.contains_key(SECRET) => {
            if let Some(Value::String(name)) = object.get(SECRET) {
                found.insert(place.to_owned(), ValueSource::Secret(name.clone()));
            }
        }
        Value::Object(object) => {
            for (key, value) in object {
                collect(value, &format!("{place}/{}", escaped(key)), found);
            }
        }
        Value::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                collect(value, &format!("{place}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Finds the secrets that come from elsewhere: `{ secret = { env = "NAME" } }` and the like.
fn fetched_in(
    value: &Spanned<DeValue<'_>>,
    place: &str,
    r: &mut Reading<'_>,
    found: &mut BTreeMap<String, ValueSource>,
) {
    match value.get_ref() {
        DeValue::Table(table) => {
            let only = table.get(SECRET).filter(|_| table.len() == 1 && !place.is_empty());
            if let Some(source) = only
                && matches!(source.get_ref(), DeValue::Table(_))
            {
                found.extend(secrets::source(SECRET, source, r).map(|one| (place.to_owned(), one)));
                return;
            }
            for (key, value) in table {
                fetched_in(value, &format!("{place}/{}", escaped(key.get_ref())), r, found);
            }
        }
        DeValue::Array(array) => {
            for (index, value) in array.iter().enumerate() {
                fetched_in(value, &format!("{place}/{index}"), r, found);
            }
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};
    use crate::config::{ServiceConfig, SourceText};

    #[test]
    fn a_configuration_becomes_an_object_of_json() {
        let service = read(
            "kind = 'ddns'\n[services.web.config]\n\
             a = 0x10\nb = -1\nc = 1.5\nd = 1979-05-27T07:32:00Z\ne = [true, 'x']\ndeep = { f = 'y' }",
        );
        let kind = service.unwrap().kind.unwrap();
        let expected = serde_json::json!({
            "a": 16, "b": -1, "c": 1.5, "d": "1979-05-27T07:32:00Z", "e": [true, "x"],
            "deep": { "f": "y" },
        });
        assert_eq!((kind.name.as_str(), kind.config), ("ddns", expected));
    }

    #[test]
    fn a_kind_is_ready_when_it_says_so_and_codes_have_meanings() {
        let service = read("kind = 'ddns'\nrestart = { exit = { 0 = 'restart' } }").unwrap();
        assert_eq!(service.command, ["mainstay-kind-ddns"]);
        let Ready { by, timeout } = service.care.ready.policy;
        assert_eq!((by, timeout), (ReadyBy::Notice, BOOT_WITHIN));
        let exit = |code| service.restart.exits.get(&ExitKey::Code(code)).copied();
        assert_eq!(
            [exit(0), exit(78), exit(1)],
            [Some(ExitAction::Restart), Some(ExitAction::Fail), None]
        );
        let ready = |line: &str| read(&format!("kind = 'a'\n{line}")).unwrap().care.ready.policy;
        let (by, minute) = (ReadyBy::Notice, Duration::from_mins(1));
        assert_eq!(ready("ready = { timeout = '1m' }"), Ready { by, timeout: minute });
        assert_eq!(ready("ready = 'notify'"), Ready { by, timeout: BOOT_WITHIN });
        assert_eq!(ready("type = 'task'"), Ready::default());
        let service = read("kind = '/opt/mine'\nready = { delay = '1s' }").unwrap();
        assert_eq!(service.command, ["/opt/mine"]);
        assert_eq!(service.care.ready.policy.by, ReadyBy::Delay(Duration::from_secs(1)));
    }

    #[test]
    fn another_configuration_is_another_program() {
        let hash = |text: &str| read(text).unwrap().spec_hash();
        let one = hash("kind = 'ddns'\nconfig = { a = 1, b = 2 }");
        assert_eq!(one, hash("kind = 'ddns'\nconfig = { b = 2, a = 1 } # words"));
        assert_ne!(one, hash("kind = 'ddns'\nconfig = { a = 1, b = 3 }"));
        assert_ne!(one, hash("kind = 'share'\nconfig = { a = 1, b = 2 }"));
    }

    #[test]
    fn secrets_are_found_where_they_stand() {
        let config = serde_json::json!({
            "secret": "no reference: the object itself is none",
            "token": { "secret": "ping" },
            "list": [{ "secret": "one" }, { "secret": "x", "more": 1 }],
            "a/b": { "c~d": { "secret": "deep" } },
        });
        let found = stored(&config);
        let expected = [("/a~1b/c~0d", "deep"), ("/list/0", "one"), ("/token", "ping")];
        let expected =
            expected.map(|(place, name)| (place.to_owned(), ValueSource::Secret(name.to_owned())));
        assert_eq!(found, expected.into());
    }

    #[test]
    fn secrets_come_from_elsewhere_as_well() {
        let kind = read_kind(
            "kind = 'a'\nconfig = { b = [{ secret = { env = 'X' } }], c = { secret = { file = '/f' } }, d = { env = 'no reference' } }",
        );
        let expected = [
            ("/b/0", ValueSource::Variable("X".to_owned())),
            ("/c", ValueSource::File("/f".to_owned())),
        ];
        assert_eq!(kind.secrets(), expected.map(|(at, one)| (at.to_owned(), one)).into());
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let check = |text: &str, expected: &str| assert_eq!(read(text).unwrap_err(), expected);
        check("kind = 'ddns'\ncommand = 'x'", "3:11 `kind` and `command` exclude each other");
        check("kind = 'Ddns'", "2:8 \"Ddns\" cannot name a kind");
        check("kind = './mine'", "2:8 \"./mine\" cannot name a kind");
        check("command = 'x'\nconfig = {}", "3:10 `config` belongs to a `kind`");
        check("kind = 'a'\nconfig = { a = nan }", "3:10 `config` holds what JSON cannot hold");
        let message = "3:12 nobody may notify, and `kind` waits for a notification";
        check("kind = 'a'\nnotify = { access = 'none' }", message);
        let nowhere = "3:27 the value comes from nowhere";
        check("kind = 'a'\nconfig = { a = { secret = {} } }", nowhere);
        check("kind = 'a'\nconfig = 7", "3:10 `config` must be a table, not a whole number");
    }

    #[test]
    fn a_kind_of_our_own_may_have_a_table_of_its_name() {
        let service = read("[services.web.ddns]\nevery = '5m'\ntoken = { secret = 'cf' }").unwrap();
        let kind = service.kind.unwrap();
        assert_eq!(
            kind,
            read_kind("kind = 'ddns'\nconfig = { every = '5m', token = { secret = 'cf' } }")
        );
        assert_eq!(kind.secret_places().collect::<Vec<_>>(), ["/token"]);
        let check = |text: &str, expected: &str| assert_eq!(read(text).unwrap_err(), expected);
        check("command = 'x'\nddns = {}", "2:11 `ddns` and `command` exclude each other");
        check("ddns = {}\nkind = 'ddns'", "3:8 `ddns` and `kind` exclude each other");
        check("ddns = {}\nconfig = {}", "3:10 `ddns` and `config` exclude each other");
        check("ddns = 7", "2:8 `ddns` must be a table, not a whole number");
        check("ddns = { a = { secret = '' } }", "2:8 \"\" at `/a` cannot name a secret");
    }

    #[track_caller]
    fn read_kind(text: &str) -> KindConfig {
        read(text).unwrap().kind.unwrap()
    }

    #[test]
    fn a_path_is_told_from_a_name_on_every_system() {
        for path in ["/opt/x", "C:\\x.exe", "c:/x.exe", "\\\\server\\x"] {
            assert!(is_kind_path(path), "{path}");
        }
        assert!(!is_kind_path("ddns") && !is_kind_path("a:b"));
    }

    fn read(text: &str) -> Result<ServiceConfig, String> {
        let text = format!("[services.web]\n{text}\n");
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        let config = parse(&[source]).map_err(|found| {
            let first = &found[0];
            format!("{}:{} {}", first.line, first.column, first.message)
        })?;
        Ok(config.services.into_values().next().unwrap())
    }
}
