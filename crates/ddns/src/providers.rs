//! The catalogue: every provider that there is, in the order of their names.

mod answer;
mod freemyip;

use crate::provider::Entry;

/// All providers.
pub const ALL: &[&Entry] = &[&freemyip::ENTRY];

/// Returns the provider of a name or an alias.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().copied().find(|entry| entry.name == name || entry.aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_leads_to_one_provider() {
        let names: Vec<&str> = ALL
            .iter()
            .flat_map(|entry| entry.aliases.iter().copied().chain([entry.name]))
            .collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(ALL.is_sorted_by_key(|entry| entry.name));
        assert!(names.iter().all(|name| find(name).is_some()));
        assert!(find("nobody").is_none());
    }
}
