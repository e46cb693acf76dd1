//! What a configuration comes to in 64 bits: the same in every version and on every system.
//!
//! An account's digest is kept on the disk and covers its credentials, so it is slow to guess by:
//! whoever tries passwords pays for each as a password check does.

use std::num::NonZeroU32;

use ring::{digest, pbkdf2};
use serde_json::{Map, Value};

/// How often the digest of an account goes round; about ten milliseconds.
const ROUNDS: NonZeroU32 = NonZeroU32::new(20_000).unwrap();
/// Keeps these digests apart from everybody else's.
const SALT: &[u8] = b"mainstay ddns account 1";

/// Returns the digest of what may be secret.
pub(super) fn of_secret(table: &Map<String, Value>) -> u64 {
    let mut bytes = [0; 8];
    let text = canonical(&Value::Object(table.clone()));
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, SALT, text.as_bytes(), &mut bytes);
    u64::from_be_bytes(bytes)
}

/// Returns the digest of what is not secret.
pub(super) fn of_plain(value: &Value) -> u64 {
    let hash = digest::digest(&digest::SHA256, canonical(value).as_bytes());
    hash.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Writes JSON with its keys in order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort();
            let entry = |key: &&String| {
                let value = table.get(*key).map(canonical).unwrap_or_default();
                format!("{}:{value}", Value::from(key.as_str()))
            };
            format!("{{{}}}", keys.iter().map(entry).collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_is_the_same_in_every_version() {
        let value = json!({ "b": [1, { "d": null, "c": true }], "a": "ä" });
        assert_eq!(canonical(&value), r#"{"a":"ä","b":[1,{"c":true,"d":null}]}"#);
        let table = value.as_object().unwrap();
        assert_eq!((of_plain(&value), of_secret(table)), (PLAIN, SECRET));
    }

    // Written down once: a state on the disk knows them.
    const PLAIN: u64 = 18_224_604_740_337_056_837;
    const SECRET: u64 = 16_247_733_732_447_639_401;
}
