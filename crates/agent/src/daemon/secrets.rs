//! The loop's side of secrets: orders that wait for their values, and what administrators ask for.

use std::collections::BTreeMap;

use mainstay_api::{
    config::{Fetched, KindConfig, ServiceConfig, ValueSource, check_secret_name},
    control::{SecretAnswer, Secrets},
    keeper::Spawn,
};
use mainstay_core::{Input, UnitName};
use mainstay_storage::secrets::Secret;

use super::Agent;
use crate::{
    beside::{self, RunOf},
    calls::{Asker, Refused, RefusedKind, Reply},
    events::{Happening, Level},
    secrets::{Deed, FetchError, Keeping, Ready, Wanted},
};

/// What an order to start a run still lacks.
type Missing = (Fetched, Option<KindConfig>);

impl Agent {
    /// Returns the values and the kind that a unit's runs wait for; nothing when there are none.
    pub(crate) fn missing_of(&self, unit: &UnitName) -> Option<Missing> {
        let service = self.config.services.get(&unit.service).filter(|it| waits(it))?;
        Some((service.fetched.clone(), service.kind.clone()))
    }

    /// Returns what the configuration says of a unit's environment.
    pub(crate) fn plain_environment(&self, unit: &UnitName) -> BTreeMap<String, String> {
        let service = self.config.services.get(&unit.service);
        service.map(|service| service.environment.clone()).unwrap_or_default()
    }

    /// Returns what becomes of the values of a run: commands that look at it get the same.
    pub(crate) fn keeping_of(&self, unit: &UnitName, run: u64) -> Keeping {
        let service = self.config.services.get(&unit.service);
        let is_looked_at = service.is_some_and(beside::is_looked_at);
        if is_looked_at { Keeping::ForLooks { run } } else { Keeping::Nothing }
    }

    /// Has the values of a run fetched; it is ordered when they are there.
    pub(crate) fn fetch(&mut self, wanted: Wanted) {
        let (unit, run) = (wanted.whom.unit().clone(), wanted.run);
        if let Err(error) = self.secrets.fetch(wanted) {
            let reason = format!("its values cannot be fetched: {error}");
            self.afterwards.push(Input::NotStarted { unit, run, reason });
        }
    }

    /// The values of a run are there, or cannot be had.
    pub(super) fn values_ready(&mut self, ready: Ready) {
        if !self.secrets.is_awaited(&ready) {
            // The run was given up; so were its files, unless a later run has them.
            if let RunOf::Unit(unit) = ready.whom {
                self.secrets.ended(&unit, ready.run);
            }
            return;
        }
        let Ready { whom, run, result, is_on_disk } = ready;
        if is_on_disk && !std::mem::replace(&mut self.secrets.is_disk_told, true) {
            self.tell_of_disk();
        }
        let unit = match whom {
            RunOf::Unit(unit) => unit,
            RunOf::Beside(name) => {
                let ready = result.map(|order| *order).map_err(|error| (run, error.to_string()));
                return self.beside_values_ready(&name, ready);
            }
        };
        self.run_values_ready(unit, run, result);
    }

    fn run_values_ready(
        &mut self,
        unit: UnitName,
        run: u64,
        result: Result<Box<Spawn>, FetchError>,
    ) {
        match result {
            Ok(order) if self.is_starting(&unit, run) => {
                if let Err(reason) = self.send_order(&unit, run, *order) {
                    self.take(Input::NotStarted { unit, run, reason });
                }
            }
            Ok(_) => {
                self.secrets.ended(&unit, run);
                let reason = "it was stopped before its values were there".to_owned();
                self.take(Input::NotStarted { unit, run, reason });
            }
            Err(error) => {
                self.secrets.ended(&unit, run);
                let reason = error.to_string();
                self.take(Input::NotStarted { unit, run, reason });
            }
        }
    }

