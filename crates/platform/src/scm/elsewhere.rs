//! There is no such manager on this system.

use std::{io, time::Duration};

use super::{Change, Control, Intent, Listed, Purpose, Record, Recovery, Setting, Status};

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "there is no service control manager here")
}

/// A database that there is none of.
#[derive(Debug)]
pub struct Database(std::convert::Infallible);

/// A service that there is none of.
#[derive(Debug)]
pub struct Service(std::convert::Infallible);

impl Database {
    /// Refuses.
    pub fn open(_purpose: Purpose) -> io::Result<Self> {
        Err(unsupported())
    }

    /// Never called.
    pub fn create(&self, _name: &str, _first: &Change) -> io::Result<Service> {
        match self.0 {}
    }

    /// Never called.
    pub fn service(&self, _name: &str, _intent: Intent) -> io::Result<Service> {
        match self.0 {}
    }

    /// Never called.
    pub fn list(&self) -> io::Result<Vec<Listed>> {
        match self.0 {}
    }
}

impl Service {
    /// Never called.
    pub fn status(&self) -> io::Result<Status> {
        match self.0 {}
    }

    /// Never called.
    pub fn record(&self) -> io::Result<Record> {
        match self.0 {}
    }

    /// Never called.
    pub fn description(&self) -> io::Result<String> {
        match self.0 {}
    }

    /// Never called.
    pub fn recovery(&self) -> io::Result<Recovery> {
        match self.0 {}
    }

    /// Never called.
    pub fn recovers_after_failure(&self) -> io::Result<bool> {
        match self.0 {}
    }

    /// Never called.
    pub fn preshutdown_timeout(&self) -> io::Result<Duration> {
        match self.0 {}
    }

    /// Never called.
    pub fn start(&self, _arguments: &[String]) -> io::Result<()> {
        match self.0 {}
    }

    /// Never called.
    pub fn control(&self, _control: Control) -> io::Result<()> {
        match self.0 {}
    }

    /// Never called.
    pub fn change(&self, _change: &Change) -> io::Result<()> {
        match self.0 {}
    }

    /// Never called.
    pub fn set(&self, _setting: &Setting) -> io::Result<()> {
        match self.0 {}
    }

    /// Never called.
    pub fn delete(&self) -> io::Result<()> {
        match self.0 {}
    }
}

/// Refuses.
pub fn identity_of(_name: &str) -> io::Result<String> {
    Err(unsupported())
}

/// Refuses.
pub fn is_elevated() -> io::Result<bool> {
    Err(unsupported())
}

/// Returns the words with spaces between them; here nobody splits them again.
pub fn quoted(words: &[String]) -> String {
    words.join(" ")
}
