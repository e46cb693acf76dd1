//! Descriptors that programs hand over for their next run (`FDSTORE=1`), beside the keeper, who
//! stores them as well.

use std::collections::BTreeMap;

use mainstay_api::keeper::{Numbered, Stay, StoreEntry};
use mainstay_core::UnitName;
use mainstay_platform::{
    datagram::Guarded, descriptor::Descriptor, port::Token, same_file::are_same,
};

use super::post::Posts;

/// What is kept for programs.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    by_unit: BTreeMap<UnitName, Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    /// What the program calls it.
    name: String,
    /// Which of this name it is.
    number: u64,
    stay: Stay,
    it: Guarded,
    /// By what its end is told.
    token: Option<Token>,
}

impl Kept {
    fn entry(&self, unit: &UnitName) -> StoreEntry {
        let numbered = Numbered { name: &self.name, number: self.number, stay: self.stay };
        StoreEntry { unit: unit.to_string(), name: numbered.to_string() }
    }
}

/// How descriptors are to be kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label<'a> {
    /// What the program calls them.
    pub(super) name: &'a str,
    pub(super) stay: Stay,
    /// There are no more than so many in all.
    pub(super) most: usize,
}

/// What is new on the shelf.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub(super) entries: Vec<StoreEntry>,
    pub(super) descriptors: Vec<Descriptor>,
    /// So many found no room.
    pub(super) refused: usize,
}

impl Shelf {
    /// Keeps descriptors under a name, but for those that are there already and what is more than
    /// may be; returns what is to be stored. Of one message no more than may be in all are looked at:
    /// each is compared with each that is there.
    pub(super) fn keep(
        &mut self,
        unit: &UnitName,
        label: Label<'_>,
        mut riders: Vec<Descriptor>,
    ) -> Added {
        let Label { name, stay, most } = label;
        let kept = self.by_unit.entry(unit.clone()).or_default();
        let too_many = riders.split_off(label.most.min(riders.len())).len();
        let mut added = Added { refused: too_many, ..Added::default() };
        for descriptor in riders {
            if kept.iter().any(|known| are_same(known.it.descriptor(), &descriptor)) {
                continue;
            }
            let Some(duplicate) = descriptor.try_clone().ok().filter(|_| kept.len() < most) else {
                added.refused += 1;
                continue;
            };
            let of_name = kept.iter().filter(|known| known.name == name);
            let number = of_name.map(|known| known.number).max().unwrap_or_default() + 1;
            let it = Guarded::new(descriptor);
            let fresh = Kept { name: name.to_owned(), number, stay, it, token: None };
            added.entries.push(fresh.entry(unit));
            added.descriptors.push(duplicate);
            kept.push(fresh);
        }
        added
    }

    /// Takes back what a keeper has stored; false for what is none of ours.
    pub(super) fn restore(&mut self, unit: &UnitName, entry: &StoreEntry, it: Descriptor) -> bool {
        let Some(Numbered { name, number, stay }) = entry.number() else { return false };
        let kept = self.by_unit.entry(unit.clone()).or_default();
        let it = Guarded::new(it);
        let fresh = Kept { name: name.to_owned(), number, stay, it, token: None };
        match kept.iter_mut().find(|known| known.entry(unit) == *entry) {
            Some(known) => *known = fresh,
            None => kept.push(fresh),
        }
        true
    }

    /// Watches the ends of what goes by itself.
    pub(super) fn guard(&mut self, posts: &mut Posts) {
        let all = self.by_unit.values_mut().flatten();
        for kept in all.filter(|kept| kept.stay == Stay::WhileOpen && kept.token.is_none()) {
            kept.token = Some(posts.guard(&mut kept.it));
        }
    }

    /// Lets go of those that have come to their end; returns what is to be stored no longer.
    pub(super) fn let_end(&mut self, ended: &[Token]) -> Vec<StoreEntry> {
        let has_ended = |kept: &mut Kept| kept.token.is_some_and(|token| ended.contains(&token));
        let gone = self
            .by_unit
            .iter_mut()
            .flat_map(|(unit, kept)| kept.extract_if(.., has_ended).map(|known| known.entry(unit)));
        gone.collect()
    }

    /// Lets go of those of a name; returns what is to be stored no longer.
    pub(super) fn let_go(&mut self, unit: &UnitName, name: &str) -> Vec<StoreEntry> {
        let Some(kept) = self.by_unit.get_mut(unit) else { return Vec::new() };
        let gone = kept.extract_if(.., |known| known.name == name);
        gone.map(|known| known.entry(unit)).collect()
    }

