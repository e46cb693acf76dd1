//! What commands beside programs are given that is fetched: the variables of their service, before
//! they are ordered.
//!
//! A secret that cannot be had is nobody's fault: its hook is not started, its look has no verdict.

use std::collections::BTreeMap;

use mainstay_api::{
    config::Fetched,
    keeper::{Spawn, encoded_len},
};
use mainstay_core::HookEnd;

use super::name::{BesideName, RunOf};
use crate::{
    daemon::Agent,
    effects::FRAME_BYTES,
    secrets::{CREDENTIALS, Keeping, Wanted},
};

impl Agent {
    /// Orders a command, at once or when what it is given is there.
    pub(super) fn equip_beside(&mut self, name: &BesideName, mut order: Spawn, keeping: Keeping) {
        let service = self.config.services.get(&name.unit.service);
        let fetched = service.map(|service| service.fetched.clone()).unwrap_or_default();
        if !fetched.files.is_empty() && self.has_files(name) {
            let folder = self.instance.secret_files_of(&name.unit.to_string());
            order.environment.set.insert(CREDENTIALS.to_owned(), folder.display().to_string());
        }
        if fetched.environment.is_empty() {
            return self.send_beside(name, order);
        }
        let fetched = Fetched { files: BTreeMap::new(), config: BTreeMap::new(), ..fetched };
        let (run, plain) = (order.run, self.plain_environment(&name.unit));
        let (whom, order) = (RunOf::Beside(name.clone()), Box::new(order));
        let wanted = Wanted { whom, run, fetched, kind: None, plain, keeping, order };
        if let Err(error) = self.secrets.fetch(wanted) {
            self.beside_refused(name, run, format!("its values cannot be fetched: {error}"));
        }
    }

    /// Returns whether the folder of secret files is there, and stays while the program lives.
    fn has_files(&self, name: &BesideName) -> bool {
        let lives = self.supervisor.unit(&name.unit).is_some_and(|view| view.pid().is_some());
        lives && self.instance.secret_files_of(&name.unit.to_string()).exists()
    }

    /// The values of a command are there, or cannot be had.
    pub(crate) fn beside_values_ready(
        &mut self,
        name: &BesideName,
        ready: Result<Spawn, (u64, String)>,
    ) {
        match ready {
            Ok(order) if self.is_awaited_beside(name, order.run) => self.send_beside(name, order),
            Ok(_) => {}
            Err((number, reason)) => self.beside_refused(name, number, reason),
        }
        self.take_afterwards();
    }

    /// Gives a command up that waits for its values; returns whether it did.
    pub(super) fn give_beside_up(&mut self, name: &BesideName, number: u64) -> bool {
        let was_waiting = self.secrets.give_up(&RunOf::Beside(name.clone()), number);
        if was_waiting {
            let reason = "its values were not fetched in time".to_owned();
            self.beside_refused(name, number, reason);
        }
        was_waiting
    }

    fn send_beside(&mut self, name: &BesideName, order: Spawn) {
        if encoded_len(&order) > FRAME_BYTES {
            let reason = "its command and environment are too long".to_owned();
            return self.beside_refused(name, order.run, reason);
        }
        self.outbox.spawns.push(order);
    }

    fn is_awaited_beside(&self, name: &BesideName, number: u64) -> bool {
        if name.part.is_look() {
            return self.besides.looks.running(name) == Some(number);
        }
        self.besides.hooks_of(name).any(|of| of == number)
    }

    fn beside_refused(&mut self, name: &BesideName, number: u64, reason: String) {
        if name.part.is_look() {
            self.look_not_started(name, number, reason);
        } else {
            self.end_hook(name, number, HookEnd::NotStarted(reason));
        }
    }
}
