//! What the machine does to programs: it sleeps, and it is crowded.

use std::{future::pending, io};

use mainstay_api::config::ServiceConfig;
use mainstay_core::{Hook, Input, Moment};
use mainstay_platform::{clock, wake::Wakes};

use super::Agent;
use crate::events::{Happening, Level};

/// Whether anybody wants to hear that the machine woke up.
#[derive(Debug, Default)]
pub(super) enum Waking {
    /// Nobody does, or nobody did when it was last looked.
    #[default]
    Unwanted,
    /// It is listened for.
    Heard(Wakes),
    /// This system does not tell.
    Untold,
}

impl Waking {
    /// Waits for the next time, for ever when nobody wants to hear of it.
    pub(super) async fn next(&mut self) -> io::Result<()> {
        match self {
            Self::Heard(wakes) => wakes.next().await,
            Self::Unwanted | Self::Untold => pending().await,
        }
    }
}

impl Agent {
    /// Begins to listen once a service wants to hear of it; that costs nothing until it happens.
    pub(super) fn listen_for_wakes(&mut self) {
        let wants = |service: &ServiceConfig| service.care.hooks.contains_key(&Hook::OnPowerResume);
        let is_wanted = self.config.services.values().any(wants);
        if is_wanted && matches!(self.waking, Waking::Unwanted) {
            match Wakes::watch() {
                Ok(wakes) => self.waking = Waking::Heard(wakes),
                Err(error) => self.hear_no_wakes(&error),
            }
        }
    }

    /// The machine woke up, or nobody says so any more.
    pub(super) fn woke(&mut self, woke: io::Result<()>) {
        match woke {
            Ok(()) => {
                let text = "the machine woke up".to_owned();
                self.events.tell(Happening::of_instance(Level::Info, "MachineWoke", text));
                self.take(Input::Woke);
            }
            Err(error) => self.hear_no_wakes(&error),
        }
    }

    fn hear_no_wakes(&mut self, error: &io::Error) {
        self.waking = Waking::Untold;
        let message = format!("nobody says when the machine wakes up: {error}");
        let text = format!("`on-power-resume` does not run: {message}");
        self.events.tell(Happening::of_instance(Level::Warn, "WakesNotHeard", text));
    }

    /// Tells the core how crowded the machine is, where it is about to judge programs by time.
    pub(super) fn look_at_crowd(&mut self) {
        if self.supervisor.judges_at(Moment::from_start(clock::monotonic())) {
            let permille = self.crowding.look();
            self.take(Input::Crowded { permille });
        }
    }
}
