//! The kind as a program: `mainstay kind ddns`, bound by `docs/spec/kind.md`.

use std::{
    env,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::Value;

use super::{Herald, Shelf, assemble, run};
use crate::config::{self, Config};

/// The version of the protocol that this is made for.
const PROTOCOL: u32 = 1;
/// `EX_CONFIG`: nothing but another configuration helps.
const BAD_CONFIG: u8 = 78;
/// Nobody's configuration is longer.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// Why the kind cannot begin, and with which code it ends.
type Refusal = (u8, String);

/// Plays the role, with the arguments that follow its name.
pub fn kind(arguments: &[String]) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["--describe"] => describe(),
        [] => serve(),
        _ => Err((2, "it takes no arguments but `--describe`".to_owned())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, why)) => {
            // Whoever has closed our output does not want to know.
            drop(writeln!(io::stderr(), "ddns: {why}"));
            ExitCode::from(code)
        }
    }
}

fn describe() -> Result<(), Refusal> {
    let told = writeln!(io::stdout(), "{}", config::describe());
    told.map_err(|error| (1, format!("cannot say what it is: {error}")))
}

fn serve() -> Result<(), Refusal> {
    check_protocol()?;
    let value = given()?;
    let config = config::read(&value).map_err(|error| (BAD_CONFIG, error.to_string()))?;
    work(config, state_folder().as_deref())
}

/// Does the work of a configuration until somebody asks for its end.
fn work(config: Config, folder: Option<&Path>) -> Result<(), Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (1, format!("cannot begin: {error}")))?;
    let ended = runtime.block_on(keep(config, folder));
    // A command that hangs, or a name that nobody resolves, holds up nobody's end.
    runtime.shutdown_background();
    ended
}

/// Keeps the names of a configuration until somebody asks for the end. Must be called inside a
/// runtime. The error is the code that a kind ends with, and why.
pub async fn keep(config: Config, folder: Option<&Path>) -> Result<(), Refusal> {
    let shelf = folder.map(Shelf::in_folder);
    let parts = assemble(config, shelf).map_err(|error| (BAD_CONFIG, error.to_string()))?;
    let ended = run(parts, Herald::from_environment(), folder).await;
    ended.map_err(|error| (1, error.to_string()))
}

/// Refuses whoever knows only protocols before ours (K14).
fn check_protocol() -> Result<(), Refusal> {
    let Ok(known) = env::var("MAINSTAY_KIND_PROTOCOL") else { return Ok(()) };
    match known.parse::<u32>() {
        Ok(known) if known >= PROTOCOL => Ok(()),
        _ => {
            let why = format!("whoever runs it knows protocol `{known}`; it needs {PROTOCOL}");
            Err((BAD_CONFIG, why))
        }
    }
}

/// Reads the configuration to its end.
fn given() -> Result<Value, Refusal> {
    let mut text = Vec::new();
    let read = io::stdin().lock().take(CONFIG_BYTES_MAX + 1).read_to_end(&mut text);
    read.map_err(|error| (1, format!("cannot read its configuration: {error}")))?;
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err((BAD_CONFIG, "its configuration is longer than 1 MiB".to_owned()));
    }
    let parsed = serde_json::from_slice(&text);
    // Where it is wrong, and nothing of it: it may be a secret.
    parsed.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let why = format!("its configuration is no JSON, at line {line}, column {column}");
        (BAD_CONFIG, why)
    })
}

/// Returns the folder of its own; nothing is kept where there is none.
fn state_folder() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
    variable("MAINSTAY_STATE_DIRECTORY").or_else(|| variable("STATE_DIRECTORY")).map(PathBuf::from)
}
