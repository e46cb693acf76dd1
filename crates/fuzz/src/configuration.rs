//! Configuration files: any bytes are read or refused, and edits change what they name.
//!
//! The input is a file, a key and a value, with 0xFF between them, which UTF-8 never has.

use mainstay_api::config::{SourceText, difference, parse, render};

use crate::edits;

/// Ends a part of the input.
const END: u8 = 0xFF;

/// Reads a configuration, and edits it.
pub(crate) fn run(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == END);
    let text = parts.next().unwrap_or_default();
    read(text);
    let rest = (parts.next().map(str::from_utf8), parts.next().map(str::from_utf8));
    if let (Some(Ok(key)), Some(Ok(typed))) = rest
        && let Ok(text) = str::from_utf8(text)
    {
        edits::check(text, key, typed);
    }
}

/// What is good is the same when it is read again; what is not is told.
fn read(bytes: &[u8]) {
    let file = SourceText { file: "folder/mainstay.toml", bytes };
    match parse(&[file]) {
        Ok(config) => {
            let again = parse(&[file]).expect("what was good is good");
            assert_eq!(config, again);
            let changes = difference(&config, &again);
            assert!(changes.added.is_empty() && changes.changed.is_empty(), "{changes:?}");
            assert!(config.core().len() == config.services.len());
        }
        Err(found) => {
            assert!(!found.is_empty());
            assert!(!render(&found).is_empty());
        }
    }
}
