//! `[groups.NAME]`: names for several services at once, written `@NAME`.
//!
//! Groups are resolved once all files are read: a group of one file may hold services of another.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use mainstay_core::ServiceName;
use toml::{Spanned, de::DeValue};

use super::{
    Config, Diagnostic, catalogue,
    fields::{Fields, Reading, mistyped, suggestion},
    links::{self, Link, Named, Target},
    rules::Places,
};

/// `@network` is the network of the machine, and no group.
pub(super) const NETWORK: &str = "network";

/// A longer description than this is none.
const DESCRIPTION_LETTERS_MAX: usize = 200;

/// Several services under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What it is for, in the operator's words.
    pub description: Option<String>,
    /// What it names, as it was written: services, and other groups with `@` in front.
    pub members: Vec<String>,
    /// The services that it means.
    pub services: Vec<ServiceName>,
}

/// A group where it stands.
#[derive(Debug)]
pub(super) struct Declared<'a> {
    file: &'a str,
    text: &'a str,
    name: Range<usize>,
    description: Option<String>,
    members: Vec<Named>,
}

pub(super) type Groups<'a> = BTreeMap<ServiceName, Declared<'a>>;

impl Declared<'_> {
    fn at(&self, span: Range<usize>, code: &str, message: String) -> Diagnostic {
        Diagnostic::at(self.file, self.text, span, code, message)
    }
}

/// Reads the groups of a file.
pub(super) fn read<'a>(
    document: &mut Fields<'_, '_>,
    r: &mut Reading<'a>,
    groups: &mut Groups<'a>,
) {
    for (name, value) in document.table("groups", r).into_iter().flatten() {
        read_group(r, name, value, groups);
    }
}

fn read_group<'a>(
    r: &mut Reading<'a>,
    name: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    groups: &mut Groups<'a>,
) {
    let bad = |r: &mut Reading<'_>, why: &str| {
        let message = format!("`{}` cannot name a group", name.get_ref());
        r.wrong(name.span(), "bad-name", message, why);
    };
    let group = match ServiceName::new(name.get_ref()) {
        Ok(group) if group.as_str() == NETWORK => {
            return bad(r, "`@network` is the network of the machine");
        }
        Ok(group) => group,
        Err(error) => return bad(r, error.reason),
    };
    let DeValue::Table(table) = value.get_ref() else {
        let _: Option<()> = mistyped(r, value, group.as_str(), "a table", value.get_ref());
        return;
    };
    if let Some(first) = groups.get(&group) {
        let first = first.at(first.name.clone(), "", String::new());
        let help = format!("it stands in {}:{} already", first.file, first.line);
        let message = format!("group `{group}` is defined twice");
        return r.wrong(name.span(), "duplicate-group", message, &help);
    }
    let mut fields = Fields::new(table, format!("group `{group}`"), &catalogue::GROUP);
    let before = r.found.len();
    let members = links::read_list(&mut fields, "services", r);
    if members.is_empty() && r.found.len() == before {
        let message = format!("group `{group}` has no services");
        r.wrong(name.span(), "empty-group", message, "name one, or remove the group");
    }
    let description = description(&mut fields, r);
    fields.finish(&[], r);
    let declared = Declared { file: r.file, text: r.text, name: name.span(), description, members };
    groups.insert(group, declared);
}

fn description(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<String> {
    let span = fields.value("description")?.span();
    let text = fields.text("description", r)?;
    if text.chars().count() > DESCRIPTION_LETTERS_MAX || text.contains(char::is_control) {
        let message = "`description` is too long, or has more than one line".to_owned();
        let help = format!("it has one line of at most {DESCRIPTION_LETTERS_MAX} letters");
        r.wrong(span, "out-of-range", message, &help);
    }
    Some(text)
}

/// Notes what groups mean, and gives every service the links that it has by them.
pub(super) fn resolve(
    config: &mut Config,
    places: &mut Places<'_>,
    groups: &Groups<'_>,
    found: &mut Vec<Diagnostic>,
) {
    check_members(groups, places, found);
    for (name, declared) in groups {
        let services: Vec<ServiceName> =
            services_of(groups, name).into_iter().filter(|it| places.contains_key(it)).collect();
        let members = declared.members.iter().map(|member| written(&member.target)).collect();
        let description = declared.description.clone();
        config.groups.insert(name.clone(), Group { description, members, services });
    }
    for (name, service) in &mut config.services {
        let Some(spot) = places.get_mut(name) else { continue };
        let named = std::mem::take(&mut spot.named);
        let needs_network = named.iter().any(|one| one.target == Target::Network);
        for one in named {
            match links_of(&one, name, &config.groups) {
                Ok(links) => spot.links.extend(links),
                Err(group) => {
                    let verb = links::verb(one.key);
                    let message =
                        format!("service `{name}` {verb} `@{group}`, which is not defined");
                    let wrong = spot.at(one.span.clone(), "unknown-group", message);
                    found.push(wrong.help(near(group, groups)));
                }
            }
        }
        links::assign(service, &spot.links);
        service.needs_network = needs_network;
    }
}

/// Returns the services that are named, or the group that nobody defined. Who belongs to a group
/// does not mean itself by it.
fn links_of<'n>(
    named: &'n Named,
    name: &ServiceName,
    groups: &BTreeMap<ServiceName, Group>,
) -> Result<Vec<Link>, &'n ServiceName> {
    match &named.target {
        Target::Service(other) => Ok(vec![named.link(other, None)]),
        Target::Group(group) => {
            let all = groups.get(group).ok_or(group)?;
            let others = all.services.iter().filter(|other| *other != name);
            Ok(others.map(|other| named.link(other, Some(group))).collect())
        }
        Target::Network => Ok(Vec::new()),
    }
}

