//! What the kind tells machines: facts, which are how it is, and events, which are what has happened.

use serde_json::{Value, json};

/// A fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// How its value is read.
    pub measure: Measure,
    /// What it is.
    pub what: &'static str,
}

/// How a value is read, in the words of `docs/spec/kind.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// As a text: no metric.
    Text,
    /// As a number that goes up and down.
    Gauge,
    /// As a number that grows as long as a run lives.
    Counter,
    /// As a time in the form of RFC 3339.
    Time,
}

impl Measure {
    /// Returns its name in a description.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Time => "time",
        }
    }
}

/// The facts that it tells.
pub const FACTS: &[Fact] = &[
    fact("ipv4", Measure::Text, "the IPv4 addresses that are believed, best first"),
    fact("ipv4.since", Measure::Time, "since when"),
    fact("ipv6", Measure::Text, "the IPv6 addresses that are believed, best first"),
    fact("ipv6.since", Measure::Time, "since when"),
    fact("records", Measure::Gauge, "how many records are kept"),
    fact("published", Measure::Gauge, "how many of them are as they shall be"),
    fact("visible", Measure::Gauge, "how many the authoritative servers have as they were written"),
    fact("unaddressed", Measure::Gauge, "how many have no address that they could have"),
    fact("pending", Measure::Gauge, "how many are about to be read or written"),
    fact("backing-off", Measure::Gauge, "how many wait after a failure"),
    fact("parked", Measure::Gauge, "how many only another configuration or an operator helps"),
    fact("states", Measure::Text, "how each record is, the worst first, as many as have room"),
    fact("last-change", Measure::Time, "when a record was written last"),
    fact("next-attempt", Measure::Time, "when a record is read or written next"),
    fact("counted-since", Measure::Time, "when all that is counted here began at 0"),
    fact("requests", Measure::Counter, "requests to providers, of HTTP and of DNS"),
    fact("reads", Measure::Counter, "records that were read"),
    fact("writes", Measure::Counter, "writes that a provider took"),
    fact("unchanged", Measure::Counter, "how many of these changed nothing"),
    fact("failures.transient", Measure::Counter, "attempts that failed and may work soon"),
    fact("failures.rate-limited", Measure::Counter, "attempts that a provider had no patience for"),
    fact("failures.parked", Measure::Counter, "attempts that only another configuration helps"),
    fact("failures.clock", Measure::Counter, "attempts that failed because the clock is wrong"),
];

/// The events that it tells, and when.
pub const EVENTS: &[(&str, &str)] = &[
    ("address-changed", "another address is believed"),
    ("address-lost", "no source is believed any more; the last address stays published"),
    ("address-found", "an address is believed again"),
    ("published", "a record was written"),
    ("visible", "the authoritative servers have what was written"),
    ("invisible", "they have had something else for long"),
    ("failed", "an attempt failed: the first of a series, and when the class changes"),
    ("recovered", "a series of failures is over"),
    ("state-not-kept", "the state cannot be written to the disk"),
    ("state-kept", "it is written again"),
];

const fn fact(name: &'static str, measure: Measure, what: &'static str) -> Fact {
    Fact { name, measure, what }
}

/// Returns the facts as a description of the kind has them.
pub fn described() -> Value {
    let told = FACTS.iter().map(|fact| {
        (fact.name.to_owned(), json!({ "what": fact.what, "type": fact.measure.word() }))
    });
    Value::Object(told.collect())
}

#[cfg(test)]
mod tests {
    use mainstay_api::notify::{FACT_NAME_BYTES_MAX, FACTS_MAX};

    use super::*;

    #[test]
    fn facts_have_names_as_facts_must_and_are_no_more_than_are_kept() {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        for Fact { name, .. } in FACTS {
            assert!(name.chars().all(is_plain) && name.len() <= FACT_NAME_BYTES_MAX, "{name}");
        }
        assert!(FACTS.len() <= FACTS_MAX);
        assert_eq!(
            described().as_object().unwrap().len(),
            FACTS.len(),
            "a name stands there twice"
        );
    }
}
