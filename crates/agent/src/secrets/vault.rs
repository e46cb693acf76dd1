//! The store of secrets on the disk, with its key. Who works with it has the instance's state: the
//! agent, or the command line where there is none.

use std::{
    io,
    io::Read as _,
    path::{Path, PathBuf},
};

use mainstay_platform::{clock, paths, random};
use mainstay_storage::{
    atomic,
    instance::Instance,
    secrets::{NAME_BYTES_MAX, SECRETS_MAX, SealKey, Secret, Store, StoreError, VALUE_BYTES_MAX},
};

use super::key::{KeyPlace, create_private};

/// What the largest store has in bytes, and no byte less.
const FILE_BYTES_MAX: u64 = (SECRETS_MAX * (NAME_BYTES_MAX + VALUE_BYTES_MAX + 64) + 64) as u64;

/// What the store of secrets cannot do.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store or its key cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The store or its key cannot be written.
    #[error("cannot write `{path}`: {source}")]
    Unwritable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The store makes no sense.
    #[error("the store of secrets `{0}` is damaged")]
    Damaged(String),
    /// A later version has written the store.
    #[error(
        "the store of secrets `{path}` is of version {version}, which this program does not know"
    )]
    Later {
        /// The store.
        path: String,
        /// Its version.
        version: u32,
    },
    /// The store was sealed with another key.
    #[error("the store of secrets `{store}` was sealed with another key than `{key}`")]
    WrongKey {
        /// The store.
        store: String,
        /// The key that does not open it.
        key: String,
    },
    /// There is a store and no key.
    #[error("the key to the store of secrets is gone: `{0}`")]
    KeyGone(String),
    /// What should be a key is none.
    #[error("`{0}` is no key: that has 32 bytes, or 64 hexadecimal digits")]
    NoKey(String),
    /// A value is not the one that was sealed under its name.
    #[error("the secret `{0}` in the store was changed by somebody else")]
    Forged(String),
    /// A limit.
    #[error("{0}")]
    Limit(StoreError),
}

impl VaultError {
    /// Returns what helps.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { path, source } | Self::Unwritable { path, source } => {
                if source.kind() == io::ErrorKind::PermissionDenied {
                    format!("it must belong to the instance's user alone: `chmod 600 {path}`")
                } else {
                    "look at the disk of the state folder".to_owned()
                }
            }
            Self::Damaged(_) => "put a copy back; `mainstay secret set` sets the file aside and \
                                 begins anew"
                .to_owned(),
            Self::Later { .. } => "use the version of Mainstay that has written it".to_owned(),
            Self::WrongKey { store, .. } => {
                format!("put its key back, or move `{store}` away and set all secrets again")
            }
            Self::KeyGone(_) => "put it back; systemd gives it to the agent alone where it is a \
                                 credential: start the instance first"
                .to_owned(),
            Self::NoKey(_) => "put the right file back".to_owned(),
            Self::Forged(name) => format!("`mainstay secret set {name}` sets it again"),
            Self::Limit(_) => "remove what nobody uses: `mainstay secret list`".to_owned(),
        }
    }
}

/// A name, and the second since 1970 in which it was set.
pub type SetAt = (String, u64);

/// What setting a secret has brought about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// There was one of this name.
    pub replaced: bool,
    /// The store was damaged; it lies here since.
    pub aside: Option<PathBuf>,
}

/// The store of an instance.
#[derive(Debug, Clone)]
pub struct Vault {
    path: PathBuf,
    key: KeyPlace,
}

/// A store that was read, with the key to it.
#[derive(Debug)]
pub(super) struct Opened {
    store: Store,
    key: SealKey,
    path: String,
}

impl Vault {
    /// Returns the store of an instance, which may be a service of the operating system.
    pub fn new(instance: &Instance, service: Option<&str>) -> Self {
        Self { path: instance.secrets(), key: KeyPlace::of(instance, service) }
    }

    /// Returns where it is, in words.
    pub(super) fn place(&self) -> String {
        shown(&self.path)
    }

    /// Returns all secrets by their names.
    pub fn names(&self) -> Result<Vec<SetAt>, VaultError> {
        let store = self.read()?;
        let names = store.iter().flat_map(Store::names);
        Ok(names.map(|(name, set_at)| (name.to_owned(), set_at)).collect())
    }

    /// Sets a secret. A store that is damaged is set aside first; what is of a later version, or
    /// sealed with another key, is left as it is.
    pub fn set(&self, name: &str, value: &Secret) -> Result<Kept, VaultError> {
        let mut kept = Kept::default();
        let store = match self.read() {
            Err(VaultError::Damaged(_)) => {
                kept.aside = Some(atomic::set_aside(&self.path).map_err(|e| self.unwritable(e))?);
                None
            }
            found => found?,
        };
        let key = match self.key.read()? {
            Some(key) => key,
            None if store.is_some() => return Err(self.key_gone()),
            None => self.key.create()?,
        };
        let nonce = || random::secret_bytes().map_err(|error| self.unwritable(error));
        let mut store = match store {
            Some(store) => store,
            None => Store::new(&key, nonce()?).map_err(VaultError::Limit)?,
        };
        kept.replaced = store.names().any(|(found, _)| found == name);
        let at = (nonce()?, clock::realtime_nanos() / 1_000_000_000);
        store.set(&key, name, value, at).map_err(|error| self.explain(name, error))?;
        self.write(&store)?;
        Ok(kept)
    }

    /// Removes a secret; returns whether it was there.
    pub fn remove(&self, name: &str) -> Result<bool, VaultError> {
        let Some(mut store) = self.read()? else { return Ok(false) };
        let was_there = store.remove(name);
        if was_there {
            self.write(&store)?;
        }
        Ok(was_there)
    }

