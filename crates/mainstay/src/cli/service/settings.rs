//! `mainstay service get|set|dump|edit`: the settings of an installed service. Some are the
//! manager's, the others stand in its configuration file.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args as ClapArgs;
use mainstay_api::config::{self, SourceText};
use mainstay_platform::scm::{self, Change, Intent, Record, Service, Setting, Start};
use mainstay_storage::atomic;

use super::{
    demand_elevation,
    failure::{self, FailureArgs},
    files::{self, FileArgs},
    ours, service, share, shutdown, trouble,
};
use crate::{
    errors::CliError,
    place::Place,
    print,
    typed::{self, Reader},
};

/// Settings that the manager keeps; every other key is one of the configuration.
const OF_MANAGER: [&str; 4] = ["display-name", "description", "start", "depends"];

/// Show what a key of a service is set to
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay service get web command\n  mainstay service get web start"
)]
pub(super) struct GetArgs {
    /// The service's name
    name: String,
    /// A key of the configuration such as `restart.delay`, or of the manager: display-name,
    /// description, start, depends
    key: String,
}

/// Change keys of a service
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay service set web restart.delay=5s environment.PORT=8081\n  mainstay service set web start=delayed\n  mainstay service set web --unset directory"
)]
pub(super) struct SetArgs {
    /// The service's name
    name: String,
    /// What to set; may be given several times
    #[arg(value_name = "KEY=VALUE", required_unless_present = "unset")]
    pairs: Vec<String>,
    /// A key of the configuration to take out; may be given several times
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
}

/// Print the lines that install this service anew
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay service dump web > web.cmd")]
pub(super) struct DumpArgs {
    /// The service's name
    name: String,

    /// Print the values of variables, too, which may be secrets
    #[arg(long)]
    show_values: bool,
}

