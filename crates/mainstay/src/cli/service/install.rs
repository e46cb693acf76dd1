//! `mainstay service install`: a program becomes a service of its own.

pub(in crate::cli) mod account;
mod asked;
mod dialogue;
mod entry;
mod outcome;
pub(in crate::cli) mod own;
mod variables;
mod window;
mod writers;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args as ClapArgs, ValueEnum};
use mainstay_api::config::{self, NewService, SourceText};
use mainstay_platform::{
    scm::{self, Change, Intent, Purpose, Service, Setting, Start, State},
    spawn::{self, Program},
};

use self::{
    account::Account,
    entry::{Entry, Reach},
};
use super::{
    control, database, demand_elevation, failure::FailureArgs, files::FileArgs, grants, kept, list,
    share::ShareArgs, shutdown, source, status, trouble,
};
use crate::{
    cli::add::{Variable, parse_variable},
    errors::CliError,
    place::{self, Place},
    print, typed,
};

/// Whoever has more services is told how they can share an agent.
const CROWD: usize = 10;
/// How long to look whether the program stays up.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// Install a program as a service and start it
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay service install web -- node server.js\n  mainstay service install ddns --start delayed --env TOKEN=x -- C:\\ddns\\ddns.exe -c ddns.toml\n\nIn PowerShell write `--%` before `--`, or quote it: '--'"
)]
pub(super) struct Args {
    /// The service's name; in a terminal you are asked for it, and for everything else
    #[arg(default_value = "", hide_default_value = true)]
    name: String,

    /// The name shown to people
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,

    /// A sentence for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Where the program starts; else this folder
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,

    /// A variable that it gets; may be given several times
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = parse_variable)]
    environment: Vec<Variable>,

    /// Read such variables from a file, `NAME=VALUE` in each line: other users see a command line
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,

    /// When the system starts it
    #[arg(long, value_enum, default_value_t = StartType::Auto)]
    start: StartType,

    /// A service that is started before it; may be given several times
    #[arg(long, value_name = "NAME")]
    depends: Vec<String>,

    /// Whom it runs as; else an account of its own, `NT SERVICE\NAME`. Others: `LocalSystem`,
    /// `LocalService`, `NetworkService`, `DOMAIN\user`, a managed account `DOMAIN\name$`
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// Read the account's password from stdin instead of asking
    #[arg(long)]
    password_stdin: bool,

    /// Let the service write to this folder
    #[arg(long, value_name = "DIR")]
    grant_write: Option<PathBuf>,

    /// Accept that every user can change the program
    #[arg(long)]
    allow_writable: bool,

    #[command(flatten)]
    files: FileArgs,

    #[command(flatten)]
    share: ShareArgs,

    #[command(flatten)]
    failure: FailureArgs,

    /// Do not start it now
    #[arg(long)]
    no_start: bool,

    /// The program and its arguments, behind `--`
    #[arg(last = true, value_name = "PROGRAM")]
    command: Vec<String>,
}

/// When the system starts a service.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StartType {
    /// At boot
    Auto,
    /// About two minutes after boot
    Delayed,
    /// When somebody asks
    Demand,
    /// Never
    Disabled,
}

impl From<StartType> for Start {
    fn from(start: StartType) -> Self {
        match start {
            StartType::Auto => Self::Automatic,
            StartType::Delayed => Self::Delayed,
            StartType::Demand => Self::Demand,
            StartType::Disabled => Self::Disabled,
        }
    }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    if !args.command.is_empty() {
        return install(args).await;
    }
    if !asked::is_possible() {
        let hint = "write `mainstay service install NAME -- PROGRAM ARGUMENTS`, \
                    or `mainstay service install` in a terminal to be asked";
        return Err(CliError::usage("there is no program to install", hint));
    }
    demand_elevation("creating a service")?;
    match asked::ask(&args.name)? {
        Some(args) => install(&args).await,
        None => Err(CliError::refused("nothing was installed", "")),
    }
}

async fn install(args: &Args) -> Result<ExitCode, CliError> {
    super::check_name(&args.name)?;
    if place::is_machine(&args.name) {
        let what = format!("`{}` is the name of the machine's own instance", args.name);
        return Err(CliError::usage(what, "choose another name, or see `mainstay install --help`"));
    }
    demand_elevation("creating a service")?;
    let plan = Plan::of(args)?;
    let account = Account::parse(args.account.as_deref(), &args.name);
    let weak = writers::look(plan.image(), &plan.directory);
    if !args.allow_writable {
        writers::refuse(&account, &weak)?;
    }
    let mut warnings: Vec<String> = weak.iter().map(ToString::to_string).collect();
    warnings.extend(window::warning(plan.image()));
    let password = account.password(args.password_stdin)?;
    let place = free_place(&args.name)?;
    let mut entry = entry::prepare(&account, &plan.reach(args))?;
    entry.warnings.extend(warnings);
    let created = create(args, &plan, &place, (&account, password)).inspect_err(|_| {
        // Nothing is left of what did not become a service.
        grants::revoke(&args.name, &entry.folders);
    });
    let (service, text) = created?;
    if let Err(error) = grants::note(&place, &entry.folders) {
        entry.warnings.push(format!("rights were given and could not be noted: {error}"));
    }
    entry.warnings.extend(settings(args, &service, &text));
    entry.warnings.extend(source::make_known());
    if let Err(error) = account.allow() {
        let what = format!("{} may not log on as a service yet: {error}", account.name());
        entry.warnings.push(format!("{what}; grant it in secpol.msc"));
    }
    print::told(&summary(args, &plan, &account, &entry));
    if let Some(hint) = crowd() {
        print::talk(&hint);
    }
    if args.no_start {
        let hint = format!("`mainstay service start {}` starts it", args.name);
        print::told(&format!("{} is installed; {hint}\n", args.name));
        return Ok(ExitCode::SUCCESS);
    }
    begin(args, &service, &place).await
}

