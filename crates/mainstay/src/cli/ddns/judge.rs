//! What the kind `ddns` would say of each service's configuration, without starting it.

use std::path::Path;

use mainstay_api::config::{Config, Diagnostic, KindConfig};
use mainstay_ddns::config::{self, ConfigError};
use serde_json::Value;

/// The kind whose configuration this binary knows.
pub(super) const KIND: &str = "ddns";
/// Stands for a secret, which nobody reads for a look at the configuration. It is valid base64,
/// because some secrets must be.
const PLACEHOLDER: &str = "cGxhY2Vob2xkZXI=";

/// Lets a configuration pass whose services of the kind `ddns` are right, too.
pub(in crate::cli) fn judged(config: Config, file: &Path) -> Result<Config, Vec<Diagnostic>> {
    let found: Vec<Diagnostic> = config
        .services
        .iter()
        .filter_map(|(name, service)| Some((name, service.kind.as_ref()?)))
        .filter(|(_, kind)| kind.name == KIND)
        .filter_map(|(name, kind)| {
            let ConfigError { path, why } = read(kind).err()?;
            let message = format!("service `{name}`, {KIND}.{path}: {why}");
            Some(Diagnostic::of_file(&file.display().to_string(), "bad-config", message, ""))
        })
        .collect();
    if found.is_empty() { Ok(config) } else { Err(found) }
}

/// Reads the configuration of a kind, with a text in the place of each secret.
///
/// What is said of a secret's own shape is passed over: it is not the real one.
pub(super) fn read(kind: &KindConfig) -> Result<(), ConfigError> {
    let mut object = kind.config.clone();
    let places: Vec<String> = kind.secret_places().map(ToOwned::to_owned).collect();
    for place in &places {
        if let Some(value) = object.pointer_mut(place) {
            *value = Value::from(PLACEHOLDER);
        }
    }
    match config::read(&object) {
        Err(error) if !places.iter().any(|place| dotted(place) == error.path) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns how a place in JSON (RFC 6901) is told to people.
fn dotted(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1);
    let parts = parts.map(|part| part.replace("~1", "/").replace("~0", "~"));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(config: Value) -> Result<(), String> {
        let kind = KindConfig::new(KIND, config);
        read(&kind).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_need_not_be_known() {
        let config = serde_json::json!({ "accounts": { "free": {
            "provider": "freemyip", "token": { "secret": "free" }, "names": ["a.freemyip.com"],
        } } });
        assert_eq!(told(config), Ok(()));
        // The number of a token may stand in the token itself.
        let config = serde_json::json!({ "accounts": { "dp": {
            "provider": "dnspod", "token": { "secret": "dp" }, "names": ["home.example.cn"],
        } } });
        assert_eq!(told(config), Ok(()));
    }

    #[test]
    fn everything_else_is_judged() {
        let config = serde_json::json!({ "accounts": { "free": {
            "provider": "freemyip", "token": { "secret": "free" }, "names": ["home"],
        } } });
        let error = told(config).unwrap_err();
        assert!(error.starts_with("accounts.free.names[0]: \"home\" cannot be"), "{error}");
    }
}
