//! Values that are fetched when a run is ordered, in `environment` and in `secrets`:
//!
//! ```toml
//! environment = { LEVEL = "info", DB_PASSWORD = { secret = "db" } }
//! secrets = { "tls.key" = { command = ["vault", "kv", "get", "-field=key", "tls"] } }
//! ```
//!
//! What stands here is where a value comes from, never a value that is secret.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use toml::de::DeValue;

use super::{
    catalogue,
    fields::{Fields, Placed, Reading, mistyped},
    parse::{absolute, words},
    program,
};

/// The longest name of a secret.
pub const SECRET_NAME_BYTES_MAX: usize = 64;
/// The longest value, whatever it comes from.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// So many values of one service are fetched at most.
const FETCHED_MAX: usize = 100;
/// How long a command may take when nobody says.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// Names the folder of `secrets` to the program, as systemd does.
const FOLDER_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// What a table of a value may say, one of them.
const SOURCES: &str = "write one of `secret`, `env`, `file`, `command` or `credential`";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ValueSource {
    /// It stands in the configuration.
    Text(String),
    /// The instance's own store, by its name.
    Secret(String),
    /// A variable of the agent's own environment.
    Variable(String),
    /// What is in a file.
    File(String),
    /// What a command says.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
        /// After that it is ended with all that it has started.
        timeout: Duration,
    },
    /// A credential that systemd has given to the agent.
    Credential(String),
}

impl ValueSource {
    /// Returns the name of the secret that is meant, if it is one of the instance's store.
    pub fn secret(&self) -> Option<&str> {
        if let Self::Secret(name) = self { Some(name) } else { None }
    }
}

/// What a service is given that is fetched when a run is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Fetched {
    /// Variables.
    pub environment: BTreeMap<String, ValueSource>,
    /// Files in the folder that `CREDENTIALS_DIRECTORY` names.
    pub files: BTreeMap<String, ValueSource>,
    /// Texts in the configuration of a kind, by their places in it (RFC 6901).
    pub config: BTreeMap<String, ValueSource>,
}

impl Fetched {
    /// Returns whether there is nothing to fetch.
    pub fn is_empty(&self) -> bool {
        self.environment.is_empty() && self.files.is_empty() && self.config.is_empty()
    }

    /// Returns all sources, variables first.
    pub fn sources(&self) -> impl Iterator<Item = &ValueSource> {
        self.environment.values().chain(self.files.values()).chain(self.config.values())
    }

    /// Returns whether a secret of the instance's store is meant.
    pub fn refers_to(&self, secret: &str) -> bool {
        self.sources().any(|source| source.secret() == Some(secret))
    }
}

/// Refuses what cannot name a secret; the error says what can.
pub fn check_secret_name(name: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_short = (1..=SECRET_NAME_BYTES_MAX).contains(&name.len());
    // Neither `..` nor what is hidden, and nothing that Windows would cut off.
    let is_framed = !name.starts_with('.') && !name.ends_with('.');
    if is_short && is_framed && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err("a name has 1 to 64 letters, digits, `-`, `_` or `.`, and no dot at either end")
}

/// What was read of `environment` and `secrets`.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Variables that stand in the configuration.
    pub(super) plain: BTreeMap<String, Placed>,
    pub(super) fetched: Fetched,
}

/// Reads both tables.
pub(super) fn read(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Values {
    let mut values = Values::default();
    environment(fields, r, &mut values);
    files(fields, r, &mut values);
    let count = values.fetched.sources().count();
    if count > FETCHED_MAX
        && let Some(value) = fields.value("secrets").or(fields.value("environment"))
    {
        let message = format!("{count} values are to be fetched, more than {FETCHED_MAX}");
        r.wrong(value.span(), "too-many", message, "put several of them into one file");
    }
    values
}

fn environment(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>, values: &mut Values) {
    let Some(table) = fields.table("environment", r) else { return };
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let Some(source) = source(&name, value, r) else { continue };
        let (text, span) = (String::new(), value.span());
        if let ValueSource::Text(text) = source {
            values.plain.insert(name, Placed { text, span });
            continue;
        }
        program::check_variables(r, &BTreeMap::from([(name.clone(), Placed { text, span })]));
        values.fetched.environment.insert(name, source);
    }
}

