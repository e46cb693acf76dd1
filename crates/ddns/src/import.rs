//! Configurations of other DDNS clients become ours: text in, TOML and a report out.
//!
//! Each format is one file below. It fills a [draft], which finds our provider for theirs,
//! puts references in the place of secrets, and lets nothing through that our own reader refuses:
//! what cannot be taken is told instead. Nothing is read or written but what is handed in.

mod callback;
mod ddclient;
mod ddns_go;
mod ddns_updater;
mod draft;
mod inadyn;
mod names;
mod newfuture;
mod providers;
mod sources;
mod yaml;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::secret::Secret;

/// The longest file that is read.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Whose configuration it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// ddns-go: `.ddns_go_config.yaml`.
    DdnsGo,
    /// ddclient: `ddclient.conf`.
    Ddclient,
    /// inadyn: `inadyn.conf`.
    Inadyn,
    /// qdm12's ddns-updater: `config.json`.
    DdnsUpdater,
    /// The DDNS of `NewFuture`: `config.json`.
    NewFuture,
}

impl Origin {
    /// All of them, by the names that a command line knows.
    pub const ALL: [(&'static str, Self); 5] = [
        ("ddns-go", Self::DdnsGo),
        ("ddclient", Self::Ddclient),
        ("inadyn", Self::Inadyn),
        ("ddns-updater", Self::DdnsUpdater),
        ("newfuture", Self::NewFuture),
    ];
}

/// Who runs a command line that is one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// `sh -c`.
    Posix,
    /// `powershell -Command`.
    PowerShell,
}

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    /// The object that the kind gets, with references in the place of secrets.
    pub config: Value,
    /// The secrets that it refers to.
    pub secrets: Vec<FoundSecret>,
    /// What was taken, what means something else now, and what could not be taken.
    pub notes: Vec<Note>,
}

/// A secret of the file, and what it is called from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSecret {
    /// Its name in the store of secrets.
    pub name: String,
    /// Its value.
    pub value: Secret,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Where in the other file.
    pub place: String,
    /// What became of it.
    pub fate: Fate,
    /// That in words, without any secret.
    pub words: String,
}

/// What became of a part of the other file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It means the same.
    Taken,
    /// It is taken, and means something else.
    Changed,
    /// It is not taken.
    Left,
}

impl Fate {
    /// Returns it in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Changed => "changed",
            Self::Left => "left",
        }
    }
}

/// Why nothing can be made of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is not what it is said to be.
    #[error("cannot read it as {what}: {why}")]
    Unreadable {
        /// As what.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// It has nothing that could be taken.
    #[error("there is nothing in it that could be taken")]
    Nothing {
        /// What it has, and why not.
        notes: Vec<Note>,
    },
}

/// Makes our configuration of theirs.
pub fn import(origin: Origin, text: &str, shell: Shell) -> Result<Imported, ImportError> {
    if text.len() > FILE_BYTES_MAX {
        let why = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(ImportError::Unreadable { what: "a configuration", why });
    }
    let mut draft = draft::Draft::new(shell);
    let text = text.trim_start_matches('\u{feff}');
    match origin {
        Origin::DdnsGo => ddns_go::read(text, &mut draft)?,
        Origin::Ddclient => ddclient::read(text, &mut draft),
        Origin::Inadyn => inadyn::read(text, &mut draft)?,
        Origin::DdnsUpdater => ddns_updater::read(text, &mut draft)?,
        Origin::NewFuture => newfuture::read(text, &mut draft)?,
    }
    draft.finish()
}
