//! What checks are called that have no name of their own.

use std::collections::BTreeSet;

/// What a check can look at; without a name of its own it is called so.
pub(in crate::config) const KINDS: &[&str] =
    &["http", "tcp", "exec", "file", "heartbeat", "memory"];

/// The names of a service's checks: they become names of logs, so no two differ in case alone.
pub(in crate::config) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// Begins with the names that are given.
    pub(in crate::config) fn new(given: impl Iterator<Item = String>) -> Self {
        Self { taken: given.map(|name| name.to_ascii_lowercase()).collect() }
    }

    /// Returns the first of `http`, `http-2`, … that is free.
    pub(in crate::config) fn usual(&mut self, kind: &str) -> String {
        let numbered = (2_u32..).map(|number| format!("{kind}-{number}"));
        let mut all = std::iter::once(kind.to_owned()).chain(numbered);
        let name = all.find(|name| !self.taken.contains(name)).unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }
}
