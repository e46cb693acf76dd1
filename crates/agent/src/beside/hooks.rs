//! Hooks: ordered by the core, told when they have ended, acknowledged when that is on the disk.

use mainstay_api::{
    config::ServiceConfig,
    control::Facts,
    keeper::{SignalName, SpawnOutcome, Spawned},
};
use mainstay_core::{Exit, Hook, HookEnd, Input, Memo, Rung, Situation, TraceId, UnitName};

use super::{
    HookKey, WhatFor,
    name::{BesideName, Part},
    order::{self, Occasion},
    recipe, run_of,
};
use crate::{
    daemon::Agent,
    effects::{Subject, facts_of},
    events::{HOOK_ENDED, HOOK_FAILED, Level},
    secrets::Keeping,
};

/// A hook that has ended, as it is told.
#[derive(Debug)]
pub(super) struct Told {
    name: BesideName,
    number: u64,
    run: Option<u64>,
    trace: TraceId,
    end: HookEnd,
    late: bool,
}

/// A hook and its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HookRef {
    pub(crate) hook: Hook,
    pub(crate) number: u64,
}

/// What a hook is about.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) run: u64,
    /// What its unit had come to.
    pub(crate) memo: Memo,
    /// How it stood.
    pub(crate) situation: Situation,
}

/// How a hook has ended.
#[derive(Debug)]
pub(crate) struct EndedHook {
    pub(crate) end: HookEnd,
    /// It took too long and was ended for that.
    pub(crate) late: bool,
}

impl Agent {
    /// Orders a command that the core wants.
    pub(crate) fn order_hook(
        &mut self,
        unit: &UnitName,
        About { run, memo, situation }: About,
        HookRef { hook, number }: HookRef,
    ) {
        self.listen_where_asked(unit);
        let service = self.config.services.get(&unit.service);
        let found = service.and_then(|service| {
            let part = recipe::part_of(service, hook)?;
            Some((service, recipe::of(service, &part)?, part))
        });
        let Some((service, recipe, part)) = found else {
            let reason = "it is not configured any more".to_owned();
            return self.not_started(unit, hook, number, reason);
        };
        let name = BesideName { unit: unit.clone(), part };
        let facts = self.facts_for(&name, hook, situation);
        let occasion = Occasion { name: &name, number, run, memo, facts };
        let spawn = order::order(service, &self.instance, recipe, occasion);
        self.note_beside(&name, number);
        self.besides.names.insert(name.clone());
        self.besides.hooks.insert(HookKey { unit: unit.clone(), hook, number }, name.clone());
        self.equip_beside(&name, spawn, Keeping::Nothing);
    }

    fn not_started(&mut self, unit: &UnitName, hook: Hook, number: u64, reason: String) {
        let (unit, end) = (unit.clone(), HookEnd::NotStarted(reason));
        self.afterwards.push(Input::HookEnded { unit, hook, number, end });
    }

    /// Returns what a hook is told about its occasion.
    fn facts_for(
        &self,
        name: &BesideName,
        hook: Hook,
        Situation { state, exit, why }: Situation,
    ) -> Vec<(&'static str, String)> {
        let mut facts = vec![("MAINSTAY_EVENT", hook.to_string())];
        facts.extend(self.notify_variable(&name.unit));
        facts.push(("MAINSTAY_STATE", state.to_owned()));
        match hook {
            Hook::AfterExit | Hook::AfterStop => facts.extend(exit.and_then(exit_variable)),
            Hook::OnFailure => {
                facts.extend(exit.and_then(exit_variable));
                facts.push(("MAINSTAY_REASON", why));
            }
            Hook::OnUnhealthy | Hook::OnMemory | Hook::OfCheck(_) => {
                facts.extend(self.besides.ailment_for(name));
            }
            Hook::AfterRotate => {
                let closed = self.besides.closed.get(&name.unit);
                facts.extend(closed.map(|path| ("MAINSTAY_LOG_FILE", path.clone())));
            }
            Hook::BeforeStart
            | Hook::AfterStart
            | Hook::BeforeStop
            | Hook::BeforeReload
            | Hook::Reload
            | Hook::OnPowerResume => {}
        }
        facts
    }

