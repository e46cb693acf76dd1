//! `mainstay install` and `mainstay uninstall`: the machine's own instance, a service that is
//! started at boot and keeps any number of programs.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args as ClapArgs;
use mainstay_agent::configuration;
use mainstay_api::config::Config;
use mainstay_core::ServiceName;
use mainstay_platform::scm::{
    self, Change, Intent, Purpose as Wanted, Service, Setting, Start, State, Status, code,
};
use mainstay_storage::atomic;

use super::service::{
    self, control, demand_elevation,
    install::{command_line, own, set_all},
    list, recovery,
    remove::{self, Purge},
    source, trouble,
};
use crate::{
    errors::CliError,
    place::{MACHINE, Place},
    print,
};

const DISPLAY_NAME: &str = "Mainstay";
const DESCRIPTION: &str = "Keeps programs running.";
/// What the machine's configuration begins as.
const EMPTY: &str = "# The programs of this machine; `mainstay add NAME -- PROGRAM` writes here.\n";
/// How long to look whether it comes up.
const LOOK_FOR: Duration = Duration::from_secs(10);
/// What keeper and agent need beside their programs to end.
pub(in crate::cli) const OWN_TIME: Duration = Duration::from_secs(5);

/// Install Mainstay as a service of this machine, started at boot
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay install\n  mainstay install --config programs.toml --delayed\n\nThen `mainstay add NAME -- PROGRAM` and `mainstay status` work from everywhere. Doing it again sets everything anew and stops nothing."
)]
pub(super) struct Args {
    /// Begin with a copy of this configuration
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Start it about two minutes after boot
    #[arg(long)]
    delayed: bool,

    /// Do not start it now
    #[arg(long)]
    no_start: bool,
}

/// Stop the service of this machine and remove it
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay uninstall\n  mainstay uninstall --purge     its configuration and logs, too"
)]
pub(super) struct UninstallArgs {
    /// Delete its configuration, logs and state, too
    #[arg(long)]
    purge: bool,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    demand_elevation("installing Mainstay")?;
    let place = Place::of(MACHINE).map_err(failed("find its folder"))?;
    let former = former()?;
    let config = configure(args.config.as_deref(), &place)?;
    let own = own::install().map_err(failed("install our own program"))?;
    let start = if args.delayed { Start::Delayed } else { Start::Automatic };
    let service = register(former, command_line(&own, MACHINE), start)?;
    let mut warnings = set_all(&service, &settings(&config));
    warnings.extend(source::make_known());
    print::told(&summary(&own, &place, start, &warnings));
    if args.no_start {
        print::told("mainstay is installed; `mainstay service start mainstay` starts it\n");
        return Ok(ExitCode::SUCCESS);
    }
    let status = begin(&service).await?;
    print::told(&format!("mainstay is {}\n", service::status::in_words(&status)));
    print::told("  next      mainstay add NAME -- PROGRAM\n  remove    mainstay uninstall\n");
    Ok(ExitCode::from(u8::from(status.state != State::Running)))
}

pub(super) async fn uninstall(args: &UninstallArgs) -> Result<ExitCode, CliError> {
    demand_elevation("removing Mainstay")?;
    if former()?.is_none() {
        let missing = io::Error::from_raw_os_error(code::NO_SUCH_SERVICE);
        return Err(trouble::refused("remove `mainstay`", &missing));
    }
    let purge = if args.purge { Purge::Yes } else { Purge::No };
    remove::from_system(MACHINE, purge).await?;
    Ok(ExitCode::SUCCESS)
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> CliError {
    move |error| trouble::refused(doing, &error)
}

/// Returns the service when it is there already; one of somebody else is left alone.
fn former() -> Result<Option<Service>, CliError> {
    let doing = "install `mainstay`";
    let database = service::database(Wanted::Look)?;
    let found = match database.service(MACHINE, Intent::Change) {
        Err(error) if error.raw_os_error() == Some(code::NO_SUCH_SERVICE) => return Ok(None),
        found => found.map_err(|error| trouble::refused(doing, &error))?,
    };
    let record = found.record().map_err(|error| trouble::refused(doing, &error))?;
    if list::is_ours(&record.command_line) {
        return Ok(Some(found));
    }
    let what = format!("there is a service `mainstay` that runs `{}`", record.command_line);
    Err(CliError::refused(
        what,
        "it is not ours; remove it with `sc delete mainstay` if nobody needs it",
    ))
}

/// Puts the configuration where only administrators may change it, and reads it.
fn configure(wanted: Option<&Path>, place: &Place) -> Result<Config, CliError> {
    let file = place.located().file;
    let text = wanted.map(read).transpose()?;
    place.create().map_err(|error| {
        let doing = format!("use the folder `{}`", place.folder().display());
        trouble::refused(&doing, &error)
    })?;
    let written = match text {
        Some(text) => replace(&file, &text),
        None if file.exists() => Ok(()),
        None => write(&file, EMPTY.as_bytes()),
    };
    written.map_err(failed("write the configuration"))?;
    configuration::load(&file).map_err(|found| {
        CliError::refused(mainstay_api::config::render(&found), "nothing was installed")
    })
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let refused = |why: String| CliError::refused(why, "nothing was installed");
    configuration::load(file)
        .map_err(|found| refused(mainstay_api::config::render(&found)))
        .map(drop)?;
    fs::read(file).map_err(|error| refused(format!("cannot read `{}`: {error}", file.display())))
}

/// What was there before makes way, but is kept.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|found| found != text && found != EMPTY.as_bytes()) {
        let aside = file.with_extension("toml.former");
        fs::rename(file, &aside)?;
        print::talk(&format!("the configuration of an earlier time is in {}", aside.display()));
    }
    write(file, text)
}

fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    atomic::replace(file, bytes, |path| File::create(path))
}

/// Makes the service, or makes the one there is what it should be.
fn register(
    former: Option<Service>,
    command_line: String,
    start: Start,
) -> Result<Service, CliError> {
    let wanted = Change {
        display_name: Some(DISPLAY_NAME.to_owned()),
        command_line: Some(command_line),
        start: Some(start),
        account: Some("LocalSystem".to_owned()),
        ..Change::default()
    };
    let refused = |error: io::Error| trouble::refused("install `mainstay`", &error);
    if let Some(service) = former {
        service.change(&wanted).map_err(refused)?;
        return Ok(service);
    }
    service::database(Wanted::Create)?.create(MACHINE, &wanted).map_err(refused)
}

/// Its programs are no end of it, so an end is a failure: the system starts it again.
fn settings(config: &Config) -> Vec<Setting> {
    let mut settings = vec![
        Setting::Description(DESCRIPTION.to_owned()),
        Setting::Recovery(recovery::usual()),
        Setting::RecoverAfterFailure(true),
        Setting::PreshutdownTimeout(longest_stop(config) + OWN_TIME),
        Setting::OwnIdentity,
        Setting::OthersLook,
    ];
    settings.extend(scm::identity_of(MACHINE).ok().map(Setting::MayStart));
    settings
}

/// Returns how long a stop of everything may take: who requires others is stopped before them.
pub(in crate::cli) fn longest_stop(config: &Config) -> Duration {
    let mut known = BTreeMap::new();
    let all = config.services.keys().map(|name| chain_from(config, name, &mut known));
    all.max().unwrap_or_default()
}

/// Returns how long a service and what it requires take one after the other; there are no circles
/// in a configuration that was accepted.
fn chain_from<'a>(
    config: &'a Config,
    name: &'a ServiceName,
    known: &mut BTreeMap<&'a ServiceName, Duration>,
) -> Duration {
    if let Some(found) = known.get(name) {
        return *found;
    }
    let Some(service) = config.services.get(name) else { return Duration::ZERO };
    let below = service.requires.iter().map(|other| chain_from(config, other, known)).max();
    let whole = service.stop.timeout + below.unwrap_or_default();
    known.insert(name, whole);
    whole
}

fn summary(own: &Path, place: &Place, start: Start, warnings: &[String]) -> String {
    let start = match start {
        Start::Delayed => "automatic, about two minutes after boot",
        Start::Automatic | Start::Demand | Start::Disabled => "automatic",
    };
    let mut text = format!(
        "  program   {}\n  account   LocalSystem\n  configured in {}\n  start     {start}\n",
        own.display(),
        place.located().file.display()
    );
    for warning in warnings {
        text.push_str(&["  warning   ", warning, "\n"].concat());
    }
    text
}

/// Starts it, unless it runs.
async fn begin(service: &Service) -> Result<Status, CliError> {
    if control::status(service, MACHINE)?.state != State::Running {
        control::begin(service, MACHINE)?;
    }
    control::settled(service, State::Running, LOOK_FOR).await
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::{self, SourceText};

    use super::*;

    #[test]
    fn a_shutdown_has_time_for_the_longest_row_of_stops() {
        let check = |text: &str, expected: u64| {
            let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
            let config = config::parse(&[source]).unwrap();
            assert_eq!(longest_stop(&config), Duration::from_secs(expected));
        };
        check("", 0);
        check("[services.a]\ncommand = [\"a\"]\n", 30);
        check(
            "[services.a]\ncommand = [\"a\"]\nrequires = [\"b\", \"c\"]\nstop = { timeout = \"7s\" }\n\
             [services.b]\ncommand = [\"b\"]\nstop = { timeout = \"5s\" }\n\
             [services.c]\ncommand = [\"c\"]\nrequires = [\"b\"]\nstop = { timeout = \"1s\" }\n",
            13,
        );
    }
}
