//! Names of services and units.

use std::fmt;

/// The longest service name.
pub const NAME_BYTES_MAX: usize = 64;

/// What the user configures as `[services.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(String);

/// A text that cannot name a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError {
    /// Why not, with the remedy.
    pub reason: &'static str,
}

impl ServiceName {
    /// Returns the name, or why the text cannot be one: names become file names on every system.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError { reason: "a name needs at least one character" });
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError { reason: "a name has at most 64 bytes" });
        }
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            return Err(NameError { reason: "a name has letters, digits, `-`, `_` and `.` only" });
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(NameError { reason: "a name begins with a letter or a digit" });
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One supervised copy of a service: `web`, or `web@2` when scaled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitName {
    /// The service it is a copy of.
    pub service: ServiceName,
    /// Its number, from 1; the first copy is written without it.
    pub copy: u32,
}

impl UnitName {
    /// Returns the first copy of a service.
    pub const fn first(service: ServiceName) -> Self {
        Self { service, copy: 1 }
    }

    /// Reads `web`, `web@2`, or the alias `web@1`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let Some((service, copy)) = text.split_once('@') else {
            return Ok(Self::first(ServiceName::new(text)?));
        };
        let copy = copy.parse().ok().filter(|copy| *copy > 0);
        let copy = copy.ok_or(NameError { reason: "a copy is written `NAME@NUMBER`, from 1" })?;
        Ok(Self { service: ServiceName::new(service)?, copy })
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.copy == 1 {
            return self.service.fmt(f);
        }
        write!(f, "{}@{}", self.service, self.copy)
    }
}
