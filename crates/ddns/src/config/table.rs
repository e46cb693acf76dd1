//! Reading JSON key by key: a value knows where it stands, and what nobody asked for is unknown.

use std::{ops::RangeInclusive, time::Duration};

use mainstay_api::config::{parse_duration, suggestion};
use serde_json::{Map, Value};

/// The longest list, of whatever it is.
pub(super) const ITEMS_MAX: usize = 1024;
/// The longest text, of whatever it is.
pub(super) const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Why a configuration cannot be worked with, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct ConfigError {
    /// Where: `accounts.cf.names[1].ttl`.
    pub path: String,
    /// What was wanted there, and why it is not; without any secret.
    pub why: String,
}

/// What reading comes to.
pub(super) type Read<T> = Result<T, ConfigError>;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) path: String,
    pub(super) value: &'a Value,
}

/// A table whose keys are asked for.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) path: String,
    map: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Item<'a> {
    /// Returns an error at this place.
    pub(super) fn wrong<T>(&self, why: impl Into<String>) -> Read<T> {
        Err(ConfigError { path: self.path.clone(), why: why.into() })
    }

    fn mistyped<T>(&self, expected: &str) -> Read<T> {
        self.wrong(format!("it must be {expected}, not {}", type_name(self.value)))
    }

    pub(super) fn text(&self) -> Read<&'a str> {
        let Value::String(text) = self.value else { return self.mistyped("a text") };
        if text.trim().is_empty() {
            return self.wrong("it is empty");
        }
        if text.len() > TEXT_BYTES_MAX {
            return self.wrong(format!("it has more than {TEXT_BYTES_MAX} bytes"));
        }
        Ok(text)
    }

    pub(super) fn flag(&self) -> Read<bool> {
        self.value.as_bool().map_or_else(|| self.mistyped("true or false"), Ok)
    }

    /// Returns whether it says `true`; `false` is refused, because leaving it out means that.
    pub(super) fn is_true(&self) -> bool {
        self.value == &Value::Bool(true)
    }

    pub(super) fn number(&self, range: RangeInclusive<u64>) -> Read<u64> {
        let Some(number) = self.value.as_i64() else { return self.mistyped("a whole number") };
        let read = u64::try_from(number).ok().filter(|number| range.contains(number));
        read.map_or_else(
            || self.wrong(format!("{number} is not between {} and {}", range.start(), range.end())),
            Ok,
        )
    }

    pub(super) fn duration(&self, range: RangeInclusive<Duration>) -> Read<Duration> {
        let Value::String(text) = self.value else {
            return self.mistyped("a duration as text, such as \"5m\"");
        };
        let read = parse_duration(text).or_else(|why| self.wrong(why))?;
        if range.contains(&read) {
            return Ok(read);
        }
        let (least, most) = (in_words(*range.start()), in_words(*range.end()));
        self.wrong(format!("`{text}` is not between {least} and {most}"))
    }

    /// Returns the items of a list.
    pub(super) fn list(&self) -> Read<Vec<Self>> {
        let Value::Array(items) = self.value else { return self.mistyped("a list") };
        if items.len() > ITEMS_MAX {
            return self.wrong(format!("it has more than {ITEMS_MAX} items"));
        }
        let place = |(at, value)| Self { path: format!("{}[{at}]", self.path), value };
        Ok(items.iter().enumerate().map(place).collect())
    }

    /// Returns the items of a list, or the one that stands for itself.
    pub(super) fn one_or_more(&self) -> Read<Vec<Self>> {
        let items = if self.value.is_array() { self.list()? } else { vec![self.clone()] };
        if items.is_empty() { self.wrong("it is empty") } else { Ok(items) }
    }

    pub(super) fn table(&self) -> Read<Table<'a>> {
        let Value::Object(map) = self.value else { return self.mistyped("a table") };
        Ok(Table { path: self.path.clone(), map, asked: Vec::new() })
    }

    /// Returns what one of several words means.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Read<T> {
        let text = self.text()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*meaning);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.wrong(format!("it cannot be `{text}`; {}", instead(text, &names)))
    }
}

impl<'a> Table<'a> {
    /// Returns an error at this table's place, or at a key's.
    pub(super) fn wrong<T>(&self, key: &str, why: impl Into<String>) -> Read<T> {
        Err(ConfigError { path: self.place(key), why: why.into() })
    }

    /// Returns a key's value.
    pub(super) fn item(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let value = self.map.get(key)?;
        Some(Item { path: self.place(key), value })
    }

    /// Returns what a key's value is read as, if the key is there.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Item<'a>) -> Read<T>,
    ) -> Read<Option<T>> {
        self.item(key).map(|item| read(&item)).transpose()
    }

    /// Returns all entries, for tables whose keys are names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Item<'a>)> {
        let place = |(key, value): (&'a String, &'a Value)| {
            (key.as_str(), Item { path: self.place(key), value })
        };
        self.map.iter().map(place)
    }

    /// Returns what nobody has asked for.
    pub(super) fn rest(&self) -> Map<String, Value> {
        let rest = self.map.iter().filter(|(key, _)| !self.asked.contains(&key.as_str()));
        rest.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Refuses every key that nobody has asked for and that is none of these either.
    pub(super) fn finish(&self, others: &[&str]) -> Read<()> {
        let known: Vec<&str> = self.asked.iter().copied().chain(others.iter().copied()).collect();
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => self.wrong(key, format!("unknown key; {}", instead(key, &known))),
            None => Ok(()),
        }
    }

    fn place(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            (path, "") => path.to_owned(),
            ("", key) => key.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }
}

/// Says what may stand there: the nearest word, or all of them.
pub(super) fn instead(typed: &str, words: &[&str]) -> String {
    suggestion(typed, words).map_or_else(
        || {
            let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            format!("there is {}", quoted.join(", "))
        },
        |word| format!("did you mean `{word}`?"),
    )
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        0 if !time.is_zero() => format!("{}ms", time.as_millis()),
        seconds if seconds > 0 && seconds.is_multiple_of(86_400) => {
            format!("{}d", seconds / 86_400)
        }
        seconds if seconds > 0 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}
