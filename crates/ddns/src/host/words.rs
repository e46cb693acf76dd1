//! What has happened, under a name for rules and in words for people.

use std::{net::IpAddr, time::Duration};

use super::{Parts, report::texts};
use crate::engine::input::Event;

/// What follows a failure that nothing but a person can mend.
const BY_HAND: &str =
    "it is tried again when the configuration changes, or by `mainstay ddns update`";

/// Returns an event's name, and it in a sentence.
pub(super) fn of(parts: &Parts, event: &Event) -> (&'static str, String) {
    let family = |sight: &usize| match parts.plan.sights.get(*sight) {
        Some(plan) => format!("the {} address", plan.family),
        None => "an address".to_owned(),
    };
    let id = |binding: &usize| match parts.plan.bindings.get(*binding) {
        Some(plan) => plan.id.as_str(),
        None => "a name",
    };
    match event {
        Event::AddressChanged { sight, from, to } => {
            ("address-changed", format!("{} is {}", family(sight), moved(from, to)))
        }
        Event::AddressLost { sight, why } => {
            ("address-lost", format!("{} is not known: {why}", family(sight)))
        }
        Event::AddressFound { sight } => {
            ("address-found", format!("{} is known again", family(sight)))
        }
        Event::Published { binding, values, code } => {
            let values = texts(values).join(" ");
            ("published", format!("{} is published as {values} ({code})", id(binding)))
        }
        Event::Visible { binding } => {
            ("visible", format!("{} is visible at its servers", id(binding)))
        }
        Event::Invisible { binding, why } => {
            ("invisible", format!("{} is not visible at its servers: {why}", id(binding)))
        }
        Event::Failed { binding, class, why, again } => {
            let (id, class, next) = (id(binding), class.word(), next(*again));
            ("failed", format!("{id} failed ({class}): {why}; {next}"))
        }
        Event::Recovered { binding, failures } => {
            ("recovered", format!("{} is well again, after {failures} failures", id(binding)))
        }
        Event::NotKept { why } => ("state-not-kept", format!("the state cannot be kept: {why}")),
        Event::KeptAgain => ("state-kept", "the state is kept again".to_owned()),
    }
}

fn moved(from: &[IpAddr], to: &[IpAddr]) -> String {
    let (from, to) = (texts(from).join(" "), texts(to).join(" "));
    if from.is_empty() { to } else { format!("{to}, before that {from}") }
}

fn next(again: Option<Duration>) -> String {
    again.map_or_else(
        || BY_HAND.to_owned(),
        |again| format!("it is tried again in {} s", again.as_secs()),
    )
}
