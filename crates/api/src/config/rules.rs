//! What must hold between services: whoever is named exists, and nobody waits for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use mainstay_core::{ServiceName, graph};

use super::{
    Config, Diagnostic,
    fields::suggestion,
    links::{self, Link, Named},
    logs,
};

/// Where a service stands, to point at later: its line is counted only then.
#[derive(Debug, Clone)]
pub(super) struct Spot<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) name: Range<usize>,
    /// What it names, until it is known which services that are.
    pub(super) named: Vec<Named>,
    /// The other services that it names.
    pub(super) links: Vec<Link>,
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

    /// Says in a sentence whom the service of this name names, and where.
    fn told(&self, name: &ServiceName, named: &Link) -> String {
        let Link { key, other, by, span } = named;
        let by = by.as_ref().map_or_else(String::new, |group| format!(" by `@{group}`"));
        let line = self.at(span.clone(), "", String::new()).line;
        format!("`{name}` {} `{other}`{by} ({}:{line})", links::verb(key), self.file)
    }

    pub(super) fn at(&self, span: Range<usize>, code: &str, message: String) -> Diagnostic {
        Diagnostic::at(self.file, self.text, span, code, message)
    }
}

/// Notes every rule that is broken.
pub(super) fn check(config: &Config, places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    check_names(places, found);
    check_cycle(config, places, found);
    check_parts(places, found);
    check_conflicts(places, found);
    check_files(config, places, found);
}

/// Returns where services name another one themselves.
pub(super) fn naming(places: &Places<'_>, wanted: &ServiceName) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, spot) in places {
        let is_meant = |link: &&Link| link.other == *wanted && link.by.is_none() && name != wanted;
        for link in spot.links.iter().filter(is_meant) {
            let message = format!("service `{name}` {} `{wanted}`", links::verb(link.key));
            let one = spot.at(link.span.clone(), "still-named", message);
            found.push(one.help(format!("take `{wanted}` out there first")));
        }
    }
    found
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
        for Link { key, other, span, .. } in spot.links.iter().filter(is_unknown) {
            let help = suggestion(other.as_str(), &all).map_or_else(
                || "there is no such service".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message =
                format!("service `{name}` {} `{other}`, which is not defined", links::verb(key));
            found.push(spot.at(span.clone(), "unknown-service", message).help(help));
        }
    }
}

fn check_cycle(config: &Config, places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    let Some(cycle) = graph::cycle(&config.core()) else { return };
    let Some(spot) = cycle.first().and_then(|name| places.get(name)) else { return };
    let path: Vec<String> = cycle.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("services wait for each other: {}", path.join(" → "));
    let steps = cycle.iter().zip(cycle.iter().skip(1));
    let steps = steps.filter_map(|(one, other)| step(places, one, other));
    let help: Vec<String> = steps.chain(["take one of these out".to_owned()]).collect();
    let help = help.join("; ");
    found.push(spot.diagnostic("cycle", message).help(help));
}

/// Says which key makes a service come after another one, and where it stands.
fn step(places: &Places<'_>, later: &ServiceName, earlier: &ServiceName) -> Option<String> {
    let (from, to) = (places.get(later)?, places.get(earlier)?);
    let own = from.links(links::ORDER).find(|link| link.other == *earlier);
    if let Some(link) = own {
        return Some(from.told(later, link));
    }
    let link = to.links(&["before"]).find(|link| link.other == *later)?;
    Some(to.told(earlier, link))
}

/// Nobody is part of itself; two services may be part of each other.
fn check_parts(places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    for (name, spot) in places {
        for link in spot.links(&["part-of"]).filter(|link| link.other == *name) {
            let message = format!("service `{name}` is part of itself");
            found.push(spot.at(link.span.clone(), "part-of-itself", message).help("remove it"));
        }
    }
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
        } else if is_part(places, name, other) || is_part(places, other, name) {
            format!("service `{name}` conflicts with `{other}`, and one is part of the other")
        } else {
            continue;
        };
        let one = spot.at(span.clone(), "conflict", message);
        found.push(one.help("remove it, or what requires them"));
    }
}

fn is_part(places: &Places<'_>, name: &ServiceName, whole: &ServiceName) -> bool {
    let spot = places.get(name);
    spot.is_some_and(|spot| spot.links(&["part-of"]).any(|link| link.other == *whole))
}

/// Returns a service and all that must run with it.
fn needed<'p>(places: &'p Places<'_>, name: &'p ServiceName) -> BTreeSet<&'p ServiceName> {
    let mut needed = BTreeSet::new();
    let mut next = vec![name];
    while let Some(name) = next.pop() {
        if needed.insert(name) {
            let spot = places.get(name).into_iter();
            next.extend(
                spot.flat_map(|spot| spot.links(&["requires", "binds-to"])).map(|link| &link.other),
            );
        }
    }
    needed
}