/// Returns what to tell whoever has many: each costs a keeper and an agent of its own.
fn crowd() -> Option<String> {
    let count = database(Purpose::Look).and_then(|database| list::count(&database)).ok()?;
    (count > CROWD).then(|| {
        format!(
            "note: Mainstay keeps {count} services here, each with an agent of its own; one agent can have all:\n      \
             `mainstay install`, then `mainstay add NAME -- PROGRAM` for each"
        )
    })
}

fn summary(args: &Args, plan: &Plan, account: &Account, entry: &Entry) -> String {
    let granted = match entry.granted.as_slice() {
        [] => String::new(),
        granted => format!("    granted: {}", granted.join(", ")),
    };
    let mut text = format!(
        "  program   {}   in {}\n  account   {}{granted}\n",
        plan.shown(),
        plan.directory.display(),
        account.name()
    );
    for warning in &entry.warnings {
        text.push_str(&["  warning   ", warning, "\n"].concat());
    }
    let start = match args.start {
        StartType::Auto => "automatic",
        StartType::Delayed => "automatic, about two minutes after boot",
        StartType::Demand => "on demand",
        StartType::Disabled => "disabled",
    };
    text + &format!("  start     {start}; {}\n", args.failure.in_words())
}

/// Starts it, and says whether its program stays up.
async fn begin(args: &Args, service: &Service, place: &Place) -> Result<ExitCode, CliError> {
    control::begin(service, &args.name)?;
    let status = control::settled(service, State::Running, LOOK_FOR).await?;
    let name = typed::shown(&args.name);
    let next = format!("  why       mainstay why {name}\n");
    let remove = format!("  remove    mainstay service remove {name}\n");
    if status.state != State::Running {
        print::told(&format!("{name} is {}\n{next}{remove}", status::in_words(&status)));
        return Ok(ExitCode::from(1));
    }
    let outcome = outcome::watch(place).await?;
    print::told(&(outcome.told(&name) + &outcome.next(&name) + &next + &remove));
    Ok(ExitCode::from(u8::from(!outcome.is_well())))
}

/// What is going to be installed, with everything found out that can be wrong.
struct Plan {
    /// The program by its absolute path, and its arguments.
    command: Vec<String>,
    directory: PathBuf,
    environment: Vec<Variable>,
    /// Where files of the user's own lie that get what it says.
    log_folders: Vec<PathBuf>,
}

impl Plan {
    fn of(args: &Args) -> Result<Self, CliError> {
        let directory = directory(args.directory.as_deref())?;
        let image = image(&args.command, &directory)?;
        let rest = args.command.iter().skip(1).cloned();
        let command = [image.display().to_string()].into_iter().chain(rest).collect();
        let log_folders = args.files.folders()?;
        let file = args.env_file.as_deref().map(variables::read).transpose()?;
        let environment = file.into_iter().flatten().chain(args.environment.clone()).collect();
        Ok(Self { command, directory, environment, log_folders })
    }

    fn image(&self) -> &Path {
        Path::new(self.command.first().map(String::as_str).unwrap_or_default())
    }

    fn reach<'a>(&'a self, args: &'a Args) -> Reach<'a> {
        let writes = args.grant_write.iter().chain(&self.log_folders);
        let writes = writes.map(PathBuf::as_path).collect();
        Reach { service: &args.name, image: self.image(), directory: &self.directory, writes }
    }

    fn shown(&self) -> String {
        scm::quoted(&self.command)
    }

    /// The configuration as a person would write it.
    fn configuration(&self, unit: &str) -> Result<String, CliError> {
        let service = NewService {
            command: self.command.clone(),
            directory: Some(self.directory.display().to_string()),
            environment: self.environment.clone(),
            ..NewService::default()
        };
        config::add("", unit, &service).map_err(|error| CliError::bug(error.to_string()))
    }
}

fn directory(given: Option<&Path>) -> Result<PathBuf, CliError> {
    let folder = given.unwrap_or_else(|| Path::new("."));
    let absolute = std::path::absolute(folder).ok().filter(|folder| folder.is_dir());
    absolute.ok_or_else(|| {
        let what = format!("there is no folder `{}`", folder.display());
        CliError::refused(what, "name one that exists with `--directory`")
    })
}

