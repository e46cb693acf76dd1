//! The store of secrets as bytes: names in plain, each value sealed for its name.
//!
//! ```text
//! magic 8 │ version 4 │ count 4 │ proof: nonce 24, tag 16 │ entries … │ CRC 4
//! entry:  name length 1 │ name │ set at 8 │ sealed length 4 │ nonce 24, ciphertext, tag 16
//! ```
//!
//! Numbers are little-endian. A value is sealed with XChaCha20-Poly1305 under a random nonce, and
//! its name is bound to it: a value that is moved under another name does not open. The proof is an
//! empty value; it tells a wrong key from a file that is damaged.

use std::{collections::BTreeMap, fmt};

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::Zeroizing;

/// The longest name.
pub const NAME_BYTES_MAX: usize = 64;
/// The longest value.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;
/// So many secrets fit into one store.
pub const SECRETS_MAX: usize = 1_000;
/// How long a key is.
pub const KEY_BYTES: usize = 32;
/// How long a nonce is: long enough to be chosen by chance.
pub const NONCE_BYTES: usize = 24;

const MAGIC: &[u8; 8] = b"MSSECRET";
const VERSION: u32 = 1;
const TAG_BYTES: usize = 16;
const CRC_BYTES: usize = 4;
/// No name of a secret has a NUL.
const PROOF_NAME: &str = "\0proof";

/// A nonce, which must be new each time.
pub type Nonce = [u8; NONCE_BYTES];

/// What a store cannot do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The bytes are no store, or not all of one.
    #[error("it is damaged")]
    Damaged,
    /// Another version has written it.
    #[error("it is of version {0}, which this program does not know")]
    Later(u32),
    /// It was sealed with another key.
    #[error("its key is another one")]
    WrongKey,
    /// The key is right, the value is not the one that was sealed for this name.
    #[error("the value was changed by somebody else")]
    Forged,
    /// There is no room for one more.
    #[error("there are {SECRETS_MAX} secrets already")]
    Full,
    /// The name or the value is too long.
    #[error("a name has at most {NAME_BYTES_MAX} bytes, a value at most {VALUE_BYTES_MAX}")]
    TooLong,
}

/// The key to a store; wiped when it goes.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; KEY_BYTES]>);

impl SealKey {
    /// Returns a key of these bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the bytes, to be kept where nobody else reads them.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(•••)")
    }
}

/// A value that nobody is shown; wiped when it goes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a value over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the value, for whoever delivers it.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(•••)")
    }
}

/// A sealed value and when it was set.
#[derive(Clone, PartialEq, Eq)]
struct Entry {
    set_at: u64,
    sealed: Vec<u8>,
}

