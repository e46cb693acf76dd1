//! Descriptors that a keeper stores for units, without knowing what they are.
//!
//! They outlive agents and upgrades of the keeper. They do not outlive the keeper: the agent, who
//! is sent duplicates of all of them, stores them again with its successor.

use serde::{Deserialize, Serialize};

/// Keepers of this version and later understand [`Request::Store`](super::Request::Store), and
/// agents [`Report::Stored`](super::Report::Stored).
pub const STORE_SINCE: u32 = 3;
/// So many descriptors are stored for one unit.
pub const STORED_A_UNIT_MAX: usize = 128;
/// So many are stored in all.
pub const STORED_MAX: usize = 4096;
/// The longest name of a stored descriptor.
pub const STORED_NAME_BYTES_MAX: usize = 255;

/// A stored descriptor, or one to be stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoreEntry {
    /// The unit's name.
    pub unit: String,
    /// The descriptor's name, unique within its unit: printable ASCII without `:`, as the names in
    /// `LISTEN_FDNAMES`.
    pub name: String,
}

/// What became of one entry of a `Store`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposited {
    /// The unit's name.
    pub unit: String,
    /// The descriptor's name.
    pub name: String,
    /// Why it is not stored, for people; nothing when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A name that no stored descriptor may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredNameError {
    /// It has no name.
    #[error("a stored descriptor needs a name")]
    Empty,
    /// It is longer than [`STORED_NAME_BYTES_MAX`].
    #[error(
        "the name of a stored descriptor has {length} bytes, more than {STORED_NAME_BYTES_MAX}"
    )]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// It cannot stand in `LISTEN_FDNAMES`.
    #[error("the name of a stored descriptor may hold printable ASCII but `:`")]
    Characters,
}

/// Whether a stored descriptor goes by itself. Nothing but its name says so, in a way that agents who
/// know nothing of it read as well: what they have stored stays, and what they find they pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Once its other end is closed.
    WhileOpen,
    /// Never.
    Always,
}

/// What stands between a descriptor's name and its number.
const MARK: &str = " #";
/// What goes by itself is counted from here.
const WHILE_OPEN: u64 = 1 << 32;

impl Stay {
    /// Returns the number that is stored.
    const fn mark(self, number: u64) -> u64 {
        match self {
            Self::WhileOpen => number.saturating_add(WHILE_OPEN),
            Self::Always => number,
        }
    }

    /// Returns which one a stored number means, and whether that goes by itself.
    const fn read(stored: u64) -> (u64, Self) {
        match stored.checked_sub(WHILE_OPEN) {
            Some(number) => (number, Self::WhileOpen),
            None => (stored, Self::Always),
        }
    }
}

/// What a program calls a stored descriptor, and which of that name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered<'a> {
    /// The program's name for it.
    pub name: &'a str,
    /// Which of that name it is.
    pub number: u64,
    /// Whether it goes by itself.
    pub stay: Stay,
}

impl std::fmt::Display for Numbered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{MARK}{}", self.name, self.stay.mark(self.number))
    }
}

impl StoreEntry {
    /// Returns what a program calls it, and which of that name it is; nothing for one that has no
    /// number.
    pub fn number(&self) -> Option<Numbered<'_>> {
        numbered(&self.name)
    }

    /// Returns what a program finds a descriptor as that is stored under this name.
    pub fn shown(stored: &str) -> &str {
        numbered(stored).map_or(stored, |numbered| numbered.name)
    }

    /// Returns whether the name can be one of a stored descriptor.
    pub fn check_name(&self) -> Result<(), StoredNameError> {
        let name = self.name.as_str();
        if name.is_empty() {
            return Err(StoredNameError::Empty);
        }
        if name.len() > STORED_NAME_BYTES_MAX {
            return Err(StoredNameError::TooLong { length: name.len() });
        }
        let is_printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b':';
        name.bytes().all(is_printable).then_some(()).ok_or(StoredNameError::Characters)
    }
}

fn numbered(stored: &str) -> Option<Numbered<'_>> {
    let (name, number) = stored.rsplit_once(MARK)?;
    let (number, stay) = Stay::read(number.parse().ok()?);
    Some(Numbered { name, number, stay })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_finds_its_own_names_without_the_numbers() {
        let entry = |name: String| StoreEntry { unit: "web".to_owned(), name };
        for (stay, stored) in [(Stay::WhileOpen, "a #x #4294967298"), (Stay::Always, "a #x #2")] {
            let second = Numbered { name: "a #x", number: 2, stay };
            let stored = entry(stored.to_owned());
            assert_eq!((second.to_string(), stored.number()), (stored.name.clone(), Some(second)));
            assert_eq!(StoreEntry::shown(&stored.name), "a #x");
            assert_eq!(stored.check_name(), Ok(()));
        }
        let plain = entry("notify".to_owned());
        assert_eq!((plain.number(), StoreEntry::shown(&plain.name)), (None, "notify"));
        assert_eq!(entry("a #".to_owned()).number(), None);
    }

    #[test]
    fn a_name_is_what_can_stand_between_colons() {
        let check = |name: &str, expected| {
            let entry = StoreEntry { unit: "web".to_owned(), name: name.to_owned() };
            assert_eq!(entry.check_name(), expected, "{name}");
        };
        check("http", Ok(()));
        check("a socket (v4)", Ok(()));
        check(&"x".repeat(STORED_NAME_BYTES_MAX), Ok(()));
        check("", Err(StoredNameError::Empty));
        check("a:b", Err(StoredNameError::Characters));
        check("a\nb", Err(StoredNameError::Characters));
        check("é", Err(StoredNameError::Characters));
        let length = STORED_NAME_BYTES_MAX + 1;
        check(&"x".repeat(length), Err(StoredNameError::TooLong { length }));
    }
}
