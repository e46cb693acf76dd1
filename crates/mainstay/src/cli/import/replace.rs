//! Taking a service over in place, and giving it back.
//!
//! Of what the manager knows only the command line of the service changes: account, stored
//! password, dependencies, and recovery where there is any stay, and so does whatever the former
//! wrapper keeps for itself. What a keeper needs beside that is added, and noted: see `added`. Going
//! back needs nothing but that note and the former command line; both lie in the service's folder
//! beside an export of its whole key.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use mainstay_platform::{
    registry,
    scm::{Change, Intent, Record, Service, State},
};
use mainstay_storage::atomic;

use super::{added, configuration, find::SERVICES, untranslatable};
use crate::{
    cli::service::{
        self, control,
        install::{self, account::Account},
        kept, list, status, trouble,
    },
    errors::CliError,
    foreign::{Belonging, Translation, belonging, demand_own_process},
    place::Place,
    print,
};

/// How long to look whether the program stays up.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// What whoever takes services over has said of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    /// Where the settings stand, if that is a file.
    pub(super) file: Option<&'a Path>,
    pub(super) doubts: Doubts,
}

/// What to do where it is not certain that it will work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubts {
    Refuse,
    Accept,
}

/// Lets Mainstay run a service.
pub(super) async fn replace(translation: &Translation, wish: Wish<'_>) -> Result<(), CliError> {
    let name = &translation.registered.name;
    service::demand_elevation("taking over a service")?;
    let service = service::service(name, Intent::Change)?;
    let former = record(&service, name)?;
    look_whose(translation, &former, wish)?;
    let account = Account::parse(Some(&former.account), name);
    let (place, text) = configuration(translation)?;
    keep_former(&place, translation.wrapper.word(), &former.command_line)
        .map_err(failed("keep what it was"))?;
    warn(admit(&place, &account));
    kept::configure(&place.located().file, &text).map_err(failed("write the configuration"))?;
    let own = install::own::install().map_err(failed("install our own program"))?;
    let did_run = end(&service, name).await?;
    change(&service, install::command_line(&own, name)).map_err(failed("change the service"))?;
    added::add(&service, &place, &text);
    warn(service::source::make_known());
    print::told(&format!(
        "{name} is run by Mainstay; `mainstay import {} {name} --undo` gives it back\n",
        translation.wrapper.word()
    ));
    begin_again(&service, name, did_run).await
}

/// Lets the former wrapper run a service again; our configuration and logs stay.
pub(super) async fn undo(name: &str) -> Result<ExitCode, CliError> {
    service::demand_elevation("giving back a service")?;
    let service = service::service(name, Intent::Change)?;
    let place = Place::of(name).map_err(failed("find its folder"))?;
    let kept = former_of(&place);
    let former = std::fs::read_to_string(&kept).map_err(|error| {
        let what =
            format!("`{name}` was not taken over: cannot read `{}`: {error}", kept.display());
        CliError::refused(what, "`mainstay service remove NAME` removes a service of ours")
    })?;
    let did_run = end(&service, name).await?;
    change(&service, former).map_err(failed("change the service"))?;
    added::take_back(&service, &place);
    std::fs::remove_file(&kept).map_err(failed("forget what it was"))?;
    warn(service::source::forget_with_the_last());
    print::told(&format!("{name} is run as before\n"));
    begin_again(&service, name, did_run).await?;
    Ok(ExitCode::SUCCESS)
}

fn warn(warning: Option<String>) {
    if let Some(warning) = warning {
        print::talk(&format!("warning: {warning}"));
    }
}

/// The service's own identity, for which its folders are made, is in its processes at the latest
/// after the next start of the system; the account's is there from the beginning.
fn admit(place: &Place, account: &Account) -> Option<String> {
    let error = place.admit(&account.identity()?).err()?;
    let folder = place.folder();
    Some(format!("{} may not enter {}: {error}", account.name(), folder.display()))
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> CliError {
    move |error| trouble::refused(doing, &error)
}

fn record(service: &Service, name: &str) -> Result<Record, CliError> {
    service.record().map_err(|error| trouble::refused(&format!("look at `{name}`"), &error))
}

/// Refuses what is no service of that wrapper, by the program that it runs.
fn look_whose(translation: &Translation, former: &Record, wish: Wish<'_>) -> Result<(), CliError> {
    let name = &translation.registered.name;
    let line = &former.command_line;
    if list::is_ours(line) {
        let hint = format!("`mainstay service status {name}` shows it");
        return Err(CliError::refused(format!("`{name}` is ours already"), hint));
    }
    demand_own_process(name, former.form).map_err(|reason| untranslatable(name, reason))?;
    let file = wish.file.map(|file| file.display().to_string());
    match belonging(translation.wrapper, line, file.as_deref()) {
        Belonging::Certain => Ok(()),
        Belonging::Doubtful(why) if wish.doubts == Doubts::Accept => {
            print::talk(&format!("taken over though {why}"));
            Ok(())
        }
        Belonging::Doubtful(why) => {
            let what = format!("`{name}` is not taken over: {why}");
            let hint = "`--replace --yes` does it all the same, and `--undo` gives it back";
            Err(CliError::refused(what, hint))
        }
        Belonging::Another(why) => {
            let what = format!("`{name}` is not taken over: {why}");
            Err(CliError::refused(what, "its `<id>` names another service: look into the file"))
        }
    }
}

/// Nothing that is kept is overwritten: the first export is the one of the former wrapper.
fn keep_former(place: &Place, wrapper: &str, command_line: &str) -> io::Result<()> {
    place.create()?;
    let export = export_of(place, wrapper);
    if !export.exists() {
        let text = registry::export(&format!(r"{SERVICES}\{}", place.name))?;
        write(&export, &registry::encoded(&text))?;
    }
    write(&former_of(place), command_line.as_bytes())
}

/// An export may be imported by hand: `reg import web.nssm.reg`.
fn export_of(place: &Place, wrapper: &str) -> PathBuf {
    let folder = place.folder();
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{wrapper}.reg"));
    folder.join(name)
}

fn former_of(place: &Place) -> PathBuf {
    place.folder().join("former-command-line")
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    atomic::replace(path, bytes, |path| File::create(path))
}

fn change(service: &Service, command_line: String) -> io::Result<()> {
    service.change(&Change { command_line: Some(command_line), ..Change::default() })
}

/// Stops a service; returns whether it ran.
async fn end(service: &Service, name: &str) -> Result<bool, CliError> {
    let did_run = control::status(service, name)?.state != State::Stopped;
    control::end(service, name).await?;
    Ok(did_run)
}

async fn begin_again(service: &Service, name: &str, did_run: bool) -> Result<(), CliError> {
    if !did_run {
        return Ok(());
    }
    control::begin(service, name)?;
    let status = control::settled(service, State::Running, LOOK_FOR).await?;
    print::told(&format!("{name} is {}\n", status::in_words(&status)));
    if status.state != State::Running {
        let hint = "`mainstay why NAME` tells more; `mainstay import … --undo` gives it back";
        return Err(CliError::refused(format!("`{name}` does not stay up"), hint));
    }
    Ok(())
}
