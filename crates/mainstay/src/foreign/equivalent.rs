//! A service in our words: as a configuration, and as the line that installs it.

use std::{collections::BTreeMap, time::Duration};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use super::Registered;
use crate::typed::{self, Reader};

/// What is configured for a program. What is absent is our default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Equivalent {
    pub(crate) command: Vec<String>,
    pub(crate) directory: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// `on-failure` or `never`, where it is not always.
    pub(crate) when: Option<&'static str>,
    /// What follows single exit codes: `restart`, `stop`, `fail` or `exit`.
    pub(crate) exits: BTreeMap<u32, &'static str>,
    /// What follows every other failure.
    pub(crate) failure: Option<&'static str>,
    pub(crate) delay: Option<Duration>,
    /// Fixed delays, one after the other.
    pub(crate) delays: Vec<Duration>,
    pub(crate) reset_after: Option<Duration>,
    pub(crate) stop_timeout: Option<Duration>,
    /// Whether descendants are left alone.
    pub(crate) leaves_tree: bool,
    /// Which processes come first, where that is not as usual.
    pub(crate) priority: Option<&'static str>,
    /// On which processors it runs.
    pub(crate) affinity: Option<String>,
    pub(crate) log: Log,
    pub(crate) log_size: Option<u64>,
    pub(crate) log_keep: Option<u32>,
    pub(crate) own_files: OwnFiles,
}

/// Files of the user's own that get the output, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OwnFiles {
    pub(crate) stdout: Option<String>,
    pub(crate) stderr: Option<String>,
    /// A longer file is given another name.
    pub(crate) size: Option<u64>,
    /// A file is given another name when a run begins.
    pub(crate) at_start: bool,
}

/// What is kept of the program's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Log {
    #[default]
    Joined,
    Split,
    Off,
}

/// No delay of ours may be longer than this by default, so a longer one needs another limit.
const MAX_DELAY: Duration = Duration::from_mins(1);

impl Equivalent {
    /// Returns the configuration as a person would write it.
    pub(crate) fn configuration(&self, unit: &str) -> String {
        let mut service = Table::new();
        service.insert("command", value(array(&self.command)));
        if let Some(directory) = &self.directory {
            service.insert("directory", value(directory));
        }
        let environment =
            self.environment.iter().map(|(name, text)| (name.as_str(), Value::from(text)));
        insert(&mut service, "environment", environment.collect());
        insert(&mut service, "restart", self.restart());
        insert(&mut service, "stop", self.stop());
        if let Some(priority) = self.priority {
            service.insert("priority", value(priority));
        }
        if let Some(affinity) = &self.affinity {
            service.insert("affinity", value(affinity));
        }
        match self.log {
            Log::Off => drop(service.insert("logs", value("off"))),
            Log::Joined | Log::Split => insert(&mut service, "logs", self.logs()),
        }
        let mut services = Table::new();
        services.set_implicit(true);
        services.insert(unit, Item::Table(service));
        let mut document = DocumentMut::new();
        document.insert("services", Item::Table(services));
        document.to_string()
    }

    fn restart(&self) -> InlineTable {
        let mut table = InlineTable::new();
        if let Some(when) = self.when {
            table.insert("when", when.into());
        }
        if let Some(delay) = self.delay {
            table.insert("delay", span(delay).into());
            if delay > MAX_DELAY {
                table.insert("max-delay", span(delay).into());
            }
        }
        if !self.delays.is_empty() {
            let delays: Array = self.delays.iter().map(|delay| span(*delay)).collect();
            table.insert("delays", delays.into());
        }
        if let Some(after) = self.reset_after {
            table.insert("reset-after", span(after).into());
        }
        let codes = self.exits.iter().map(|(code, action)| (code.to_string(), *action));
        let failure = self.failure.map(|action| ("failure".to_owned(), action));
        let exits: InlineTable =
            codes.chain(failure).map(|(key, action)| (key, Value::from(action))).collect();
        if !exits.is_empty() {
            table.insert("exit", exits.into());
        }
        table
    }

    fn stop(&self) -> InlineTable {
        let mut table = InlineTable::new();
        if let Some(timeout) = self.stop_timeout {
            table.insert("timeout", span(timeout).into());
        }
        if self.leaves_tree {
            table.insert("scope", "process".into());
        }
        table
    }