    /// Takes a hook down, tree and all; one that is asked may leave first.
    pub(crate) fn take_hook_down(
        &mut self,
        unit: &UnitName,
        HookRef { hook, number }: HookRef,
        rung: Rung,
    ) {
        if let Some(name) =
            self.besides.hooks.get(&HookKey { unit: unit.clone(), hook, number }).cloned()
        {
            let signal = match rung {
                Rung::Ask => SignalName::Term,
                Rung::Kill => SignalName::Kill,
            };
            self.end_beside(&name, number, signal);
        }
    }

    pub(super) fn hook_spawned(&mut self, name: &BesideName, spawned: &Spawned) {
        let number = spawned.run;
        let end = match &spawned.outcome {
            SpawnOutcome::Started { fresh, .. } => {
                self.custody.want(&spawned.unit, number);
                if *fresh {
                    // What was told of this number, if anything was, is about another one.
                    self.events.hook_begins(name, number);
                    return;
                }
                let Some(exit) = self.besides.ended.get(&run_of(name, number)) else { return };
                HookEnd::Exited(*exit)
            }
            SpawnOutcome::Failed { message, .. } => HookEnd::NotStarted(message.clone()),
            SpawnOutcome::Conflict { .. } => self.events.hook_end(name, number),
        };
        self.end_hook(name, number, end);
    }

    pub(super) fn hook_ended(&mut self, name: &BesideName, number: u64, exit: Exit) {
        self.besides.ended.insert(run_of(name, number), exit);
        self.end_hook(name, number, HookEnd::Exited(exit));
    }

    pub(super) fn end_hook(&mut self, name: &BesideName, number: u64, end: HookEnd) {
        let unit = name.unit.clone();
        let hook = self.besides.hook_at(name, number);
        let Some(hook) = hook.filter(|_| self.supervisor.unit(&unit).is_some()) else {
            // Nobody waits for it: its unit, or the check that it belonged to, is no more.
            self.besides.hooks.retain(|key, of| key.number != number || of != name);
            return self.acknowledge_beside(name, number);
        };
        self.afterwards.push(Input::HookEnded { unit, hook, number, end });
    }

    /// The end of a hook is dealt with: tells it, then has the keeper drop it.
    pub(crate) fn settle_hook(
        &mut self,
        subject: Subject<'_>,
        HookRef { hook, number }: HookRef,
        EndedHook { end, late }: EndedHook,
    ) {
        let unit = subject.unit.clone();
        let known = self.besides.hooks.remove(&HookKey { unit: unit.clone(), hook, number });
        let service = self.config.services.get(&unit.service);
        let name = known.unwrap_or_else(|| BesideName { unit, part: part_for(service, hook) });
        if self.events.knows_hook(&name, number) {
            return self.acknowledge_beside(&name, number);
        }
        let Subject { run, trace, .. } = subject;
        let needs_words = matches!(end, HookEnd::Exited(exit) if !exit.is_success());
        let command = run_of(&name, number);
        let told = Told { name, number, run, trace, end, late };
        if needs_words {
            self.want_words(command, WhatFor::Event(told));
        } else {
            self.tell_hook(told, None);
        }
    }

    pub(super) fn tell_hook(&mut self, told: Told, words: Option<&str>) {
        let Told { name, number, run, trace, end, late } = told;
        let (level, event) = match &end {
            HookEnd::Exited(exit) if exit.is_success() && !late => (Level::Info, HOOK_ENDED),
            HookEnd::Exited(_) | HookEnd::NotStarted(_) | HookEnd::Known => {
                (Level::Warn, HOOK_FAILED)
            }
        };
        let how = match &end {
            HookEnd::Exited(_) if late => "took too long and was ended".to_owned(),
            HookEnd::Exited(exit) => exit.to_string(),
            HookEnd::NotStarted(reason) => format!("was not started: {reason}"),
            HookEnd::Known => "has run before, and how it ended is not known any more".to_owned(),
        };
        let words = words.map_or_else(String::new, |words| format!(": {words}"));
        let BesideName { unit, part } = &name;
        let message = format!("`{}` of `{unit}` {how}{words}", words_of(part));
        let facts = match end {
            HookEnd::Exited(exit) => facts_of(exit),
            HookEnd::NotStarted(_) | HookEnd::Known => Facts::default(),
        };
        let facts = Facts { hook: Some(part.to_string()), number: Some(number), late, ..facts };
        let subject = Subject { unit, run, trace };
        self.tell_with(subject, level, (event, message), facts);
        self.acknowledge_beside(&name, number);
    }
}

