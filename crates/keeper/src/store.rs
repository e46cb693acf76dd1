//! Descriptors that are stored for units: held open, handed to every new agent, passed on to
//! programs, and understood by nobody here.

use std::{collections::BTreeMap, sync::Arc};

use mainstay_api::keeper::{
    STORED_A_UNIT_MAX, STORED_MAX, StoreEntry, StoredNameError, UnitNameError, check_unit,
};
use mainstay_platform::descriptor::{CAN_BE_STORED, Descriptor};

/// Everything that is stored.
#[derive(Debug, Default)]
pub(crate) struct Store {
    units: BTreeMap<String, Vec<Stored>>,
    count: usize,
}

/// One stored descriptor.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) name: String,
    /// Shared with whoever starts a program that gets it.
    pub(crate) descriptor: Arc<Descriptor>,
}

/// A descriptor that is not stored, or a stored one that is not found.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum StoreError {
    #[error("nothing can be stored on this system")]
    Unsupported,
    #[error("no descriptor came with it")]
    Missing,
    #[error(transparent)]
    Unit(#[from] UnitNameError),
    #[error(transparent)]
    Name(#[from] StoredNameError),
    #[error("{STORED_A_UNIT_MAX} descriptors are stored for the unit; remove one first")]
    UnitFull,
    #[error("{STORED_MAX} descriptors are stored in all; remove one first")]
    Full,
    #[error("nothing is stored under the name `{0}`")]
    Unknown(String),
    #[error("`{0}` is asked for twice")]
    Twice(String),
}

impl Store {
    /// Stores a descriptor; one of the same name is closed.
    pub(crate) fn put(
        &mut self,
        entry: &StoreEntry,
        descriptor: Option<Descriptor>,
    ) -> Result<(), StoreError> {
        if !CAN_BE_STORED {
            return Err(StoreError::Unsupported);
        }
        check_unit(&entry.unit)?;
        entry.check_name()?;
        let descriptor = Arc::new(descriptor.ok_or(StoreError::Missing)?);
        let unit = self.units.get_mut(&entry.unit);
        let former = unit.and_then(|unit| unit.iter_mut().find(|one| one.name == entry.name));
        if let Some(former) = former {
            former.descriptor = descriptor;
            return Ok(());
        }
        if self.count >= STORED_MAX {
            return Err(StoreError::Full);
        }
        if self.units.get(&entry.unit).is_some_and(|unit| unit.len() >= STORED_A_UNIT_MAX) {
            return Err(StoreError::UnitFull);
        }
        let stored = Stored { name: entry.name.clone(), descriptor };
        self.units.entry(entry.unit.clone()).or_default().push(stored);
        self.count += 1;
        Ok(())
    }

    /// Closes a descriptor; one that is not stored is none.
    pub(crate) fn remove(&mut self, entry: &StoreEntry) {
        let Some(unit) = self.units.get_mut(&entry.unit) else { return };
        let before = unit.len();
        unit.retain(|one| one.name != entry.name);
        self.count -= before - unit.len();
        if unit.is_empty() {
            self.units.remove(&entry.unit);
        }
    }

    /// Closes everything that is stored for a unit.
    pub(crate) fn forget(&mut self, unit: &str) {
        self.count -= self.units.remove(unit).map_or(0, |unit| unit.len());
    }

    /// Returns what is stored for a unit under these names, in their order.
    pub(crate) fn find(&self, unit: &str, names: &[String]) -> Result<Vec<Stored>, StoreError> {
        let stored = self.units.get(unit).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<Stored> = Vec::with_capacity(names.len());
        for name in names {
            if found.iter().any(|one| one.name == *name) {
                return Err(StoreError::Twice(name.clone()));
            }
            let one = stored.iter().find(|one| one.name == *name);
            found.push(one.ok_or_else(|| StoreError::Unknown(name.clone()))?.clone());
        }
        Ok(found)
    }

    /// Returns everything, by unit and in the order in which it came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (StoreEntry, &Descriptor)> {
        self.units.iter().flat_map(|(unit, stored)| {
            stored.iter().map(|one| {
                let entry = StoreEntry { unit: unit.clone(), name: one.name.clone() };
                (entry, &*one.descriptor)
            })
        })
    }

    /// Lends everything.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.units.values().flatten().map(|one| &*one.descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_replaces_and_what_is_gone_makes_room() {
        if !CAN_BE_STORED {
            assert_eq!(put(&mut Store::default(), "web", "a"), Err(StoreError::Unsupported));
            return;
        }
        let mut store = Store::default();
        for number in 0..STORED_A_UNIT_MAX {
            put(&mut store, "web", &number.to_string()).unwrap();
        }
        assert_eq!(put(&mut store, "web", "more"), Err(StoreError::UnitFull));
        put(&mut store, "web", "0").unwrap();
        put(&mut store, "web@2", "more").unwrap();
        store.remove(&entry("web", "0"));
        store.remove(&entry("web", "0"));
        put(&mut store, "web", "more").unwrap();
        assert_eq!((store.iter().count(), store.count), (STORED_A_UNIT_MAX + 1, 129));
        store.forget("web");
        store.forget("web");
        assert_eq!((store.iter().count(), store.count), (1, 1));
    }

    #[test]
    fn there_is_a_limit_in_all() {
        let mut store = Store { count: STORED_MAX, ..Store::default() };
        let expected = if CAN_BE_STORED { StoreError::Full } else { StoreError::Unsupported };
        assert_eq!(put(&mut store, "web", "a"), Err(expected));
    }

    #[test]
    fn names_are_found_in_the_order_in_which_they_are_asked_for_and_once() {
        let mut store = Store::default();
        if !CAN_BE_STORED {
            return assert_eq!(store.find("web", &[]).unwrap().len(), 0);
        }
        for name in ["a", "b", "c"] {
            put(&mut store, "web", name).unwrap();
        }
        let found = |unit: &str, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = store.find(unit, &names)?;
            Ok(found.into_iter().map(|one| one.name).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(found("web", &["c", "a"]), Ok("c a".to_owned()));
        assert_eq!(found("web", &[]), Ok(String::new()));
        assert_eq!(found("web", &["a", "a"]), Err(StoreError::Twice("a".to_owned())));
        assert_eq!(found("db", &["a"]), Err(StoreError::Unknown("a".to_owned())));
    }

    #[test]
    fn an_entry_without_a_descriptor_or_a_proper_name_is_refused() {
        let mut store = Store::default();
        let refused = |store: &mut Store, unit: &str, name: &str, descriptor| {
            store.put(&entry(unit, name), descriptor).unwrap_err();
            assert_eq!(store.count, 0);
        };
        refused(&mut store, "web", "a", None);
        refused(&mut store, "web", "a:b", Some(descriptor()));
        refused(&mut store, "web:", "a", Some(descriptor()));
    }

    fn put(store: &mut Store, unit: &str, name: &str) -> Result<(), StoreError> {
        store.put(&entry(unit, name), Some(descriptor()))
    }

    fn entry(unit: &str, name: &str) -> StoreEntry {
        StoreEntry { unit: unit.to_owned(), name: name.to_owned() }
    }

    fn descriptor() -> Descriptor {
        std::fs::File::open(std::env::current_exe().unwrap()).unwrap().into()
    }
}