    fn logs(&self) -> InlineTable {
        let mut table = InlineTable::new();
        let path = self.own_files.table();
        // Files say themselves how the streams are captured.
        if self.log == Log::Split && path.is_empty() {
            table.insert("streams", "split".into());
        }
        if let Some(size) = self.log_size {
            table.insert("max-size", format!("{size}B").into());
        }
        if let Some(keep) = self.log_keep {
            table.insert("keep", i64::from(keep).into());
        }
        if !path.is_empty() {
            table.insert("path", path.into());
        }
        table
    }

    /// Returns the same with the values of variables left out: many are secrets.
    pub(crate) fn without_values(&self) -> Self {
        let environment = self.environment.iter().map(|(name, _)| (name.clone(), "…".to_owned()));
        Self { environment: environment.collect(), ..self.clone() }
    }

    /// Returns the line that installs a new service like it, as `cmd` reads it; nothing when it
    /// cannot be typed.
    pub(crate) fn install_line(&self, registered: &Registered) -> Option<String> {
        let mut words = vec!["mainstay".to_owned(), "service".into(), "install".into()];
        words.push(registered.name.clone());
        let mut option = |name: &str, text: &str| words.extend([name.to_owned(), text.to_owned()]);
        if !registered.display_name.is_empty() && registered.display_name != registered.name {
            option("--display-name", &registered.display_name);
        }
        if !registered.description.is_empty() {
            option("--description", &registered.description);
        }
        if !registered.start.is_empty() && registered.start != "auto" {
            option("--start", &registered.start);
        }
        if !registered.account.is_empty() {
            option("--account", &registered.account);
        }
        for name in &registered.dependencies {
            option("--depends", name);
        }
        if let Some(directory) = &self.directory {
            option("--directory", directory);
        }
        for (name, text) in &self.environment {
            option("--env", &format!("{name}={text}"));
        }
        for (name, text) in self.own_files.options() {
            option(name, &text);
        }
        if self.own_files.at_start {
            words.push("--rotate-at-start".to_owned());
        }
        words.push("--".to_owned());
        words.extend(self.command.iter().cloned());
        typed::line(&words, Reader::Prompt)
    }
}

impl OwnFiles {
    fn table(&self) -> InlineTable {
        let mut table = InlineTable::new();
        for (key, file) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if let Some(file) = file {
                table.insert(key, file.into());
            }
        }
        if let Some(size) = self.size {
            table.insert("max-size", format!("{size}B").into());
        }
        if self.at_start {
            table.insert("at-start", true.into());
        }
        table
    }

    fn options(&self) -> impl Iterator<Item = (&'static str, String)> {
        let size = self.size.map(|size| format!("{size}B"));
        let all = [
            ("--stdout", self.stdout.clone()),
            ("--stderr", self.stderr.clone()),
            ("--rotate-size", size),
        ];
        all.into_iter().filter_map(|(name, text)| Some((name, text?)))
    }
}

fn array(texts: &[String]) -> Array {
    texts.iter().map(String::as_str).collect()
}

/// Words of `priority`; others write them with or without the dash.
const PRIORITIES: [&str; 6] =
    ["idle", "below-normal", "normal", "above-normal", "high", "realtime"];

/// Returns the word of `priority` that somebody else's word means.
pub(super) fn priority(text: &str) -> Option<&'static str> {
    let bare = |text: &str| text.replace(['-', '_', ' '], "").to_lowercase();
    PRIORITIES.into_iter().find(|word| bare(word) == bare(text))
}

/// A table with nothing in it is left out.
fn insert(service: &mut Table, key: &str, table: InlineTable) {
    if !table.is_empty() {
        service.insert(key, value(table));
    }
}

/// Returns a duration as people write it.
pub(super) fn span(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
    let fitting =
        units.iter().find(|(_, size)| milliseconds >= *size && milliseconds.is_multiple_of(*size));
    match fitting {
        Some((unit, size)) => format!("{}{unit}", milliseconds / size),
        None if milliseconds == 0 => "0s".to_owned(),
        None => format!("{milliseconds}ms"),
    }
}
