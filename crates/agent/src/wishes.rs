//! What operators want against or beyond the configuration; on disk before they are answered.

use std::{collections::BTreeMap, fs, io, path::PathBuf, time::Duration};

use mainstay_core::{UnitName, Wish};
use mainstay_platform::{clock, fail, paths};
use mainstay_storage::atomic;
use serde::{Deserialize, Serialize};

/// The version of the file; a newer one is set aside.
const VERSION: u32 = 2;

/// How long after a refusal the disk is asked again.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// All wishes.
#[derive(Debug)]
pub(crate) struct Wishes {
    path: PathBuf,
    all: BTreeMap<UnitName, Stance>,
    /// Counts the changes.
    generation: u64,
    /// Everything up to this change was given away to be written.
    asked: u64,
    /// Everything up to this change is on the disk.
    saved: u64,
    is_being_written: bool,
    /// The disk took nothing the last time.
    is_refused: bool,
    /// When it is asked again.
    retry_at: Option<Duration>,
}

/// All wishes at one instant, on their way to the disk.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) generation: u64,
    path: PathBuf,
    text: Vec<u8>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stance {
    up: bool,
    beyond: u64,
    /// Files of earlier agents do not say it.
    #[serde(default)]
    why: String,
}

impl Wishes {
    /// Reads the wishes; a file that makes no sense is set aside and named in the result.
    pub(crate) fn open(path: PathBuf) -> (Self, Option<String>) {
        let mut wishes = Self {
            path,
            all: BTreeMap::new(),
            generation: 0,
            asked: 0,
            saved: 0,
            is_being_written: false,
            is_refused: false,
            retry_at: None,
        };
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
        match atomic::set_aside(&self.path) {
            Ok(aside) => format!("the wishes {what}: set aside as `{}`", aside.display()),
            Err(error) => format!("the wishes {what}, and cannot be set aside: {error}"),
        }
    }

    /// Returns all wishes.
    pub(crate) fn all(&self) -> Vec<Wish> {
        let wish = |(unit, stance): (&UnitName, &Stance)| {
            let Stance { up, beyond, why } = stance.clone();
            Wish { unit: unit.clone(), up, beyond, why }
        };
        self.all.iter().map(wish).collect()
    }

    /// Notes a wish; the next [`page`](Self::page) makes it last.
    pub(crate) fn keep(&mut self, wish: Wish) {
        let Wish { unit, up, beyond, why } = wish;
        let stance = Stance { up, beyond, why };
        let is_news = self.all.get(&unit) != Some(&stance);
        self.generation += u64::from(is_news);
        self.all.insert(unit, stance);
    }

    /// Forgets a unit.
    pub(crate) fn forget(&mut self, unit: &UnitName) {
        let is_news = self.all.remove(unit).is_some();
        self.generation += u64::from(is_news);
    }

    /// Returns the number of the last change.
    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns whether a change is on the disk.
    pub(crate) const fn is_saved(&self, generation: u64) -> bool {
        self.saved >= generation
    }

    /// Returns whether a page is on its way.
    pub(crate) const fn is_being_written(&self) -> bool {
        self.is_being_written
    }

    /// Lets a page be written again that was tried in vain.
    pub(crate) const fn insist(&mut self) {
        if !self.is_being_written {
            self.asked = self.saved;
        }
    }

    /// Returns when to ask a disk again that took nothing.
    pub(crate) const fn retry_at(&self) -> Option<Duration> {
        self.retry_at
    }

    /// Returns what is to be written: one page at a time, with everything that has changed.
    pub(crate) fn page(&mut self) -> Option<Page> {
        if self.retry_at.is_some_and(|at| clock::monotonic() >= at) {
            self.insist();
        }
        if self.is_being_written || self.asked == self.generation {
            return None;
        }
        (self.asked, self.is_being_written) = (self.generation, true);
        self.retry_at = None;
        let all = self.all.iter();
        let wishes = all.map(|(unit, stance)| (unit.to_string(), stance.clone())).collect();
        let text = serde_json::to_vec(&Stored { version: VERSION, wishes }).unwrap_or_default();
        Some(Page { generation: self.generation, path: self.path.clone(), text })
    }

    /// A page is on the disk.
    pub(crate) const fn written(&mut self, generation: u64) {
        (self.is_being_written, self.is_refused) = (false, false);
        (self.saved, self.retry_at) = (generation, None);
    }

    /// A page could not be written; returns whether that is news.
    pub(crate) fn refused(&mut self) -> bool {
        self.is_being_written = false;
        self.retry_at = Some(clock::monotonic() + RETRY_EVERY);
        !std::mem::replace(&mut self.is_refused, true)
    }
}

impl Page {
    /// Writes the page; it is on the disk when this returns.
    pub(crate) fn write(&self) -> io::Result<()> {
        fail::point("agent.wishes.before");
        atomic::replace(&self.path, &self.text, paths::create_private_file)?;
        fail::point("agent.wishes.after");
        Ok(())
    }
}
