//! What one configuration changes about another: whom, by which keys, and when each takes effect.

use super::{Config, ServiceConfig};
use crate::control::{ChangedKey, ChangedService, ConfigChanges, KeyEffect};

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
    changes.hot_reload = before.hot_reload != after.hot_reload;
    changes.parallel_starts = before.parallel_starts != after.parallel_starts;
    let is_gone = |name: &&mainstay_core::ServiceName| !after.services.contains_key(*name);
    changes.removed = before.services.keys().filter(is_gone).map(ToString::to_string).collect();
    changes
}

/// Lets a service have what another one says by one key.
type Take = fn(&mut ServiceConfig, &ServiceConfig);

/// The keys of a service, as they are written in the file.
const KEYS: &[(&str, Take)] = &[
    ("command", |to, from| to.command.clone_from(&from.command)),
    ("kind", |to, from| {
        if name_of_kind(to) != name_of_kind(from) {
            to.kind.clone_from(&from.kind);
        }
    }),
    // Another kind has another configuration, which goes without saying.
    ("config", |to, from| {
        if name_of_kind(to) == name_of_kind(from) {
            to.kind.clone_from(&from.kind);
        }
    }),
    ("directory", |to, from| to.directory.clone_from(&from.directory)),
    ("environment", |to, from| {
        to.environment.clone_from(&from.environment);
        to.fetched.environment.clone_from(&from.fetched.environment);
    }),
    ("secrets", |to, from| to.fetched.files.clone_from(&from.fetched.files)),
    ("type", |to, from| to.nature = from.nature),
    ("start", |to, from| to.start = from.start),
    ("instances", |to, from| to.instances = from.instances),
    ("requires", |to, from| {
        to.requires.clone_from(&from.requires);
        to.needs_network = from.needs_network;
    }),
    ("wants", |to, from| to.wants.clone_from(&from.wants)),
    ("after", |to, from| to.after.clone_from(&from.after)),
    ("before", |to, from| to.before.clone_from(&from.before)),
    ("binds-to", |to, from| to.binds_to.clone_from(&from.binds_to)),
    ("part-of", |to, from| to.part_of.clone_from(&from.part_of)),
    ("conflicts", |to, from| to.conflicts.clone_from(&from.conflicts)),
    ("restart", |to, from| to.restart.clone_from(&from.restart)),
    ("stop", |to, from| to.stop.clone_from(&from.stop)),
    ("logs", |to, from| to.logs.clone_from(&from.logs)),
    ("limits", |to, from| to.files = from.files),
    ("session", |to, from| to.session = from.session),
    ("priority", |to, from| to.share.priority = from.share.priority),
    ("bundles", |to, from| to.bundles = from.bundles),
    ("affinity", |to, from| to.share.processors.clone_from(&from.share.processors)),
    ("ready", |to, from| to.care.ready.clone_from(&from.care.ready)),
    ("checks", |to, from| to.care.take_checks(&from.care)),
    ("watchdog", |to, from| to.care.watchdog = from.care.watchdog),
    ("hooks", |to, from| to.care.take_hooks(&from.care)),
    ("reload", |to, from| to.care.take_reload(&from.care)),
    ("notify", |to, from| to.care.notify = from.care.notify),
];

fn name_of_kind(service: &ServiceConfig) -> Option<&str> {
    service.kind.as_ref().map(|kind| kind.name.as_str())
}

/// Returns the keys that differ. When a key takes effect shows where it alone is changed: by what a
/// run was started with, or was given.
pub(super) fn keys(before: &ServiceConfig, after: &ServiceConfig) -> Vec<ChangedKey> {
    let (mut one, mut changed) = (before.clone(), Vec::new());
    for (key, take) in KEYS {
        take(&mut one, after);
        if one != *before {
            changed.push(ChangedKey { key: (*key).to_owned(), effect: effect(before, &one) });
            take(&mut one, before);
        }
    }
    changed
}

