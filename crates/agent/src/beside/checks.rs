//! Checks that are commands: asked by the core, answered by an exit code.

use std::{io, time::Duration};

use mainstay_api::{
    config::ServiceConfig,
    keeper::{RunRef, SpawnOutcome, Spawned},
};
use mainstay_core::{Exit, Input, Memo, Moment, Outcome, Probe, ProbeOf, UnitName};
use mainstay_platform::{clock, shortage::is_shortage};

use super::{
    WhatFor,
    looks::{Deed, Question, Terms},
    name::{BesideName, Part},
    order::{self, Occasion},
    recipe, run_of,
};
use crate::{daemon::Agent, secrets::Keeping};

/// What a check is told about its occasion.
const EVENT: &str = "check";
/// Values that take longer than this part of a look's time are no verdict on the program.
const VALUES_SHARE: u32 = 2;
/// Steps of a start that fail because of what the configuration says, not of what the machine has.
const STEPS_OF_COMMAND: [&str; 7] =
    ["arguments", "directory", "program", "execute", "foreign", "alias", "interpreter"];

/// A command that has answered with anything but 0.
#[derive(Debug)]
pub(super) struct Verdict {
    name: BesideName,
    question: Question,
    exit: Exit,
}

impl Agent {
    /// Looks at a unit by a command.
    pub(crate) fn look(&mut self, unit: &UnitName, part: Part, run: u64, probe: Probe) {
        let name = BesideName { unit: unit.clone(), part };
        let service = self.config.services.get(&unit.service);
        let recipe = service.and_then(|service| recipe::of(service, &name.part));
        let terms = recipe.map_or(Terms { fresh: Duration::ZERO, timeout: Duration::ZERO }, |it| {
            Terms { fresh: it.fresh, timeout: it.timeout }
        });
        let deed = self.besides.looks.ask(&name, Question { run, probe }, now(), terms);
        self.look_on(&name, deed);
    }

    /// Nobody waits for a look any more.
    pub(crate) fn give_up_look(&mut self, unit: &UnitName, run: u64, probe: Probe) {
        let given_up = self.besides.looks.abandon(unit, Question { run, probe }, now());
        if let Some((name, deed)) = given_up {
            self.look_on(&name, deed);
        }
    }

    /// Ends the commands of checks that are not configured any more.
    pub(crate) fn end_former_looks(&mut self) {
        for (name, _) in self.besides.looks.under_way() {
            if !self.is_configured(&name) {
                let deed = self.besides.looks.end(&name, now());
                self.look_on(&name, deed);
            }
        }
    }

    fn is_configured(&self, name: &BesideName) -> bool {
        let service = self.config.services.get(&name.unit.service);
        service.is_some_and(|service| recipe::of(service, &name.part).is_some())
    }

    /// Kills again what does not end, and tells whoever waits for that.
    pub(super) fn looks_due(&mut self) {
        for (name, deed) in self.besides.looks.due(now()) {
            self.look_on(&name, [deed]);
        }
    }

    /// A look that is being killed is there all the same.
    pub(super) fn look_is_there(&mut self, name: &BesideName, number: u64) {
        let deed = self.besides.looks.is_there(name, number);
        self.look_on(name, deed);
    }

    pub(super) fn look_spawned(&mut self, name: &BesideName, spawned: &Spawned) {
        let number = spawned.run;
        let deeds = match &spawned.outcome {
            SpawnOutcome::Started { .. } => {
                self.custody.want(&spawned.unit, number);
                return self.look_is_there(name, number);
            }
            SpawnOutcome::Failed { step, code, message } => {
                let is_its_own = STEPS_OF_COMMAND.contains(&step.as_str());
                let outcome = if is_its_own && !is_shortage(&io::Error::from_raw_os_error(*code)) {
                    Outcome::Failed(message.clone())
                } else {
                    Outcome::Unknown(message.clone())
                };
                self.besides.looks.failed(name, number, outcome)
            }
            SpawnOutcome::Conflict { highest } => {
                self.besides.looks.conflict(name, number, *highest).into_iter().collect()
            }
        };
        self.look_on(name, deeds);
    }