fn files(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>, values: &mut Values) {
    let Some(table) = fields.table("secrets", r) else { return };
    for (key, value) in table {
        let name = key.get_ref().to_string();
        if let Err(help) = check_secret_name(&name) {
            r.wrong(key.span(), "bad-name", format!("{name:?} cannot name a file"), help);
            continue;
        }
        let is_same = |other: &&String| other.eq_ignore_ascii_case(&name);
        if let Some(other) = values.fetched.files.keys().find(is_same) {
            let message = format!("`{name}` and `{other}` are one file on some systems");
            r.wrong(key.span(), "bad-name", message, "give one of them another name");
        }
        let Some(source) = source(&name, value, r) else { continue };
        if matches!(&source, ValueSource::Text(text) if text.len() > SECRET_BYTES_MAX) {
            let message = format!("`{name}` has more than {SECRET_BYTES_MAX} bytes");
            r.wrong(value.span(), "too-large", message, "write `{ file = \"path\" }`");
        }
        values.fetched.files.insert(name, source);
    }
    let given = values.plain.get(FOLDER_VARIABLE).map(|placed| placed.span.clone());
    if let Some(span) = given.filter(|_| !values.fetched.files.is_empty()) {
        let message = format!("`{FOLDER_VARIABLE}` names the folder of `secrets`");
        r.wrong(span, "bad-variable", message, "remove it, or take `secrets` out");
    }
}

/// Reads a text, a number, true or false, or a table that says where the value comes from.
pub(super) fn source(
    name: &str,
    value: &toml::Spanned<DeValue<'_>>,
    r: &mut Reading<'_>,
) -> Option<ValueSource> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Table(table) => {
            let mut fields = Fields::new(table, format!("`{name}`"), &catalogue::SOURCE);
            let found = fetched(&mut fields, value.span(), r);
            fields.finish(&[], r);
            return found;
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) => {
            let expected = "a text, or a table such as `{ secret = \"NAME\" }`";
            return mistyped(r, value, name, expected, value.get_ref());
        }
    };
    Some(ValueSource::Text(text))
}

fn fetched(
    fields: &mut Fields<'_, '_>,
    span: Range<usize>,
    r: &mut Reading<'_>,
) -> Option<ValueSource> {
    let before = r.found.len();
    let mut found = Vec::new();
    found.extend(named(fields, "secret", r).map(ValueSource::Secret));
    found.extend(named(fields, "credential", r).map(ValueSource::Credential));
    found.extend(variable(fields, r).map(ValueSource::Variable));
    found.extend(file(fields, r).map(ValueSource::File));
    found.extend(command(fields, r));
    if r.found.len() > before {
        return None;
    }
    if found.len() != 1 {
        let what = if found.is_empty() { "nowhere" } else { "two places at once" };
        r.wrong(span, "one-source", format!("the value comes from {what}"), SOURCES);
    }
    found.pop()
}

fn named(fields: &mut Fields<'_, '_>, key: &'static str, r: &mut Reading<'_>) -> Option<String> {
    let name = fields.text(key, r)?;
    if let Err(help) = check_secret_name(&name) {
        let span = fields.value(key)?.span();
        r.wrong(span, "bad-name", format!("{name:?} cannot name a {key}"), help);
        return None;
    }
    Some(name)
}

