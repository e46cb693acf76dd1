//! What a provider is: one file below `providers/`, behind this trait, listed in the catalogue.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde_json::{Map, Value};

use crate::{
    failure::Failure,
    record::{Change, Found, Record, Written},
    secret::Secret,
    wire::{Later, Wire},
};

/// What comes later of an attempt.
pub type Attempt<'a, T> = Later<'a, Result<T, Failure>>;

/// One account at one provider.
///
/// Neither function tries anything again, and both may be dropped at any instant.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Reads what there is of a record. Only asked where the [catalogue](Entry::reading) says that
    /// the provider can tell.
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found>;

    /// Makes a record what it shall be: creates what is missing, changes only what differs, and
    /// leaves everything else as it is.
    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written>;
}

/// What opens an account.
pub type Open = fn(&Parameters) -> Result<Box<dyn Provider>, ParameterError>;

/// What is known of a provider before anybody has an account.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Other names that people write.
    pub aliases: &'static [&'static str],
    /// Its name for people.
    pub title: &'static str,
    /// Its name for people who read Chinese.
    pub title_zh: &'static str,
    /// Where its owner tells how this is done.
    pub documents: &'static str,
    /// What the account takes: credentials and the like, in the order in which they are asked for.
    pub parameters: &'static [Parameter],
    /// What a name takes beside `ttl`, `line` and the like that every name knows.
    pub extras: &'static [Parameter],
    /// Whether it tells what there is.
    pub reading: Reading,
    /// How often it may be asked.
    pub floors: Floors,
    /// What its records may look like.
    pub limits: Limits,
    /// Makes one of it.
    pub open: Open,
}

/// Whether a provider tells what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It does.
    Possible,
    /// It only takes updates; a DNS question has to do instead.
    Impossible,
}

/// How often a provider may be asked: times below which the engine never goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floors {
    /// Between two writes of one record that both change something.
    pub write: Duration,
    /// What a configuration may make of that at the least, where the server is whoever's it keeps
    /// names at; nothing where it may only be longer.
    pub write_least: Option<Duration>,
    /// After a failure that may be over soon.
    pub transient: Duration,
    /// After it has asked for patience, or said that it is in trouble itself.
    pub rate_limited: Duration,
    /// How often a record that has not changed is written all the same, where that keeps it alive;
    /// nothing where it need not be.
    pub refresh: Option<Duration>,
}

impl Floors {
    /// What most APIs bear.
    pub const API: Self = Self {
        write: Duration::from_secs(10),
        write_least: None,
        transient: Duration::from_secs(5),
        rate_limited: Duration::from_mins(5),
        refresh: None,
    };
    /// What a name server of one's own bears: its owner knows better.
    pub const OWN: Self = Self { write_least: Some(Duration::from_millis(100)), ..Self::API };
    /// What the services around the dyndns2 protocol ask for.
    pub const DYNDNS: Self = Self {
        write: Duration::from_mins(1),
        write_least: None,
        // They ask for patience by `911` and `dnserr`; what never reached them is no burden.
        transient: Duration::from_secs(10),
        rate_limited: Duration::from_mins(10),
        refresh: Some(Duration::from_hours(24 * 25)),
    };
}

/// What a provider's records may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Whether it has records of the type `A`.
    pub ipv4: bool,
    /// Whether it has records of the type `AAAA`.
    pub ipv6: bool,
    /// How many addresses a name may have.
    pub values: usize,
    /// The times to live that it takes, in seconds; nothing where it takes none.
    pub ttl: Option<(u32, u32)>,
}

impl Limits {
    /// Both families, any number of addresses, any time to live.
    pub const ZONE: Self = Self { ipv4: true, ipv6: true, values: 16, ttl: Some((1, 604_800)) };
    /// Both families, one address each, and a time to live of its own.
    pub const ONE_EACH: Self = Self { ipv4: true, ipv6: true, values: 1, ttl: None };
}

/// Something that an account, or a name of it, takes.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its key in the configuration.
    pub key: &'static str,
    /// Whether it must be there.
    pub need: Need,
    /// Whether it may be shown.
    pub nature: Nature,
    /// What it is, for people.
    pub help: &'static str,
    /// The same in Chinese.
    pub help_zh: &'static str,
}

/// Whether a parameter must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing works without it.
    Required,
    /// It may be missing.
    Optional,
}

/// Whether a parameter may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It may.
    Plain,
    /// It is a credential.
    Secret,
    /// It is a table of credentials, with names that the user chooses.
    SecretTable,
}

/// What the configuration gives an account, already checked against its parameters.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    secrets: BTreeMap<&'static str, Secret>,
    secret_tables: BTreeMap<&'static str, BTreeMap<String, Secret>>,
    plain: Map<String, Value>,
}

/// A parameter that cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {why}")]
pub struct ParameterError {
    /// Which.
    pub key: String,
    /// Why, in a sentence.
    pub why: String,
}

impl ParameterError {
    /// Returns one.
    pub fn new(key: &str, why: impl Into<String>) -> Self {
        Self { key: key.to_owned(), why: why.into() }
    }
}

impl Parameters {
    /// Takes what the configuration gives and refuses what the provider does not know, what is
    /// missing, and what is no text.
    pub fn check(entry: &Entry, mut given: Map<String, Value>) -> Result<Self, ParameterError> {
        let mut checked = Self::default();
        for parameter in entry.parameters {
            let Some(value) = given.remove(parameter.key) else {
                if parameter.need == Need::Required {
                    let why = format!("it is missing: {}", parameter.help);
                    return Err(ParameterError::new(parameter.key, why));
                }
                continue;
            };
            checked.take(parameter, value)?;
        }
        match given.keys().next() {
            Some(key) => Err(unknown(entry, key)),
            None => Ok(checked),
        }
    }

