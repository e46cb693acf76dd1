//! What one configuration changes about another, for people to read.

use super::{Config, ServiceConfig};
use crate::control::{ChangedService, ConfigChanges};

/// Returns what `after` changes about `before`.
pub fn difference(before: &Config, after: &Config) -> ConfigChanges {
    let mut changes = ConfigChanges::default();
    for (name, service) in &after.services {
        match before.services.get(name) {
            None => changes.added.push(name.to_string()),
            Some(former) if former != service => changes.changed.push(ChangedService {
                service: name.to_string(),
                keys: keys(former, service),
                restarts: former.spec_hash() != service.spec_hash(),
                later: former.given_hash() != service.given_hash(),
            }),
            Some(_) => {}
        }
    }
    changes.groups = before.groups != after.groups;
    changes.access = before.access != after.access;
    let is_gone = |name: &&mainstay_core::ServiceName| !after.services.contains_key(*name);
    changes.removed = before.services.keys().filter(is_gone).map(ToString::to_string).collect();
    changes
}

/// Returns the keys that differ, as they are written in the file.
fn keys(before: &ServiceConfig, after: &ServiceConfig) -> Vec<String> {
    let differ = [
        ("command", before.command != after.command),
        ("kind", before.kind.as_ref().map(|it| &it.name) != after.kind.as_ref().map(|it| &it.name)),
        ("config", configs_differ(before, after)),
        ("directory", before.directory != after.directory),
        (
            "environment",
            before.environment != after.environment
                || before.fetched.environment != after.fetched.environment,
        ),
        ("secrets", before.fetched.files != after.fetched.files),
        ("type", before.nature != after.nature),
        ("start", before.start != after.start),
        ("instances", before.instances != after.instances),
        (
            "requires",
            (&before.requires, before.needs_network) != (&after.requires, after.needs_network),
        ),
        ("wants", before.wants != after.wants),
        ("after", before.after != after.after),
        ("before", before.before != after.before),
        ("binds-to", before.binds_to != after.binds_to),
        ("part-of", before.part_of != after.part_of),
        ("conflicts", before.conflicts != after.conflicts),
        ("restart", before.restart != after.restart),
        ("stop", before.stop != after.stop),
        ("logs", before.logs != after.logs),
        ("limits", before.files != after.files),
        ("session", before.session != after.session),
        ("priority", before.share.priority != after.share.priority),
        ("bundles", before.bundles != after.bundles),
        ("affinity", before.share.processors != after.share.processors),
    ];
    let own = differ.iter().filter(|(_, is)| *is).map(|(key, _)| *key);
    own.chain(before.care.difference(&after.care)).map(str::to_owned).collect()
}

/// Another kind has another configuration, which goes without saying.
fn configs_differ(before: &ServiceConfig, after: &ServiceConfig) -> bool {
    match (&before.kind, &after.kind) {
        (Some(before), Some(after)) => before.config != after.config,
        (None, _) | (_, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};
    use crate::config::SourceText;

    #[test]
    fn a_difference_names_services_and_keys() {
        let check = |before: &str, after: &str, expected: &str| {
            let changes = difference(&config(before), &config(after));
            assert_eq!(serde_json::to_string(&changes).unwrap(), expected);
        };
        let nothing = r#"{"added":[],"changed":[],"removed":[]}"#;
        check("", "", nothing);
        check("[services.a]\ncommand = ['x']", "[services.a]\ncommand = 'x' # words", nothing);
        check(
            "[services.a]\ncommand = ['x']\n[services.b]\ncommand = ['x']",
            "[services.a]\ncommand = ['y']\ninstances = 2\n[services.c]\ncommand = ['x']",
            r#"{"added":["c"],"changed":[{"service":"a","keys":["command","instances"],"restarts":true,"later":false}],"removed":["b"]}"#,
        );
        check(
            "[services.a]\ncommand = ['x']",
            "[services.a]\ncommand = ['x']\nstop = { timeout = '1s' }",
            r#"{"added":[],"changed":[{"service":"a","keys":["stop"],"restarts":false,"later":false}],"removed":[]}"#,
        );
        check(
            "[services.a]\ncommand = ['x']",
            "[services.a]\ncommand = ['x']\nlogs = { max-size = '1MiB' }",
            r#"{"added":[],"changed":[{"service":"a","keys":["logs"],"restarts":false,"later":true}],"removed":[]}"#,
        );
        check(
            "",
            "[[access]]\ngroup = 'ops'\nrole = 'viewer'",
            r#"{"added":[],"changed":[],"removed":[],"access":true}"#,
        );
    }

    fn config(text: &str) -> Config {
        parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }]).unwrap()
    }
}