    /// Forgets what the keeper would not store, under the name that it was given there.
    pub(super) fn drop_refused(&mut self, unit: &UnitName, name: &str) {
        if let Some(kept) = self.by_unit.get_mut(unit) {
            kept.retain(|known| known.entry(unit).name != name);
        }
    }

    /// Lets go of everything of a unit.
    pub(super) fn clear(&mut self, unit: &UnitName) -> Vec<StoreEntry> {
        let gone = self.by_unit.remove(unit).unwrap_or_default();
        gone.iter().map(|known| known.entry(unit)).collect()
    }

    /// Returns the names under which a keeper has a unit's descriptors, for its next run.
    pub(super) fn names(&self, unit: &UnitName) -> Vec<String> {
        let kept = self.by_unit.get(unit).into_iter().flatten();
        kept.map(|known| known.entry(unit).name).collect()
    }

    /// Returns duplicates of everything, for a new keeper.
    pub(super) fn all(&self) -> (Vec<StoreEntry>, Vec<Descriptor>) {
        let all = self.by_unit.iter().flat_map(|(unit, kept)| {
            kept.iter()
                .filter_map(|one| Some((one.entry(unit), one.it.descriptor().try_clone().ok()?)))
        });
        all.unzip()
    }
}

#[cfg(test)]
mod tests {
    use mainstay_platform::same_file;

    use super::*;

    fn pipe() -> Vec<Descriptor> {
        let (reader, writer) = std::io::pipe().unwrap();
        vec![Descriptor::from(reader), Descriptor::from(writer)]
    }

    fn duplicate(all: &[Descriptor]) -> Vec<Descriptor> {
        all.iter().map(|one| one.try_clone().unwrap()).collect()
    }

    fn label(name: &str, most: usize) -> Label<'_> {
        Label { name, stay: Stay::Always, most }
    }

    fn names(entries: &[StoreEntry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    #[test]
    fn each_has_a_number_of_its_own_and_there_are_no_more_than_so_many() {
        let (mut shelf, unit) = (Shelf::default(), UnitName::parse("web").unwrap());
        let added = shelf.keep(&unit, label("http", 3), pipe());
        assert_eq!((names(&added.entries), added.refused), (vec!["http #1", "http #2"], 0));
        let added = shelf.keep(&unit, label("admin", 3), pipe());
        assert_eq!((names(&added.entries), added.refused), (vec!["admin #1"], 1));
        assert_eq!(shelf.names(&unit), ["http #1", "http #2", "admin #1"]);
        shelf.drop_refused(&unit, "http #2");
        assert_eq!(shelf.names(&unit), ["http #1", "admin #1"]);
        assert_eq!(names(&shelf.let_go(&unit, "http")), ["http #1"]);
        assert_eq!(names(&shelf.clear(&unit)), ["admin #1"]);
        assert!(shelf.names(&unit).is_empty());
    }

    #[test]
    fn what_is_there_already_is_not_kept_twice() {
        let (mut shelf, unit) = (Shelf::default(), UnitName::parse("web").unwrap());
        let ours = pipe();
        assert_eq!(shelf.keep(&unit, label("http", 9), duplicate(&ours)).entries.len(), 2);
        let again = shelf.keep(&unit, label("http", 9), duplicate(&ours));
        let fresh = if same_file::IS_TOLD { 0 } else { 2 };
        assert_eq!((again.entries.len(), again.refused), (fresh, 0));
    }

    #[test]
    fn what_is_more_than_may_be_is_not_even_looked_at() {
        let (mut shelf, unit) = (Shelf::default(), UnitName::parse("web").unwrap());
        let one = pipe().remove(0);
        let same = (0..3).map(|_| one.try_clone().unwrap()).collect();
        let added = shelf.keep(&unit, label("http", 1), same);
        assert_eq!((added.entries.len(), added.refused), (1, 2));
    }

    #[test]
    fn what_a_keeper_has_is_taken_back_in_order() {
        let (mut shelf, unit) = (Shelf::default(), UnitName::parse("web").unwrap());
        let entry = |name: &str| StoreEntry { unit: "web".to_owned(), name: name.to_owned() };
        for (name, is_ours) in
            [("b #1", true), ("notify", false), ("b #4294967297", true), ("b #1", true)]
        {
            let descriptor = pipe().remove(0);
            assert_eq!(shelf.restore(&unit, &entry(name), descriptor), is_ours, "{name}");
        }
        assert_eq!(shelf.names(&unit), ["b #1", "b #4294967297"]);
        assert_eq!(names(&shelf.all().0), ["b #1", "b #4294967297"]);
    }
}
