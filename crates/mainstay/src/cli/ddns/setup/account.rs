//! The account that is being set up: what was said of it, and what still must be.

use std::{collections::BTreeMap, fs, io::Read as _};

use mainstay_ddns::{
    address::Family,
    config::{self, Config, ConfigError},
    name::Fqdn,
    provider::{Entry, Nature, Need, Parameter},
    providers,
    trial::Trial,
};
use serde_json::{Map, Value, json};

use super::{Args, ask::Asker, whole};
use crate::{
    cli::ddns::{language, providers as catalogue},
    errors::CliError,
    print,
};

/// So many providers are shown when several fit.
const FITTING_MAX: usize = 20;
/// A credential is no longer than this.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// An account that is being set up.
#[derive(Debug)]
pub(super) struct Account {
    entry: &'static Entry,
    plain: Map<String, Value>,
    /// Values by their keys; never shown.
    hidden: BTreeMap<String, String>,
    names: Vec<String>,
    families: Vec<String>,
    /// As the configuration has them; empty for the usual ones.
    sources: Map<String, Value>,
}

impl Account {
    /// Takes what the command line says, and asks who the provider is.
    pub(super) fn begin(args: &Args, asker: &Asker) -> Result<Self, CliError> {
        let entry = match &args.provider {
            Some(name) => catalogue::find(name)?,
            None => ask_provider(asker)?,
        };
        let echo = args.echo.iter();
        let sources = echo.map(|(family, url)| (family.clone(), json!([{ "web": [url] }])));
        let mut account = Self {
            entry,
            plain: Map::new(),
            hidden: BTreeMap::new(),
            names: args.names.clone(),
            families: args.families.clone(),
            sources: sources.collect(),
        };
        for (key, value) in &args.plain {
            if account.is_secret(key) {
                let what = format!("`{key}` is a secret, and a command line is seen by others");
                return Err(CliError::usage(what, format!("`--secret-file {key}=PATH`")));
            }
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value.as_str()));
            account.plain.insert(key.clone(), value);
        }
        for (key, path) in &args.secrets {
            account.hidden.insert(key.clone(), secret_of(path)?);
        }
        print::talk(&format!("{}: {}", language::title(entry), entry.documents));
        Ok(account)
    }

    /// Asks for what is missing, until our own reader takes it.
    pub(super) fn complete(&mut self, asker: &Asker) -> Result<Config, CliError> {
        self.ask_parameters(asker)?;
        loop {
            if self.names.is_empty() {
                self.names = ask_names(asker)?;
            }
            let error = match config::read(&whole(&self.real())) {
                Ok(config) => return Ok(config),
                Err(error) => error,
            };
            let ConfigError { path, why } = &error;
            let words = path.strip_prefix("accounts.").map_or_else(
                || error.to_string(),
                |rest| format!("{}: {why}", rest.split_once('.').map_or(rest, |(_, at)| at)),
            );
            if !asker.is_live() {
                return Err(CliError::refused(words, ""));
            }
            print::talk(&words);
            self.mend(&error, asker)?;
        }
    }

    /// Asks for all credentials anew.
    pub(super) fn ask_again(&mut self, asker: &Asker) -> Result<(), CliError> {
        self.hidden.clear();
        self.plain.retain(|key, _| key == "endpoint" || key == "url");
        self.ask_parameters(asker)
    }

    /// Asks anew for what a mistake is about.
    fn mend(&mut self, error: &ConfigError, asker: &Asker) -> Result<(), CliError> {
        if error.path.contains(".names") {
            self.names.clear();
            self.families.clear();
            return Ok(());
        }
        let key = error.path.rsplit('.').next().unwrap_or_default();
        let Some(one) = self.entry.parameters.iter().find(|one| one.key == key) else {
            return Err(CliError::refused(error.to_string(), ""));
        };
        self.plain.remove(key);
        self.hidden.remove(key);
        self.ask(one, asker)
    }

    /// Asks for what must be there; where nothing must, for what may, until something is.
    fn ask_parameters(&mut self, asker: &Asker) -> Result<(), CliError> {
        let all = self.entry.parameters.iter();
        let needed: Vec<&Parameter> =
            all.clone().filter(|one| one.need == Need::Required).collect();
        for one in &needed {
            while !self.has(one.key) {
                self.ask(one, asker)?;
            }
        }
        let offered = all.filter(|one| one.nature == Nature::Secret && needed.is_empty());
        for one in offered {
            if self.plain.is_empty() && self.hidden.is_empty() {
                self.ask(one, asker)?;
            }
        }
        Ok(())
    }

    fn ask(&mut self, one: &Parameter, asker: &Asker) -> Result<(), CliError> {
        let prompt = format!("{} ({})", one.key, language::help(one));
        if one.nature == Nature::Plain {
            let text = asker.line(&prompt, &format!("--set {}=…", one.key))?;
            if !text.is_empty() {
                self.plain.insert(one.key.to_owned(), Value::from(text));
            }
        } else {
            let text = asker.secret(&prompt, &format!("--secret-file {}=…", one.key))?;
            if !text.is_empty() {
                self.hidden.insert(one.key.to_owned(), text);
            }
        }
        Ok(())
    }

    fn has(&self, key: &str) -> bool {
        self.plain.contains_key(key) || self.hidden.contains_key(key)
    }

    fn is_secret(&self, key: &str) -> bool {
        let mut all = self.entry.parameters.iter();
        all.any(|one| one.key == key && one.nature != Nature::Plain)
    }

    /// Leaves a family out that has no address here, when that is wanted.
    pub(super) fn choose_families(
        &mut self,
        asker: &Asker,
        config: &Config,
        trial: &Trial,
    ) -> Result<(), CliError> {
        let sights = config.plan.sights.iter().zip(&trial.view.sights);
        let (found, missing): (Vec<_>, Vec<_>) =
            sights.partition(|(_, view)| !view.addresses.is_empty());
        let [(only, _)] = found.as_slice() else { return Ok(()) };
        if !missing.is_empty()
            && self.families.is_empty()
            && asker.is_live()
            && asker.agrees(&language::only(only.family))?
        {
            self.families = vec![only.family.word().to_owned()];
        }
        Ok(())
    }

    /// Returns it with its secrets in their places.
    fn real(&self) -> Value {
        let hidden = self.hidden.iter().map(|(key, value)| (key.clone(), json!(value)));
        self.with(hidden.collect())
    }

    /// Returns the configuration as it is written, with references in the place of secrets.
    pub(super) fn written(&self, service: &str) -> Value {
        let references = self
            .hidden
            .keys()
            .map(|key| (key.clone(), json!({ "secret": self.secret_name(service, key) })));
        whole(&self.with(references.collect()))
    }

    /// Returns the secrets by the names that the configuration refers to them by.
    pub(super) fn secrets(&self, service: &str) -> Vec<(String, String)> {
        let named = self.hidden.iter();
        named.map(|(key, value)| (self.secret_name(service, key), value.clone())).collect()
    }

    fn secret_name(&self, service: &str, key: &str) -> String {
        format!("{service}-{}-{key}", self.entry.name)
    }

    fn with(&self, credentials: Map<String, Value>) -> Value {
        let mut account = self.plain.clone();
        account.extend(credentials);
        account.insert("provider".to_owned(), json!(self.entry.name));
        if !self.sources.is_empty() {
            account.insert("sources".to_owned(), Value::Object(self.sources.clone()));
        }
        let names = self.names.iter().map(|name| self.name(name)).collect();
        account.insert("names".to_owned(), Value::Array(names));
        json!({ self.entry.name: account })
    }

    fn name(&self, name: &str) -> Value {
        let limits = self.entry.limits;
        let all = usize::from(limits.ipv4) + usize::from(limits.ipv6);
        if self.families.is_empty() || self.families.len() >= all.max(Family::ALL.len()) {
            return json!(name);
        }
        json!({ "name": name, "families": self.families })
    }
}

