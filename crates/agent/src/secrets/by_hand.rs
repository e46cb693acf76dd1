//! The values of a kind's configuration for whoever runs it by hand, without an agent.
//!
//! Everything is asked one after the other, and whoever hangs is waited for: a person sits before
//! it.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use mainstay_api::config::{ServiceConfig, ValueSource};
use mainstay_platform::{paths, random};
use mainstay_storage::secrets::Secret;

use serde_json::Value;

use super::{
    Vault,
    reason::{FetchError, Why},
    recipes::Recipes,
    source::{self, Purpose},
};
use crate::kinds;

/// A configuration whose values cannot all be had: each that cannot, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct ValuesError(Vec<FetchError>);

/// Returns what the kind of a service reads, with secrets at their places; nothing when the service
/// is of no kind.
pub fn config_by_hand(
    vault: &Vault,
    name: &str,
    service: &ServiceConfig,
) -> Result<Option<Value>, ValuesError> {
    let Some(kind) = &service.kind else { return Ok(None) };
    Ok(Some(kinds::filled(kind, &values(vault, name, service)?)))
}

fn values(
    vault: &Vault,
    name: &str,
    service: &ServiceConfig,
) -> Result<BTreeMap<String, Secret>, ValuesError> {
    let folder = Folder::new();
    let purpose = Purpose {
        recipes: Arc::new(Recipes::new(folder.0.clone())),
        whom: name.to_owned(),
        service: name.to_owned(),
        directory: service.directory.as_ref().map(PathBuf::from),
        environment: BTreeMap::new(),
    };
    let wanted = &service.fetched.config;
    let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
    for (place, from) in wanted {
        match value(vault, from, &purpose) {
            Ok(value) => drop(found.insert(place.clone(), value)),
            Err(why) => missing.push(FetchError { what: place.clone(), why }),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(ValuesError(missing)) }
}

fn value(vault: &Vault, from: &ValueSource, purpose: &Purpose) -> Result<Secret, Why> {
    let Some(name) = from.secret() else { return source::fetch(from, purpose) };
    let found = vault.open()?.map(|opened| opened.get(name)).transpose()?.flatten();
    found.ok_or_else(|| Why::NoSecret(name.to_owned()))
}

/// Where commands are noted while they run; it goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("mainstay-by-hand-{:016x}", random::number()));
        // Without it commands are asked all the same, and nothing that they complain of is kept.
        drop(paths::create_private(&path));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(Path::new(&self.0)));
    }
}
