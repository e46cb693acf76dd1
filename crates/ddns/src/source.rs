//! Where addresses come from, and what a source answers.
//!
//! Each kind of source is one file below `sources/`. A source asks all its voters at once and
//! judges nothing: which answer is believed is decided by the engine.

use std::{fmt, net::IpAddr};

use crate::{address::Family, wire::Later};

/// One source of one family's addresses, such as three echo services or one interface.
pub trait Source: fmt::Debug + Send + Sync {
    /// Asks all its voters; the answer has one vote of each, in their order.
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>>;
}

/// What one voter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who: a URL without its query, an interface, a server. Short, for status.
    pub voter: String,
    /// The addresses it tells, best first, or why it tells none, in words for people.
    pub answer: Result<Vec<IpAddr>, String>,
}
