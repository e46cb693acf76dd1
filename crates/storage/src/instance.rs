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

    /// Returns the folder of bookmarks: how far copies of logs have got.
    pub fn copies(&self) -> PathBuf {
        self.state.join("copies")
    }

    /// Returns the agent's journal of wishes.
    pub fn agent_journal(&self) -> PathBuf {
        self.state.join("agent.journal")
    }

    /// Returns the folder of the event chain.
    pub fn events_directory(&self) -> PathBuf {
        self.state.join("events")
    }

    /// Returns the copy of the configuration that was last applied.
    pub fn last_good_config(&self) -> PathBuf {
        self.state.join("last-good.toml")
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