fn variable(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<String> {
    let name = fields.text("env", r)?;
    let span = fields.value("env")?.span();
    let text = String::new();
    program::check_variables(r, &BTreeMap::from([(name.clone(), Placed { text, span })]));
    Some(name)
}

fn file(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<String> {
    let path = fields.text("file", r)?;
    let span = fields.value("file")?.span();
    program::check_text(r, &path, &span);
    if path.is_empty() {
        r.wrong(span, "out-of-range", "`file` is empty".to_owned(), "name a file");
        return None;
    }
    Some(absolute(r.file, Some(&path)))
}

fn command(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<ValueSource> {
    let timeout = fields.duration("timeout", r);
    let Some(value) = fields.value("command") else {
        if let Some(span) = fields.value("timeout").map(toml::Spanned::span) {
            let message = "only a `command` has a `timeout`".to_owned();
            r.wrong(span, "not-for-this-source", message, "remove it");
        }
        return None;
    };
    let command = words(fields, "command", value, r)?;
    Some(ValueSource::Command { command, timeout: timeout.unwrap_or(COMMAND_TIMEOUT) })
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};
    use crate::config::{ServiceConfig, SourceText};

    #[test]
    fn a_value_comes_from_where_its_table_says() {
        let service = read(
            "environment = { A = 'x', B = { secret = 'db' }, C = { env = 'HOME' }, N = 5 }\n\
             secrets = { one = 'text', two = { file = 'f' }, three = { credential = 'c.d' },\n\
             four = { command = ['vault', '-x'] }, five = { command = 'a b', timeout = '1m' } }",
        )
        .unwrap();
        assert_eq!(service.environment.len(), 2);
        let Fetched { environment, files, .. } = &service.fetched;
        assert_eq!(environment["B"], ValueSource::Secret("db".to_owned()));
        assert_eq!(environment["C"], ValueSource::Variable("HOME".to_owned()));
        assert_eq!(files["one"], ValueSource::Text("text".to_owned()));
        let beside = std::path::Path::new("folder").join("f").display().to_string();
        assert_eq!(files["two"], ValueSource::File(beside));
        assert_eq!(files["three"], ValueSource::Credential("c.d".to_owned()));
        let of = |words: [&str; 2], timeout| ValueSource::Command {
            command: words.map(str::to_owned).to_vec(),
            timeout,
        };
        assert_eq!(files["four"], of(["vault", "-x"], COMMAND_TIMEOUT));
        assert_eq!(files["five"], of(["a", "b"], Duration::from_mins(1)));
        assert!(service.fetched.refers_to("db") && !service.fetched.refers_to("c.d"));
    }

    #[test]
    fn a_mistake_is_named_with_its_place_and_what_helps() {
        let check = |text: &str, expected: &str| assert_eq!(read(text).unwrap_err(), expected);
        check(
            "environment = { A = {} }",
            "3:21 the value comes from nowhere; write one of `secret`, `env`, `file`, `command` or \
             `credential`",
        );
        check(
            "environment = { A = { secret = 'a', env = 'B' } }",
            "3:21 the value comes from two places at once; write one of `secret`, `env`, `file`, \
             `command` or `credential`",
        );
        check(
            "environment = { A = { sercet = 'a' } }",
            "3:21 the value comes from nowhere; write one of `secret`, `env`, `file`, `command` or \
             `credential`",
        );
        check(
            "environment = { A = ['a'] }",
            "3:21 `A` must be a text, or a table such as `{ secret = \"NAME\" }`, not a list; ",
        );
        let names = "a name has 1 to 64 letters, digits, `-`, `_` or `.`, and no dot at either end";
        check(
            "environment = { A = { secret = 'a b' } }",
            &format!("3:32 \"a b\" cannot name a secret; {names}"),
        );
        check("secrets = { '../x' = 'a' }", &format!("3:13 \"../x\" cannot name a file; {names}"));
        check(
            "secrets = { a = 'x', A = 'y' }",
            "3:13 `a` and `A` are one file on some systems; give one of them another name",
        );
        check(
            "environment = { A = { env = 'A', timeout = '1s' } }",
            "3:44 only a `command` has a `timeout`; remove it",
        );
        check(
            "environment = { A = { command = 'a', timeout = '1h' } }",
            "3:48 `timeout` is longer than 300s; give it less",
        );
        check("environment = { A = { command = [] } }", "3:33 `command` is empty; ");
        check(
            "environment = { CREDENTIALS_DIRECTORY = 'x' }\nsecrets = { a = 'x' }",
            "3:41 `CREDENTIALS_DIRECTORY` names the folder of `secrets`; remove it, or take \
             `secrets` out",
        );
        check(
            "environment = { A = { env = 'A=B' } }",
            "3:29 \"A=B\" cannot name a variable; a name has at least one letter, and no `=`",
        );
    }

    #[test]
    fn what_is_referred_to_counts_for_the_running_program_and_nothing_else_changes() {
        let hash = |text: &str| read(text).unwrap().spec_hash();
        let former = hash("environment = { A = 'x' }");
        let fetched = hash("environment = { A = { secret = 'x' } }");
        assert_ne!(fetched, former);
        assert_ne!(fetched, hash("environment = { A = { env = 'x' } }"));
        assert_ne!(fetched, hash("secrets = { A = { secret = 'x' } }"));
        assert_eq!(fetched, hash("environment = { A = { secret = \"x\" } } # the same"));
    }

    /// Returns a service, or the first mistake.
    fn read(keys: &str) -> Result<ServiceConfig, String> {
        let text = format!("[services.web]\ncommand = ['web']\n{keys}\n");
        let source = SourceText { file: "folder/mainstay.toml", bytes: text.as_bytes() };
        let parsed = parse(&[source]);
        parsed.map(|config| config.services.into_values().next().unwrap()).map_err(|found| {
            let first = &found[0];
            format!("{}:{} {}; {}", first.line, first.column, first.message, first.help)
        })
    }
}
