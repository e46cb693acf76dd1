//! Asking another binary whether it could go on from our state, before we become it.
//!
//! The other one introduces itself first: what ends with success may still be no keeper at all.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use mainstay_platform::replace;

use crate::note::{Note, Notes};

/// How a keeper that is probed begins to speak; its version follows.
const INTRODUCTION: &str = "mainstay keeper ";
/// A keeper answers within milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A binary that this keeper does not become.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("cannot run `{program}`: {source}")]
    NotRun { program: String, source: io::Error },
    #[error("`{0}` is not a mainstay binary")]
    Stranger(String),
    #[error("`{program}` ({version}) does not understand the state of this keeper ({own})")]
    Other { program: String, version: String, own: &'static str },
}

/// Says what we are, to whoever probes us.
pub(crate) fn introduce() -> io::Result<()> {
    let line = format!("{INTRODUCTION}{}\n", env!("CARGO_PKG_VERSION"));
    io::stdout().lock().write_all(line.as_bytes())
}

/// Asks a binary on a thread of its own; its answer comes as a note.
pub(crate) fn begin(program: PathBuf, state: Vec<u8>, notes: Notes) -> io::Result<()> {
    let ask = move || notes.send(Note::Probed(ask(&program, &state)));
    thread::Builder::new().name("probe".to_owned()).spawn(ask).map(drop)
}

/// Runs a binary on a copy of our state.
fn ask(program: &Path, state: &[u8]) -> Result<(), ProbeError> {
    let name = program.display().to_string();
    let arguments = ["keeper", "--probe"].map(OsString::from);
    let probed = match replace::probe(program, &arguments, state, ANSWER_WITHIN) {
        Ok(probed) => probed,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            return Err(ProbeError::Stranger(name));
        }
        Err(source) => return Err(ProbeError::NotRun { program: name, source }),
    };
    let words = String::from_utf8_lossy(&probed.words);
    let Some(version) = words.lines().next().and_then(|line| line.strip_prefix(INTRODUCTION))
    else {
        return Err(ProbeError::Stranger(name));
    };
    if probed.is_success {
        return Ok(());
    }
    let (version, own) = (version.to_owned(), env!("CARGO_PKG_VERSION"));
    Err(ProbeError::Other { program: name, version, own })
}
