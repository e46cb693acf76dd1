//! A value that nobody is shown.

use std::fmt;

use zeroize::Zeroizing;

/// A password, token or key; wiped when it is dropped, and never part of what is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the value itself, for the one place where it goes onto the wire.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_printed() {
        let secret = Secret::from("hunter2".to_owned());
        assert_eq!((format!("{secret:?}").as_str(), secret.reveal()), ("[hidden]", "hunter2"));
    }
}
