//! One instance on trial: begun, hurt, asked and ended.

use std::{ffi::OsString, fs, io, path::PathBuf, time::Duration};

use mainstay_agent::AgentOptions;
use mainstay_api::control::{
    CommandAnswer, CommandName, CommandRequest, Status, UpgradeAnswer, UpgradeRequest,
};
use mainstay_platform::{
    clock, daemon,
    lock::FileLock,
    paths,
    process::{Process, SignalKind},
};

use crate::{
    client::{self, ClientError},
    ground::Ground,
    options::Leftovers,
    wait::wait_for,
};

/// Anything that is to happen has happened by then.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// A promise that was not kept, or a machine that did not let us try.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("in vain for {} s: {what}", within.as_secs())]
    Late { what: String, within: Duration },
    #[error("the trial itself failed: {0}")]
    Machine(#[from] io::Error),
    #[error("{0}")]
    Client(#[from] ClientError),
    #[error("{0}")]
    Rule(String),
}

/// An instance on trial.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) ground: Ground,
    leftovers: Leftovers,
    binary: usize,
}

impl Trial {
    /// Lays out a folder and starts a keeper with a configuration.
    pub(crate) fn begin(
        name: &str,
        config: impl FnOnce(&Ground) -> String,
        leftovers: Leftovers,
    ) -> Result<Self, Broken> {
        let root = std::env::temp_dir().join(format!("mainstay-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&root));
        let ground = Ground::at(&root);
        for folder in [ground.locks(), ground.doubles(), ground.fail()] {
            fs::create_dir_all(folder)?;
        }
        copy_binaries(&ground)?;
        let instance = ground.instance();
        paths::create_private(&instance.runtime)?;
        paths::create_private(&instance.state)?;
        let text = config(&ground);
        io::Write::write_all(&mut paths::create_private_file(&ground.config())?, text.as_bytes())?;
        let trial = Self { ground, leftovers, binary: 0 };
        trial.start_keeper()?;
        Ok(trial)
    }

    /// Starts a keeper, as `mainstay up` and service managers do.
    pub(crate) fn start_keeper(&self) -> Result<(), Broken> {
        let instance = self.ground.instance();
        let agent = AgentOptions {
            runtime: instance.runtime.clone(),
            state: instance.state.clone(),
            config: self.ground.config(),
            ..AgentOptions::default()
        };
        let mut arguments: Vec<OsString> = ["keeper", "--runtime"].map(OsString::from).into();
        arguments.push(instance.runtime.clone().into());
        arguments.push("--".into());
        arguments.extend(agent.arguments().into_iter().map(OsString::from));
        let log = paths::open_log(fs::OpenOptions::new().append(true), &instance.keeper_log())?;
        daemon::start_detached(&self.binary(), &arguments, log)?;
        Ok(())
    }

    fn binary(&self) -> PathBuf {
        let [one, newer] = self.ground.binaries();
        if self.binary.is_multiple_of(2) { one } else { newer }
    }

    /// Returns what the agent says; waits for one.
    pub(crate) fn status(&self) -> Result<Status, Broken> {
        wait_for("an agent answers", SOON, || client::get(&self.ground, "/v1/status").ok())
    }

    /// Waits until the agent's answer is as it should be.
    pub(crate) fn status_when(
        &self,
        what: &str,
        is_it: impl Fn(&Status) -> bool,
    ) -> Result<Status, Broken> {
        let ask = || client::get::<Status>(&self.ground, "/v1/status").ok();
        wait_for(what, SOON, || ask().filter(&is_it))
    }

    /// Returns the process ids of all agents that have begun, oldest first.
    pub(crate) fn agents(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.ground.agents()).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Replaces keeper and agent by the next version, or by the former one again; the process of the keeper stays.
    pub(crate) fn upgrade(&mut self) -> Result<(), Broken> {
        let before = self.status()?;
        self.binary += 1;
        let request = UpgradeRequest { program: self.binary().display().to_string() };
        let answer: UpgradeAnswer = client::post(&self.ground, "/v1/upgrade", &request)?;
        if answer.keeper.pid != before.keeper.pid {
            return Err(Broken::Rule("an upgrade changed the keeper's process".to_owned()));
        }
        let former = answer.former_agent.pid;
        self.status_when("the agent is upgraded", |status| status.agent.pid != former)?;
        Ok(())
    }

    /// Commands units; whether it is obeyed is no matter.
    pub(crate) fn command(&self, command: CommandName, name: &str) {
        let request = CommandRequest { command, names: vec![name.to_owned()] };
        drop(client::post::<CommandAnswer>(&self.ground, "/v1/command", &request));
    }

    /// Stops everything and waits until the keeper has ended.
    pub(crate) fn shut_down(&self) -> Result<(), Broken> {
        wait_for("everything ends", SOON, || {
            if self.has_no_keeper() {
                return Some(());
            }
            // Whoever took over meanwhile has not heard of it.
            drop(client::post::<CommandAnswer>(&self.ground, "/v1/shutdown", &()));
            None
        })
    }

    fn has_no_keeper(&self) -> bool {
        let lock = self.ground.instance().keeper_lock();
        FileLock::try_take(&lock).is_ok_and(|lock| lock.is_some())
    }

    /// Fails when any unit ever ran twice at a time.
    pub(crate) fn expect_no_doubles(&self) -> Result<(), Broken> {
        let doubles: Vec<String> = fs::read_dir(self.ground.doubles())?
            .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
            .collect();
        if doubles.is_empty() {
            return Ok(());
        }
        Err(Broken::Rule(format!("ran twice at a time: {}", doubles.join(", "))))
    }

    /// Removes the folder; after a failure it stays.
    pub(crate) fn clean_up(&self) -> Result<(), Broken> {
        if self.leftovers == Leftovers::Remove && self.has_no_keeper() {
            fs::remove_dir_all(self.ground.root())?;
        }
        Ok(())
    }
}

impl Drop for Trial {
    /// Whatever went wrong, nothing is left running.
    fn drop(&mut self) {
        if !self.ground.root().exists() {
            return;
        }
        drop(fs::File::create(self.ground.stop()));
        if !self.has_no_keeper() && self.shut_down().is_err() {
            crate::say(&format!("  what is left runs in {}", self.ground.root().display()));
        }
    }
}

/// Kills a process as `kill -9` does; returns when, or nothing if it was dead.
pub(crate) fn kill(pid: u32) -> Result<Option<Duration>, Broken> {
    let Some(process) = Process::open_pid(pid)? else { return Ok(None) };
    let at = clock::monotonic();
    if process.has_ended() || process.signal(SignalKind::Kill).is_err() {
        return Ok(None);
    }
    wait_for("what was killed is dead", SOON, || process.has_ended().then_some(()))?;
    Ok(Some(at))
}

fn copy_binaries(ground: &Ground) -> io::Result<()> {
    let own = daemon::own_program()?;
    for copy in ground.binaries() {
        fs::create_dir_all(copy.parent().unwrap_or(ground.root()))?;
        fs::copy(&own, &copy)?;
    }
    Ok(())
}
