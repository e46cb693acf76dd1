//! How hooks and checks of units went lately, for the bundle of a crash.

use std::collections::{BTreeMap, VecDeque};

use mainstay_api::bundle::Outcome;
use mainstay_core::{Health, Hook, HookEnd, UnitName};

use crate::{beside::EndedHook, events};

/// So many are kept of each unit.
const KEPT: usize = 20;

/// The last results of each unit.
#[derive(Debug, Default)]
pub(crate) struct Results {
    by_unit: BTreeMap<UnitName, VecDeque<Outcome>>,
}

impl Results {
    /// Notes how a command beside a program ended.
    pub(crate) fn note_hook(&mut self, unit: &UnitName, hook: Hook, ended: &EndedHook) {
        let how = match &ended.end {
            HookEnd::Exited(exit) if ended.late => format!("took too long and {exit}"),
            HookEnd::Exited(exit) => exit.to_string(),
            HookEnd::NotStarted(reason) => format!("was not started: {reason}"),
            HookEnd::Known => "ended while nobody could learn how".to_owned(),
        };
        self.note(unit, Outcome { what: format!("hook {hook}"), how, at: events::now() });
    }

    /// Notes what is otherwise about a unit's health.
    pub(crate) fn note_health(&mut self, unit: &UnitName, health: &Health) {
        let (what, how) = match health {
            Health::Bad { check, reason, failures } => {
                (format!("check {check}"), format!("turned bad after {failures}: {reason}"))
            }
            Health::Good { check } => (format!("check {check}"), "turned good".to_owned()),
            Health::Unknown { check, reason } => {
                (format!("check {check}"), format!("could not be made: {reason}"))
            }
            Health::Hangs { silent } => {
                ("watchdog".to_owned(), format!("silent for {} s", silent.as_secs()))
            }
            Health::Patient { what, permille } => {
                (what.clone(), format!("given more time: {permille} of 1000 were spent waiting"))
            }
            Health::Reloaded => ("reload".to_owned(), "done".to_owned()),
            Health::NotReloaded { reason } => ("reload".to_owned(), format!("not done: {reason}")),
        };
        self.note(unit, Outcome { what, how, at: events::now() });
    }

    /// The oldest goes where there are many.
    fn note(&mut self, unit: &UnitName, outcome: Outcome) {
        let all = self.by_unit.entry(unit.clone()).or_default();
        if all.len() >= KEPT {
            all.pop_front();
        }
        all.push_back(outcome);
    }

    pub(super) fn of(&self, unit: &UnitName) -> Vec<Outcome> {
        self.by_unit.get(unit).into_iter().flatten().cloned().collect()
    }

    pub(super) fn forget(&mut self, unit: &UnitName) {
        self.by_unit.remove(unit);
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::Exit;

    use super::*;

    #[test]
    fn the_last_results_of_a_unit_are_kept_in_their_order() {
        let [web, api] = ["web", "api"].map(|name| UnitName::parse(name).unwrap());
        let mut results = Results::default();
        for number in 0..50 {
            let what = format!("check {number}");
            results.note(&web, Outcome { what, ..Outcome::default() });
        }
        let kept = results.of(&web);
        assert_eq!(kept.len(), KEPT);
        assert_eq!((kept[0].what.as_str(), kept[KEPT - 1].what.as_str()), ("check 30", "check 49"));
        assert_eq!(results.of(&api), []);
        results.forget(&web);
        assert_eq!(results.of(&web), []);
    }

    #[test]
    fn a_hook_that_fails_and_a_check_that_turns_bad_are_told_in_words() {
        let web = UnitName::parse("web").unwrap();
        let mut results = Results::default();
        let killed = EndedHook { end: HookEnd::Exited(Exit::Signal(9)), late: true };
        results.note_hook(&web, Hook::BeforeStart, &killed);
        let (check, reason) = ("disk".to_owned(), "code 2".to_owned());
        results.note_health(&web, &Health::Bad { check, reason, failures: 3 });
        let told = results.of(&web);
        let told: Vec<String> = told.iter().map(|it| format!("{} {}", it.what, it.how)).collect();
        let expected = [
            "hook before-start took too long and was killed by signal 9",
            "check disk turned bad after 3: code 2",
        ];
        assert_eq!(told, expected);
    }
}
