//! Numbers that nobody else has, whatever the clocks say.

use std::hash::{BuildHasher as _, RandomState};

/// Returns a number that was never returned before on any machine, as far as chance goes.
///
/// The keys of a hasher come from the system's own source; not for secrets.
pub fn number() -> u64 {
    RandomState::new().hash_one(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_number_comes_twice() {
        let numbers: BTreeSet<u64> = (0..1000).map(|_| number()).collect();
        assert_eq!(numbers.len(), 1000);
    }
}
