//! How far the numbers of runs have got: what must not be given to a run again, whatever else is
//! lost.
//!
//! ```text
//! mainstay-numbers 1 1f3a09c2      version, and a checksum of everything behind this line
//! 0                                that of every name that has no line of its own
//! 100 web
//! 200 web:on-unhealthy
//! ```

use std::{collections::BTreeMap, fmt::Write as _};

const MAGIC: &str = "mainstay-numbers";
const VERSION: u32 = 1;

/// Numbers that may have been given already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ceilings {
    /// That of every name that has none of its own.
    pub beyond: u64,
    /// That of each name.
    pub names: BTreeMap<String, u64>,
}

/// A file of numbers that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumbersError {
    /// Another agent knows what is in it.
    #[error("are of version {0}, and version {VERSION} is known here")]
    OtherVersion(u32),
    /// Nobody does.
    #[error("make no sense")]
    Damaged,
}

impl Ceilings {
    /// Returns the highest of all.
    pub fn highest(&self) -> u64 {
        self.names.values().copied().fold(self.beyond, u64::max)
    }

    /// Returns what a file of them holds.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = format!("{}\n", self.beyond);
        for (name, ceiling) in &self.names {
            // A text takes whatever is written to it.
            let _ = writeln!(body, "{ceiling} {name}");
        }
        let checksum = crc32fast::hash(body.as_bytes());
        format!("{MAGIC} {VERSION} {checksum:08x}\n{body}").into_bytes()
    }

    /// Reads what [`encode`](Self::encode) has written.
    pub fn decode(bytes: &[u8]) -> Result<Self, NumbersError> {
        let text = std::str::from_utf8(bytes).map_err(|_| NumbersError::Damaged)?;
        let (head, body) = text.split_once('\n').ok_or(NumbersError::Damaged)?;
        let Some(checksum) = version_of(head)? else { return Err(NumbersError::Damaged) };
        if checksum != format!("{:08x}", crc32fast::hash(body.as_bytes())) {
            return Err(NumbersError::Damaged);
        }
        Self::read(body).ok_or(NumbersError::Damaged)
    }

    fn read(body: &str) -> Option<Self> {
        let mut lines = body.lines();
        let beyond = lines.next()?.parse().ok()?;
        let entry = |line: &str| {
            let (ceiling, name) = line.split_once(' ')?;
            Some((name.to_owned(), ceiling.parse().ok()?))
        };
        Some(Self { beyond, names: lines.map(entry).collect::<Option<_>>()? })
    }
}

/// Returns the checksum that the first line names, if it is one of this version.
fn version_of(head: &str) -> Result<Option<&str>, NumbersError> {
    let mut words = head.split(' ');
    let version = words.next().filter(|magic| *magic == MAGIC).and(words.next());
    match version.and_then(|version| version.parse().ok()) {
        Some(VERSION) => Ok(words.next()),
        Some(version) => Err(NumbersError::OtherVersion(version)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_back() {
        let names = BTreeMap::from([("web".to_owned(), 100), ("web:reload".to_owned(), u64::MAX)]);
        for ceilings in [Ceilings::default(), Ceilings { beyond: 7, names }] {
            assert_eq!(Ceilings::decode(&ceilings.encode()), Ok(ceilings));
        }
    }

    #[test]
    fn a_file_that_is_cut_or_has_another_bit_says_nothing() {
        let names = BTreeMap::from([("web".to_owned(), 100)]);
        let whole = Ceilings { beyond: 0, names }.encode();
        for at in 0..whole.len() {
            Ceilings::decode(&whole[..at]).unwrap_err();
            for bit in 0..8 {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                Ceilings::decode(&bytes).unwrap_err();
            }
        }
    }

    #[test]
    fn a_later_version_is_named() {
        let later = b"mainstay-numbers 9\nwhat it says is not known";
        assert_eq!(Ceilings::decode(later), Err(NumbersError::OtherVersion(9)));
    }
}
