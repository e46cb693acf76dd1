//! What the configuration says of a command beside a program.

use std::time::Duration;

use mainstay_api::config::{CheckConfig, Look, ServiceConfig};
use mainstay_core::{
    Hook, ProbeOf,
    check::{CheckId, ReadyBy},
};

use super::name::Part;

/// A command beside a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recipe<'c> {
    pub(super) command: &'c [String],
    /// It is killed when it takes longer.
    pub(super) timeout: Duration,
    /// What has ended so short a time ago is as good as asked now.
    pub(super) fresh: Duration,
}

/// Returns the command of a part; nothing when the configuration has none.
pub(super) fn of<'c>(service: &'c ServiceConfig, part: &Part) -> Option<Recipe<'c>> {
    let care = &service.care;
    match part {
        Part::Hook(_) | Part::Action(_) => {
            let hook = care.hooks.get(&hook_of(part)?)?;
            Some(Recipe { command: &hook.command, timeout: hook.timeout, fresh: Duration::ZERO })
        }
        Part::Ready => {
            let ReadyBy::Probe { every, timeout } = care.ready.policy.by else { return None };
            Some(Recipe { command: command_of(care.ready.look.as_ref()?)?, timeout, fresh: every })
        }
        Part::Check(name) => {
            let CheckConfig { policy, look } =
                care.checks.iter().find(|check| check.policy.name == *name)?;
            let (timeout, fresh) = (policy.timeout, policy.every);
            Some(Recipe { command: command_of(look)?, timeout, fresh })
        }
    }
}

/// Returns what a hook is called beside its unit.
pub(super) fn part_of(service: &ServiceConfig, hook: Hook) -> Option<Part> {
    let Hook::OfCheck(id) = hook else { return Some(Part::Hook(hook)) };
    let mut names = service.care.checks.iter().map(|check| &check.policy.name);
    names.find(|name| CheckId::of(name) == id).cloned().map(Part::Action)
}

/// Returns which hook a part is; nothing when it is none.
pub(super) fn hook_of(part: &Part) -> Option<Hook> {
    match part {
        Part::Hook(hook) => Some(*hook),
        Part::Action(name) => Some(Hook::OfCheck(CheckId::of(name))),
        Part::Ready | Part::Check(_) => None,
    }
}

/// Returns the part that a look is; nothing when no command looks.
pub(super) fn look_of(service: &ServiceConfig, of: ProbeOf) -> Option<Part> {
    match of {
        ProbeOf::Ready => {
            command_of(service.care.ready.look.as_ref()?)?;
            Some(Part::Ready)
        }
        ProbeOf::Check(place) => {
            let check = service.care.checks.get(usize::from(place))?;
            command_of(&check.look)?;
            Some(Part::Check(check.policy.name.clone()))
        }
    }
}

/// Returns whether commands look at the units of a service.
pub(crate) fn is_looked_at(service: &ServiceConfig) -> bool {
    let checks = service.care.checks.iter().map(|check| &check.look);
    checks.chain(service.care.ready.look.as_ref()).any(|look| command_of(look).is_some())
}

fn command_of(look: &Look) -> Option<&[String]> {
    match look {
        Look::Exec(command) => Some(command),
        Look::Http(_)
        | Look::Tcp(_)
        | Look::File(_)
        | Look::Log(_)
        | Look::Memory(_)
        | Look::Heartbeat => None,
    }
}
