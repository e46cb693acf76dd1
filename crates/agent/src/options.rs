//! The agent's command line; written by our own processes, not by people.

use std::path::PathBuf;

/// How an agent is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentOptions {
    /// Folder of sockets and locks.
    pub runtime: PathBuf,
    /// Folder of logs and state.
    pub state: PathBuf,
    /// The configuration file.
    pub config: PathBuf,
    /// The keeper's socket.
    pub link: String,
    /// What it begins with.
    pub mode: Mode,
    /// The service of the system that it belongs to, whose great moments go to the system's log of
    /// events.
    pub service: Option<String>,
}

/// What an agent begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Everything that is there.
    #[default]
    Usual,
    /// Only what is known to be good.
    Recovery,
}

/// A command line that no agent can be started with.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// An argument that does not exist.
    #[error("unknown agent argument `{0}`")]
    Unknown(String),
    /// An argument without its value.
    #[error("agent argument `{0}` needs a value")]
    Value(String),
    /// Something is missing.
    #[error("an agent needs `--runtime`, `--state`, `--config` and `--link`")]
    Incomplete,
}

impl AgentOptions {
    /// Reads `--runtime DIR --state DIR --config FILE --link SOCKET [--service NAME] [--recover]`.
    pub fn parse(arguments: &[String]) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == "--recover" {
                options.mode = Mode::Recovery;
                continue;
            }
            let value = rest.next().ok_or_else(|| OptionsError::Value(name.clone()))?;
            match name.as_str() {
                "--runtime" => options.runtime = value.into(),
                "--state" => options.state = value.into(),
                "--config" => options.config = value.into(),
                "--link" => options.link.clone_from(value),
                "--service" => options.service = Some(value.clone()),
                _ => return Err(OptionsError::Unknown(name.clone())),
            }
        }
        let is_complete = !options.link.is_empty()
            && [&options.runtime, &options.state, &options.config]
                .iter()
                .all(|p| !p.as_os_str().is_empty());
        if is_complete { Ok(options) } else { Err(OptionsError::Incomplete) }
    }

    /// Returns the arguments with which a keeper starts an agent like this one.
    pub fn arguments(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        let mut arguments = vec![
            "agent".to_owned(),
            "--runtime".to_owned(),
            path(&self.runtime),
            "--state".to_owned(),
            path(&self.state),
            "--config".to_owned(),
            path(&self.config),
        ];
        if let Some(name) = &self.service {
            arguments.extend(["--service".to_owned(), name.clone()]);
        }
        arguments
    }
}
