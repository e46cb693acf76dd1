//! Programs of a configuration that are not there.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use mainstay_agent::kinds;
use mainstay_api::config::{Config, ServiceConfig};
use mainstay_core::service::StartType;
use mainstay_platform::spawn::{self, Program};

/// A program that cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Missing {
    /// Whose program it is.
    pub(super) service: String,
    /// Which, and why not.
    pub(super) why: String,
}

/// A program may lie on storage that hangs: then nothing is known of any.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

/// Looks for the program of each service as a start from this terminal would. What is never started
/// need not be there.
pub(super) fn missing(config: &Config, state: &Path) -> Vec<Missing> {
    let (told, found) = mpsc::channel();
    let (config, state) = (config.clone(), state.to_owned());
    let look = move || {
        // Whoever does not wait any more needs no answer.
        told.send(missing_of(&config, &kinds::folders(&state))).ok();
    };
    // The thread is left alone where it stands still.
    drop(thread::Builder::new().name("programs".to_owned()).spawn(look));
    found.recv_timeout(LOOK_WITHIN).unwrap_or_default()
}

fn missing_of(config: &Config, kinds: &[PathBuf]) -> Vec<Missing> {
    let wanted = config.services.iter().filter(|(_, service)| service.start != StartType::Disabled);
    let missing = wanted.filter_map(|(name, service)| {
        let why = fault(service, kinds)?;
        Some(Missing { service: name.to_string(), why })
    });
    missing.collect()
}

fn fault(service: &ServiceConfig, kinds: &[PathBuf]) -> Option<String> {
    if let Some(kind) = &service.kind {
        return kinds::find(&kind.name, kinds).err().map(|error| error.to_string());
    }
    let program = service.command.first().map(String::as_str).unwrap_or_default();
    let folder = Path::new(service.directory.as_deref().unwrap_or_default());
    if is_missing(folder) {
        return Some(format!("there is no folder `{}` to start it in", folder.display()));
    }
    match image(service, program) {
        Ok(image) if is_missing(&folder.join(&image)) => {
            Some(format!("there is no `{}`", image.display()))
        }
        Ok(_) => None,
        Err(error) => Some(format!("cannot find `{program}`: {error}")),
    }
}

/// What cannot be looked at may be there.
fn is_missing(path: &Path) -> bool {
    let is_named = !path.as_os_str().is_empty();
    is_named && std::fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

fn image(service: &ServiceConfig, program: &str) -> io::Result<PathBuf> {
    let own =
        service.environment.iter().map(|(name, value)| format!("{name}={value}").into_bytes());
    spawn::image_of(&Program {
        directory: service.directory.clone().map(Into::into),
        ..Program::new(
            program,
            &service.command,
            spawn::own_environment().into_iter().chain(own).collect(),
        )
    })
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::{self, SourceText};

    use super::*;

    #[test]
    fn what_could_not_be_started_is_named_and_what_is_disabled_is_not() {
        let own = std::env::current_exe().unwrap().display().to_string();
        let text = format!(
            "[services.there]\ncommand = [{own:?}]\n\
             [services.bare]\ncommand = [\"no-such-program\"]\n\
             [services.far]\ncommand = [{own:?}]\ndirectory = \"no-such-folder\"\n\
             [services.off]\ncommand = [\"no-such-program\"]\nstart = \"disabled\"\n\
             [services.path]\ncommand = [\"./no-such-program\"]\n"
        );
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        let missing = missing(&config::parse(&[source]).unwrap(), Path::new("/none"));
        let names: Vec<&str> = missing.iter().map(|missing| missing.service.as_str()).collect();
        assert_eq!(names, ["bare", "far", "path"], "{missing:?}");
        let of = |name: &str| missing.iter().find(|missing| missing.service == name).unwrap();
        assert!(of("bare").why.contains("`no-such-program`"), "{missing:?}");
        assert!(of("far").why.starts_with("there is no folder"), "{missing:?}");
    }
}
