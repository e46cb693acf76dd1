//! What the engine is told, and what it asks for.

use std::{net::IpAddr, time::Duration};

use crate::{
    engine::state::State,
    failure::{Class, Failure},
    record::{Change, Found, Record, Written},
    source::Vote,
};

/// When something is: both clocks, because one stands still in a suspend and the other is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Since the engine began, by a clock that nobody sets.
    pub at: Duration,
    /// Seconds since 1970, by the wall clock, which may be wrong.
    pub wall: i64,
}

/// What the engine is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A deadline has come.
    Tick,
    /// Addresses or routes may have changed.
    NetworkChanged,
    /// A source was asked.
    Looked {
        /// Index of the sight.
        sight: usize,
        /// Index of the source in it.
        source: usize,
        /// What its voters say.
        votes: Vec<Vote>,
    },
    /// A record was read.
    Read {
        /// Index of the binding.
        binding: usize,
        /// What came of it.
        result: Result<Found, Failure>,
    },
    /// A record was written, or not.
    Wrote {
        /// Index of the binding.
        binding: usize,
        /// What came of it.
        result: Result<Written, Failure>,
    },
    /// The authoritative servers were asked.
    Verified {
        /// Index of the binding.
        binding: usize,
        /// What they have; the union, where they differ, is told as a failure.
        result: Result<Vec<IpAddr>, Failure>,
    },
    /// A state is on the disk, or could not be put there.
    Persisted {
        /// Its revision.
        revision: u64,
        /// Whether it is there.
        result: Result<(), String>,
    },
    /// An operator wants these bindings, or all, written at once; parked ones as well.
    Update {
        /// Indices; empty means all.
        bindings: Vec<usize>,
    },
}

/// What the engine asks for. Each is answered by the input of its name, or, for `Tell`, by nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask a source.
    Look {
        /// Index of the sight.
        sight: usize,
        /// Index of the source in it.
        source: usize,
    },
    /// Read a record.
    Read {
        /// Index of the binding.
        binding: usize,
        /// The record.
        record: Record,
    },
    /// Make a record what it shall be.
    Write {
        /// Index of the binding.
        binding: usize,
        /// What it shall be.
        change: Change,
    },
    /// Ask the authoritative servers.
    Verify {
        /// Index of the binding.
        binding: usize,
        /// The record.
        record: Record,
    },
    /// Put the state on the disk; only the newest revision matters.
    Persist {
        /// Grows with every state.
        revision: u64,
        /// What to keep.
        state: State,
    },
    /// Tell people.
    Tell(Event),
}

/// What people are told: once for each change, never again for what goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The address is another one.
    AddressChanged {
        /// Index of the sight.
        sight: usize,
        /// What it was.
        from: Vec<IpAddr>,
        /// What it is.
        to: Vec<IpAddr>,
    },
    /// No source is believed any more, or only addresses that reach nobody; the last one stays.
    AddressLost {
        /// Index of the sight.
        sight: usize,
        /// Why, in words: `the router's own address is private: double NAT`.
        why: String,
    },
    /// An address is believed again.
    AddressFound {
        /// Index of the sight.
        sight: usize,
    },
    /// A record was written.
    Published {
        /// Index of the binding.
        binding: usize,
        /// What it has.
        values: Vec<IpAddr>,
        /// The provider's own words.
        code: String,
    },
    /// The authoritative servers have what was written.
    Visible {
        /// Index of the binding.
        binding: usize,
    },
    /// What the authoritative servers have is something else, and has been for long.
    Invisible {
        /// Index of the binding.
        binding: usize,
        /// Why, in words.
        why: String,
    },
    /// An attempt failed; told for the first of a series and when the class changes.
    Failed {
        /// Index of the binding.
        binding: usize,
        /// What it means.
        class: Class,
        /// Why, in words.
        why: String,
        /// When it is tried again, from now; nothing for what is parked.
        again: Option<Duration>,
    },
    /// A series of failures is over.
    Recovered {
        /// Index of the binding.
        binding: usize,
        /// How many attempts failed.
        failures: u32,
    },
    /// The state cannot be kept: until that is over, a crash may cost a write more.
    NotKept {
        /// Why, in words.
        why: String,
    },
    /// The state is kept again.
    KeptAgain,
}
