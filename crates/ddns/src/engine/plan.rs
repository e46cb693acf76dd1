//! What the engine is to keep: bindings, what they are made of, and how often anything may happen.

use std::{net::IpAddr, time::Duration};

use crate::{
    address::{Family, Unfit},
    provider::{Floors, Reading},
    record::Record,
};

/// All that is kept by one engine.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is observed.
    pub sights: Vec<SightPlan>,
    /// Accounts: how often each may be asked.
    pub accounts: Vec<AccountPlan>,
    /// What is kept.
    pub bindings: Vec<BindingPlan>,
    /// How often sources are asked when nothing has happened.
    pub every: Duration,
    /// How long the network must have been quiet after a change before anybody looks.
    pub settle: Duration,
}

/// Addresses of one family, from one list of sources.
#[derive(Debug, Clone)]
pub struct SightPlan {
    /// The family.
    pub family: Family,
    /// The sources, each tried when those before it are not believed.
    pub sources: Vec<SourcePlan>,
    /// What may be published although it reaches nobody from outside.
    pub allow: Vec<Unfit>,
}

/// A source, as far as the engine judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePlan {
    /// How many voters must agree before an address is believed that is not the last one.
    pub agree: usize,
    /// How many voters there are.
    pub voters: usize,
}

/// An account.
#[derive(Debug, Clone)]
pub struct AccountPlan {
    /// Its name in the configuration.
    pub name: String,
    /// How often it may be asked.
    pub floors: Floors,
    /// Whether its provider tells what there is.
    pub reading: Reading,
    /// How many requests may be under way at once.
    pub at_once: usize,
    /// A hash of what it is configured with: when that changes, what was parked is tried again.
    pub digest: u64,
}

/// What is kept: an account's record and where its addresses come from.
#[derive(Debug, Clone)]
pub struct BindingPlan {
    /// Its name everywhere: `cf/home.example.org/AAAA`, with `/LINE` behind it where there is one.
    pub id: String,
    /// Index of the account.
    pub account: usize,
    /// Index of the sight.
    pub sight: usize,
    /// The record.
    pub record: Record,
    /// How addresses become the record's values.
    pub compose: Compose,
    /// How many addresses it may have.
    pub values_max: usize,
    /// Whether what is published is looked up at the authoritative servers.
    pub verify: Verify,
    /// A hash of what it is configured with, the account left out.
    pub digest: u64,
}

/// How observed addresses become a record's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compose {
    /// As they are.
    Observed,
    /// Of each, this many leading bits, and the rest of this address: another machine of the LAN.
    Suffix {
        /// How long the prefix is.
        prefix_length: u8,
        /// The rest.
        host: IpAddr,
    },
}

/// Whether what is published is looked up at the authoritative servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// It is.
    Authoritative,
    /// It is not: the service answers with addresses of its own (a proxied name).
    Never,
}
