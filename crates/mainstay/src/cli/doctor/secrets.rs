//! Secrets: whether the store can be read, and where files of them lie.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_agent::secrets::Vault;
use mainstay_api::config::{Config, ValueSource};
use mainstay_platform::filesystem;

use super::finding::Finding;
use crate::{instance::Located, print};

/// Looks at the secrets of an instance; says nothing where there are none.
pub(super) fn look(located: &Located, config: &Config) -> Vec<Finding> {
    store(located, config).into_iter().chain(files(located, config)).collect()
}

fn store(located: &Located, config: &Config) -> Option<Finding> {
    let vault = Vault::new(&located.instance, located.service.as_deref());
    let why = "services that refer to a secret that cannot be read are not started";
    let names: BTreeSet<String> = match vault.names() {
        Ok(names) => names.into_iter().map(|(name, _)| name).collect(),
        Err(error) => return Some(Finding::bad(format!("secrets: {error}"), why, error.hint())),
    };
    if let Some(missing) = unset(config, &names).into_keys().next() {
        let remedy = format!("mainstay secret set {missing}");
        return Some(Finding::bad(format!("secrets: `{missing}` is not set"), why, remedy));
    }
    let told = || Finding::ok(format!("secrets: {}", print::count(names.len(), "name")));
    (!names.is_empty()).then(told)
}

/// Says which secrets services refer to that are not set; nothing where the store cannot be read.
pub(in crate::cli) fn unset_of(located: &Located, config: &Config) -> Unset {
    let vault = Vault::new(&located.instance, located.service.as_deref());
    let names = vault.names().map(|names| names.into_iter().map(|(name, _)| name).collect());
    names.map_or_else(|_| Unset::new(), |names| unset(config, &names))
}

/// Secrets that are not set, each with the services that refer to it.
pub(in crate::cli) type Unset = BTreeMap<String, Vec<String>>;

/// Says it of each, and what helps.
pub(in crate::cli) fn warn_of(unset: &Unset) {
    for (secret, services) in unset {
        let services =
            services.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        print::talk(&format!(
            "warning: secret `{secret}` is not set, and {services} cannot start without it; `mainstay secret set {secret}` sets it"
        ));
    }
}

fn unset(config: &Config, names: &BTreeSet<String>) -> Unset {
    let mut missing = Unset::new();
    for (service, wanted) in &config.services {
        let secrets: BTreeSet<&str> =
            wanted.fetched.sources().filter_map(ValueSource::secret).collect();
        for secret in secrets.into_iter().filter(|secret| !names.contains(*secret)) {
            missing.entry(secret.to_owned()).or_default().push(service.to_string());
        }
    }
    missing
}

fn files(located: &Located, config: &Config) -> Option<Finding> {
    let services = config.services.values();
    let count = services.filter(|service| !service.fetched.files.is_empty()).count();
    let is_in_memory = filesystem::is_in_memory(&located.instance.runtime).ok().flatten();
    if count == 0 || is_in_memory != Some(false) {
        return None;
    }
    Some(Finding::hint(
        format!(
            "files of secrets lie on a disk: {}, {}",
            located.instance.secret_files().display(),
            print::count(count, "service")
        ),
        "what was written there may be found on the disk later",
        "set XDG_RUNTIME_DIR to a folder in memory (tmpfs)",
    ))
}
