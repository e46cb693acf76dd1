//! The registry of Windows, as far as services need it: keys below `HKEY_LOCAL_MACHINE`.
//!
//! Paths are written as the system writes them: `SYSTEM\CurrentControlSet\Services\web`. Other
//! systems refuse everything as unsupported.

#[cfg(not(windows))]
#[path = "registry/elsewhere.rs"]
mod imp;
#[cfg(windows)]
#[path = "registry/windows.rs"]
mod imp;
#[path = "registry/export.rs"]
mod text;

use std::io;

pub use imp::{Key, delete_tree};
pub use text::encoded;

/// How deep below a key an export goes; the keys of services are three levels deep.
const DEPTH_MAX: usize = 32;

/// What a value holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A text, `REG_SZ`.
    Text(String),
    /// A text with variables between percent signs, `REG_EXPAND_SZ`.
    Expandable(String),
    /// Several texts, `REG_MULTI_SZ`.
    Texts(Vec<String>),
    /// A number, `REG_DWORD`.
    Number(u32),
    /// Something of another type, or that does not fit its type.
    Other {
        /// The number of the type.
        kind: u32,
        /// What the system holds.
        bytes: Vec<u8>,
    },
}

/// A value of a key. The key's own has an empty name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its name; the system does not tell cases apart.
    pub name: String,
    /// What it holds.
    pub data: Data,
}

/// What is wanted of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Looking at it and at what is below.
    Look,
    /// Changing it, too.
    Change,
}

/// How long a key that is created lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// Until somebody deletes it.
    Forever,
    /// Until the system ends.
    UntilReboot,
}

/// Returns a key and everything below it as the text of a `.reg` file.
///
/// It is meant for a file of UTF-16: see [`encoded`].
pub fn export(path: &str) -> io::Result<String> {
    let mut text = text::HEADER.to_owned();
    export_below(path, 0, &mut text)?;
    Ok(text)
}

fn export_below(path: &str, depth: usize, into: &mut String) -> io::Result<()> {
    if depth > DEPTH_MAX {
        return Err(io::Error::other(format!("`{path}` lies deeper than an export goes")));
    }
    let key = Key::open(path, Purpose::Look)?;
    text::push_key(into, path, &key.values()?);
    for name in key.keys()? {
        export_below(&format!("{path}\\{name}"), depth + 1, into)?;
    }
    Ok(())
}

impl Data {
    /// Returns a text, whether it has variables or not.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Expandable(text) => Some(text),
            Self::Texts(_) | Self::Number(_) | Self::Other { .. } => None,
        }
    }

    /// Returns a number.
    pub const fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) | Self::Expandable(_) | Self::Texts(_) | Self::Other { .. } => None,
        }
    }
}
