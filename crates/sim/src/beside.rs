//! Commands beside programs, under the names that the keeper knows them by: `a.before-start`.

use mainstay_core::{
    Adopted, AdoptedHook, AdoptedPhase, Hook, Memo, ServiceName, UnitName, check::CheckId,
};

use crate::wire::Key;

/// Hooks that services of a life may have.
pub(crate) const HOOKS: [Hook; 11] = [
    Hook::BeforeStart,
    Hook::AfterStart,
    Hook::BeforeStop,
    Hook::AfterStop,
    Hook::AfterExit,
    Hook::BeforeReload,
    Hook::AfterRotate,
    Hook::OnFailure,
    Hook::OnUnhealthy,
    Hook::OnMemory,
    Hook::OnPowerResume,
];

/// Names of checks, of which each may have a command of its own.
pub(crate) const CHECKS: [&str; 4] = ["check-0", "check-1", "check-2", "check-3"];

/// Returns every hook that a unit may ever have had.
pub(crate) fn all_hooks() -> impl Iterator<Item = Hook> {
    HOOKS.into_iter().chain([Hook::Reload]).chain(CHECKS.into_iter().map(of_check))
}

/// Returns what a check has for itself.
pub(crate) fn of_check(name: &str) -> Hook {
    Hook::OfCheck(CheckId::of(name))
}

/// Returns the name of a hook of a unit.
pub(crate) fn beside(unit: &UnitName, hook: Hook) -> Option<UnitName> {
    let check = matches!(hook, Hook::OfCheck(_))
        .then(|| CHECKS.into_iter().find(|name| of_check(name) == hook))
        .flatten();
    let name = match check {
        Some(check) => format!("{}.{check}", unit.service),
        None => format!("{}.{hook}", unit.service),
    };
    let service = ServiceName::new(&name).ok()?;
    Some(UnitName { service, copy: unit.copy })
}

/// Returns whose hook a name is; nothing when it is a program's.
pub(crate) fn owner(name: &UnitName) -> Option<(UnitName, Hook)> {
    let (service, hook) = name.service.as_str().split_once('.')?;
    let service = ServiceName::new(service).ok()?;
    let check = || CHECKS.into_iter().find(|name| *name == hook).map(of_check);
    Some((UnitName { service, copy: name.copy }, Hook::named(hook).or_else(check)?))
}

/// Returns what is stored with a hook.
pub(crate) fn memo_of(run: u64, memo: Memo) -> Memo {
    Memo { restarts: run, ..memo }
}

/// Returns what is known of a hook whose end was told.
pub(crate) fn told(name: &UnitName, number: u64) -> Option<AdoptedHook> {
    let (unit, hook) = owner(name)?;
    let phase = AdoptedPhase::Remembered;
    Some(AdoptedHook { unit, hook, number, run: 0, memo: Memo::default(), phase })
}

/// Parts what a keeper knows into programs and the commands beside them.
pub(crate) fn part(all: Vec<Adopted>) -> (Vec<Adopted>, Vec<AdoptedHook>) {
    let (mut runs, mut hooks) = (Vec::new(), Vec::new());
    for one in all {
        let Some((unit, hook)) = owner(&one.unit) else {
            runs.push(one);
            continue;
        };
        let (run, number, memo, phase) = (one.memo.restarts, one.run, one.memo, one.phase);
        hooks.push(AdoptedHook { unit, hook, number, run, memo, phase });
    }
    (runs, hooks)
}

/// Returns whether a run is one of a hook.
pub(crate) fn is_hook(key: &Key) -> bool {
    key.0.service.as_str().contains('.')
}
