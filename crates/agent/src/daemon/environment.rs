//! What a run finds in its environment, and where each variable comes from.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_api::{
    config::{Fetched, ServiceConfig, ValueSource},
    control::{EnvironmentOf, EnvironmentVariable, UnitEnvironment, VariableOrigin},
    keeper::Environment,
};
use mainstay_core::UnitName;
use mainstay_platform::spawn::is_same_variable;

use super::Agent;
use crate::{bundle, calls::Refused, launch, secrets::CREDENTIALS};

/// What the keeper sets.
const OF_RUNS: [&str; 5] =
    ["MAINSTAY_ID", "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_PID"];
/// What is set for a kind.
const OF_KINDS: [&str; 4] =
    ["MAINSTAY_KIND", "MAINSTAY_KIND_PROTOCOL", "MAINSTAY_STATE_DIRECTORY", "STATE_DIRECTORY"];

/// What the loop knows of a unit's environment.
#[derive(Debug)]
pub(crate) struct Setting {
    unit: String,
    run: u64,
    /// The process that was started, while there is one.
    pub(crate) pid: Option<u32>,
    configured: BTreeMap<String, String>,
    fetched: Fetched,
    own: BTreeMap<String, String>,
    unset: Vec<String>,
}

impl Agent {
    /// Returns what is known of a unit's environment.
    pub(super) fn setting_of(&self, name: &str) -> Result<Setting, Refused> {
        let parsed = UnitName::parse(name).ok();
        let view = parsed.as_ref().and_then(|unit| self.supervisor.unit(unit));
        let (Some(unit), Some(view)) = (&parsed, view) else { return Err(self.no_unit(name)) };
        let run = view.run() + u64::from(view.pid().is_none());
        let service = self.config.services.get(&unit.service);
        let Environment { unset, .. } = service
            .map(|service| launch::environment(service, &self.instance, unit, run))
            .unwrap_or_default();
        Ok(Setting {
            unit: unit.to_string(),
            run: view.run(),
            pid: view.pid(),
            configured: service.map(|service| service.environment.clone()).unwrap_or_default(),
            fetched: service.map(|service| service.fetched.clone()).unwrap_or_default(),
            own: self.own_of(unit, service, run),
            unset,
        })
    }

