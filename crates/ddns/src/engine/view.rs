//! What can be seen of the engine: for status, facts and metrics.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use crate::failure::Class;

/// Of everything.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Of each sight, in the plan's order.
    pub sights: Vec<SightView>,
    /// Of each binding, in the plan's order.
    pub bindings: Vec<BindingView>,
}

/// Of a sight.
#[derive(Debug, Clone, PartialEq)]
pub struct SightView {
    /// The addresses that are believed, best first.
    pub addresses: Vec<IpAddr>,
    /// Which source told them.
    pub source: Option<usize>,
    /// Since when, as seconds since 1970.
    pub since: Option<i64>,
    /// Why none is believed at the moment, or why the last ones are only remembered.
    pub trouble: Option<String>,
    /// When sources are asked next, from now.
    pub next: Option<Duration>,
}

/// Of a binding.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingView {
    /// Its name.
    pub id: String,
    /// How it is.
    pub phase: Phase,
    /// What was written last.
    pub published: Vec<IpAddr>,
    /// Since when, as seconds since 1970.
    pub published_since: Option<i64>,
    /// Since when the authoritative servers have it.
    pub visible_since: Option<i64>,
    /// What it shall be; empty while no address is known.
    pub want: Vec<IpAddr>,
    /// The last failure, in words; nothing when the last attempt went well.
    pub why: Option<String>,
    /// The provider's code of the last failure.
    pub code: Option<String>,
    /// What that failure means.
    pub class: Option<Class>,
    /// Since when attempts have failed like this, as seconds since 1970.
    pub failing_since: Option<i64>,
    /// When something is tried next, from now.
    pub next: Option<Duration>,
    /// How many attempts in a row failed.
    pub failures: u32,
    /// How many failures there were since the engine began, by class.
    pub failed: BTreeMap<Class, u64>,
    /// How many writes there were since the engine began that the provider took.
    pub writes: u64,
    /// How many of them changed nothing.
    pub unchanged: u64,
    /// How many reads there were.
    pub reads: u64,
}

/// How a binding is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// No address is known yet.
    Unaddressed,
    /// What is wanted is published.
    Published,
    /// It is about to be read or written, or on its way.
    Pending,
    /// It waits after a failure.
    BackingOff,
    /// Nothing but configuration or an operator helps.
    Parked,
}

impl Phase {
    /// Returns its name in status and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unaddressed => "unaddressed",
            Self::Published => "published",
            Self::Pending => "pending",
            Self::BackingOff => "backing-off",
            Self::Parked => "parked",
        }
    }
}
