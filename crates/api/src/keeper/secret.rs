//! Text that a program is to have and nobody is to see.

use std::{fmt, hint};

use serde::{Deserialize, Serialize};

/// Keepers of this version and later understand `Spawn::input`.
pub const INPUT_SINCE: u32 = 3;
/// The longest input of a program.
pub const INPUT_BYTES_MAX: usize = 256 * 1024;

/// Text that is not shown: not by `Debug`, and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Returns the text, for whoever hands it to the program.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretText({} bytes)", self.0.len())
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        // Nobody reads it any more: the compiler must not take that for a reason not to write it.
        hint::black_box(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_travels_and_is_not_shown() {
        let secret = SecretText::from("hunter2".to_owned());
        let wire = serde_json::to_string(&secret).unwrap();
        assert_eq!(wire, "\"hunter2\"");
        assert_eq!(serde_json::from_str::<SecretText>(&wire).unwrap().expose(), "hunter2");
        assert_eq!(format!("{secret:?}"), "SecretText(7 bytes)");
    }
}
