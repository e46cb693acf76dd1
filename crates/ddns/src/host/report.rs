//! How all is: for `mainstay ddns status`, for the facts of the unit, and in one line.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use jiff::Timestamp;
use mainstay_api::notify::FACT_VALUE_BYTES_MAX;
use serde_json::{Map, Value, json};

use super::Parts;
use crate::{
    engine::{
        plan::{BindingPlan, SightPlan},
        view::{BindingView, Phase, SightView, View},
    },
    failure::Class,
};

/// So many names that are not well are named in the line.
const NAMES_IN_LINE: usize = 3;

/// Returns all of it, as `mainstay ddns status --json` prints it.
pub(super) fn document(parts: &Parts, view: &View) -> Value {
    let sights = parts.plan.sights.iter().zip(&parts.springs).zip(&view.sights);
    let sights = sights.map(|((plan, springs), sight)| {
        let source = sight.source.and_then(|source| springs.get(source)).map(|spring| spring.word);
        sight_document(plan, sight, source)
    });
    let names = parts.plan.bindings.iter().zip(&view.bindings);
    let names = names.map(|(plan, binding)| name_document(parts, plan, binding));
    json!({ "addresses": sights.collect::<Vec<_>>(), "names": names.collect::<Vec<_>>() })
}

fn sight_document(plan: &SightPlan, sight: &SightView, source: Option<&str>) -> Value {
    json!({
        "family": plan.family.word(),
        "addresses": texts(&sight.addresses),
        "source": source,
        "since": sight.since.and_then(stamp),
        "trouble": sight.trouble,
        "next-ms": sight.next.map(milliseconds),
    })
}

fn name_document(parts: &Parts, plan: &BindingPlan, view: &BindingView) -> Value {
    let failed: Map<String, Value> = view
        .failed
        .iter()
        .map(|(class, count)| (class.word().to_owned(), (*count).into()))
        .collect();
    json!({
        "id": plan.id,
        "account": parts.plan.accounts.get(plan.account).map(|account| account.name.as_str()),
        "provider": parts.lines.get(plan.account).map(|line| line.word),
        "name": plan.record.name.as_str(),
        "type": plan.record.family.record_type(),
        "line": plan.record.line,
        "state": view.phase.word(),
        "want": texts(&view.want),
        "published": texts(&view.published),
        "published-since": view.published_since.and_then(stamp),
        "visible-since": view.visible_since.and_then(stamp),
        "why": view.why,
        "code": view.code,
        "class": view.class.map(Class::word),
        "failing-since": view.failing_since.and_then(stamp),
        "next-ms": view.next.map(milliseconds),
        "failures": view.failures,
        "failed": failed,
        "writes": view.writes,
        "unchanged": view.unchanged,
        "reads": view.reads,
    })
}

/// Returns what others may need, under the names of [`FACTS`](crate::config::FACTS).
pub(super) fn facts(parts: &Parts, view: &View, wall: i64) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut note = |name: &str, value: String| {
        facts.entry(name.to_owned()).or_insert(value);
    };
    for (plan, sight) in parts.plan.sights.iter().zip(&view.sights) {
        if !sight.addresses.is_empty() {
            note(plan.family.word(), texts(&sight.addresses).join(" "));
        }
    }
    let all = &view.bindings;
    note("records", all.len().to_string());
    for phase in [Phase::Published, Phase::Pending, Phase::BackingOff, Phase::Parked] {
        note(phase.word(), all.iter().filter(|one| one.phase == phase).count().to_string());
    }
    note("states", states(all));
    for class in Class::ALL {
        let sum: u64 = all.iter().filter_map(|one| one.failed.get(&class)).sum();
        note(&format!("failures.{}", class.word()), sum.to_string());
    }
    let changed = all.iter().filter_map(|one| one.published_since).max();
    let next = all.iter().filter_map(|one| one.next).min();
    let next = next.map(|next| wall.saturating_add_unsigned(next.as_secs()));
    for (name, at) in [("last-change", changed), ("next-attempt", next)] {
        if let Some(at) = at.and_then(stamp) {
            note(name, at);
        }
    }
    facts
}

/// Returns how each binding is, those that are not well first, as many as a fact has room for.
fn states(all: &[BindingView]) -> String {
    let mut sorted: Vec<&BindingView> = all.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.phase));
    let mut said = String::new();
    for one in sorted {
        let code = one.code.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
        let part = format!("{} {}{code}", one.id, one.phase.word());
        let separator = if said.is_empty() { "" } else { "; " };
        if said.len() + separator.len() + part.len() > FACT_VALUE_BYTES_MAX {
            break;
        }
        said.push_str(separator);
        said.push_str(&part);
    }
    said
}

/// Returns how all is in a line for people.
pub(super) fn line(parts: &Parts, view: &View) -> String {
    let published = view.bindings.iter().filter(|one| one.phase == Phase::Published).count();
    let mut said = vec![format!("{published} of {} names published", view.bindings.len())];
    let is_ill = |one: &&BindingView| matches!(one.phase, Phase::Parked | Phase::BackingOff);
    let ill: Vec<&BindingView> = view.bindings.iter().filter(is_ill).collect();
    said.extend(ill.iter().take(NAMES_IN_LINE).map(|one| {
        let code = one.code.as_deref().unwrap_or("unknown");
        format!("{} is {}: {code}", one.id, one.phase.word())
    }));
    if ill.len() > NAMES_IN_LINE {
        said.push(format!("{} more are not well", ill.len() - NAMES_IN_LINE));
    }
    let troubled = parts.plan.sights.iter().zip(&view.sights);
    said.extend(troubled.filter_map(|(plan, sight)| {
        sight.trouble.as_ref().map(|trouble| format!("{}: {trouble}", plan.family))
    }));
    said.join("; ")
}

pub(super) fn texts(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn stamp(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}
