//! Which other services a service names, and how: `requires`, `before`, `binds-to` and the like.

#[cfg(test)]
mod tests;

use std::ops::Range;

use mainstay_core::ServiceName;

use super::{
    ServiceConfig,
    fields::{Fields, Placed, Reading},
    groups,
};

/// The keys that name others, each as it stands in a sentence.
const KEYS: &[(&str, &str)] = &[
    ("requires", "requires"),
    ("wants", "wants"),
    ("after", "comes after"),
    ("before", "comes before"),
    ("binds-to", "is bound to"),
    ("part-of", "is part of"),
    ("conflicts", "conflicts with"),
];

/// The keys of which each has a service come after the ones it names.
pub(super) const ORDER: &[&str] = &["requires", "binds-to", "wants", "after"];

/// What a text in such a list means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Service(ServiceName),
    /// `@web`: all services of a group.
    Group(ServiceName),
    /// `@network`: the machine is on a network.
    Network,
}

/// Something that is named, as it was typed.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) key: &'static str,
    pub(super) target: Target,
    pub(super) span: Range<usize>,
}

/// One service that another one names, by itself or by a group.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) key: &'static str,
    pub(super) other: ServiceName,
    pub(super) by: Option<ServiceName>,
    pub(super) span: Range<usize>,
}

/// Reads everything that a service names.
pub(super) fn read(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Vec<Named> {
    let mut all = Vec::new();
    for (key, _) in KEYS {
        for named in read_list(fields, key, r) {
            if named.target == Target::Network && *key != "requires" {
                let message = format!("`@network` cannot stand in `{key}`");
                r.wrong(named.span, "network", message, "write `requires = [\"@network\"]`");
            } else {
                all.push(named);
            }
        }
    }
    all
}

/// Reads a list of services and groups.
pub(super) fn read_list(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    r: &mut Reading<'_>,
) -> Vec<Named> {
    let mut list = Vec::new();
    for Placed { text, span } in fields.texts(key, r).unwrap_or_default() {
        let (name, is_group) =
            text.strip_prefix('@').map_or((text.as_str(), false), |name| (name, true));
        match ServiceName::new(name) {
            Ok(_) if is_group && name == groups::NETWORK => {
                list.push(Named { key, target: Target::Network, span });
            }
            Ok(name) => {
                let target = if is_group { Target::Group(name) } else { Target::Service(name) };
                list.push(Named { key, target, span });
            }
            Err(error) => {
                let what = if is_group { "group" } else { "service" };
                r.wrong(span, "bad-name", format!("`{text}` cannot name a {what}"), error.reason);
            }
        }
    }
    list
}

/// Returns a key as it stands in a sentence.
pub(super) fn verb(key: &'static str) -> &'static str {
    KEYS.iter().find(|(name, _)| *name == key).map_or(key, |(_, verb)| verb)
}

/// Notes in a service whom it names.
pub(super) fn assign(service: &mut ServiceConfig, links: &[Link]) {
    let of = |key: &str| {
        let mut names: Vec<ServiceName> = Vec::new();
        for link in links.iter().filter(|link| link.key == key) {
            if !names.contains(&link.other) {
                names.push(link.other.clone());
            }
        }
        names
    };
    (service.requires, service.wants, service.after) = (of("requires"), of("wants"), of("after"));
    (service.before, service.conflicts) = (of("before"), of("conflicts"));
    (service.binds_to, service.part_of) = (of("binds-to"), of("part-of"));
}