    fn take(&mut self, parameter: &Parameter, value: Value) -> Result<(), ParameterError> {
        match (parameter.nature, value) {
            (_, Value::String(text)) if text.trim().is_empty() => {
                Err(ParameterError::new(parameter.key, "it is empty"))
            }
            (Nature::Secret, Value::String(text)) => {
                self.secrets.insert(parameter.key, Secret::from(text));
                Ok(())
            }
            (Nature::Secret, _) => Err(ParameterError::new(parameter.key, NO_SECRET)),
            (Nature::SecretTable, Value::Object(table)) => {
                self.secret_tables.insert(parameter.key, secret_table(parameter.key, table)?);
                Ok(())
            }
            (Nature::SecretTable, _) => {
                Err(ParameterError::new(parameter.key, "it must be a table of texts"))
            }
            (Nature::Plain, value) => {
                self.plain.insert(parameter.key.to_owned(), value);
                Ok(())
            }
        }
    }

    /// Returns a secret that the catalogue calls required.
    pub fn secret(&self, key: &'static str) -> Result<Secret, ParameterError> {
        self.optional_secret(key).ok_or_else(|| ParameterError::new(key, "it is missing"))
    }

    /// Returns a secret, if it is given.
    pub fn optional_secret(&self, key: &str) -> Option<Secret> {
        self.secrets.get(key).cloned()
    }

    /// Returns all secrets, whatever they are called.
    pub fn secrets(&self) -> Vec<Secret> {
        let tables = self.secret_tables.values().flat_map(BTreeMap::values);
        self.secrets.values().chain(tables).cloned().collect()
    }

    /// Returns the named secrets of a table; none when it is not given.
    pub fn secret_table(&self, key: &str) -> BTreeMap<String, Secret> {
        self.secret_tables.get(key).cloned().unwrap_or_default()
    }

    /// Returns a text, if it is given.
    pub fn text(&self, key: &str) -> Result<Option<&str>, ParameterError> {
        match self.plain.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ParameterError::new(key, "it must be a text")),
        }
    }

    /// Returns a text that the catalogue calls required.
    pub fn required(&self, key: &'static str) -> Result<&str, ParameterError> {
        self.text(key)?.ok_or_else(|| ParameterError::new(key, "it is missing"))
    }

    /// Returns a value of any shape, if it is given.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.plain.get(key)
    }

    /// Returns the address of the service: `endpoint` where that is given, else the usual one.
    ///
    /// Without a last slash. Only who writes `http://` himself sends anything unencrypted.
    pub fn endpoint(&self, usual: &str) -> Result<String, ParameterError> {
        let given = self.text("endpoint")?.unwrap_or(usual);
        if !given.starts_with("https://") && !given.starts_with("http://") {
            return Err(ParameterError::new("endpoint", "it must begin with `https://`"));
        }
        Ok(given.trim_end_matches('/').to_owned())
    }
}

/// What is said of a secret that is none.
const NO_SECRET: &str = "it must be a text, `{ secret = \"NAME\" }`, \
                         `{ secret = { env = \"NAME\" } }`, or another source of a secret";

/// The parameter that every provider with an address of its own takes.
pub const ENDPOINT: Parameter = Parameter {
    key: "endpoint",
    need: Need::Optional,
    nature: Nature::Plain,
    help: "another address of the service, such as a gateway's or a test's",
    help_zh: "服务的另一个地址，例如网关或测试环境",
};

fn secret_table(
    key: &str,
    table: Map<String, Value>,
) -> Result<BTreeMap<String, Secret>, ParameterError> {
    let mut secrets = BTreeMap::new();
    for (name, value) in table {
        let Some(text) = value.as_str().filter(|text| !text.trim().is_empty()) else {
            return Err(ParameterError::new(
                key,
                format!("it has a `{name}` that is empty or no text"),
            ));
        };
        secrets.insert(name, Secret::from(text.to_owned()));
    }
    Ok(secrets)
}

fn unknown(entry: &Entry, key: &str) -> ParameterError {
    let known: Vec<String> =
        entry.parameters.iter().map(|parameter| format!("`{}`", parameter.key)).collect();
    let why = format!("it is nothing that `{}` takes; it takes {}", entry.name, known.join(", "));
    ParameterError::new(key, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::find;

    const SECRETS: Parameter = Parameter {
        key: "secrets",
        need: Need::Optional,
        nature: Nature::SecretTable,
        help: "",
        help_zh: "",
    };

    fn checked(given: Value) -> Result<Parameters, String> {
        let mut entry = *find("freemyip").unwrap();
        entry.parameters = const { &[SECRETS, ENDPOINT] };
        let Value::Object(given) = given else { unreachable!("tests give tables") };
        Parameters::check(&entry, given).map_err(|error| error.to_string())
    }

    #[test]
    fn secrets_of_a_table_have_the_names_that_the_user_chose() {
        let parameters = checked(serde_json::json!({"secrets": {"key": "hunter2"}})).unwrap();
        let table = parameters.secret_table("secrets");
        assert_eq!(table.get("key").map(Secret::reveal), Some("hunter2"));
        assert!(!format!("{parameters:?}").contains("hunter2"));
    }

    #[test]
    fn a_table_of_secrets_has_nothing_but_texts() {
        let told = |given| checked(given).unwrap_err();
        assert!(told(serde_json::json!({"secrets": {"key": 7}})).contains("`key`"));
        assert!(told(serde_json::json!({"secrets": "hunter2"})).contains("table of texts"));
    }
}