    /// Returns what Mainstay itself sets.
    fn own_of(
        &self,
        unit: &UnitName,
        service: Option<&ServiceConfig>,
        run: u64,
    ) -> BTreeMap<String, String> {
        let own = launch::own_variables(&self.instance, unit, run).into_iter();
        let own = own.chain(self.notify_variable(unit));
        let alive = service.and_then(|service| service.care.alive_every());
        let own = own.chain(alive.map(|every| ("WATCHDOG_USEC", every.as_micros().to_string())));
        let has_files = service.is_some_and(|service| !service.fetched.files.is_empty());
        let folder = self.instance.secret_files_of(&unit.to_string()).display().to_string();
        let own = own.chain(has_files.then_some((CREDENTIALS, folder)));
        own.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Setting {
    /// Says what the run was started with, as far as that is known, else what the next one gets.
    ///
    /// `found` is what the process was started with, `base` what programs inherit.
    pub(crate) fn tell(
        &self,
        found: &BTreeMap<String, String>,
        base: &BTreeMap<String, String>,
    ) -> UnitEnvironment {
        let is_of_run = found.get("MAINSTAY_UNIT") == Some(&self.unit)
            && found.get("MAINSTAY_RUN") == Some(&self.run.to_string());
        let variables = if is_of_run {
            found.iter().map(|(name, value)| self.explain(name, value, base)).collect()
        } else {
            self.next(base)
        };
        let of = if is_of_run { EnvironmentOf::Run } else { EnvironmentOf::Next };
        UnitEnvironment { unit: self.unit.clone(), run: self.run, of, variables }
    }

    /// Says where a variable of a run comes from. What nobody would set so today may have been a
    /// secret when it was set.
    fn explain(
        &self,
        name: &str,
        value: &str,
        base: &BTreeMap<String, String>,
    ) -> EnvironmentVariable {
        let is_own =
            self.own.contains_key(name) || OF_RUNS.contains(&name) || OF_KINDS.contains(&name);
        if is_own {
            return shown(name, value, VariableOrigin::Mainstay);
        }
        if let Some(source) = self.fetched.environment.get(name) {
            return fetched(name, source);
        }
        if self.configured.get(name).is_some_and(|said| said == value) {
            return masked(name, value, VariableOrigin::Configured);
        }
        if !self.configured.contains_key(name) && base.get(name).is_some_and(|of| of == value) {
            return masked(name, value, VariableOrigin::Inherited);
        }
        let (name, origin) = (name.to_owned(), VariableOrigin::Other);
        EnvironmentVariable { name, value: None, origin, source: None }
    }

    /// Returns what the next run gets.
    fn next(&self, base: &BTreeMap<String, String>) -> Vec<EnvironmentVariable> {
        let set: BTreeSet<&String> =
            [self.own.keys(), self.configured.keys()].into_iter().flatten().collect();
        let is_kept = |name: &str| {
            let mut changed = set.iter().map(|name| name.as_str());
            let mut fetched = self.fetched.environment.keys();
            !changed.any(|other| is_same_variable(other, name))
                && !fetched.any(|other| is_same_variable(other, name))
                && !self.unset.iter().any(|other| is_same_variable(other, name))
                && !OF_RUNS.contains(&name)
        };
        let inherited = base.iter().filter(|(name, _)| is_kept(name));
        let inherited =
            inherited.map(|(name, value)| masked(name, value, VariableOrigin::Inherited));
        let is_plain = |name: &String| !self.own.contains_key(name);
        let configured = self.configured.iter().filter(|(name, _)| is_plain(name));
        let configured =
            configured.map(|(name, value)| masked(name, value, VariableOrigin::Configured));
        let later = self.fetched.environment.iter().map(|(name, source)| fetched(name, source));
        let own = self.own.iter();
        let own = own.map(|(name, value)| shown(name, value, VariableOrigin::Mainstay));
        let mut all: Vec<EnvironmentVariable> =
            inherited.chain(configured).chain(later).chain(own).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }
}

fn shown(name: &str, value: &str, origin: VariableOrigin) -> EnvironmentVariable {
    let (name, value) = (name.to_owned(), Some(value.to_owned()));
    EnvironmentVariable { name, value, origin, source: None }
}

/// Shows a value unless its name or its form is that of a secret.
fn masked(name: &str, value: &str, origin: VariableOrigin) -> EnvironmentVariable {
    let shown = shown(name, value, origin);
    if bundle::may_show(name, value) { shown } else { EnvironmentVariable { value: None, ..shown } }
}

fn fetched(name: &str, source: &ValueSource) -> EnvironmentVariable {
    let word = match source {
        ValueSource::Text(_) => None,
        ValueSource::Secret(_) => Some("secret"),
        ValueSource::Variable(_) => Some("env"),
        ValueSource::File(_) => Some("file"),
        ValueSource::Command { .. } => Some("command"),
        ValueSource::Credential(_) => Some("credential"),
    };
    EnvironmentVariable {
        name: name.to_owned(),
        value: None,
        origin: VariableOrigin::Configured,
        source: word.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> BTreeMap<String, String> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn setting() -> Setting {
        let environment =
            [("DB".to_owned(), ValueSource::Secret("db".to_owned()))].into_iter().collect();
        Setting {
            unit: "web".to_owned(),
            run: 3,
            pid: Some(7),
            configured: pairs(&[("LEVEL", "info"), ("API_TOKEN", "x"), ("HOME", "/srv")]),
            fetched: Fetched { environment, ..Fetched::default() },
            own: pairs(&[("MAINSTAY_UNIT", "web"), ("MAINSTAY_RUN", "3")]),
            unset: vec!["NOTIFY_SOCKET".to_owned()],
        }
    }

    /// Returns each variable as `origin NAME=value`, without `=` where it is masked.
    fn told(found: &[(&str, &str)], base: &[(&str, &str)]) -> Vec<String> {
        let told = setting().tell(&pairs(found), &pairs(base));
        let line = |one: EnvironmentVariable| {
            let value = one.value.map(|value| format!("={value}")).unwrap_or_default();
            let origin = format!("{:?}", one.origin).to_lowercase();
            format!(
                "{origin} {}{value}{}",
                one.name,
                one.source.map(|s| format!(" ({s})")).unwrap_or_default()
            )
        };
        told.variables.into_iter().map(line).collect()
    }

    #[test]
    fn of_a_next_run_it_is_said_what_it_gets_and_no_secret() {
        let base = [("PATH", "/bin"), ("HOME", "/root"), ("MY_KEY", "k"), ("NOTIFY_SOCKET", "/n")];
        let expected = [
            "configured API_TOKEN",
            "configured DB (secret)",
            "configured HOME=/srv",
            "configured LEVEL=info",
            "mainstay MAINSTAY_RUN=3",
            "mainstay MAINSTAY_UNIT=web",
            "inherited MY_KEY",
            "inherited PATH=/bin",
        ];
        assert_eq!(told(&[], &base), expected);
        assert_eq!(told(&[("MAINSTAY_UNIT", "web"), ("MAINSTAY_RUN", "2")], &base), expected);
    }

    #[test]
    fn of_a_run_it_is_said_what_it_got_and_what_nobody_knows_any_more_is_masked() {
        let found = [
            ("DB", "hidden"),
            ("GONE", "was a secret once"),
            ("HOME", "/root"),
            ("LEVEL", "info"),
            ("MAINSTAY_ID", "1-2"),
            ("MAINSTAY_RUN", "3"),
            ("MAINSTAY_UNIT", "web"),
            ("PATH", "/bin"),
        ];
        let expected = [
            "configured DB (secret)",
            "other GONE",
            "other HOME",
            "configured LEVEL=info",
            "mainstay MAINSTAY_ID=1-2",
            "mainstay MAINSTAY_RUN=3",
            "mainstay MAINSTAY_UNIT=web",
            "inherited PATH=/bin",
        ];
        assert_eq!(told(&found, &[("PATH", "/bin"), ("HOME", "/root")]), expected);
    }
}