pub(super) fn get(args: &GetArgs) -> Result<ExitCode, CliError> {
    let found = if OF_MANAGER.contains(&args.key.as_str()) {
        of_manager(&service(&args.name, Intent::Look)?, &args.key)?
    } else {
        let file = Configuration::of(&args.name)?;
        config::get(&file.text, &file.unit, &args.key).map_err(|error| file.refused(&error))?
    };
    let Some(text) = found else {
        print::talk(&format!("`{}` is not set; its default holds", args.key));
        return Ok(ExitCode::from(1));
    };
    print::data(&(text + "\n"));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn set(args: &SetArgs) -> Result<ExitCode, CliError> {
    demand_elevation("changing a service")?;
    ours(&args.name, Intent::Look)?;
    let mut pairs = Vec::new();
    for pair in &args.pairs {
        let hint = "write `KEY=VALUE`, for example `restart.delay=5s`";
        let parts = pair.split_once('=').filter(|(key, _)| !key.is_empty());
        pairs.push(parts.ok_or_else(|| CliError::usage(format!("`{pair}` sets nothing"), hint))?);
    }
    let is_managers = |(key, _): &(&str, &str)| OF_MANAGER.contains(key);
    let (managers, own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(is_managers);
    // What can be wrong comes first, so that nothing is half done.
    let file = Configuration::of(&args.name)?;
    let text = file.changed(&own, &args.unset)?;
    let change = of_pairs(&managers)?;
    if let Some(text) = &text {
        file.replace(text)?;
    }
    if let Err(error) = change_manager(&args.name, change) {
        // The other half is taken back, as far as that is possible.
        text.map_or(Ok(()), |_| file.replace(&file.text))?;
        return Err(error);
    }
    if text.is_some() {
        file.say_how_to_apply();
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn dump(args: &DumpArgs) -> Result<ExitCode, CliError> {
    let found = service(&args.name, Intent::Look)?;
    let record = found.record().map_err(|error| look(&args.name, &error))?;
    let file = Configuration::of(&args.name)?;
    let parsed = config::parse(&[file.source()])
        .map_err(|found| CliError::refused(config::render(&found), ""))?;
    let Some(configured) = parsed.services.values().next() else {
        return Err(file.refused(&config::EditError::Missing(file.unit.clone())));
    };
    let mut options = share::options_of(&configured.share);
    options.extend(files::options_of(configured));
    options.extend(failure::options_of(configured, Some(&found)));
    if !args.show_values && !configured.environment.is_empty() {
        let names: Vec<&str> = configured.environment.keys().map(String::as_str).collect();
        let (names, file) = (names.join(", "), env_file(&args.name));
        print::talk(&format!("write NAME=VALUE for {names} into {file}, a line each;"));
        print::talk("`--show-values` puts them into the line");
    }
    let values = if args.show_values { Values::Show } else { Values::Hide };
    let words = install_words(&args.name, &record, (configured, options), values);
    let line = typed::line(&words, Reader::File).ok_or_else(|| {
        CliError::refused("no line can say it: a word has a line break", "copy its configuration")
    })?;
    print::data(&(line + "\n"));
    print::talk("keys beyond these stand in its configuration file:");
    print::talk(&file.path.display().to_string());
    Ok(ExitCode::SUCCESS)
}

/// Whether the values of variables stand in the line: many are secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    Hide,
    Show,
}

/// What to call the file that the line takes the values from.
fn env_file(name: &str) -> String {
    format!("{name}.env")
}

fn install_words(
    name: &str,
    record: &Record,
    (configured, options): (&config::ServiceConfig, Vec<failure::Opted>),
    values: Values,
) -> Vec<String> {
    let mut words: Vec<String> = ["mainstay", "service", "install", name].map(str::to_owned).into();
    let mut option = |key: &str, value: String| words.extend([format!("--{key}"), value]);
    option("start", start_word(record.start).to_owned());
    option("account", record.account.clone());
    if !record.display_name.is_empty() && record.display_name != name {
        option("display-name", record.display_name.clone());
    }
    for one in &record.dependencies {
        option("depends", one.clone());
    }
    if let Some(folder) = &configured.directory {
        option("directory", folder.clone());
    }
    if values == Values::Hide && !configured.environment.is_empty() {
        option("env-file", env_file(name));
    } else {
        for (key, value) in &configured.environment {
            option("env", format!("{key}={value}"));
        }
    }
    for (key, text) in options {
        option(key, text);
    }
    if configured.logs.path.at_start {
        words.push("--rotate-at-start".to_owned());
    }
    words.push("--".to_owned());
    words.extend(configured.command.iter().cloned());
    words
}

fn of_manager(service: &Service, key: &str) -> Result<Option<String>, CliError> {
    let refused = |error: io::Error| look("the service", &error);
    if key == "description" {
        return Ok(Some(service.description().map_err(refused)?));
    }
    let record = service.record().map_err(refused)?;
    Ok(Some(match key {
        "display-name" => record.display_name,
        "start" => start_word(record.start).to_owned(),
        _ => record.dependencies.join(" "),
    }))
}

/// What the manager is to be told, with a description.
type Managers = Option<(Change, Option<Setting>)>;

fn of_pairs(pairs: &[(&str, &str)]) -> Result<Managers, CliError> {
    let mut change = Change::default();
    let mut description = None;
    for (key, typed) in pairs {
        match *key {
            "display-name" => change.display_name = Some((*typed).to_owned()),
            "start" => change.start = Some(start_of(typed)?),
            "depends" => {
                change.dependencies = Some(typed.split_whitespace().map(str::to_owned).collect());
            }
            _ => description = Some(Setting::Description((*typed).to_owned())),
        }
    }
    Ok((!pairs.is_empty()).then_some((change, description)))
}

fn change_manager(name: &str, change: Managers) -> Result<(), CliError> {
    let Some((change, description)) = change else { return Ok(()) };
    let service = ours(name, Intent::Change)?;
    let refused = |error: io::Error| trouble::refused(&format!("change `{name}`"), &error);
    service.change(&change).map_err(refused)?;
    description.map_or(Ok(()), |setting| service.set(&setting).map_err(refused))
}

const STARTS: [(&str, Start); 4] = [
    ("auto", Start::Automatic),
    ("delayed", Start::Delayed),
    ("demand", Start::Demand),
    ("disabled", Start::Disabled),
];

fn start_of(typed: &str) -> Result<Start, CliError> {
    let found = STARTS.into_iter().find(|(word, _)| *word == typed);
    let hint = "write auto, delayed, demand or disabled";
    found
        .map(|(_, start)| start)
        .ok_or_else(|| CliError::usage(format!("`{typed}` is no way to start"), hint))
}

fn start_word(start: Start) -> &'static str {
    STARTS.into_iter().find(|(_, one)| *one == start).map_or("demand", |(word, _)| word)
}

fn look(name: &str, error: &io::Error) -> CliError {
    trouble::refused(&format!("look at {name}"), error)
}

/// The configuration file of a service.
pub(super) struct Configuration {
    name: String,
    pub(super) path: PathBuf,
    shown: String,
    unit: String,
    pub(super) text: String,
}

impl Configuration {
    pub(super) fn of(name: &str) -> Result<Self, CliError> {
        super::check_name(name)?;
        let place = Place::of(name).map_err(|error| look(name, &error))?;
        let path = place.located().file;
        let text = fs::read_to_string(&path).map_err(|error| {
            let what = format!("cannot read `{}`: {error}", path.display());
            let hint = if error.kind() == io::ErrorKind::PermissionDenied {
                "ask in an elevated terminal"
            } else {
                "`mainstay service list` shows the services of Mainstay"
            };
            CliError::refused(what, hint)
        })?;
        let shown = path.display().to_string();
        Ok(Self { name: name.to_owned(), shown, unit: place.unit(), path, text })
    }

    fn source(&self) -> SourceText<'_> {
        SourceText { file: &self.shown, bytes: self.text.as_bytes() }
    }

    /// Returns the text with the changes in it, when there are any and they are right.
    fn changed(&self, set: &[(&str, &str)], unset: &[String]) -> Result<Option<String>, CliError> {
        let mut text = self.text.clone();
        for (key, typed) in set {
            text =
                config::set(&text, &self.unit, key, typed).map_err(|error| self.refused(&error))?;
        }
        for key in unset {
            text = config::unset(&text, &self.unit, key).map_err(|error| self.refused(&error))?;
        }
        self.check(&text)?;
        Ok(Some(text).filter(|text| *text != self.text))
    }

    /// Returns the text with what is to follow failures in it, and files for the output.
    pub(super) fn with(&self, failure: &FailureArgs, files: &FileArgs) -> Result<String, CliError> {
        let text = failure
            .configured(self.text.clone(), &self.unit)
            .and_then(|text| files.configured(text, &self.unit))
            .map_err(|error| self.refused(&error))?;
        self.check(&text)?;
        Ok(text)
    }

    /// Returns what is wrong with a text that is to take the place of this one.
    pub(super) fn check(&self, text: &str) -> Result<(), CliError> {
        let source = SourceText { file: &self.shown, bytes: text.as_bytes() };
        let parsed = config::parse(&[source])
            .map_err(|found| CliError::refused(config::render(&found), "nothing was changed"))?;
        if parsed.services.len() == 1 {
            return Ok(());
        }
        let what = format!("{}: a service of its own has one `[services.…]`", self.shown);
        Err(CliError::refused(what, "`mainstay add` puts several under one agent"))
    }

    /// Tells whoever has changed it what is left to do.
    pub(super) fn say_how_to_apply(&self) {
        let restart = typed::shown(&self.name);
        print::talk(&format!("`mainstay service restart {restart}` makes it so"));
    }

    pub(super) fn replace(&self, text: &str) -> Result<(), CliError> {
        atomic::replace(&self.path, text.as_bytes(), |path: &Path| File::create(path)).map_err(
            |error| CliError::refused(format!("cannot write `{}`: {error}", self.shown), ""),
        )?;
        self.tell_manager(text);
        Ok(())
    }

    /// A system without such a time has nothing to be told.
    fn tell_manager(&self, text: &str) {
        let Ok(service) = ours(&self.name, Intent::Change) else { return };
        match service.set(&shutdown::setting_for(text)) {
            Err(error) if !scm::is_lacking(&error) => {
                print::talk(&format!("warning: the time before a shutdown stays: {error}"));
            }
            Ok(()) | Err(_) => {}
        }
    }

    fn refused(&self, error: &config::EditError) -> CliError {
        CliError::refused(format!("{}: {error}", self.shown), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_the_line_that_installs_it_anew() {
        let record = Record {
            form: scm::Form::OwnProcess,
            display_name: "The site".to_owned(),
            command_line: String::new(),
            start: Start::Delayed,
            account: "LocalSystem".to_owned(),
            dependencies: vec!["Tcpip".to_owned()],
        };
        let text = "[services.web]\ncommand = [\"node\", \"server.js\"]\nenvironment = { PORT = \"80\" }\n";
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        let parsed = config::parse(&[source]).unwrap();
        let line = parsed.services.values().next().unwrap();
        let failure = vec![("on-failure", "scm".to_owned())];
        let said = |values| {
            let words = install_words("web", &record, (line, failure.clone()), values);
            typed::line(&words, Reader::File).unwrap()
        };
        assert!(said(Values::Hide).contains(" --env-file web.env "), "{}", said(Values::Hide));
        let line = said(Values::Show);
        assert!(
            line.starts_with(
                "mainstay service install web --start delayed --account LocalSystem --display-name "
            ),
            "{line}"
        );
        assert!(
            line.ends_with(
                " --depends Tcpip --directory . --env PORT=80 --on-failure scm -- node server.js"
            ),
            "{line}"
        );
    }

    #[test]
    fn a_way_to_start_is_known_by_its_word() {
        for (word, start) in STARTS {
            assert_eq!(start_word(start), word);
            assert_eq!(start_of(word), Ok(start));
        }
        start_of("sometimes").unwrap_err();
    }
}
