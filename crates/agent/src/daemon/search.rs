//! Finding the next keeper when one is lost; see [`crate::orphan`] for how it comes about.

use std::{
    io,
    sync::mpsc::{self, Receiver},
    thread,
};

use mainstay_platform::{
    clock, daemon,
    lock::FileLock,
    paths,
    scm::{Database, Intent, Purpose},
};
use tokio::time::sleep;

use super::{Agent, AgentError, IsFirst, LOOK_EVERY, doing};
use crate::{
    events::{Happening, Level, complain},
    keeper::{Introduction, Keeper, KeeperError},
    orphan::{Answer, Orphan, Starter, Step},
};

/// Where the manager's answer comes.
type Question = Receiver<io::Result<()>>;

/// Whether the programs go on under the next keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    ShutDown,
}

impl Agent {
    /// Works with the next keeper, which is started here when nobody else does.
    pub(super) async fn find_keeper(&mut self, error: &KeeperError) -> Result<(), AgentError> {
        if !self.upgrade.is_left() {
            complain("the keeper is lost", error);
            let message = "the keeper is lost; programs run on".to_owned();
            self.events.tell(Happening::of_instance(Level::Error, "KeeperLost", message));
        }
        self.events.pass_on();
        let (keeper, introduction, then) = self.next_keeper().await?;
        self.keeper = keeper;
        self.introduced(introduction, IsFirst::No);
        self.found_successor();
        if then == Then::ShutDown {
            self.shut_down();
        }
        Ok(())
    }

    async fn next_keeper(&mut self) -> Result<(Keeper, Introduction, Then), AgentError> {
        let starter = self.options.service.as_ref().map_or(Starter::Agent, |_| Starter::Manager);
        let mut orphan = Orphan::new(clock::monotonic(), starter);
        let (mut question, mut then): (Option<Question>, _) = (None, Then::GoOn);
        loop {
            if let Ok((keeper, introduction)) = Keeper::meet(&self.options.link).await {
                return Ok((keeper, introduction, then));
            }
            let now = clock::monotonic();
            if let Some(answer) = question.as_ref().and_then(|asked| asked.try_recv().ok()) {
                orphan.answered(now, understand(answer));
            }
            match orphan.step(now, || self.has_no_keeper()) {
                Step::Wait => {}
                Step::StartKeeper => self.start_keeper().map_err(doing("start a keeper"))?,
                Step::AskManager => question = Some(ask_manager(self.options.service.clone())?),
                Step::StopPrograms(reason) => {
                    self.tell_end(&reason);
                    then = Then::ShutDown;
                    self.start_keeper().map_err(doing("start a keeper"))?;
                }
                Step::GiveUp => return Err(AgentError::Keeper(KeeperError::Gone)),
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn tell_end(&mut self, reason: &str) {
        let message = format!(
            "the service cannot be started again ({reason}): its programs are stopped, because \
             nobody could stop them any more"
        );
        self.events.tell(Happening::of_instance(Level::Error, "ServiceLost", message));
        self.events.pass_on();
    }

    fn has_no_keeper(&self) -> bool {
        FileLock::try_take(&self.instance.keeper_lock()).is_ok_and(|lock| lock.is_some())
    }

    fn start_keeper(&self) -> io::Result<()> {
        let mut arguments = vec!["keeper".to_owned(), "--runtime".to_owned()];
        arguments.push(self.options.runtime.display().to_string());
        arguments.extend(["--agent-pid".to_owned(), std::process::id().to_string()]);
        if let Some(name) = &self.options.service {
            arguments.extend(["--service".to_owned(), name.clone()]);
        }
        arguments.push("--".to_owned());
        arguments.extend(self.options.arguments());
        let arguments: Vec<_> = arguments.into_iter().map(Into::into).collect();
        let mut options = std::fs::OpenOptions::new();
        let log = paths::open_log(options.append(true), &self.instance.keeper_log())?;
        daemon::start_detached(&daemon::own_program()?, &arguments, log)?;
        Ok(())
    }
}

fn understand(answer: io::Result<()>) -> Answer {
    if let Err(error) = &answer {
        complain("cannot start the service", error);
    }
    Answer::from(answer)
}

/// Asks in a thread of its own: the manager answers when the service's process has begun, and that
/// one waits for us.
fn ask_manager(service: Option<String>) -> Result<Question, AgentError> {
    let (told, answer) = mpsc::channel();
    let ask = move || {
        let name = service.unwrap_or_default();
        let started = Database::open(Purpose::Call)
            .and_then(|database| database.service(&name, Intent::Start))
            .and_then(|service| service.start(&[]));
        // Whoever has found a keeper meanwhile does not listen any more.
        told.send(started).ok();
    };
    let thread = thread::Builder::new().name("manager".to_owned()).spawn(ask);
    thread.map_err(doing("start a thread"))?;
    Ok(answer)
}