    pub(super) fn look_ended(&mut self, name: &BesideName, number: u64, exit: Exit) {
        let deeds = self.besides.looks.ended(name, number, exit);
        self.look_on(name, deeds);
        // Nothing is told of it, so nothing has to be on the disk.
        self.outbox.acks.push(run_of(name, number));
        if self.supervisor.unit(&name.unit).is_none() || !self.is_configured(name) {
            self.forget_beside(name);
        }
    }

    /// What was under way is not with the keeper any more: nobody knows how it ended.
    pub(super) fn look_lost(&mut self, name: &BesideName, number: u64) {
        let reason = "its keeper has died, and how it ended is not known".to_owned();
        let deeds = self.besides.looks.failed(name, number, Outcome::Unknown(reason));
        self.look_on(name, deeds);
    }

    /// A command could not be ordered; one that nobody waits for is forgotten with its unit.
    pub(super) fn look_not_started(&mut self, name: &BesideName, number: u64, reason: String) {
        let deeds = self.besides.looks.failed(name, number, Outcome::Unknown(reason));
        self.look_on(name, deeds);
        if self.supervisor.unit(&name.unit).is_none() {
            self.forget_beside(name);
        }
    }

    fn look_on(&mut self, name: &BesideName, deeds: impl IntoIterator<Item = Deed>) {
        for deed in deeds {
            match deed {
                Deed::Start { number, question } => self.order_look(name, number, question),
                Deed::Kill { number } => self.kill_beside(name, number),
                Deed::Answer { question, exit, .. } if exit.is_success() => {
                    self.probed(name, question, Outcome::Passed);
                }
                Deed::Answer { question, number, exit } => {
                    let verdict = Verdict { name: name.clone(), question, exit };
                    self.want_words(run_of(name, number), WhatFor::Verdict(verdict));
                }
                Deed::Tell { question, outcome } => self.probed(name, question, outcome),
            }
        }
    }

    pub(super) fn want_words(&mut self, command: RunRef, whatfor: WhatFor) {
        self.besides.words.want(command, whatfor, clock::monotonic());
    }

    fn order_look(&mut self, name: &BesideName, number: u64, question: Question) {
        let service = self.config.services.get(&name.unit.service);
        let found = service.and_then(|service| Some((service, recipe::of(service, &name.part)?)));
        let Some((service, recipe)) = found else {
            let reason = "it is not configured any more".to_owned();
            let deeds = self.besides.looks.failed(name, number, Outcome::Unknown(reason));
            return self.look_on(name, deeds);
        };
        let facts = vec![("MAINSTAY_EVENT", EVENT.to_owned()), ("MAINSTAY_CHECK", check_of(name))];
        let occasion = Occasion { name, number, run: question.run, memo: Memo::default(), facts };
        let keeping = Keeping::Look { run: question.run, within: recipe.timeout / VALUES_SHARE };
        let spawn = order::order(service, &self.instance, recipe, occasion);
        self.besides.names.insert(name.clone());
        self.equip_beside(name, spawn, keeping);
    }

    pub(super) fn judge(&mut self, verdict: Verdict, words: Option<&str>) {
        let Verdict { name, question, exit } = verdict;
        let how = match exit {
            Exit::Code(code) => format!("exit code {code}"),
            Exit::Signal(signal) => format!("killed by signal {signal}"),
            Exit::Unknown => {
                let reason = "nobody could learn how it ended".to_owned();
                return self.probed(&name, question, Outcome::Unknown(reason));
            }
        };
        let reason = words.map_or_else(|| how.clone(), |words| format!("{how}: {words}"));
        self.probed(&name, question, Outcome::Failed(reason));
    }

    fn probed(&mut self, name: &BesideName, question: Question, outcome: Outcome) {
        let (unit, Question { run, probe }) = (name.unit.clone(), question);
        self.afterwards.push(Input::Probed { unit, run, probe, outcome });
    }
}

fn now() -> Moment {
    Moment::from_start(clock::monotonic())
}

/// Returns what is looked at, in the words of the configuration.
fn check_of(name: &BesideName) -> String {
    match &name.part {
        Part::Check(check) => check.clone(),
        Part::Hook(_) | Part::Action(_) | Part::Ready => name.part.to_string(),
    }
}

/// Returns the part that a look is, when it is a command.
pub(crate) fn part_of_look(service: &ServiceConfig, of: ProbeOf) -> Option<Part> {
    recipe::look_of(service, of)
}
