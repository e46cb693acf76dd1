//! Which instance a command talks to.
//!
//! `--file` or the nearest `mainstay.toml` in this folder or above, as long as the folder belongs to
//! the caller or the administrator: a file that somebody else planted must not be obeyed.

use std::path::{Path, PathBuf};

use mainstay_platform::paths;
use mainstay_storage::instance::Instance;

use crate::errors::CliError;

/// The name of a configuration file.
const FILE_NAME: &str = "mainstay.toml";

/// An instance with its configuration file.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) file: PathBuf,
    pub(crate) instance: Instance,
}

/// Returns the instance of a configuration file.
pub(crate) fn of_file(file: &Path) -> Result<Located, CliError> {
    let file = file.canonicalize().map_err(|error| {
        let hint = "name the file: `mainstay up path/to/mainstay.toml`";
        CliError::refused(format!("cannot open `{}`: {error}", file.display()), hint)
    })?;
    let base = paths::runtime_base().map_err(|error| {
        CliError::refused(format!("there is no safe runtime folder: {error}"), "")
    })?;
    let runtime = base.join(format!("{:016x}", fingerprint(&file)));
    let state = file.parent().unwrap_or_else(|| Path::new("/")).join(".mainstay");
    Ok(Located { file, instance: Instance::new(runtime, state) })
}

/// Returns the instance that is meant when nobody names one.
pub(crate) fn nearest(named: Option<&Path>) -> Result<Located, CliError> {
    if let Some(file) = named {
        return of_file(file);
    }
    let here = std::env::current_dir().map_err(|error| {
        CliError::refused(format!("cannot tell the current folder: {error}"), "")
    })?;
    let trusted = |folder: &&Path| {
        folder.join(FILE_NAME).is_file() && paths::is_trusted_owner(folder).unwrap_or_default()
    };
    match here.ancestors().find(trusted) {
        Some(folder) => of_file(&folder.join(FILE_NAME)),
        None => Err(CliError::unreachable(
            format!("there is no `{FILE_NAME}` in this folder or above"),
            "go to its folder, or name it with `--file PATH`",
        )),
    }
}

/// FNV-1a of the path: short enough for socket paths, the same in every version.
fn fingerprint(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
