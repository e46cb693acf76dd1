//! How commands beside programs ended last, as far as it was told.

use std::collections::BTreeMap;

use mainstay_api::control::{Event, Facts, HookLast};
use mainstay_core::{Exit, HookEnd, UnitName};

use super::{Events, UNIT_FORGOTTEN};
use crate::beside::BesideName;

/// The event that tells that a hook has done what it should.
pub(crate) const HOOK_ENDED: &str = "HookEnded";
/// The event that tells that it has not.
pub(crate) const HOOK_FAILED: &str = "HookFailed";

/// The last end of each hook that was told.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    last: BTreeMap<BesideName, Last>,
}

#[derive(Debug)]
struct Last {
    number: u64,
    exit: Option<Exit>,
    at: String,
    failed: bool,
    message: String,
}

impl Hooks {
    /// Reads what is kept.
    pub(super) fn of(records: &[Vec<u8>]) -> Self {
        let mut hooks = Self::default();
        let names = [HOOK_ENDED, HOOK_FAILED, UNIT_FORGOTTEN];
        let texts = records.iter().filter_map(|record| std::str::from_utf8(record).ok());
        let ours = texts.filter(|text| names.iter().any(|name| text.contains(name)));
        for event in ours.filter_map(|text| serde_json::from_str(text).ok()) {
            hooks.note(&event);
        }
        hooks
    }

    /// Takes notice of an event, if it is about hooks.
    pub(super) fn note(&mut self, event: &Event) {
        let Some(unit) = event.unit.as_deref().and_then(|unit| UnitName::parse(unit).ok()) else {
            return;
        };
        let failed = match event.event.as_str() {
            UNIT_FORGOTTEN => return self.last.retain(|name, _| name.unit != unit),
            HOOK_ENDED => false,
            HOOK_FAILED => true,
            _ => return,
        };
        let (Some(hook), Some(number)) = (&event.facts.hook, event.facts.number) else { return };
        let Some(name) = BesideName::parse(&format!("{unit}:{hook}")) else { return };
        let (at, message) = (event.timestamp.clone(), event.message.clone());
        let exit = exit_in(&event.facts);
        self.last.insert(name, Last { number, exit, at, failed, message });
    }
}

impl Events {
    /// Returns whether the end of a hook was told before, by this agent or an earlier one.
    pub(crate) fn knows_hook(&self, name: &BesideName, number: u64) -> bool {
        self.hooks.last.get(name).is_some_and(|last| last.number >= number)
    }

    /// Returns how the hook with this number ended, as far as it was told.
    pub(crate) fn hook_end(&self, name: &BesideName, number: u64) -> HookEnd {
        let last = self.hooks.last.get(name).filter(|last| last.number == number);
        last.and_then(|last| last.exit).map_or(HookEnd::Known, HookEnd::Exited)
    }

    /// A hook begins whose number is free: what was told of it is about another one.
    pub(crate) fn hook_begins(&mut self, name: &BesideName, number: u64) {
        if self.knows_hook(name, number) {
            self.hooks.last.remove(name);
        }
    }

    /// Returns the last number of each hook.
    pub(crate) fn hooks(&self) -> impl Iterator<Item = (BesideName, u64)> {
        self.hooks.last.iter().map(|(name, last)| (name.clone(), last.number))
    }

    /// Returns how the hooks of a unit ended last.
    pub(crate) fn hooks_of(&self, unit: &UnitName) -> Vec<HookLast> {
        let own = self.hooks.last.iter().filter(|(name, _)| name.unit == *unit);
        let last = own.map(|(name, last)| HookLast {
            hook: name.part.to_string(),
            number: last.number,
            at: last.at.clone(),
            failed: last.failed,
            message: last.message.clone(),
        });
        last.collect()
    }
}

const fn exit_in(facts: &Facts) -> Option<Exit> {
    match (facts.exit_code, facts.signal) {
        (Some(code), _) => Some(Exit::Code(code)),
        (None, Some(signal)) => Some(Exit::Signal(signal)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_comes_back_until_its_unit_is_forgotten() {
        let mut hooks = Hooks::of(&[
            event(HOOK_ENDED, "web", "after-exit", 3, Some(0)),
            event(HOOK_FAILED, "web", "after-exit", 4, Some(7)),
            event(HOOK_FAILED, "web@2", "action-disk", 1, None),
            b"no event".to_vec(),
        ]);
        let shown = |hooks: &Hooks| -> Vec<String> {
            let one = |(name, last): (&BesideName, &Last)| {
                format!("{name} {} {:?} {}", last.number, last.exit, last.failed)
            };
            hooks.last.iter().map(one).collect()
        };
        let both = ["web:after-exit 4 Some(Code(7)) true", "web@2:action-disk 1 None true"];
        assert_eq!(shown(&hooks), both);
        let forgotten = event(UNIT_FORGOTTEN, "web", "", 0, None);
        hooks.note(&serde_json::from_slice(&forgotten).unwrap());
        assert_eq!(shown(&hooks), both[1..]);
    }

    fn event(event: &str, unit: &str, hook: &str, number: u64, code: Option<u32>) -> Vec<u8> {
        let facts = Facts {
            hook: Some(hook.to_owned()),
            number: Some(number),
            exit_code: code,
            ..Facts::default()
        };
        let event = Event {
            sequence: 1,
            timestamp: String::new(),
            level: "info".to_owned(),
            event: event.to_owned(),
            unit: Some(unit.to_owned()),
            run: None,
            trace_id: String::new(),
            message: String::new(),
            facts,
        };
        serde_json::to_vec(&event).unwrap()
    }
}
