//! How all is: for `mainstay ddns status`, for the facts of the unit, and in one line.

use std::{collections::BTreeMap, fmt::Display, net::IpAddr, time::Duration};

use jiff::Timestamp;
use mainstay_api::notify::FACT_VALUE_BYTES_MAX;
use serde_json::{Map, Value, json};

use super::{Line, Parts};
use crate::{
    engine::{
        plan::{BindingPlan, SightPlan},
        view::{BindingView, Phase, SightView, View},
    },
    failure::Class,
};

/// So many names that are not well are named in the line.
const NAMES_IN_LINE: usize = 3;
/// What is added to the states of those that there is room for: `; ; 4096 more`.
const LEFT_BYTES_MAX: usize = 16;

/// All that there is to report on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report<'a> {
    pub(super) parts: &'a Parts,
    pub(super) view: &'a View,
    /// What the wall clock says, as seconds since 1970.
    pub(super) wall: i64,
    /// When counting began.
    pub(super) counted_since: i64,
}

impl Report<'_> {
    /// Returns all of it, as `mainstay ddns status --json` prints it.
    pub(super) fn document(&self) -> Value {
        let Self { parts, view, .. } = self;
        let sights = parts.plan.sights.iter().zip(&parts.springs).zip(&view.sights);
        let sights = sights.map(|((plan, springs), sight)| {
            let source = sight.source.and_then(|source| springs.get(source));
            sight_document(plan, sight, source.map(|spring| spring.word))
        });
        let accounts = parts.plan.accounts.iter().zip(&parts.lines);
        let accounts = accounts.map(|(plan, line)| account_document(&plan.name, line));
        let names = parts.plan.bindings.iter().zip(&view.bindings);
        let names = names.map(|(plan, binding)| name_document(parts, plan, binding));
        json!({
            "counted-since": stamp(self.counted_since),
            "addresses": sights.collect::<Vec<_>>(),
            "accounts": accounts.collect::<Vec<_>>(),
            "names": names.collect::<Vec<_>>(),
        })
    }

    /// Returns what others may need, under the names of [`FACTS`](crate::facts::FACTS).
    pub(super) fn facts(&self) -> BTreeMap<String, String> {
        let mut facts = BTreeMap::new();
        self.note_addresses(&mut facts);
        self.note_states(&mut facts);
        self.note_counts(&mut facts);
        self.note_times(&mut facts);
        facts
    }

    /// Of several sights of a family the first that sees something is told.
    fn note_addresses(&self, facts: &mut Facts) {
        let seen = self.parts.plan.sights.iter().zip(&self.view.sights);
        for (plan, sight) in seen.filter(|(_, sight)| !sight.addresses.is_empty()) {
            let word = plan.family.word();
            if facts.contains_key(word) {
                continue;
            }
            note(facts, word, &texts(&sight.addresses).join(" "));
            if let Some(since) = sight.since.and_then(stamp) {
                note(facts, &format!("{word}.since"), &since);
            }
        }
    }

    fn note_states(&self, facts: &mut Facts) {
        let all = &self.view.bindings;
        note(facts, "records", &all.len());
        for phase in Phase::ALL {
            note(facts, phase.word(), &all.iter().filter(|one| one.phase == phase).count());
        }
        note(facts, "visible", &all.iter().filter(|one| one.visible_since.is_some()).count());
        note(facts, "states", &states(all));
    }

    fn note_counts(&self, facts: &mut Facts) {
        let all = &self.view.bindings;
        let requests: u64 = self.parts.lines.iter().map(|line| line.requests.so_far()).sum();
        note(facts, "requests", &requests);
        note(facts, "reads", &all.iter().map(|one| one.reads).sum::<u64>());
        note(facts, "writes", &all.iter().map(|one| one.writes).sum::<u64>());
        note(facts, "unchanged", &all.iter().map(|one| one.unchanged).sum::<u64>());
        for class in Class::ALL {
            let sum: u64 = all.iter().filter_map(|one| one.failed.get(&class)).sum();
            note(facts, &format!("failures.{}", class.word()), &sum);
        }
    }

    fn note_times(&self, facts: &mut Facts) {
        let all = &self.view.bindings;
        let changed = all.iter().filter_map(|one| one.published_since).max();
        let next = all.iter().filter_map(|one| one.next).min();
        let next = next.map(|next| self.wall.saturating_add_unsigned(next.as_secs()));
        let began = Some(self.counted_since);
        for (name, at) in
            [("last-change", changed), ("next-attempt", next), ("counted-since", began)]
        {
            if let Some(at) = at.and_then(stamp) {
                note(facts, name, &at);
            }
        }
    }
}

type Facts = BTreeMap<String, String>;

fn note(facts: &mut Facts, name: &str, value: &dyn Display) {
    facts.insert(name.to_owned(), value.to_string());
}

fn account_document(name: &str, line: &Line) -> Value {
    json!({ "name": name, "provider": line.word, "requests": line.requests.so_far() })
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
    let failed = |class: &Class| view.failed.get(class).copied().unwrap_or_default();
    let failed: Map<String, Value> =
        Class::ALL.iter().map(|class| (class.word().to_owned(), failed(class).into())).collect();
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

/// Returns how each binding is, the worst first, as many as a fact has room for, and how many more
/// there are.
fn states(all: &[BindingView]) -> String {
    let mut sorted: Vec<&BindingView> = all.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.phase));
    let (mut said, mut left) = (String::new(), sorted.len());
    for one in sorted {
        let code = one.code.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
        let part = format!("{} {}{code}", one.id, one.phase.word());
        if said.len() + part.len() + LEFT_BYTES_MAX > FACT_VALUE_BYTES_MAX {
            break;
        }
        said.push_str(&part);
        said.push_str("; ");
        left -= 1;
    }
    if left > 0 {
        said.push_str(&left.to_string());
        said.push_str(" more");
    }
    said.trim_end_matches("; ").to_owned()
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
