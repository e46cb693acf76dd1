//! What operators want against or beyond the configuration; on disk before they are answered.

use std::{collections::BTreeMap, fs, io, path::PathBuf, time::Duration};

use mainstay_core::{UnitName, Wish};
use mainstay_platform::{clock, fail, paths};
use mainstay_storage::atomic;
use serde::{Deserialize, Serialize};

use crate::events::complain;

/// The version of the file; a newer one is set aside.
const VERSION: u32 = 2;

/// How long after a refusal the disk is asked again.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// All wishes.
#[derive(Debug)]
pub(crate) struct Wishes {
    path: PathBuf,
    all: BTreeMap<UnitName, Stance>,
    is_changed: bool,
    /// The disk took nothing; it is asked again then.
    retry_at: Option<Duration>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    version: u32,
    wishes: BTreeMap<String, Stance>,
}

/// What every version of the file begins with.
#[derive(Debug, Deserialize)]
struct Versioned {
    version: u32,
}

/// A wish, without whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stance {
    up: bool,
    beyond: u64,
}

impl Wishes {
    /// Reads the wishes; a file that makes no sense is set aside and named in the result.
    pub(crate) fn open(path: PathBuf) -> (Self, Option<String>) {
        let mut wishes = Self { path, all: BTreeMap::new(), is_changed: false, retry_at: None };
        let damage = match fs::read(&wishes.path) {
            Ok(bytes) => wishes.understand(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(format!("cannot read `{}`: {error}", wishes.path.display())),
        };
        (wishes, damage)
    }

    fn understand(&mut self, bytes: &[u8]) -> Option<String> {
        // Only this version's wishes are known to look as `Stored` says.
        match serde_json::from_slice(bytes) {
            Ok(Versioned { version }) if version != VERSION => {
                let what = format!("are of version {version}, and this agent knows {VERSION}");
                return Some(self.set_aside(&what));
            }
            Ok(Versioned { .. }) | Err(_) => {}
        }
        let Ok(stored) = serde_json::from_slice::<Stored>(bytes) else {
            return Some(self.set_aside("make no sense"));
        };
        let units = stored.wishes.into_iter();
        self.all = units
            .filter_map(|(name, stance)| Some((UnitName::parse(&name).ok()?, stance)))
            .collect();
        None
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
        let wish = |(unit, stance): (&UnitName, &Stance)| {
            let Stance { up, beyond } = *stance;
            Wish { unit: unit.clone(), up, beyond }
        };
        self.all.iter().map(wish).collect()
    }

    /// Notes a wish; [`save`](Self::save) makes it last.
    pub(crate) fn keep(&mut self, wish: Wish) {
        let Wish { unit, up, beyond } = wish;
        let stance = Stance { up, beyond };
        self.is_changed |= self.all.insert(unit, stance) != Some(stance);
    }

    /// Forgets a unit.
    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.is_changed |= self.all.remove(unit).is_some();
    }

    /// Returns when to ask a disk again that took nothing.
    pub(crate) const fn retry_at(&self) -> Option<Duration> {
        self.retry_at
    }

    /// Writes what has changed, unless the disk has just refused.
    pub(crate) fn save_if_due(&mut self) {
        let is_due = self.retry_at.is_none_or(|at| clock::monotonic() >= at);
        let is_first = self.retry_at.is_none();
        if is_due
            && let Err(error) = self.save()
            && is_first
        {
            complain("cannot keep wishes", &error);
        }
    }

    /// Writes what has changed, if anything has.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        self.retry_at = Some(clock::monotonic() + RETRY_EVERY);
        let all = self.all.iter();
        let wishes = all.map(|(unit, stance)| (unit.to_string(), *stance)).collect();
        let text = serde_json::to_vec(&Stored { version: VERSION, wishes })?;
        fail::point("agent.wishes.before");
        atomic::replace(&self.path, &text, paths::create_private_file)?;
        fail::point("agent.wishes.after");
        self.is_changed = false;
        self.retry_at = None;
        Ok(())
    }
}
