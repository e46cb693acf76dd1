//! One value from where it is: a file, a credential, a command, a variable.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mainstay_api::config::{SECRET_BYTES_MAX, ValueSource};
use mainstay_platform::{
    capture::{self, Command},
    paths, spawn,
};
use mainstay_storage::secrets::Secret;

use super::{Wanted, reason::Why, recipes::Recipes};

/// Names the folder of the credentials that somebody was started with, as systemd does.
pub(crate) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// For whom a value is fetched.
#[derive(Debug, Clone)]
pub(super) struct Purpose {
    pub(super) recipes: Arc<Recipes>,
    /// Whose values they are.
    pub(super) whom: String,
    pub(super) service: String,
    pub(super) directory: Option<PathBuf>,
    /// What the configuration says of the service's environment.
    pub(super) environment: BTreeMap<String, String>,
}

impl Purpose {
    /// Returns the purpose of the values of a run.
    pub(super) fn of(wanted: &Wanted, recipes: Arc<Recipes>) -> Self {
        Self {
            recipes,
            whom: wanted.whom.to_string(),
            service: wanted.whom.unit().service.to_string(),
            directory: wanted.order.directory.as_ref().map(PathBuf::from),
            environment: wanted.plain.clone(),
        }
    }
}

/// Fetches a value that may take its time; secrets of the store are not for here.
pub(super) fn fetch(source: &ValueSource, purpose: &Purpose) -> Result<Secret, Why> {
    match source {
        ValueSource::File(path) => file(Path::new(path)),
        ValueSource::Credential(name) => file(&credential(name).ok_or(Why::NoCredentials)?),
        ValueSource::Command { command, timeout } => ask(command, *timeout, purpose),
        ValueSource::Text(_) | ValueSource::Variable(_) | ValueSource::Secret(_) => {
            fetch_at_once(source)
        }
    }
}

/// Has a command say a value.
fn ask(command: &[String], timeout: Duration, purpose: &Purpose) -> Result<Secret, Why> {
    let recipes = &purpose.recipes;
    let recipe = recipes.begin();
    let said = capture::run(&Command {
        label: recipe.label(),
        words: command,
        directory: purpose.directory.clone(),
        environment: environment(purpose),
        bytes_max: SECRET_BYTES_MAX,
        timeout,
    });
    drop(recipe);
    let name = command.first().map(String::as_str).unwrap_or_default();
    match said {
        Ok(said) => {
            recipes.forget_complaint(&purpose.whom);
            Ok(without_line_end(said))
        }
        Err(error) => {
            let kept = recipes.keep_complaint(&purpose.whom, &error);
            Err(Why::of_command(name, &error, kept.as_deref()))
        }
    }
}

/// Fetches a value that this process has itself; secrets of the store are not for here.
pub(super) fn fetch_at_once(source: &ValueSource) -> Result<Secret, Why> {
    match source {
        ValueSource::Text(text) => Ok(Secret::new(text.clone().into_bytes())),
        ValueSource::Variable(name) => variable(name),
        ValueSource::Secret(name) => Err(Why::NoSecret(name.clone())),
        ValueSource::File(_) | ValueSource::Credential(_) | ValueSource::Command { .. } => {
            Err(Why::Busy)
        }
    }
}

/// Returns a file among the credentials that systemd has given to this process.
pub(super) fn credential(name: &str) -> Option<PathBuf> {
    env::var_os(CREDENTIALS).map(|folder| PathBuf::from(folder).join(name))
}

fn variable(name: &str) -> Result<Secret, Why> {
    let value = env::var_os(name).map(OsString::into_encoded_bytes);
    let value = value.ok_or_else(|| Why::NoVariable(name.to_owned()))?;
    if value.len() > SECRET_BYTES_MAX {
        return Err(Why::TooLong);
    }
    Ok(Secret::new(value))
}

fn file(path: &Path) -> Result<Secret, Why> {
    let unreadable =
        |source: io::Error| Why::Unreadable { path: path.display().to_string(), source };
    let limit = u64::try_from(SECRET_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let mut bytes = Vec::with_capacity(SECRET_BYTES_MAX);
    let file = paths::open_regular(path).map_err(unreadable)?;
    file.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(Why::TooLong);
    }
    Ok(without_line_end(bytes))
}

/// Cuts the line end off that editors and commands put behind a text; what is no text stays as it
/// is.
pub fn without_line_end(mut bytes: Vec<u8>) -> Secret {
    if std::str::from_utf8(&bytes).is_ok() && bytes.pop_if(|byte| *byte == b'\n').is_some() {
        bytes.pop_if(|byte| *byte == b'\r');
    }
    Secret::new(bytes)
}

/// Returns what a command inherits: the agent's own environment, with what the configuration says.
fn environment(purpose: &Purpose) -> Vec<Vec<u8>> {
    let mut all = spawn::own_environment();
    let own = [("MAINSTAY_SERVICE", &purpose.service)];
    for (name, value) in
        purpose.environment.iter().map(|(name, value)| (name.as_str(), value)).chain(own)
    {
        all.retain(|variable| !is_called(variable, name));
        all.push([name.as_bytes(), b"=", value.as_bytes()].concat());
    }
    all
}

fn is_called(variable: &[u8], name: &str) -> bool {
    let end = variable.iter().position(|byte| *byte == b'=').unwrap_or(variable.len());
    let found = variable.get(..end).unwrap_or_default();
    std::str::from_utf8(found).is_ok_and(|found| spawn::is_same_variable(found, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_cut_off_a_text() {
        let check = |from: &[u8], expected: &[u8]| {
            assert_eq!(without_line_end(from.to_vec()).reveal(), expected);
        };
        check(b"word\n", b"word");
        check(b"word\r\n", b"word");
        check(b"two\n\n", b"two\n");
        check(b"word", b"word");
        check(b"\xff\n", b"\xff\n");
        check(b"", b"");
    }

    #[test]
    fn a_file_is_read_up_to_its_limit_and_nothing_else_is_one() {
        let folder = env::temp_dir();
        let path = folder.join(format!("mainstay-source-{}", std::process::id()));
        let write = |bytes: &[u8]| {
            let create = paths::create_private_file;
            mainstay_storage::atomic::replace(&path, bytes, create).unwrap();
        };
        write(&vec![b'x'; SECRET_BYTES_MAX]);
        assert_eq!(file(&path).unwrap().reveal().len(), SECRET_BYTES_MAX);
        write(&vec![b'x'; SECRET_BYTES_MAX + 1]);
        assert!(matches!(file(&path), Err(Why::TooLong)));
        std::fs::remove_file(&path).unwrap();
        let missing = file(&path).unwrap_err().to_string();
        assert!(missing.starts_with("cannot read `"), "{missing}");
        assert!(matches!(file(&folder), Err(Why::Unreadable { .. })));
    }
}
