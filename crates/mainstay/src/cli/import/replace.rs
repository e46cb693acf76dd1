//! Taking a service over in place, and giving it back.
//!
//! Of what the manager knows only the command line of the service changes: account, stored
//! password, rights, dependencies and recovery stay, and so does whatever the former wrapper keeps
//! for itself. (The service also gets an identity of its own for access lists and time before a
//! shutdown, which harm no other wrapper.) That is why going back needs nothing but the former
//! command line, which lies in the service's folder beside an export of its whole key.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use mainstay_platform::{
    registry,
    scm::{Change, Intent, Service, Setting, State},
};
use mainstay_storage::atomic;

use super::{configuration, find::SERVICES};
use crate::{
    cli::service::{self, control, install, list, status, trouble},
    errors::CliError,
    foreign::Translation,
    place::Place,
    print,
};

/// How long to look whether the program stays up.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// Lets Mainstay run a service.
pub(super) async fn replace(translation: &Translation) -> Result<(), CliError> {
    let name = &translation.registered.name;
    service::demand_elevation("taking over a service")?;
    let service = service::service(name, Intent::Change)?;
    let former = command_line(&service, name)?;
    if former.contains(list::OURS) {
        let hint = format!("`mainstay service status {name}` shows it");
        return Err(CliError::refused(format!("`{name}` is ours already"), hint));
    }
    let (place, text) = configuration(translation)?;
    keep_former(&place, translation.wrapper.word(), &former).map_err(failed("keep what it was"))?;
    configure(&place.located().file, &text).map_err(failed("write the configuration"))?;
    let own = install::own::install().map_err(failed("install our own program"))?;
    let did_run = end(&service, name).await?;
    change(&service, install::command_line(&own, name)).map_err(failed("change the service"))?;
    for setting in [Setting::OwnIdentity, Setting::PreshutdownTimeout(install::SHUTDOWN_TIMEOUT)] {
        if let Err(error) = service.set(&setting) {
            print::talk(&format!("warning: {} could not be set: {error}", setting.name()));
        }
    }
    warn(service::source::make_known());
    print::data(&format!(
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
    std::fs::remove_file(&kept).map_err(failed("forget what it was"))?;
    warn(service::source::forget_with_the_last());
    print::data(&format!("{name} is run as before\n"));
    begin_again(&service, name, did_run).await?;
    Ok(ExitCode::SUCCESS)
}

fn warn(warning: Option<String>) {
    if let Some(warning) = warning {
        print::talk(&format!("warning: {warning}"));
    }
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> CliError {
    move |error| trouble::refused(doing, &error)
}

fn command_line(service: &Service, name: &str) -> Result<String, CliError> {
    let record = service.record();
    record
        .map(|record| record.command_line)
        .map_err(|error| trouble::refused(&format!("look at `{name}`"), &error))
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

/// What somebody has edited there makes way, but is kept.
fn configure(file: &Path, text: &str) -> io::Result<()> {
    let is_edited = std::fs::read(file).is_ok_and(|found| found != text.as_bytes());
    if is_edited {
        let aside = file.with_extension("toml.former");
        std::fs::rename(file, &aside)?;
        print::talk(&format!("the configuration of an earlier time is in {}", aside.display()));
    }
    write(file, text.as_bytes())
}

fn former_of(place: &Place) -> PathBuf {
    place.folder().join("former-command-line")
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
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
    print::data(&format!("{name} is {}\n", status::in_words(&status)));
    if status.state != State::Running {
        let hint = "`mainstay why NAME` tells more; `mainstay import … --undo` gives it back";
        return Err(CliError::refused(format!("`{name}` does not stay up"), hint));
    }
    Ok(())
}
