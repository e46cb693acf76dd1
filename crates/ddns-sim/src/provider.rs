//! What a provider has, and how it is.

use std::{net::IpAddr, time::Duration};

use mainstay_core::chance::Chance;
use mainstay_ddns::failure::{Class, Failure};

use crate::scene::below;

/// How an account, or one record of it, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It works.
    Fine,
    /// It is in trouble.
    Outage,
    /// Its servers are in trouble, and do nothing.
    Overloaded,
    /// Nobody reaches it.
    Unreachable,
    /// It asks for patience, for so many seconds.
    Limited(u64),
    /// It does not believe the password.
    BadPassword,
    /// It says that we are a nuisance, until somebody does something about it.
    Abuse,
    /// It does not know the name.
    NoHost,
    /// It needs so many seconds for an answer.
    Slow(u64),
    /// It does what it is asked for, and never says so.
    Hangs,
}

impl Mood {
    /// Draws one of an account.
    pub(crate) fn of_account(chance: &mut Chance) -> Self {
        match chance.below(16) {
            0..=2 => Self::Outage,
            3 => Self::Overloaded,
            4..=6 => Self::Unreachable,
            7 => Self::Limited(0),
            8 => Self::Limited(60 + chance.below(7200)),
            9..=10 => Self::BadPassword,
            11 => Self::Abuse,
            12..=13 => Self::Slow(5 + chance.below(200)),
            _ => Self::Hangs,
        }
    }

    /// Draws one of a single record.
    pub(crate) fn of_record(chance: &mut Chance) -> Self {
        let limited = Self::Limited(chance.below(900));
        let moods =
            [Self::Outage, Self::Overloaded, limited, Self::NoHost, Self::Hangs, Self::Slow(100)];
        moods[below(chance, moods.len())]
    }

    /// Returns why a request fails, if it does.
    pub(crate) fn failure(self) -> Option<Failure> {
        let failure = |class, code: &str| Failure::new(class, code, format!("it says {code}"));
        Some(match self {
            Self::Fine | Self::Slow(_) | Self::Hangs => return None,
            Self::Outage => failure(Class::Transient, "911"),
            Self::Overloaded => failure(Class::Transient, "HTTP 503"),
            Self::Unreachable => failure(Class::Transient, "connect"),
            Self::Limited(seconds) => {
                let wait = Some(Duration::from_secs(seconds)).filter(|wait| !wait.is_zero());
                failure(Class::RateLimited, "429").after(wait)
            }
            Self::BadPassword => failure(Class::Parked, "badauth"),
            Self::Abuse => failure(Class::Parked, "abuse"),
            Self::NoHost => failure(Class::Parked, "nohost"),
        })
    }
}

/// An account at a provider.
#[derive(Debug)]
pub(crate) struct Account {
    /// How it is.
    pub(crate) mood: Mood,
    /// Until when.
    pub(crate) until: Duration,
    /// It refuses requests whose clock is wrong by more than five minutes.
    pub(crate) knows_time: bool,
}

/// A record at a provider, and how it can be seen.
#[derive(Debug)]
pub(crate) struct Held {
    /// What it has.
    pub(crate) values: Vec<IpAddr>,
    /// How it is.
    pub(crate) mood: Mood,
    /// Until when.
    pub(crate) until: Duration,
    /// What is said of it by its servers.
    pub(crate) servers: Servers,
}

/// What the authoritative servers say of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Servers {
    /// What the provider has.
    Honest,
    /// Nothing.
    Broken,
    /// Something else.
    Intercepted,
}