fn secret_of(path: &str) -> Result<String, CliError> {
    let wrong = |why: String| CliError::refused(format!("cannot read `{path}`: {why}"), "");
    let mut text = String::new();
    let read = if path == "-" {
        std::io::stdin().lock().take(SECRET_BYTES_MAX).read_to_string(&mut text)
    } else {
        let file = fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
        file.take(SECRET_BYTES_MAX).read_to_string(&mut text)
    };
    read.map_err(|error| wrong(error.to_string()))?;
    let text = text.trim();
    if text.is_empty() { Err(wrong("it is empty".to_owned())) } else { Ok(text.to_owned()) }
}

/// Asks until one provider is meant: by its name, or by a part of that or of its title.
fn ask_provider(asker: &Asker) -> Result<&'static Entry, CliError> {
    let mut numbered: Vec<&'static Entry> = Vec::new();
    loop {
        let typed = asker.line(language::which_provider(), "--provider")?;
        let by_number = typed.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        if let Some(entry) = by_number.and_then(|at| numbered.get(at)) {
            return Ok(entry);
        }
        if let Some(entry) = providers::find(&typed.to_lowercase()) {
            return Ok(entry);
        }
        let all = typed == "?" || typed.is_empty();
        let fitting =
            providers::ALL.iter().copied().filter(|entry| all || catalogue::fits(entry, &typed));
        numbered = fitting.collect();
        if let [only] = numbered.as_slice() {
            return Ok(only);
        }
        if numbered.is_empty() {
            print::talk(language::no_such_provider());
        }
        let shown = if all { numbered.len() } else { FITTING_MAX };
        for (at, entry) in numbered.iter().take(shown).enumerate() {
            let title = language::title(entry);
            print::talk(&format!("{:4}  {:14} {title}", at + 1, entry.name));
        }
    }
}

fn ask_names(asker: &Asker) -> Result<Vec<String>, CliError> {
    loop {
        let typed = asker.line(language::which_names(), "--name")?;
        let names = typed.split([',', ' ', '，', '、']).map(str::trim);
        let names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let wrong = names.iter().find_map(|name| Fqdn::parse(name).err());
        match wrong {
            Some(error) => print::talk(&error.to_string()),
            None if !names.is_empty() => return Ok(names),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_has_references_in_the_place_of_secrets() {
        let account = Account {
            entry: providers::find("duckdns").unwrap(),
            plain: Map::new(),
            hidden: BTreeMap::from([("token".to_owned(), "hunter2".to_owned())]),
            names: vec!["me.duckdns.org".to_owned()],
            families: vec!["ipv4".to_owned()],
            sources: Map::new(),
        };
        let written = account.written("home");
        assert!(!written.to_string().contains("hunter2"));
        assert_eq!(
            written["accounts"]["duckdns"]["token"],
            json!({ "secret": "home-duckdns-token" })
        );
        let secrets = account.secrets("home");
        assert_eq!(secrets, [("home-duckdns-token".to_owned(), "hunter2".to_owned())]);
        assert!(
            config::read(&whole(&account.real()))
                .is_ok_and(|config| config.plan.bindings.len() == 1)
        );
    }
}