    /// Reads the store to look several secrets up; nothing when there is none.
    pub(super) fn open(&self) -> Result<Option<Opened>, VaultError> {
        let Some(store) = self.read()? else { return Ok(None) };
        let key = self.key.read()?.ok_or_else(|| self.key_gone())?;
        store.check(&key).map_err(|error| self.explain("", error))?;
        Ok(Some(Opened { store, key, path: self.path.display().to_string() }))
    }

    fn read(&self) -> Result<Option<Store>, VaultError> {
        let unreadable = |source| VaultError::Unreadable { path: shown(&self.path), source };
        let file = match paths::open_private_regular(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Store::decode(&bytes).map(Some).map_err(|error| self.explain("", error))
    }

    fn write(&self, store: &Store) -> Result<(), VaultError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.exists()) {
            paths::create_private(folder).map_err(|error| self.unwritable(error))?;
        }
        let written = atomic::replace(&self.path, &store.encode(), create_private);
        written.map_err(|error| self.unwritable(error))
    }

    fn unwritable(&self, source: io::Error) -> VaultError {
        VaultError::Unwritable { path: shown(&self.path), source }
    }

    fn key_gone(&self) -> VaultError {
        VaultError::KeyGone(shown(self.key.path()))
    }

    fn explain(&self, name: &str, error: StoreError) -> VaultError {
        let store = shown(&self.path);
        match error {
            StoreError::Damaged => VaultError::Damaged(store),
            StoreError::Later(version) => VaultError::Later { path: store, version },
            StoreError::WrongKey => VaultError::WrongKey { store, key: shown(self.key.path()) },
            StoreError::Forged => VaultError::Forged(name.to_owned()),
            StoreError::Full | StoreError::TooLong => VaultError::Limit(error),
        }
    }
}

impl Opened {
    /// Returns a secret; nothing when there is none of this name.
    pub(super) fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        self.store.get(&self.key, name).map_err(|error| match error {
            StoreError::Forged => VaultError::Forged(name.to_owned()),
            StoreError::Damaged
            | StoreError::Later(_)
            | StoreError::WrongKey
            | StoreError::Full
            | StoreError::TooLong => VaultError::Damaged(self.path.clone()),
        })
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with a store, which ends with the value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("mainstay-vault-{}-{name}", std::process::id());
            let folder = Self(std::env::temp_dir().join(name));
            drop(fs::remove_dir_all(&folder.0));
            folder
        }

        fn instance(&self) -> Instance {
            Instance::new(self.0.join("run"), self.0.join("state"))
        }

        fn vault(&self) -> Vault {
            paths::create_private(&self.instance().state).unwrap();
            Vault::new(&self.instance(), None)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn value(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    fn get(vault: &Vault, name: &str) -> Result<Option<Secret>, VaultError> {
        vault.open()?.map_or(Ok(None), |opened| opened.get(name))
    }

    fn write(path: &Path, bytes: &[u8]) {
        atomic::replace(path, bytes, create_private).unwrap();
    }

    #[test]
    fn what_is_set_is_kept_until_it_is_removed() {
        let folder = Folder::new("kept");
        let vault = folder.vault();
        assert!(vault.names().unwrap().is_empty() && !vault.remove("db").unwrap());
        assert_eq!(get(&vault, "db").unwrap(), None);
        assert_eq!(vault.set("db", &value("one")).unwrap(), Kept::default());
        assert!(vault.set("db", &value("two")).unwrap().replaced);
        let names = vault.names().unwrap();
        assert!(names.len() == 1 && names[0].0 == "db" && names[0].1 > 1_700_000_000);
        assert_eq!(get(&vault, "db").unwrap(), Some(value("two")));
        assert!(vault.remove("db").unwrap());
        assert_eq!(get(&vault, "db").unwrap(), None);
    }

    #[test]
    fn a_damaged_store_is_set_aside_when_a_secret_is_set_and_not_before() {
        let folder = Folder::new("damaged");
        let (vault, path) = (folder.vault(), folder.instance().secrets());
        vault.set("db", &value("one")).unwrap();
        let whole = fs::read(&path).unwrap();
        let torn = &whole[..whole.len() / 2];
        write(&path, torn);
        assert!(matches!(get(&vault, "db"), Err(VaultError::Damaged(_))));
        assert!(matches!(vault.remove("db"), Err(VaultError::Damaged(_))));
        assert_eq!(fs::read(&path).unwrap(), torn);
        let aside = vault.set("db", &value("two")).unwrap().aside.unwrap();
        assert_eq!(fs::read(aside).unwrap(), torn);
        assert_eq!(get(&vault, "db").unwrap(), Some(value("two")));
    }

    #[test]
    fn another_key_or_none_at_all_changes_nothing() {
        let folder = Folder::new("key");
        let (vault, instance) = (folder.vault(), folder.instance());
        vault.set("db", &value("one")).unwrap();
        let (whole, key) = (fs::read(instance.secrets()).unwrap(), instance.secret_key());
        let right = fs::read(&key).unwrap();
        fs::remove_file(&key).unwrap();
        assert!(matches!(get(&vault, "db"), Err(VaultError::KeyGone(_))));
        assert!(matches!(vault.set("db", &value("two")), Err(VaultError::KeyGone(_))));
        vault.key.create().unwrap();
        assert!(matches!(get(&vault, "db"), Err(VaultError::WrongKey { .. })));
        assert!(matches!(vault.set("db", &value("two")), Err(VaultError::WrongKey { .. })));
        assert_eq!(fs::read(instance.secrets()).unwrap(), whole);
        write(&key, b"short");
        get(&vault, "db").unwrap_err();
        write(&key, &right);
        assert_eq!(get(&vault, "db").unwrap(), Some(value("one")));
    }
}
