//! A key, and the table that it belongs to.

use super::Shape;

/// The version that has all keys of which nothing else is said.
const FIRST: &str = "0.1.0";

/// The same in two languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// In English.
    pub en: &'static str,
    /// In Chinese.
    pub zh: &'static str,
}

/// What holds where a key is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usual {
    /// There is none of it.
    Nothing,
    /// As if this were written, in TOML.
    Value(&'static str),
    /// That depends.
    Depends(Words),
}

/// When a change of a key takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// At once; what runs is not touched.
    Live,
    /// With the next run; what runs keeps what it was started with.
    NextRun,
    /// What runs is restarted.
    Restart,
    /// As its keys say.
    OfKeys,
}

/// One key of a table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// What holds without it.
    pub usual: Usual,
    /// When a change takes effect.
    pub effect: Effect,
    /// What it is for.
    pub about: Words,
    /// A value that is good, in TOML.
    pub example: &'static str,
    /// The version that knew it first.
    pub since: &'static str,
}

/// A table, whose keys are these and no others.
#[derive(Debug)]
pub struct Part {
    /// Where it stands; names of the user's own are in capitals.
    pub path: &'static str,
    /// What it is for.
    pub about: Words,
    /// Its keys.
    pub keys: &'static [Key],
    /// Those that must be there.
    pub needs: &'static [&'static str],
    /// Those of which exactly one must be there.
    pub one_of: &'static [&'static str],
}

/// Returns a key that changes at once and has no default.
pub(super) const fn key(name: &'static str, shape: Shape, about: Words) -> Key {
    let (usual, effect) = (Usual::Nothing, Effect::Live);
    Key { name, shape, usual, effect, about, example: "", since: FIRST }
}

impl Key {
    /// Says what holds without it.
    pub(super) const fn usual(self, value: &'static str) -> Self {
        Self { usual: Usual::Value(value), ..self }
    }

    /// Says on what it depends what holds without it.
    pub(super) const fn depends(self, en: &'static str, zh: &'static str) -> Self {
        Self { usual: Usual::Depends(Words { en, zh }), ..self }
    }

    /// Gives an example.
    pub(super) const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// A change takes effect with the next run.
    pub(super) const fn next_run(self) -> Self {
        Self { effect: Effect::NextRun, ..self }
    }

    /// A change restarts what runs.
    pub(super) const fn restarts(self) -> Self {
        Self { effect: Effect::Restart, ..self }
    }

    /// A change takes effect as the keys below it say.
    pub(super) const fn of_keys(self) -> Self {
        Self { effect: Effect::OfKeys, ..self }
    }
}

impl Part {
    /// Returns a key by its name.
    pub fn key(&'static self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}
