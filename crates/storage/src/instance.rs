//! Where an instance keeps its files.

use std::path::PathBuf;

/// The folders of one instance.
///
/// `runtime` holds what a reboot may take: lock, sockets, the keeper's journal. `state` holds what
/// must stay: logs, events, the operators' wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Folder of locks, sockets and the keeper's journal.
    pub runtime: PathBuf,
    /// Folder of logs and state.
    pub state: PathBuf,
}

impl Instance {
    /// Returns an instance with these folders.
    pub const fn new(runtime: PathBuf, state: PathBuf) -> Self {
        Self { runtime, state }
    }

    /// Returns the lock whose holder is the keeper.
    pub fn keeper_lock(&self) -> PathBuf {
        self.runtime.join("keeper.lock")
    }

    /// Returns the socket on which the keeper listens for agents.
    pub fn keeper_socket(&self) -> PathBuf {
        self.runtime.join("keeper.sock")
    }

    /// Returns the keeper's recovery journal.
    pub fn keeper_journal(&self) -> PathBuf {
        self.runtime.join("keeper.journal")
    }

    /// Returns the socket of the control API.
    pub fn api_socket(&self) -> PathBuf {
        self.runtime.join("api.sock")
    }

    /// Returns the folder of the sockets by which units notify.
    pub fn notify_sockets(&self) -> PathBuf {
        self.runtime.join("notify")
    }

    /// Returns the path that stands for the pipe by which programs notify, on systems without such
    /// sockets.
    pub fn notify_pipe(&self) -> PathBuf {
        self.runtime.join("notify.pipe")
    }

    /// Returns the lock whose holder may write the state.
    pub fn agent_lock(&self) -> PathBuf {
        self.runtime.join("agent.lock")
    }

    /// Returns the folder of a unit's segments.
    pub fn logs_of(&self, unit: &str) -> PathBuf {
        self.logs().join(unit)
    }

    /// Returns the folder of all units' log folders.
    pub fn logs(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// Returns the folder in which a unit of a kind keeps what it keeps.
    pub fn data_of(&self, unit: &str) -> PathBuf {
        self.state.join("data").join(unit)
    }

    /// Returns the folder of all units' crash bundles.
    pub fn bundles(&self) -> PathBuf {
        self.state.join("bundles")
    }

    /// Returns the folder of bookmarks: how far copies of logs have got.
    pub fn copies(&self) -> PathBuf {
        self.state.join("copies")
    }

    /// Returns the agent's journal of wishes.
    pub fn agent_journal(&self) -> PathBuf {
        self.state.join("agent.journal")
    }

    /// Returns the file that says how far the numbers of runs have got.
    pub fn numbers(&self) -> PathBuf {
        self.state.join("numbers")
    }

    /// Returns the file that says what the time of day was when logs were thinned last.
    pub fn believed_time(&self) -> PathBuf {
        self.state.join("believed-time")
    }

    /// Returns the file that says what is kept of the logs of each service.
    pub fn kept_logs(&self) -> PathBuf {
        self.state.join("kept-logs")
    }

    /// Returns the folder of the event chain.
    pub fn events_directory(&self) -> PathBuf {
        self.state.join("events")
    }

    /// Returns the copy of the configuration that was last applied.
    pub fn last_good_config(&self) -> PathBuf {
        self.state.join("last-good.toml")
    }

    /// Returns the store of secrets.
    pub fn secrets(&self) -> PathBuf {
        self.state.join("secrets.sealed")
    }

    /// Returns the key to the store of secrets, where it is a file of ours.
    pub fn secret_key(&self) -> PathBuf {
        self.state.join("secret.key")
    }

    /// Returns the folder of all units' folders of secrets.
    pub fn secret_files(&self) -> PathBuf {
        self.runtime.join("secrets")
    }

    /// Returns the folder in which a unit finds its secrets as files.
    pub fn secret_files_of(&self, unit: &str) -> PathBuf {
        self.secret_files().join(unit)
    }

    /// Returns the folder of commands that are asked for values: which are under way, and what those
    /// that failed have said.
    pub fn recipes(&self) -> PathBuf {
        self.runtime.join("recipes")
    }

    /// Returns the agent's own log.
    pub fn agent_log(&self) -> PathBuf {
        self.state.join("agent.log")
    }

    /// Returns the file that keeper and agent write their last words to.
    pub fn keeper_log(&self) -> PathBuf {
        self.state.join("keeper.log")
    }
}
