//! What operators want against or beyond the configuration; on disk before they are answered.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use mainstay_core::{UnitName, Wish};
use mainstay_platform::{clock, paths};
use mainstay_storage::atomic;
use serde::{Deserialize, Serialize};

/// The version of the file; a newer one is set aside.
const VERSION: u32 = 1;

/// All wishes.
#[derive(Debug)]
pub(crate) struct Wishes {
    path: PathBuf,
    up: BTreeMap<UnitName, bool>,
    is_changed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    version: u32,
    up: BTreeMap<String, bool>,
}

impl Wishes {
    /// Reads the wishes; a file that makes no sense is set aside and named in the result.
    pub(crate) fn open(path: PathBuf) -> (Self, Option<String>) {
        let mut wishes = Self { path, up: BTreeMap::new(), is_changed: false };
        let damage = match fs::read(&wishes.path) {
            Ok(bytes) => wishes.understand(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(format!("cannot read `{}`: {error}", wishes.path.display())),
        };
        (wishes, damage)
    }

    fn understand(&mut self, bytes: &[u8]) -> Option<String> {
        let stored: Result<Stored, _> = serde_json::from_slice(bytes);
        match stored {
            Ok(stored) if stored.version == VERSION => {
                let units = stored.up.into_iter();
                self.up = units
                    .filter_map(|(name, up)| Some((UnitName::parse(&name).ok()?, up)))
                    .collect();
                None
            }
            Ok(Stored { version, .. }) => {
                let what = format!("are of version {version}, and this agent knows {VERSION}");
                Some(self.set_aside(&what))
            }
            Err(_) => Some(self.set_aside("make no sense")),
        }
    }

    fn set_aside(&self, what: &str) -> String {
        let stamp = clock::realtime_nanos();
        let aside = self.path.with_extension(format!("damaged-{stamp}"));
        match fs::rename(&self.path, &aside) {
            Ok(()) => {
                format!("the wishes {what}: set aside as `{}`", aside.display())
            }
            Err(error) => format!("the wishes {what}, and cannot be set aside: {error}"),
        }
    }

    /// Returns all wishes.
    pub(crate) fn all(&self) -> Vec<Wish> {
        self.up.iter().map(|(unit, up)| Wish { unit: unit.clone(), up: *up }).collect()
    }

    /// Notes a wish; [`save`](Self::save) makes it last.
    pub(crate) fn keep(&mut self, wish: Wish) {
        let former = self.up.insert(wish.unit, wish.up);
        self.is_changed |= former != Some(wish.up);
    }

    /// Forgets a unit.
    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.is_changed |= self.up.remove(unit).is_some();
    }

    /// Writes what has changed, if anything has.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        let up = self.up.iter().map(|(unit, up)| (unit.to_string(), *up)).collect();
        let text = serde_json::to_vec(&Stored { version: VERSION, up })?;
        atomic::replace(&self.path, &text, paths::create_private_file)?;
        self.is_changed = false;
        Ok(())
    }
}
