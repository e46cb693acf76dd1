//! There is no registry on this system.

use std::io;

use super::{Data, Lasts, Purpose, Value};

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "there is no registry here")
}

/// A key that there is none of.
#[derive(Debug)]
pub struct Key(std::convert::Infallible);

impl Key {
    /// Refuses.
    pub fn open(_path: &str, _purpose: Purpose) -> io::Result<Self> {
        Err(unsupported())
    }

    /// Refuses.
    pub fn create(_path: &str, _lasts: Lasts) -> io::Result<Self> {
        Err(unsupported())
    }

    /// Never called.
    pub fn values(&self) -> io::Result<Vec<Value>> {
        match self.0 {}
    }

    /// Never called.
    pub fn keys(&self) -> io::Result<Vec<String>> {
        match self.0 {}
    }

    /// Never called.
    pub fn set(&self, _name: &str, _data: &Data) -> io::Result<()> {
        match self.0 {}
    }
}

/// Refuses.
pub fn delete_tree(_path: &str) -> io::Result<()> {
    Err(unsupported())
}