/// Services have another `PATH` than this terminal, so the program is looked for now: in its
/// folder first, as the shell does, then in `PATH`.
fn image(command: &[String], directory: &Path) -> Result<PathBuf, CliError> {
    let name = command.first().map(String::as_str).unwrap_or_default();
    let here = [format!("./{name}")];
    look_for(&here, directory).or_else(|_| look_for(command, directory)).map_err(|error| {
        let is_nowhere = error.kind() == io::ErrorKind::NotFound;
        let nowhere = "it is neither here nor in a folder of PATH".to_owned();
        let why = if is_nowhere { nowhere } else { error.to_string() };
        let what = format!("cannot find the program `{name}`: {why}");
        CliError::refused(what, "name it by its whole path")
    })
}

fn look_for(command: &[String], directory: &Path) -> io::Result<PathBuf> {
    spawn::image_of(&Program {
        directory: Some(directory.to_owned()),
        ..Program::new("install", command, spawn::own_environment())
    })
}

/// Returns the place of a service that is not there yet.
fn free_place(name: &str) -> Result<Place, CliError> {
    if database(Purpose::Look)?.service(name, Intent::Look).is_ok() {
        let exists = io::Error::from_raw_os_error(scm::code::EXISTS);
        return Err(trouble::refused(&format!("install `{name}`"), &exists));
    }
    Place::of(name).map_err(|error| trouble::refused("find its folder", &error))
}

/// Returns the configuration with everything in it that was asked for.
fn configuration(args: &Args, plan: &Plan, unit: &str) -> Result<String, CliError> {
    let text = plan.configuration(unit)?;
    let text = args
        .failure
        .configured(text, unit)
        .and_then(|text| args.files.configured(text, unit))
        .and_then(|text| args.share.configured(text, unit))
        .map_err(|error| CliError::bug(error.to_string()))?;
    let source = SourceText { file: &args.name, bytes: text.as_bytes() };
    let refused =
        |found: Vec<_>| CliError::refused(config::render(&found), "nothing was installed");
    config::parse(&[source]).map_err(refused)?;
    Ok(text)
}

/// Creates the service, which settles whose the name is, then its configuration: it cannot be
/// started before that is there. Returns both.
fn create(
    args: &Args,
    plan: &Plan,
    place: &Place,
    (account, password): (&Account, Option<String>),
) -> Result<(Service, String), CliError> {
    let text = configuration(args, plan, &place.unit())?;
    let own = own::install().map_err(failed("install our own program"))?;
    let first = Change {
        display_name: args.display_name.clone(),
        command_line: Some(command_line(&own, &args.name)),
        start: Some(Start::Disabled),
        account: Some(account.name()),
        password,
        dependencies: Some(args.depends.clone()).filter(|names| !names.is_empty()),
    };
    let doing = format!("install `{}`", args.name);
    let refused = |error: io::Error| trouble::refused(&doing, &error);
    let service = database(Purpose::Create)?.create(&args.name, &first).map_err(refused)?;
    let last = Change { start: Some(args.start.into()), ..Change::default() };
    let filled = fill(place, &text).and_then(|()| service.change(&last).map_err(refused));
    match filled {
        Ok(()) => Ok((service, text)),
        Err(error) => {
            // What is told is why it went wrong, not what followed from that.
            drop(service.delete());
            Err(error)
        }
    }
}

/// Creates its folders, and writes its configuration.
fn fill(place: &Place, text: &str) -> Result<(), CliError> {
    let doing = format!("use the folder `{}`", place.folder().display());
    place.create().map_err(|error| trouble::refused(&doing, &error))?;
    kept::configure(&place.located().file, text).map_err(failed("write the configuration"))
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> CliError {
    move |error| trouble::refused(doing, &error)
}

/// Both are always quoted: a path with a space would be looked for at every space.
pub(in crate::cli) fn command_line(own: &Path, name: &str) -> String {
    format!("\"{}\" keeper --service \"{name}\"", own.display())
}

/// Sets what stands beside the record; returns what the system does not have.
fn settings(args: &Args, service: &Service, text: &str) -> Vec<String> {
    let mut wanted = args.failure.first_settings();
    wanted.push(shutdown::setting_for(text));
    wanted.push(Setting::OwnIdentity);
    // An agent whose keeper is gone starts its service; see `mainstay_agent`.
    wanted.extend(scm::identity_of(&args.name).ok().map(Setting::MayStart));
    wanted.extend(args.description.clone().map(Setting::Description));
    set_all(service, &wanted)
}

/// Sets what the system has; returns what it has not, or refuses, for people.
pub(in crate::cli) fn set_all(service: &Service, wanted: &[Setting]) -> Vec<String> {
    let refused = wanted.iter().filter_map(|setting| {
        let error = service.set(setting).err()?;
        let name = setting.name();
        Some(if scm::is_lacking(&error) {
            format!("this system does not have {name}")
        } else {
            format!("{name} could not be set: {error}")
        })
    });
    refused.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_quoted_whatever_is_in_it() {
        let own = Path::new(r"C:\Program Files\Mainstay\mainstay.exe");
        let expected = r#""C:\Program Files\Mainstay\mainstay.exe" keeper --service "my web""#;
        assert_eq!(command_line(own, "my web"), expected);
    }
}
