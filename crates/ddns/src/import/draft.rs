//! What is read of another client's file, before it is known to be a configuration of ours.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{
    address::Family,
    config, line,
    provider::{Entry, Nature},
    secret::Secret,
};

use super::{
    Fate, FoundSecret, ImportError, Imported, Note, Shell,
    providers::{self, Credentials},
};

/// How often sources may be asked, as our configuration has it.
const EVERY: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

/// The longest place, and the most words, that are told.
const PLACE_CHARS_MAX: usize = 200;
const WORDS_CHARS_MAX: usize = 1000;

/// All that was read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) shell: Shell,
    pub(super) notes: Vec<Note>,
    every: Option<Duration>,
    accounts: Vec<Matched>,
}

/// An account, our provider for it, and what that takes.
#[derive(Debug)]
struct Matched {
    entry: &'static Entry,
    draft: AccountDraft,
    parameters: Map<String, Value>,
}

/// An account, in the words of another client.
#[derive(Debug, Clone)]
pub(super) struct AccountDraft {
    /// Where it stands in their file.
    pub(super) place: String,
    /// Their name for the provider.
    pub(super) provider: String,
    pub(super) credentials: Credentials,
    /// The domain that the names are in, where they say.
    pub(super) domain: Option<String>,
    pub(super) names: Vec<NameDraft>,
    /// `ipv4` and `ipv6`, as our configuration has them.
    pub(super) sources: Map<String, Value>,
    /// `proxy`, `bind` and the like, and `endpoint` or `url`.
    pub(super) more: Map<String, Value>,
}

/// A name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameDraft {
    pub(super) name: String,
    pub(super) families: Vec<Family>,
    /// Seconds.
    pub(super) ttl: Option<u64>,
    /// `line`, `proxied`, `suffix` and the like.
    pub(super) more: Map<String, Value>,
}

impl Draft {
    pub(super) const fn new(shell: Shell) -> Self {
        Self { shell, notes: Vec::new(), every: None, accounts: Vec::new() }
    }

    pub(super) fn note(&mut self, place: &str, fate: Fate, words: impl Into<String>) {
        // A file may hold letters that steer a terminal.
        let place = line::of(place, PLACE_CHARS_MAX);
        self.notes.push(Note { place, fate, words: line::of(&words.into(), WORDS_CHARS_MAX) });
    }

    /// Takes how often the other client looks.
    pub(super) fn every(&mut self, place: &str, every: Duration) {
        if EVERY.contains(&every) {
            self.every = Some(every);
            let words = "sources are asked so often, and at once when the network changes";
            self.note(place, Fate::Taken, words);
        } else {
            self.note(place, Fate::Changed, "our usual five minutes: it is below 1s or above 1d");
        }
    }

    /// Takes an account, if there is a provider for it.
    pub(super) fn account(&mut self, account: AccountDraft) {
        let Some(entry) = providers::ours(&account.provider) else {
            let words = format!("there is no provider `{}` here", account.provider);
            self.note(&account.place, Fate::Left, words);
            return;
        };
        let (mut parameters, left) = providers::parameters(entry, &account.credentials);
        for field in left {
            let words = format!("`{}` has nothing like it", entry.name);
            self.note(&format!("{}.{field}", account.place), Fate::Left, words);
        }
        let knows = |key: &str| entry.parameters.iter().any(|one| one.key == key);
        if let Some(domain) = account.domain.as_ref().filter(|_| knows("domain")) {
            parameters.entry("domain").or_insert_with(|| Value::from(domain.as_str()));
        }
        for (key, value) in &account.more {
            if knows(key) || config::NETWORK_KEYS.iter().any(|(known, _)| known == key) {
                parameters.insert(key.clone(), value.clone());
            } else {
                let words = format!("`{}` takes no `{key}`", entry.name);
                self.note(&account.place, Fate::Left, words);
            }
        }
        let is_same = |one: &&mut Matched| {
            one.entry.name == entry.name
                && one.parameters == parameters
                && one.draft.sources == account.sources
        };
        match self.accounts.iter_mut().find(is_same) {
            Some(same) => same.draft.names.extend(account.names),
            None => self.accounts.push(Matched { entry, draft: account, parameters }),
        }
    }

