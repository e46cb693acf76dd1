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
/// A keeper answers within milliseconds, and another keeper must not wait for long.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Whoever has just come from elsewhere is scanned before it runs for the first time, and somebody
/// at a terminal can wait for that.
const PEOPLE_WAIT: Duration = Duration::from_secs(30);

/// A binary that a keeper does not become.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The system does not run it.
    #[error("cannot run `{program}`: {source}")]
    NotRun {
        /// Its path.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// It does not say that it is one of ours.
    #[error("`{0}` is not a mainstay binary")]
    Stranger(String),
    /// It is too old or too new.
    #[error("`{program}` ({version}) does not understand the state of this keeper ({own})")]
    Other {
        /// Its path.
        program: String,
        /// Its version.
        version: String,
        /// The keeper's version.
        own: &'static str,
    },
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

/// Returns the version of a binary, when it is one of ours.
pub fn version_of(program: &Path) -> Result<String, ProbeError> {
    introduction_of(program, &[], PEOPLE_WAIT).map(|(version, _)| version)
}

/// Returns what a binary says that it is, and whether it understands our state.
fn introduction_of(
    program: &Path,
    state: &[u8],
    within: Duration,
) -> Result<(String, bool), ProbeError> {
    let name = program.display().to_string();
    let arguments = ["keeper", "--probe"].map(OsString::from);
    let probed = match replace::probe(program, &arguments, state, within) {
        Ok(probed) => probed,
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            return Err(ProbeError::Stranger(name));
        }
        Err(source) => return Err(ProbeError::NotRun { program: name, source }),
    };
    let words = String::from_utf8_lossy(&probed.words);
    let version = words.lines().next().and_then(|line| line.strip_prefix(INTRODUCTION));
    let version = version.ok_or(ProbeError::Stranger(name))?;
    Ok((version.to_owned(), probed.is_success))
}

/// Runs a binary on a copy of our state.
fn ask(program: &Path, state: &[u8]) -> Result<(), ProbeError> {
    let (version, understands) = introduction_of(program, state, ANSWER_WITHIN)?;
    if understands {
        return Ok(());
    }
    let (program, own) = (program.display().to_string(), env!("CARGO_PKG_VERSION"));
    Err(ProbeError::Other { program, version, own })
}
