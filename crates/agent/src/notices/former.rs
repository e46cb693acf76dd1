//! What a run that is over has said and nobody has heard: it must not be taken for what the next
//! run says. What it has handed over counts all the same.

use std::{io, time::Duration};

use mainstay_api::notify::Message;
use mainstay_core::UnitName;
use mainstay_platform::{clock, datagram::Datagram, fail};

use super::{
    hear::understand,
    sender::{self, Whom},
};
use crate::daemon::Agent;

/// More than the system keeps for a socket, unless somebody goes on sending.
const MESSAGES_MAX: usize = 4_096;
/// Nobody else is looked after meanwhile.
const HEARD_OUT_WITHIN: Duration = Duration::from_secs(1);

impl Agent {
    /// Takes everything that waits in a unit's socket, before its next run is ordered: each message
    /// once what it hands over is with the keeper.
    ///
    /// Whoever goes on sending is of no run that counts, and is left behind with the socket.
    pub(super) fn hear_out(&mut self, unit: &UnitName) -> Result<(), String> {
        let until = clock::monotonic() + HEARD_OUT_WITHIN;
        for _ in 0..MESSAGES_MAX {
            if clock::monotonic() >= until {
                break;
            }
            let kept = match self.notices.posts.look_ahead(unit) {
                Ok(Some(datagram)) => self.keep_of_former(unit, datagram),
                Ok(None) => {
                    self.notices.posts.begin_anew(unit);
                    return Ok(());
                }
                Err(error) => Err(error),
            };
            kept.map_err(|error| format!("cannot read what was said before: {error}"))?;
            self.notices.posts.take(unit);
        }
        let socket = self.notices.posts.close(unit);
        self.unstore(socket.into_iter().collect());
        Ok(())
    }

    /// Keeps what a former run has handed over.
    fn keep_of_former(&mut self, unit: &UnitName, datagram: Datagram) -> io::Result<()> {
        let Ok(Message { storing: Some(storing), .. }) = understand(&datagram) else {
            return Ok(());
        };
        let run = self.notices.spoken.get(unit).map_or(0, |spoken| spoken.run);
        let instance = self.instance.runtime.display().to_string();
        let access = self.access_of(unit);
        let main = self.notices.former_main_of(unit, run);
        let whom = Whom { unit, run, instance: &instance, main, access };
        if sender::objection_to(datagram.sender, whom)?.is_none() {
            fail::point("agent.former-notice.before");
            self.keep_for(unit, &storing, datagram);
            fail::point("agent.former-notice.after");
        }
        Ok(())
    }
}