    /// Makes a configuration of what our own reader takes.
    pub(super) fn finish(mut self) -> Result<Imported, ImportError> {
        let (mut accounts, mut secrets) = (Map::new(), Vec::new());
        for matched in std::mem::take(&mut self.accounts) {
            let Matched { entry, draft: account, parameters } = matched;
            let names = self.names(entry, &account);
            let mut table = parameters;
            table.insert("provider".to_owned(), json!(entry.name));
            table.insert("names".to_owned(), Value::Array(names));
            if !account.sources.is_empty() {
                table.insert("sources".to_owned(), Value::Object(account.sources.clone()));
            }
            if let Err(error) = config::read(&json!({ "accounts": { "it": table } })) {
                let words = error.to_string().replace("accounts.it.", "");
                self.note(&account.place, Fate::Left, words);
                continue;
            }
            let name = free_name(&accounts, entry.name);
            secrets.extend(refer(&mut table, entry, &name));
            self.note(
                &account.place,
                Fate::Taken,
                format!("account `{name}`, provider `{}`", entry.name),
            );
            accounts.insert(name, Value::Object(table));
        }
        if accounts.is_empty() {
            return Err(ImportError::Nothing { notes: self.notes });
        }
        let mut whole = Map::from_iter([("accounts".to_owned(), Value::Object(accounts))]);
        if let Some(every) = self.every {
            whole.insert("every".to_owned(), json!(in_words(every)));
        }
        Ok(Imported { config: Value::Object(whole), secrets, notes: self.notes })
    }

    /// Joins what is said of the same name twice, and writes it as short as it can be.
    fn names(&mut self, entry: &Entry, account: &AccountDraft) -> Vec<Value> {
        let mut joined: Vec<NameDraft> = Vec::new();
        for one in &account.names {
            let is_same = |other: &&mut NameDraft| {
                (&other.name, &other.more, other.ttl) == (&one.name, &one.more, one.ttl)
            };
            match joined.iter_mut().find(is_same) {
                Some(same) => same.families.extend(&one.families),
                None => joined.push(one.clone()),
            }
        }
        let written = joined.into_iter().map(|name| self.name(entry, account, name));
        written.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    fn name(&mut self, entry: &Entry, account: &AccountDraft, name: NameDraft) -> Option<Value> {
        let place = format!("{}, {}", account.place, name.name);
        let limits = entry.limits;
        let is_kept = |family: &Family| match family {
            Family::V4 => limits.ipv4,
            Family::V6 => limits.ipv6,
        };
        let mut families = name.families.clone();
        families.sort();
        families.dedup();
        for family in families.extract_if(.., |family| !is_kept(family)) {
            let words = format!("`{}` has no records of {family}", entry.name);
            self.note(&place, Fate::Left, words);
        }
        if families.is_empty() {
            return None;
        }
        let mut table = self.extras(entry, &place, name.more);
        if families.len() < Family::ALL.iter().filter(|family| is_kept(family)).count() {
            let words: Vec<&str> = families.iter().map(|family| family.word()).collect();
            table.insert("families".to_owned(), json!(words));
        }
        if let Some(ttl) = self.ttl(entry, &place, name.ttl) {
            table.insert("ttl".to_owned(), json!(ttl));
        }
        if table.is_empty() {
            return Some(Value::from(name.name));
        }
        table.insert("name".to_owned(), Value::from(name.name));
        Some(Value::Object(table))
    }

    fn extras(
        &mut self,
        entry: &Entry,
        place: &str,
        more: Map<String, Value>,
    ) -> Map<String, Value> {
        let mut kept = Map::new();
        for (key, value) in more {
            let is_known = config::NAME_KEYS.iter().any(|(known, _)| *known == key)
                || entry.extras.iter().any(|one| one.key == key);
            if is_known {
                kept.insert(key, value);
            } else {
                self.note(
                    place,
                    Fate::Left,
                    format!("a name at `{}` takes no `{key}`", entry.name),
                );
            }
        }
        kept
    }

    fn ttl(&mut self, entry: &Entry, place: &str, ttl: Option<u64>) -> Option<String> {
        let ttl = ttl?;
        match entry.limits.ttl {
            Some((least, most)) if (u64::from(least)..=u64::from(most)).contains(&ttl) => {
                Some(in_words(Duration::from_secs(ttl)))
            }
            _ => {
                let words = format!(
                    "`{}` does not take a time to live of {ttl}s; it has its own",
                    entry.name
                );
                self.note(place, Fate::Changed, words);
                None
            }
        }
    }
}

/// Puts references in the place of secrets.
fn refer(table: &mut Map<String, Value>, entry: &Entry, account: &str) -> Vec<FoundSecret> {
    let is_secret = |key: &str| {
        key == "proxy-password"
            || entry.parameters.iter().any(|one| one.key == key && one.nature == Nature::Secret)
    };
    let mut found = Vec::new();
    for (key, value) in table.iter_mut().filter(|(key, _)| is_secret(key)) {
        let Some(text) = value.as_str().map(str::to_owned) else { continue };
        let name = format!("ddns-{account}-{key}");
        *value = json!({ "secret": name });
        found.push(FoundSecret { name, value: Secret::from(text) });
    }
    found
}

fn free_name(taken: &Map<String, Value>, wish: &str) -> String {
    let mut names = (2..).map(|number| format!("{wish}-{number}"));
    let first = Some(wish.to_owned()).filter(|name| !taken.contains_key(name));
    first.or_else(|| names.find(|name| !taken.contains_key(name))).unwrap_or_default()
}

/// Writes a duration as the configuration takes it.
pub(super) fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}
