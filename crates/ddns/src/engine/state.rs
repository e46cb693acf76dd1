//! What the engine must know again after its process was killed.
//!
//! It is a plain value: how it lies on the disk is the host's business.

use std::{collections::BTreeMap, net::IpAddr};

use crate::failure::Class;

/// What is kept of all bindings, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Of each binding.
    pub bindings: BTreeMap<String, Kept>,
    /// Of each account, by name: what it asked of all its bindings.
    pub accounts: BTreeMap<String, Hold>,
}

/// What is kept of a binding. All times are seconds since 1970 by the wall clock: whoever reads them
/// does not trust them blindly, because a clock may have been set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// What was written last, and accepted.
    pub published: Option<Stamped>,
    /// What a write was begun with whose end is not known: written before it, taken away after it.
    pub intent: Option<Stamped>,
    /// Addresses of earlier writes whose end is not known, either: they may be there, and are ours.
    pub tried: Vec<IpAddr>,
    /// Since when the authoritative servers have what was published.
    pub visible_since: Option<i64>,
    /// When it was last written because somebody else had changed it.
    pub corrected: Option<i64>,
    /// How many attempts in a row failed.
    pub failures: u32,
    /// What the last failure means, and until when nothing is tried.
    pub hold: Option<Hold>,
    /// The last failure, in words.
    pub why: Option<String>,
    /// The hash of the configuration that this was kept under.
    pub digest: u64,
}

/// Addresses and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The addresses.
    pub values: Vec<IpAddr>,
    /// When.
    pub at: i64,
}

/// That nothing is tried for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub class: Class,
    /// The provider's code.
    pub code: String,
    /// Since when.
    pub since: i64,
    /// Until when; nothing until the configuration changes or an operator says so.
    pub until: Option<i64>,
    /// How many attempts of this class failed in a row: each waits longer than the one before.
    pub failures: u32,
    /// The hash of the configuration at that time.
    pub digest: u64,
}