    /// Gives a run up that waits for its values; returns whether it did.
    pub(crate) fn give_values_up(&mut self, unit: &UnitName, run: u64) -> bool {
        let was_waiting = self.secrets.give_up(&RunOf::Unit(unit.clone()), run);
        if was_waiting {
            let (unit, reason) = (unit.clone(), "its values were not fetched yet".to_owned());
            self.afterwards.push(Input::NotStarted { unit, run, reason });
        }
        was_waiting
    }

    /// Returns whether a unit's run is decided, but not started before its values are there.
    pub(crate) fn is_held_up(&self, unit: &UnitName) -> bool {
        let service = self.config.services.get(&unit.service);
        let view = self.supervisor.unit(unit);
        service.is_some_and(waits)
            && view.is_some_and(|view| view.state() == "starting" && view.pid().is_none())
    }

    fn is_starting(&self, unit: &UnitName, run: u64) -> bool {
        let view = self.supervisor.unit(unit);
        view.is_some_and(|view| view.run() == run && view.state() == "starting")
    }

    fn tell_of_disk(&mut self) {
        let message = format!(
            "files of secrets lie on a disk, not in memory: `{}`; set XDG_RUNTIME_DIR to a folder \
             in memory",
            self.instance.secret_files().display()
        );
        self.events.tell(Happening::of_instance(Level::Warn, "SecretsOnDisk", message));
    }

    pub(super) fn list_secrets(&mut self, reply: Reply<Secrets>) {
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (service, config) in &self.config.services {
            for name in config.fetched.sources().filter_map(ValueSource::secret) {
                let users = users.entry(name.to_owned()).or_default();
                if users.last().is_none_or(|last| last != service.as_str()) {
                    users.push(service.to_string());
                }
            }
        }
        self.do_to_secrets(Deed::List { users, reply });
    }

    pub(super) fn set_secret(
        &mut self,
        asker: &Asker,
        name: String,
        value: Secret,
        reply: Reply<SecretAnswer>,
    ) {
        if let Err(refused) = check(&name, &value) {
            return drop(reply.send(Err(refused)));
        }
        let answer = self.about_secret(asker, "sets", name);
        self.do_to_secrets(Deed::Set { value, answer, reply });
    }

    pub(super) fn remove_secret(
        &mut self,
        asker: &Asker,
        name: String,
        reply: Reply<SecretAnswer>,
    ) {
        let answer = self.about_secret(asker, "removes", name);
        self.do_to_secrets(Deed::Remove { answer, reply });
    }

    /// Tells who does what to which secret; returns what is known of it without the store.
    fn about_secret(&mut self, asker: &Asker, does: &str, name: String) -> SecretAnswer {
        let trace = self.note(asker, &format!("{does} the secret {name:?}"));
        let users = self.config.services.iter().filter(|one| one.1.fetched.refers_to(&name));
        let services = users.map(|(service, _)| service.to_string()).collect();
        SecretAnswer { name, services, trace_id: trace.to_string(), ..SecretAnswer::default() }
    }

    /// Whoever waits is told that nobody answers when there is no thread for it.
    fn do_to_secrets(&mut self, deed: Deed) {
        if let Err(error) = self.secrets.order(deed) {
            let message = format!("nobody works with secrets: {error}");
            self.events.tell(Happening::of_instance(Level::Error, "SecretsNotServed", message));
        }
    }
}

/// Returns whether runs of a service are not started at once.
fn waits(service: &ServiceConfig) -> bool {
    !service.fetched.is_empty() || service.kind.is_some()
}

fn check(name: &str, value: &Secret) -> Result<(), Refused> {
    let bad = |what: String, hint: &str| Err(Refused::new(RefusedKind::Bad, what, hint));
    if let Err(hint) = check_secret_name(name) {
        return bad(format!("{name:?} cannot name a secret"), hint);
    }
    if value.reveal().is_empty() {
        return bad("the value is empty".to_owned(), "`mainstay secret remove` removes a secret");
    }
    Ok(())
}