/// Returns how a run has ended, unless nobody knows.
fn exit_variable(exit: Exit) -> Option<(&'static str, String)> {
    match exit {
        Exit::Code(code) => Some(("MAINSTAY_EXIT_CODE", code.to_string())),
        Exit::Signal(signal) => Some(("MAINSTAY_SIGNAL", signal.to_string())),
        Exit::Unknown => None,
    }
}

impl super::Besides {
    /// Returns which hook a command is that the core waits for.
    fn hook_at(&self, name: &BesideName, number: u64) -> Option<Hook> {
        let mut all = self.keys_of(name).filter(|key| key.number == number);
        all.next().map(|key| key.hook)
    }

    /// Returns the numbers of a command that the core waits for.
    pub(super) fn hooks_of(&self, name: &BesideName) -> impl Iterator<Item = u64> {
        self.keys_of(name).map(|key| key.number)
    }

    fn keys_of(&self, name: &BesideName) -> impl Iterator<Item = &HookKey> {
        let first = HookKey { unit: name.unit.clone(), hook: Hook::BeforeStart, number: 0 };
        let of_unit = self.hooks.range(first..).take_while(|(key, _)| key.unit == name.unit);
        of_unit.filter(move |(_, of)| *of == name).map(|(key, _)| key)
    }

    /// Returns what is bad about a unit: for the action of a check, about that check.
    fn ailment_for(&self, name: &BesideName) -> Vec<(&'static str, String)> {
        let ailments = self.ailments.get(&name.unit).map(Vec::as_slice).unwrap_or_default();
        let found = match &name.part {
            Part::Action(check) => ailments.iter().find(|ailment| ailment.check == *check),
            Part::Hook(_) | Part::Ready | Part::Check(_) => ailments.last(),
        };
        let facts = |ailment: &super::Ailment| {
            let (check, reason) = (ailment.check.clone(), ailment.reason.clone());
            vec![("MAINSTAY_CHECK", check), ("MAINSTAY_REASON", reason)]
        };
        found.map(facts).unwrap_or_default()
    }
}

/// Returns what a hook is called beside its unit. What belonged to a check that nobody has configured
/// any more has the name that all of those have in common.
fn part_for(service: Option<&ServiceConfig>, hook: Hook) -> Part {
    let part = service.and_then(|service| recipe::part_of(service, hook));
    part.unwrap_or(Part::Hook(hook))
}

/// Returns what a hook is called in a sentence.
fn words_of(part: &Part) -> String {
    match part {
        Part::Action(check) => format!("action of {check}"),
        Part::Hook(_) | Part::Ready | Part::Check(_) => part.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::{SourceText, parse};
    use mainstay_core::check::CheckId;

    use super::*;

    #[test]
    fn a_hook_has_a_name_to_be_told_by_whatever_is_configured() {
        let of_check = Hook::OfCheck(CheckId::of("disk"));
        for (hook, name) in [(Hook::AfterExit, "after-exit"), (of_check, "action")] {
            assert_eq!(part_for(None, hook).to_string(), name);
            let bytes = b"[services.web]\ncommand = ['x']\n";
            let config = parse(&[SourceText { file: "x.toml", bytes }]).unwrap();
            let service = config.services.into_values().next();
            assert_eq!(part_for(service.as_ref(), hook).to_string(), name);
        }
    }
}
