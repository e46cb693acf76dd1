//! The keeper's command line; written by our own processes, not by people.

use std::path::PathBuf;

/// How a keeper is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeeperOptions {
    /// Folder of the lock, the sockets and the journal.
    pub runtime: PathBuf,
    /// Arguments with which our own binary becomes the agent; empty: agents come by themselves.
    pub agent: Vec<String>,
    /// The service of the operating system whose process we are.
    pub service: Option<String>,
    /// An agent that lives already and will connect.
    pub expected_agent: Option<u32>,
    /// Number of the inherited state of a predecessor that replaced itself by us.
    pub resume: Option<u64>,
    /// Number of the inherited lock of a predecessor that panicked.
    pub lock: Option<u64>,
    /// When earlier panics happened, in monotonic seconds.
    pub panics: Vec<u64>,
    /// Only say whether the state on standard input would be understood.
    pub probe: bool,
}

/// A command line that no keeper can be started with.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// An argument that does not exist.
    #[error("unknown keeper argument `{0}`")]
    Unknown(String),
    /// An argument without its value, or with one that cannot be.
    #[error("keeper argument `{0}` needs a value that fits")]
    Value(String),
    /// No folder was given.
    #[error("a keeper needs `--runtime DIRECTORY`")]
    NoRuntime,
}

impl KeeperOptions {
    /// Reads `--runtime DIR [--service NAME] [--agent-pid N] [--resume N] [--lock N] [--panics A,B]
    /// -- AGENT…`.
    pub fn parse(arguments: &[String]) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            match name.as_str() {
                "--" => {
                    options.agent = rest.by_ref().cloned().collect();
                }
                "--probe" => options.probe = true,
                _ => options.set(name, rest.next())?,
            }
        }
        if options.runtime.as_os_str().is_empty() && !options.probe {
            return Err(OptionsError::NoRuntime);
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: Option<&String>) -> Result<(), OptionsError> {
        let wrong = || OptionsError::Value(name.to_owned());
        let value = value.ok_or_else(wrong)?;
        match name {
            "--runtime" => self.runtime = PathBuf::from(value),
            "--service" => self.service = Some(value.clone()),
            "--agent-pid" => self.expected_agent = Some(value.parse().map_err(|_| wrong())?),
            "--resume" => self.resume = Some(value.parse().map_err(|_| wrong())?),
            "--lock" => self.lock = Some(value.parse().map_err(|_| wrong())?),
            "--panics" => {
                let moments: Result<_, _> = value.split(',').map(str::parse).collect();
                self.panics = moments.map_err(|_| wrong())?;
            }
            _ => return Err(OptionsError::Unknown(name.to_owned())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_behind_two_dashes_belongs_to_the_agent() {
        let words = ["--runtime", "/r", "--agent-pid", "7", "--", "agent", "--runtime", "/r"];
        let options = KeeperOptions::parse(&words.map(str::to_owned)).unwrap();
        assert_eq!(options.runtime, PathBuf::from("/r"));
        assert_eq!(options.expected_agent, Some(7));
        assert_eq!(options.agent, ["agent", "--runtime", "/r"]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let check = |words: &[&str], expected: &str| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(KeeperOptions::parse(&words).unwrap_err().to_string(), expected);
        };
        check(&[], "a keeper needs `--runtime DIRECTORY`");
        check(&["--runtime"], "keeper argument `--runtime` needs a value that fits");
        check(&["--agent-pid", "x"], "keeper argument `--agent-pid` needs a value that fits");
        check(&["--wrong", "1"], "unknown keeper argument `--wrong`");
    }
}