fn effect(before: &ServiceConfig, after: &ServiceConfig) -> KeyEffect {
    if before.spec_hash() != after.spec_hash() {
        KeyEffect::Restart
    } else if before.given_hash() != after.given_hash() {
        KeyEffect::NextRun
    } else {
        KeyEffect::Live
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            catalogue::{self, Effect, samples},
            parse,
        },
        *,
    };
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
            r#"{"added":["c"],"changed":[{"service":"a","keys":[{"key":"command","effect":"restart"},{"key":"instances","effect":"live"}],"restarts":true,"later":false}],"removed":["b"]}"#,
        );
        check(
            "[services.a]\ncommand = ['x']",
            "[services.a]\ncommand = ['x']\nstop = { timeout = '1s' }",
            r#"{"added":[],"changed":[{"service":"a","keys":[{"key":"stop","effect":"live"}],"restarts":false,"later":false}],"removed":[]}"#,
        );
        check(
            "[services.a]\ncommand = ['x']",
            "[services.a]\ncommand = ['x']\nlogs = { max-size = '1MiB' }",
            r#"{"added":[],"changed":[{"service":"a","keys":[{"key":"logs","effect":"next-run"}],"restarts":false,"later":true}],"removed":[]}"#,
        );
        check(
            "",
            "[[access]]\ngroup = 'ops'\nrole = 'viewer'",
            r#"{"added":[],"changed":[],"removed":[],"access":true}"#,
        );
    }

    #[test]
    fn each_key_is_told_with_the_effect_that_the_catalogue_promises() {
        let mut seen = 0;
        for part in catalogue::parts() {
            for key in part.keys {
                let texts = [samples::without(part, key.name), samples::example(part, key)];
                let [Ok(before), Ok(after)] = texts.map(|text| try_config(&text)) else { continue };
                let all = difference(&before, &after).changed;
                let Some(web) = all.iter().find(|it| it.service == "web") else { continue };
                assert!(!web.keys.is_empty(), "{}.{}", part.path, key.name);
                let expected = match key.effect {
                    Effect::Live => KeyEffect::Live,
                    Effect::NextRun => KeyEffect::NextRun,
                    Effect::Restart => KeyEffect::Restart,
                    Effect::OfKeys => continue,
                };
                let effects: Vec<_> = web.keys.iter().map(|one| one.effect).collect();
                assert!(effects.contains(&expected), "{}.{}: {effects:?}", part.path, key.name);
                seen += 1;
            }
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn every_key_of_a_service_can_be_told() {
        let told: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        let known = catalogue::SERVICE.keys.iter().map(|key| key.name);
        // They say in other words what `command` says.
        let others = ["shell", "ddns"];
        let missing: Vec<&str> =
            known.filter(|key| !told.contains(key) && !others.contains(key)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// The chapter, and what stands around its table.
    const CHAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/reload.md");
    const MARKS: [&str; 2] = ["<!-- effects -->\n", "<!-- end of effects -->"];

    #[test]
    fn the_chapter_says_when_each_key_takes_effect() {
        let chapter = std::fs::read_to_string(CHAPTER).unwrap();
        let (before, rest) = chapter.split_once(MARKS[0]).unwrap();
        let (_, after) = rest.split_once(MARKS[1]).unwrap();
        let row = |(effect, word)| format!("| {word} | {} |\n", named(effect).join(", "));
        let words =
            [(Effect::Live, "live"), (Effect::NextRun, "next run"), (Effect::Restart, "restart")];
        let rows: String = words.map(row).concat();
        let table = format!("| when | keys of a service |\n|---|---|\n{rows}");
        let expected = [before, MARKS[0], &table, MARKS[1], after].concat();
        if std::env::var_os("MAINSTAY_BLESS").is_some() {
            use std::io::Write as _;
            let mut file = std::fs::File::create(CHAPTER).unwrap();
            file.write_all(expected.as_bytes()).unwrap();
        }
        assert!(std::fs::read_to_string(CHAPTER).unwrap() == expected, "run with MAINSTAY_BLESS=1");
    }

    /// Returns the keys of services with this effect, those of tables behind the table's name.
    fn named(effect: Effect) -> Vec<String> {
        let of_services =
            |path: &str| !matches!(path, "" | "access") && !path.starts_with("groups");
        let parts = catalogue::parts().into_iter().filter(|part| of_services(part.path));
        let keys = parts.flat_map(|part| part.keys.iter().map(move |key| (part.path, key)));
        let wanted = keys.filter(|(_, key)| key.effect == effect);
        let name = |(path, key): (&str, &catalogue::Key)| {
            let path = path.strip_prefix("services.NAME").unwrap_or(path).trim_start_matches('.');
            let dot = if path.is_empty() { "" } else { "." };
            format!("`{path}{dot}{}`", key.name)
        };
        wanted.map(name).collect()
    }

    fn try_config(text: &str) -> Result<Config, Vec<crate::config::Diagnostic>> {
        parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }])
    }

    fn config(text: &str) -> Config {
        parse(&[SourceText { file: "mainstay.toml", bytes: text.as_bytes() }]).unwrap()
    }
}
