//! What must hold between services: whoever is named exists, and nobody waits for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use mainstay_core::{Service, ServiceName, graph};

use super::{Config, Diagnostic, fields::suggestion, logs};

/// Where a service stands, to point at later: its line is counted only then.
#[derive(Debug, Clone)]
pub(super) struct Spot<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) name: Range<usize>,
    /// The other services that it names.
    pub(super) links: Vec<Link>,
}

/// One service that another one names.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) key: &'static str,
    pub(super) other: ServiceName,
    pub(super) span: Range<usize>,
}

pub(super) type Places<'a> = BTreeMap<ServiceName, Spot<'a>>;

impl Spot<'_> {
    /// Returns a mistake at the service's name.
    pub(super) fn diagnostic(&self, code: &str, message: String) -> Diagnostic {
        self.at(self.name.clone(), code, message)
    }

    fn links(&self, keys: &[&str]) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| keys.contains(&link.key))
    }

    fn at(&self, span: Range<usize>, code: &str, message: String) -> Diagnostic {
        Diagnostic::at(self.file, self.text, span, code, message)
    }
}

/// Notes every rule that is broken.
pub(super) fn check(config: &Config, places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    check_names(places, found);
    check_cycle(config, places, found);
    check_conflicts(places, found);
    check_files(config, places, found);
}

/// A file of the user's own has one writer: what is in it says how far its copy has got.
fn check_files(config: &Config, places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    let mut known: BTreeMap<String, &ServiceName> = BTreeMap::new();
    for (name, service) in &config.services {
        let Some(spot) = places.get(name) else { continue };
        for file in service.logs.path.files.all() {
            if service.instances > 1 {
                let message =
                    format!("all {} units of `{name}` would write `{file}`", service.instances);
                let one = spot.diagnostic("shared-file", message);
                found.push(one.help("take `logs.path` out: each unit has a log of its own"));
            } else if let Some(other) = known.insert(logs::identity(file), name) {
                let message = format!("`{name}` and `{other}` would both write `{file}`");
                found.push(spot.diagnostic("shared-file", message).help("give each its own file"));
            }
        }
    }
}

/// Whoever is named must exist.
fn check_names(places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    let all: Vec<&str> = places.keys().map(ServiceName::as_str).collect();
    for (name, spot) in places {
        let is_unknown = |link: &&Link| !places.contains_key(&link.other);
        for Link { key, other, span } in spot.links.iter().filter(is_unknown) {
            let help = suggestion(other.as_str(), &all).map_or_else(
                || "there is no such service".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("service `{name}` {} `{other}`, which is not defined", verb(key));
            found.push(spot.at(span.clone(), "unknown-service", message).help(help));
        }
    }
}

/// Returns a key as it stands in a sentence.
fn verb(key: &'static str) -> &'static str {
    match key {
        "after" => "comes after",
        "conflicts" => "conflicts with",
        needs => needs,
    }
}

fn check_cycle(config: &Config, places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    let services: BTreeMap<ServiceName, Service> =
        config.services.iter().map(|(name, service)| (name.clone(), service.core(name))).collect();
    let Some(cycle) = graph::cycle(&services) else { return };
    let Some(spot) = cycle.first().and_then(|name| places.get(name)) else { return };
    let path: Vec<String> = cycle.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("services wait for each other: {}", path.join(" → "));
    let one = spot.diagnostic("cycle", message);
    found.push(one.help("remove one of these `requires`, `wants` or `after`"));
}

/// Nobody conflicts with itself, and nobody needs two that exclude each other.
fn check_conflicts(places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    let all = places.iter();
    let mut conflicts = all
        .flat_map(|(name, spot)| spot.links(&["conflicts"]).map(move |link| (name, spot, link)))
        .peekable();
    if conflicts.peek().is_none() {
        return;
    }
    let needs: Vec<_> = places.keys().map(|name| (name, needed(places, name))).collect();
    for (name, spot, Link { other, span, .. }) in conflicts {
        let needs_both = |all: &BTreeSet<&ServiceName>| all.contains(name) && all.contains(other);
        let message = if name == other {
            format!("service `{name}` conflicts with itself")
        } else if let Some((one, _)) = needs.iter().find(|(_, all)| needs_both(all)) {
            format!("service `{name}` conflicts with `{other}`, and `{one}` needs both to run")
        } else {
            continue;
        };
        let one = spot.at(span.clone(), "conflict", message);
        found.push(one.help("remove it, or what requires them"));
    }
}

/// Returns a service and all that must run with it.
fn needed<'p>(places: &'p Places<'_>, name: &'p ServiceName) -> BTreeSet<&'p ServiceName> {
    let mut needed = BTreeSet::new();
    let mut next = vec![name];
    while let Some(name) = next.pop() {
        if needed.insert(name) {
            let spot = places.get(name).into_iter();
            next.extend(spot.flat_map(|spot| spot.links(&["requires"])).map(|link| &link.other));
        }
    }
    needed
}
