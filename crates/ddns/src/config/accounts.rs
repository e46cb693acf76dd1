//! The accounts: which provider, by which credentials and which way, for which names.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{
    address::{Family, Unfit},
    discreet::Discreet,
    engine::plan::{AccountPlan, BindingPlan, Plan, SightPlan},
    provider::{Entry, Floors, ParameterError, Parameters, Provider},
    providers,
    record::Record,
};

use super::{
    Account, SourceConfig, digest,
    names::{NAME_KEYS, Name},
    network,
    sources::{List, Sources},
    table::{Item, Read, Table, instead},
};

/// The most accounts.
pub const ACCOUNTS_MAX: usize = 64;
/// The most records, of all accounts together.
pub const BINDINGS_MAX: usize = 4096;
/// The longest name of an account.
const ACCOUNT_NAME_BYTES_MAX: usize = 64;
/// How many requests of one account may be under way at once.
const AT_ONCE: usize = 4;
/// How long it is at least between two writes of one record that both change something.
pub(super) const MIN_INTERVAL: &str = "min-interval";
const MIN_INTERVAL_MAX: Duration = Duration::from_hours(24);
/// What an account takes whatever its provider is, `proxy` and the like left out.
pub(super) const KEYS: &[&str] = &["provider", "names", "sources", MIN_INTERVAL];

/// What is read so far.
#[derive(Debug)]
pub(super) struct Building {
    pub(super) plan: Plan,
    pub(super) accounts: Vec<Account>,
    pub(super) sources: Vec<Vec<SourceConfig>>,
    pub(super) allow: Vec<Unfit>,
}

/// Returns whether a key is one of names, and none of the account.
fn is_of_name(key: &str, entry: &Entry, known: &[&str]) -> bool {
    let is_extra = entry.extras.iter().any(|one| one.key == key);
    let is_of_names = NAME_KEYS.iter().any(|(name, _)| *name == key) && key != "name";
    (is_extra || is_of_names) && !known.contains(&key)
}

impl Building {
    /// Reads `accounts`.
    pub(super) fn accounts(&mut self, item: &Item<'_>, above: &Sources) -> Read<()> {
        let table = item.table()?;
        let count = table.entries().count();
        if count == 0 {
            return item.wrong("it is empty; nothing would be kept");
        }
        if count > ACCOUNTS_MAX {
            return item.wrong(format!("it has more than {ACCOUNTS_MAX} accounts"));
        }
        for (name, item) in table.entries() {
            check_name(name, &item)?;
            self.account(name, &item, above)?;
        }
        Ok(())
    }

    fn account(&mut self, name: &str, item: &Item<'_>, above: &Sources) -> Read<()> {
        let mut table = item.table()?;
        let Some(entry) = table.read("provider", provider)? else {
            return table.wrong("provider", "it is missing; `mainstay ddns providers` lists them");
        };
        let network = network::read(&mut table)?;
        let sources = Sources::read(&mut table, above)?;
        let write = table.read(MIN_INTERVAL, |item| min_interval(item, entry.floors))?;
        let Some(names) = table.item("names") else {
            return table.wrong("names", "it is missing: the names to keep");
        };
        let known: Vec<&str> = entry.parameters.iter().map(|parameter| parameter.key).collect();
        let given = table.rest();
        if let Some(key) = given.keys().find(|key| is_of_name(key, entry, &known)) {
            return table.wrong(key, format!("it belongs to a name: `{{ name = …, {key} = … }}`"));
        }
        table.finish(&known)?;
        let digest = digest::of_secret(&concerning(&table, entry));
        let provider = open(entry, given).or_else(|error| refused(&table, &error))?;
        let index = self.accounts.len();
        self.accounts.push(Account { name: name.to_owned(), entry, provider, network });
        self.plan.accounts.push(AccountPlan {
            name: name.to_owned(),
            floors: Floors { write: write.unwrap_or(entry.floors.write), ..entry.floors },
            reading: entry.reading,
            at_once: AT_ONCE,
            digest,
        });
        for item in names.one_or_more()? {
            let name = Name::read(&item, entry, &sources)?;
            self.bind(index, &name)?;
        }
        Ok(())
    }

