//! Which zone a name lies in: told by the configuration, or looked for upwards and remembered.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
    provider::{Nature, Need, Parameter, ParameterError, Parameters},
    record::Record,
    wire::Wire,
};

/// The parameter of an account, and of a name, that says in which zone names lie.
pub(super) const ZONE: Parameter = Parameter {
    key: "zone",
    need: Need::Optional,
    nature: Nature::Plain,
    help: "the zone that the names lie in, such as `example.org`; looked for otherwise",
    help_zh: "域名所属的区域（主域名），例如 `example.org`；不填则自动查找",
};

/// The zones of one account: what is configured, and what was found.
#[derive(Debug)]
pub(super) struct Zones<Z> {
    configured: Option<Fqdn>,
    found: Mutex<Found<Z>>,
}

/// What was found.
#[derive(Debug)]
struct Found<Z> {
    /// In which zone a name lies.
    of_names: BTreeMap<Fqdn, Z>,
    /// The zones by their own names: whoever has found one has found it for all names in it.
    zones: BTreeMap<Fqdn, Z>,
}

impl<Z: Clone> Zones<Z> {
    /// Takes the parameter `zone`.
    pub(super) fn open(parameters: &Parameters) -> Result<Self, ParameterError> {
        let configured = parameters.text(ZONE.key)?.map(Fqdn::parse).transpose();
        let configured =
            configured.map_err(|error| ParameterError::new(ZONE.key, error.to_string()))?;
        let found = Found { of_names: BTreeMap::new(), zones: BTreeMap::new() };
        Ok(Self { configured, found: Mutex::new(found) })
    }

    /// Returns the zone that a name was found in.
    pub(super) fn known(&self, name: &Fqdn) -> Option<Z> {
        self.lock().of_names.get(name).cloned()
    }

    /// Returns the zone of exactly this name, if another name was found in it.
    fn called(&self, name: &Fqdn) -> Option<Z> {
        self.lock().zones.get(name).cloned()
    }

    /// Remembers in which zone a name lies, and what that is called.
    fn remember(&self, name: &Fqdn, (called, zone): (Fqdn, Z)) {
        let mut found = self.lock();
        found.of_names.insert(name.clone(), zone.clone());
        found.zones.insert(called, zone);
    }

    /// Forgets it: the zone may be gone.
    pub(super) fn forget(&self, name: &Fqdn) {
        let mut found = self.lock();
        found.of_names.remove(name);
        found.zones.retain(|called, _| !name.is_in(called));
    }

