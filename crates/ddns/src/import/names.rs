//! Names of other clients, as our configuration has them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{address::Family, config, name::Fqdn, provider::Entry};

use super::{
    Fate,
    draft::{AccountDraft, Draft, NameDraft, in_words},
};

/// Returns the whole of a name that may be a label of a domain, `@`, or `*`.
pub(super) fn whole(name: &str, domain: Option<&str>) -> String {
    let name = name.trim();
    match domain.map(|domain| domain.trim().trim_end_matches('.')) {
        Some(domain) if name == "@" || name.is_empty() => domain.to_owned(),
        Some(domain) if !name.trim_end_matches('.').contains('.') => format!("{name}.{domain}"),
        _ => name.to_owned(),
    }
}

/// Returns a name as it is written here: without a last dot, without `@` for the domain itself.
fn plain(name: &str) -> String {
    let name = name.trim().trim_end_matches('.');
    name.strip_prefix("@.").unwrap_or(name).to_lowercase()
}

/// Returns what is the same for all ways to write a name.
fn key(name: &str) -> String {
    Fqdn::parse(name).map_or_else(|_| name.to_owned(), |name| name.to_string())
}

impl Draft {
    /// Joins what is said of the same name twice, and writes it as short as it can be.
    pub(super) fn names(&mut self, entry: &Entry, account: &AccountDraft) -> Vec<Value> {
        let mut joined: Vec<NameDraft> = Vec::new();
        for one in &account.names {
            let mut one = NameDraft { name: plain(&one.name), ..one.clone() };
            if self.is_twice(&mut one, &joined, account) {
                continue;
            }
            let is_same = |other: &&mut NameDraft| {
                let (ours, theirs) = (key(&one.name), key(&other.name));
                (&theirs, &other.more, other.ttl) == (&ours, &one.more, one.ttl)
            };
            match joined.iter_mut().find(is_same) {
                Some(same) => same.families.extend(&one.families),
                None => joined.push(one),
            }
        }
        let written = joined.into_iter().map(|name| self.name(entry, account, name));
        written.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// Takes away what stands there before already; returns whether nothing is left.
    fn is_twice(
        &mut self,
        one: &mut NameDraft,
        before: &[NameDraft],
        account: &AccountDraft,
    ) -> bool {
        let line = |name: &NameDraft| name.more.get("line").cloned();
        let is_same =
            |other: &&NameDraft| key(&other.name) == key(&one.name) && line(other) == line(one);
        let known: Vec<Family> =
            before.iter().filter(is_same).flat_map(|other| other.families.clone()).collect();
        let count = one.families.len();
        one.families.retain(|family| !known.contains(family));
        if one.families.len() < count {
            let place = format!("{}, {}", account.place, one.name);
            self.note(&place, Fate::Changed, "it stands there twice; the first one counts");
        }
        one.families.is_empty()
    }

    /// Leaves out the names that our own reader refuses, and tells why: one is no reason to leave
    /// the others.
    pub(super) fn sound(
        &mut self,
        names: Vec<Value>,
        account: &AccountDraft,
        table: &Map<String, Value>,
    ) -> Vec<Value> {
        let mut kept = Vec::new();
        for name in names {
            let mut alone = table.clone();
            alone.insert("names".to_owned(), json!([name]));
            match config::read(&json!({ "accounts": { "it": alone } })) {
                Err(error) if error.path.starts_with("accounts.it.names") => {
                    let words = error.to_string().replace("accounts.it.names[0]", "name");
                    self.note(&account.place, Fate::Left, words);
                }
                Ok(_) | Err(_) => kept.push(name),
            }
        }
        kept
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