/// All secrets of an instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Store {
    proof: Vec<u8>,
    entries: BTreeMap<String, Entry>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl Store {
    /// Returns an empty store for a key.
    pub fn new(key: &SealKey, nonce: Nonce) -> Result<Self, StoreError> {
        Ok(Self { proof: seal(key, PROOF_NAME, &[], nonce)?, entries: BTreeMap::new() })
    }

    /// Reads a store; one that is not whole is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let body_bytes = bytes.len().checked_sub(CRC_BYTES).ok_or(StoreError::Damaged)?;
        let (body, crc) = bytes.split_at(body_bytes);
        if crc != crc32fast::hash(body).to_le_bytes() {
            return Err(StoreError::Damaged);
        }
        let mut rest = Rest(body);
        if rest.take(MAGIC.len())? != MAGIC {
            return Err(StoreError::Damaged);
        }
        let version = rest.number()?;
        if version != VERSION {
            return Err(StoreError::Later(version));
        }
        let count = rest.number()?;
        let proof = rest.take(NONCE_BYTES + TAG_BYTES)?.to_vec();
        let entries = (0..count).map(|_| rest.entry()).collect::<Result<BTreeMap<_, _>, _>>()?;
        if rest.0.is_empty() { Ok(Self { proof, entries }) } else { Err(StoreError::Damaged) }
    }

    /// Returns the store as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(number(self.entries.len()));
        bytes.extend(&self.proof);
        for (name, Entry { set_at, sealed }) in &self.entries {
            bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
            bytes.extend(name.as_bytes());
            bytes.extend(set_at.to_le_bytes());
            bytes.extend(number(sealed.len()));
            bytes.extend(sealed);
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Refuses a key that this store was not made with.
    pub fn check(&self, key: &SealKey) -> Result<(), StoreError> {
        open(key, PROOF_NAME, &self.proof).map(drop).ok_or(StoreError::WrongKey)
    }

    /// Sets a secret; `set_at` is in seconds since 1970.
    pub fn set(
        &mut self,
        key: &SealKey,
        name: &str,
        value: &Secret,
        (nonce, set_at): (Nonce, u64),
    ) -> Result<(), StoreError> {
        self.check(key)?;
        if name.len() > NAME_BYTES_MAX || value.reveal().len() > VALUE_BYTES_MAX {
            return Err(StoreError::TooLong);
        }
        if self.entries.len() >= SECRETS_MAX && !self.entries.contains_key(name) {
            return Err(StoreError::Full);
        }
        let sealed = seal(key, name, value.reveal(), nonce)?;
        self.entries.insert(name.to_owned(), Entry { set_at, sealed });
        Ok(())
    }

    /// Returns a secret; nothing when there is none of this name.
    pub fn get(&self, key: &SealKey, name: &str) -> Result<Option<Secret>, StoreError> {
        let Some(entry) = self.entries.get(name) else { return Ok(None) };
        self.check(key)?;
        open(key, name, &entry.sealed).map(Some).ok_or(StoreError::Forged)
    }

    /// Removes a secret; returns whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.entries.remove(name).is_some()
    }

    /// Returns all names, with the second since 1970 in which each was set.
    pub fn names(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.set_at))
    }
}

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(StoreError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, StoreError> {
        let bytes = self.take(4)?.try_into().map_err(|_| StoreError::Damaged)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn entry(&mut self) -> Result<(String, Entry), StoreError> {
        let length = self.take(1)?.first().copied().unwrap_or_default();
        let name = self.take(usize::from(length))?.to_vec();
        let name = String::from_utf8(name).map_err(|_| StoreError::Damaged)?;
        let set_at = self.take(8)?.try_into().map_err(|_| StoreError::Damaged)?;
        let length = usize::try_from(self.number()?).map_err(|_| StoreError::Damaged)?;
        let sealed = self.take(length)?.to_vec();
        Ok((name, Entry { set_at: u64::from_le_bytes(set_at), sealed }))
    }
}

fn number(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// Returns the nonce and what was sealed with it.
fn seal(key: &SealKey, name: &str, value: &[u8], nonce: Nonce) -> Result<Vec<u8>, StoreError> {
    let payload = Payload { msg: value, aad: name.as_bytes() };
    let sealed = key.cipher().encrypt(&XNonce::from(nonce), payload);
    // The cipher refuses nothing but lengths far beyond ours.
    let sealed = sealed.map_err(|_| StoreError::TooLong)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(key: &SealKey, name: &str, sealed: &[u8]) -> Option<Secret> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload { msg: sealed, aad: name.as_bytes() };
    key.cipher().decrypt(&XNonce::from(*nonce), payload).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "correct horse battery staple";

    fn key(first: u8) -> SealKey {
        SealKey::new([first; KEY_BYTES])
    }

    fn store() -> Store {
        let mut store = Store::new(&key(1), [0; NONCE_BYTES]).unwrap();
        for (count, name) in [(1, "db"), (2, "web.token")] {
            let value = Secret::new(VALUE.as_bytes().to_vec());
            store.set(&key(1), name, &value, ([count; NONCE_BYTES], 77)).unwrap();
        }
        store
    }

    #[test]
    fn a_value_comes_back_and_is_nowhere_in_the_file() {
        let bytes = store().encode();
        assert!(!bytes.windows(7).any(|part| part == b"battery"));
        let read = Store::decode(&bytes).unwrap();
        let found = read.get(&key(1), "db").unwrap().unwrap();
        assert_eq!(found.reveal(), VALUE.as_bytes());
        assert_eq!(read.get(&key(1), "nobody").unwrap(), None);
        assert_eq!(read.names().collect::<Vec<_>>(), [("db", 77), ("web.token", 77)]);
    }

    #[test]
    fn a_file_that_is_torn_or_bent_anywhere_is_damaged() {
        let bytes = store().encode();
        for end in 0..bytes.len() {
            assert_eq!(Store::decode(&bytes[..end]).unwrap_err(), StoreError::Damaged, "{end}");
        }
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 0x10;
            assert_eq!(Store::decode(&bent).unwrap_err(), StoreError::Damaged, "{at}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert_eq!(Store::decode(&longer).unwrap_err(), StoreError::Damaged);
    }

    #[test]
    fn a_later_version_is_told_from_damage() {
        let mut bytes = store().encode();
        bytes.truncate(bytes.len() - CRC_BYTES);
        bytes[MAGIC.len()] = 2;
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        assert_eq!(Store::decode(&bytes).unwrap_err(), StoreError::Later(2));
    }

    #[test]
    fn another_key_opens_nothing_and_seals_nothing() {
        let mut store = store();
        assert_eq!(store.get(&key(2), "db").unwrap_err(), StoreError::WrongKey);
        let value = Secret::new(b"new".to_vec());
        let refused = store.set(&key(2), "db", &value, ([9; NONCE_BYTES], 1)).unwrap_err();
        assert_eq!(refused, StoreError::WrongKey);
        assert_eq!(store, self::store());
    }

    #[test]
    fn a_value_under_another_name_does_not_open() {
        let mut store = store();
        let moved = store.entries["db"].clone();
        store.entries.insert("web.token".to_owned(), moved);
        assert_eq!(store.get(&key(1), "web.token").unwrap_err(), StoreError::Forged);
        assert!(store.get(&key(1), "db").unwrap().is_some());
    }

    #[test]
    fn there_is_an_end_to_names_values_and_their_number() {
        let mut store = store();
        let nonce = ([3; NONCE_BYTES], 1);
        let long = Secret::new(vec![1; VALUE_BYTES_MAX + 1]);
        assert_eq!(store.set(&key(1), "a", &long, nonce).unwrap_err(), StoreError::TooLong);
        let whole = Secret::new(vec![1; VALUE_BYTES_MAX]);
        store.set(&key(1), &"a".repeat(NAME_BYTES_MAX), &whole, nonce).unwrap();
        let name = "a".repeat(NAME_BYTES_MAX + 1);
        assert_eq!(store.set(&key(1), &name, &whole, nonce).unwrap_err(), StoreError::TooLong);
        let small = Secret::new(vec![1]);
        for number in 3..SECRETS_MAX {
            store.set(&key(1), &number.to_string(), &small, nonce).unwrap();
        }
        assert_eq!(store.set(&key(1), "more", &small, nonce).unwrap_err(), StoreError::Full);
        store.set(&key(1), "db", &small, nonce).unwrap();
        assert!(store.remove("db") && !store.remove("db"));
        store.set(&key(1), "more", &small, nonce).unwrap();
    }

    #[test]
    fn nobody_sees_a_value_or_a_key_by_chance() {
        let shown = format!("{:?} {:?} {:?}", Secret::new(b"pass".to_vec()), key(7), store());
        assert_eq!(shown, "Secret(•••) SealKey(•••) {\"db\", \"web.token\"}");
    }
}