impl Named {
    fn link(&self, other: &ServiceName, by: Option<&ServiceName>) -> Link {
        let Self { key, span, .. } = self;
        Link { key, other: other.clone(), by: by.cloned(), span: span.clone() }
    }
}

/// Returns where groups name a service.
pub(super) fn naming(groups: &Groups<'_>, wanted: &ServiceName) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, declared) in groups {
        let target = Target::Service(wanted.clone());
        for member in declared.members.iter().filter(|member| member.target == target) {
            let message = format!("group `{name}` names `{wanted}`");
            let one = declared.at(member.span.clone(), "still-named", message);
            found.push(one.help(format!("take `{wanted}` out there first")));
        }
    }
    found
}

/// Every member must exist, and no group may hold itself.
fn check_members(groups: &Groups<'_>, places: &Places<'_>, found: &mut Vec<Diagnostic>) {
    let services: Vec<&str> = places.keys().map(ServiceName::as_str).collect();
    for (name, declared) in groups {
        for member in &declared.members {
            let (what, code, help) = match &member.target {
                Target::Service(other) if !places.contains_key(other) => {
                    let help = suggestion(other.as_str(), &services).map_or_else(
                        || "there is no such service; take it out of the group".to_owned(),
                        |near| format!("did you mean `{near}`?"),
                    );
                    (other.to_string(), "unknown-service", help)
                }
                Target::Group(other) if !groups.contains_key(other) => {
                    (format!("@{other}"), "unknown-group", near(other, groups))
                }
                Target::Network => {
                    let help = "name it in the `requires` of services".to_owned();
                    let message = format!("group `{name}` cannot hold `@network`");
                    found.push(declared.at(member.span.clone(), "network", message).help(help));
                    continue;
                }
                Target::Service(_) | Target::Group(_) => continue,
            };
            let message = format!("group `{name}` names `{what}`, which is not defined");
            found.push(declared.at(member.span.clone(), code, message).help(help));
        }
    }
    check_cycle(groups, found);
}

fn near(group: &ServiceName, groups: &Groups<'_>) -> String {
    let all: Vec<&str> = groups.keys().map(ServiceName::as_str).chain([NETWORK]).collect();
    suggestion(group.as_str(), &all).map_or_else(
        || "there is no such group".to_owned(),
        |near| format!("did you mean `@{near}`?"),
    )
}

/// Names one path of groups that leads back to where it began.
fn check_cycle(groups: &Groups<'_>, found: &mut Vec<Diagnostic>) {
    let mut done = BTreeSet::new();
    let mut cycles =
        groups.keys().filter_map(|start| walk(groups, start, &mut Vec::new(), &mut done));
    let Some(path) = cycles.next() else { return };
    let Some(declared) = path.first().and_then(|name| groups.get(*name)) else { return };
    let names: Vec<String> = path.iter().map(|name| format!("`@{name}`")).collect();
    let message = format!("groups hold each other: {}", names.join(" → "));
    let one = declared.at(declared.name.clone(), "cycle", message);
    found.push(one.help("take one of them out of another"));
}

/// Depth is bounded by the number of groups: each is on the path once at most.
fn walk<'g>(
    groups: &'g Groups<'_>,
    name: &'g ServiceName,
    path: &mut Vec<&'g ServiceName>,
    done: &mut BTreeSet<&'g ServiceName>,
) -> Option<Vec<&'g ServiceName>> {
    if let Some(start) = path.iter().position(|earlier| *earlier == name) {
        let back = path.get(start..).unwrap_or_default();
        return Some(back.iter().copied().chain([name]).collect());
    }
    if !done.insert(name) {
        return None;
    }
    path.push(name);
    let found = inner_groups(groups, name).find_map(|inner| walk(groups, inner, path, done));
    path.pop();
    found
}

fn inner_groups<'g>(
    groups: &'g Groups<'_>,
    name: &ServiceName,
) -> impl Iterator<Item = &'g ServiceName> {
    let members = groups.get(name).into_iter().flat_map(|declared| &declared.members);
    members.filter_map(|member| match &member.target {
        Target::Group(inner) => Some(inner),
        Target::Service(_) | Target::Network => None,
    })
}

/// Returns every service that a group names, by itself or by others, in the order of their naming.
fn services_of(groups: &Groups<'_>, name: &ServiceName) -> Vec<ServiceName> {
    let (mut services, mut seen) = (Vec::new(), vec![name.clone()]);
    let mut open = vec![name.clone()];
    while let Some(name) = open.pop() {
        for member in groups.get(&name).into_iter().flat_map(|declared| &declared.members) {
            match &member.target {
                Target::Service(one) if !services.contains(one) => services.push(one.clone()),
                Target::Group(inner) if !seen.contains(inner) => {
                    seen.push(inner.clone());
                    open.push(inner.clone());
                }
                Target::Service(_) | Target::Group(_) | Target::Network => {}
            }
        }
    }
    services
}

fn written(target: &Target) -> String {
    match target {
        Target::Service(name) => name.to_string(),
        Target::Group(name) => format!("@{name}"),
        Target::Network => format!("@{NETWORK}"),
    }
}