    /// Returns the names that the zone may have, the longest first: all those above the record's
    /// name, or the one that is configured.
    pub(super) fn candidates(&self, record: &Record) -> Result<Vec<Fqdn>, Failure> {
        let configured = match text(record, ZONE.key)? {
            Some(zone) => Some(Fqdn::parse(zone).map_err(|error| refused(&error.to_string()))?),
            None => self.configured.clone(),
        };
        match configured {
            Some(zone) if record.name.is_in(&zone) => Ok(vec![zone]),
            Some(zone) => {
                Err(refused(&format!("`{}` is not in the configured zone `{zone}`", record.name)))
            }
            None => Ok(record.name.ancestry().collect()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Found<Z>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where something is to be done.
pub(super) struct Spot<'a, Z> {
    /// By which wire.
    pub(super) wire: &'a dyn Wire,
    /// Which record is kept.
    pub(super) record: &'a Record,
    /// In which zone.
    pub(super) zone: &'a Z,
}

// Derived, both would ask the same of the zone.
impl<Z> Clone for Spot<'_, Z> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Z> Copy for Spot<'_, Z> {}

/// What comes of one request.
pub(super) type Outcome<T> = Result<T, Failure>;

/// A provider with zones.
pub(super) trait Zoned: fmt::Debug + Send + Sync {
    /// What is known of a zone.
    type Zone: Clone + Send + Sync;

    /// Who it is, for people.
    const WHOM: &'static str;

    /// Returns the zones that are known.
    fn zones(&self) -> &Zones<Self::Zone>;

    /// Returns the zone, where the configuration tells all that must be known of it.
    fn told_zone(&self, _record: &Record) -> Outcome<Option<Self::Zone>> {
        Ok(None)
    }

    /// Looks for a zone of exactly this name.
    fn zone(
        &self,
        wire: &dyn Wire,
        name: &Fqdn,
    ) -> impl Future<Output = Outcome<Option<Self::Zone>>> + Send;
}

/// Returns the zone of a record: remembered, or looked for from its name upwards.
pub(super) async fn zone_of<P: Zoned>(
    provider: &P,
    wire: &dyn Wire,
    record: &Record,
) -> Outcome<P::Zone> {
    if let Some(zone) = provider.told_zone(record)? {
        return Ok(zone);
    }
    if let Some(zone) = provider.zones().known(&record.name) {
        return Ok(zone);
    }
    for name in provider.zones().candidates(record)? {
        let called = match provider.zones().called(&name) {
            Some(zone) => Some(zone),
            None => provider.zone(wire, &name).await?,
        };
        if let Some(zone) = called {
            provider.zones().remember(&record.name, (name, zone.clone()));
            return Ok(zone);
        }
    }
    Err(missing(P::WHOM, &record.name))
}

/// Forgets the zone after a failure that it may be the reason of: it may be another one by now.
pub(super) fn forgetting<P: Zoned, T>(
    provider: &P,
    record: &Record,
    outcome: Outcome<T>,
) -> Outcome<T> {
    match outcome.as_ref().map_err(|failure| failure.class) {
        Err(Class::Parked | Class::Transient) => provider.zones().forget(&record.name),
        Ok(_) | Err(Class::RateLimited | Class::Clock) => {}
    }
    outcome
}

/// Returns the failure of a name without a zone.
fn missing(whom: &str, name: &Fqdn) -> Failure {
    let words = format!(
        "{whom} shows no zone of `{name}`: it is another account's, or the credentials do not \
         reach it"
    );
    Failure::new(Class::Parked, "no-zone", words)
}

/// Returns what stands before the zone: `home`, `*.home`, `@`.
pub(super) fn relative<'a>(record: &'a Record, zone: &Fqdn) -> Result<&'a str, Failure> {
    record.name.relative_to(zone).ok_or_else(|| {
        refused(&format!("`{}` is not in the zone `{zone}` that the provider tells", record.name))
    })
}

/// Returns what stands before the zone; nothing for the zone itself.
pub(super) fn before<'a>(record: &'a Record, zone: &Fqdn) -> Result<&'a str, Failure> {
    relative(record, zone).map(|label| if label == "@" { "" } else { label })
}

/// Returns whether a name that a provider tells, or a part of one, is ours: some write letters of
/// other scripts as people do, or in upper case.
pub(super) fn is_same(found: &str, ours: &str) -> bool {
    let (star, rest) = match found.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", found),
    };
    let is_same = |ascii: String| format!("{star}{ascii}") == ours;
    found.eq_ignore_ascii_case(ours)
        || (!found.is_ascii() && idna::domain_to_ascii(rest).is_ok_and(is_same))
}

/// Returns a text that the configuration gives a name for its provider alone.
pub(super) fn text<'a>(record: &'a Record, key: &str) -> Result<Option<&'a str>, Failure> {
    match record.extra.get(key) {
        None => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(extra(key, "it must be a text")),
    }
}

/// Returns a yes or no that the configuration gives a name for its provider alone.
pub(super) fn flag(record: &Record, key: &str) -> Result<Option<bool>, Failure> {
    match record.extra.get(key) {
        None => Ok(None),
        Some(serde_json::Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(extra(key, "it must be `true` or `false`")),
    }
}

fn extra(key: &str, why: &str) -> Failure {
    Failure::new(Class::Parked, "configuration", format!("`{key}` {why}"))
}

/// Returns the failure of something that cannot be made sense of.
pub(super) fn refused(why: &str) -> Failure {
    Failure::new(Class::Parked, "zone", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_either_form() {
        let check = |found, ours, expected| assert_eq!(is_same(found, ours), expected, "{found}");
        check("home", "home", true);
        check("Home", "home", true);
        check("@", "@", true);
        check("*", "*", true);
        check("", "", true);
        check("家", "xn--fct", true);
        check("*.家", "*.xn--fct", true);
        check("*.家", "xn--fct", false);
        check("家.例子.中国.", "xn--fct.xn--fsqu00a.xn--fiqs8s.", true);
        check("my-home", "home", false);
        check("", "@", false);
    }
}