    /// Binds a name's records to where their addresses come from.
    fn bind(&mut self, account: usize, name: &Name) -> Read<()> {
        for family in &name.families {
            let binding = self.binding(account, name, *family);
            let at = Item { path: name.path.clone(), value: &Value::Null };
            if self.plan.bindings.iter().any(|other| other.id == binding.id) {
                return at.wrong(format!("`{}` is kept already", binding.id));
            }
            if self.plan.bindings.len() == BINDINGS_MAX {
                return at.wrong(format!("there are more than {BINDINGS_MAX} records"));
            }
            self.plan.bindings.push(binding);
        }
        Ok(())
    }

    fn binding(&mut self, account: usize, name: &Name, family: Family) -> BindingPlan {
        let sight = self.sight(family, name.sources.of(family));
        let record = Record {
            name: name.fqdn.clone(),
            family,
            line: name.line.clone(),
            ttl: name.ttl,
            extra: name.extra.clone(),
        };
        let account_name = self.plan.accounts.get(account).map_or("", |one| one.name.as_str());
        let line = name.line.as_ref().map(|line| format!("/{line}")).unwrap_or_default();
        let id = format!("{account_name}/{}/{}{line}", record.name, family.record_type());
        let compose = name.compose(family);
        let digest = digest::of_plain(&json!({
            "id": id, "ttl": record.ttl, "extra": record.extra, "values": name.values_max,
            "suffix": name.suffix.map(|(host, length)| format!("{host}/{length}")),
        }));
        let (values_max, verify) = (name.values_max, name.verify);
        BindingPlan { id, account, sight, record, compose, values_max, verify, digest }
    }

    /// Returns the sight of a family and its sources; names with the same ones share it.
    fn sight(&mut self, family: Family, list: &List) -> usize {
        let mut known = self.plan.sights.iter().zip(&self.sources);
        let is_same = |(plan, sources): (&SightPlan, &Vec<SourceConfig>)| {
            plan.family == family && plan.sources == list.plans && *sources == list.sources
        };
        if let Some(at) = known.position(is_same) {
            return at;
        }
        let (sources, allow) = (list.plans.clone(), self.allow.clone());
        self.plan.sights.push(SightPlan { family, sources, allow });
        self.sources.push(list.sources.clone());
        self.sources.len() - 1
    }
}

/// Opens an account that keeps its secrets to itself.
fn open(entry: &Entry, given: Map<String, Value>) -> Result<Box<dyn Provider>, ParameterError> {
    let parameters = Parameters::check(entry, given)?;
    let account = (entry.open)(&parameters)?;
    Ok(Box::new(Discreet::new(account, parameters.secrets())))
}

/// An account's name is part of what its records are called, everywhere.
fn check_name(name: &str, item: &Item<'_>) -> Read<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=ACCOUNT_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(());
    }
    item.wrong("an account's name has 1 to 64 of `A-Z a-z 0-9 - _`")
}

fn provider(item: &Item<'_>) -> Read<&'static Entry> {
    let text = item.text()?;
    if let Some(entry) = providers::find(text) {
        return Ok(entry);
    }
    let names = providers::ALL.iter().flat_map(|entry| entry.aliases.iter().chain([&entry.name]));
    let names: Vec<&str> = names.copied().collect();
    let remedy = match instead(text, &names) {
        near if near.starts_with("did") => near,
        _ => "`mainstay ddns providers` lists all".to_owned(),
    };
    item.wrong(format!("there is no provider `{text}`; {remedy}"))
}

/// Nobody writes more often than his provider bears, unless the provider is he himself.
fn min_interval(item: &Item<'_>, floors: Floors) -> Read<Duration> {
    item.duration(floors.write_least.unwrap_or(floors.write)..=MIN_INTERVAL_MAX)
}

/// Returns what an account's failures may come from: all of it but its names and their sources.
fn concerning(table: &Table<'_>, entry: &Entry) -> Map<String, Value> {
    let all = table.entries().filter(|(key, _)| !KEYS.contains(key));
    let all = all.map(|(key, item)| (key.to_owned(), item.value.clone()));
    all.chain([("provider".to_owned(), Value::from(entry.name))]).collect()
}

fn refused<T>(table: &Table<'_>, error: &ParameterError) -> Read<T> {
    table.wrong(&error.key, error.why.clone())
}
