//! Replacing keeper and agent by another binary, one after the other, while programs run on.
//!
//! ```text
//!  asked ──Request::Upgrade──► waiting ──Upgraded──► answered ──a moment later──► leaves
//!                                 └──Refused──► as before
//! ```
//!
//! The keeper becomes the other binary in place and keeps this conversation; then this agent
//! leaves, and the keeper starts its successor at once, from the binary that it is itself now.
//! Where a process cannot become another program the keeper leaves instead, and the manager of
//! services starts the next one ([`crate::orphan`]):
//!
//! ```text
//!  Leaving ──keeper ends──► looks for the next ──found, all given──► a moment later: leaves
//! ```

use std::time::Duration;

use mainstay_api::{
    control::{Role, UpgradeAnswer, UpgradeRequest},
    keeper::{Request, Welcome},
};
use mainstay_platform::clock;

use super::Agent;
use crate::{
    calls::{Asker, Refused, RefusedKind, Reply},
    events::{Happening, Level},
    pressure::Pressed,
};

/// Long enough for an answer to leave the API's thread.
const LEAVE_AFTER: Duration = Duration::from_millis(100);

/// An upgrade that is under way.
#[derive(Debug, Default)]
pub(crate) struct Upgrade {
    asked: Option<Reply<UpgradeAnswer>>,
    leave_at: Option<Duration>,
    /// The keeper has gone to make room for its successor.
    is_left: bool,
}

impl Upgrade {
    /// Returns when this agent leaves to make room for its successor.
    pub(super) const fn leave_at(&self) -> Option<Duration> {
        self.leave_at
    }

    /// Returns whether the keeper that is gone has said so before.
    pub(super) const fn is_left(&self) -> bool {
        self.is_left
    }
}

impl Agent {
    /// Asks the keeper; the answer comes with what the keeper says.
    pub(super) fn upgrade(
        &mut self,
        asker: &Asker,
        request: UpgradeRequest,
        reply: Reply<UpgradeAnswer>,
    ) {
        let refuse = |reply: Reply<UpgradeAnswer>, kind, text: String, hint: &str| {
            drop(reply.send(Err(Refused::new(kind, text, hint))));
        };
        if !std::path::Path::new(&request.program).is_absolute() {
            let text = format!("`{}` is not an absolute path", request.program);
            return refuse(reply, RefusedKind::Bad, text, "name the binary from the root on");
        }
        if self.upgrade.asked.is_some() {
            let text = "another upgrade is under way".to_owned();
            return refuse(reply, RefusedKind::Conflict, text, "wait until it is done");
        }
        let _trace = self.note(asker, &format!("upgrades to `{}`", request.program));
        match self.keeper.ask(Request::Upgrade { program: request.program }) {
            Ok(()) => self.upgrade.asked = Some(reply),
            Err(error) => refuse(reply, RefusedKind::Failed, error.to_string(), "try again"),
        }
    }

    /// The keeper is another one.
    pub(crate) fn upgraded(&mut self, welcome: Welcome) {
        let message = format!("the keeper is now version {}", welcome.version);
        self.events.tell(Happening::of_instance(Level::Info, "KeeperUpgraded", message));
        let keeper = Role { pid: welcome.pid, version: welcome.version.clone() };
        self.welcome = welcome;
        // Its pumps begin anew, and say again what lasts.
        self.pressed = Pressed::default();
        if let Some(reply) = self.upgrade.asked.take() {
            let former_agent = super::answers::own_role();
            drop(reply.send(Ok(UpgradeAnswer { keeper, former_agent })));
            self.upgrade.leave_at = Some(clock::monotonic() + LEAVE_AFTER);
        }
    }

    /// The keeper ends for a successor, which finds the programs as they are.
    pub(crate) fn keeper_leaves(&mut self) {
        self.upgrade.is_left = true;
        let message = "the keeper makes room for its successor; programs run on".to_owned();
        self.events.tell(Happening::of_instance(Level::Info, "KeeperLeft", message));
    }

    /// The next keeper has everything that was held for it.
    pub(super) fn found_successor(&mut self) {
        if std::mem::take(&mut self.upgrade.is_left) {
            let message = format!("the keeper is now version {}", self.welcome.version);
            self.events.tell(Happening::of_instance(Level::Info, "KeeperUpgraded", message));
            self.upgrade.leave_at = Some(clock::monotonic() + LEAVE_AFTER);
        }
    }

    /// The keeper refuses something: an upgrade, when one was asked for.
    pub(crate) fn keeper_refused(&mut self, reason: &str) {
        let message = format!("the keeper refuses: {reason}");
        self.events.tell(Happening::of_instance(Level::Error, "KeeperRefused", message));
        if let Some(reply) = self.upgrade.asked.take() {
            let hint = "everything goes on as before";
            drop(reply.send(Err(Refused::new(RefusedKind::Conflict, reason, hint))));
        }
    }
}
