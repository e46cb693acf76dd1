//! Whose run a name of the keeper's means: a unit's, or that of a command beside it.

use std::fmt;

use mainstay_core::{Hook, UnitName};

/// Between the unit and what is beside it; no name of a unit has one.
const SEPARATOR: char = ':';
const CHECK: &str = "check-";
const ACTION: &str = "action-";
const READY: &str = "ready";

/// Whose run a name means.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunOf {
    /// The program of a unit.
    Unit(UnitName),
    /// A command beside it.
    Beside(BesideName),
}

/// Names a command beside a program: `web:before-start`, `web@2:check-disk`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BesideName {
    pub(crate) unit: UnitName,
    pub(crate) part: Part,
}

/// What a command beside a program is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// One of the hooks that have a name.
    Hook(Hook),
    /// What the check of this name does when it turns bad.
    Action(String),
    /// Whether the unit is ready.
    Ready,
    /// The check of this name.
    Check(String),
}

impl RunOf {
    /// Reads a name of the keeper's; nothing when no agent of this version gives such a name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some((unit, part)) = text.split_once(SEPARATOR) else {
            return UnitName::parse(text).ok().map(Self::Unit);
        };
        let unit = UnitName::parse(unit).ok()?;
        Some(Self::Beside(BesideName { unit, part: Part::parse(part)? }))
    }

    /// Returns the unit that it belongs to.
    pub(crate) const fn unit(&self) -> &UnitName {
        match self {
            Self::Unit(unit) => unit,
            Self::Beside(name) => &name.unit,
        }
    }

    /// Returns the name under which its numbers are kept; nothing when they are kept under another
    /// one, or begin anew with each agent.
    pub(crate) fn counted_as(&self) -> Option<String> {
        match self {
            Self::Unit(unit) => Some(unit.to_string()),
            // It is the first that has the number of its run.
            Self::Beside(BesideName { unit, part: Part::Hook(Hook::BeforeStart) }) => {
                Some(unit.to_string())
            }
            Self::Beside(name) => {
                let is_counted = !name.part.is_look() && !name.part.has_number_of_run();
                is_counted.then(|| name.to_string())
            }
        }
    }

    /// Returns the unit that it belongs to.
    pub(crate) fn into_unit(self) -> UnitName {
        match self {
            Self::Unit(unit) => unit,
            Self::Beside(name) => name.unit,
        }
    }
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        let named = |prefix| text.strip_prefix(prefix).filter(|name| !name.is_empty());
        if text == READY {
            return Some(Self::Ready);
        }
        if let Some(check) = named(CHECK) {
            return Some(Self::Check(check.to_owned()));
        }
        if let Some(check) = named(ACTION) {
            return Some(Self::Action(check.to_owned()));
        }
        Hook::named(text).map(Self::Hook)
    }

    /// Returns its own folder below that of the unit's log.
    pub(crate) fn log_folder(&self) -> String {
        match self {
            Self::Hook(_) | Self::Action(_) => format!("hooks/{self}"),
            Self::Ready => format!("checks/{READY}"),
            Self::Check(name) => format!("checks/{name}"),
        }
    }

    /// Returns whether it has the number of a run, or one that names a run.
    pub(crate) fn has_number_of_run(&self) -> bool {
        matches!(self, Self::Hook(hook) if hook.run_of(0).is_some())
    }

    /// Returns whether it looks at the program, rather than doing something.
    pub(crate) const fn is_look(&self) -> bool {
        matches!(self, Self::Ready | Self::Check(_))
    }
}

impl BesideName {
    /// Reads what [`Display`](fmt::Display) has written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match RunOf::parse(text)? {
            RunOf::Beside(name) => Some(name),
            RunOf::Unit(_) => None,
        }
    }
}

impl fmt::Display for RunOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => unit.fmt(f),
            Self::Beside(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for BesideName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", self.unit, self.part)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hook(hook) => hook.fmt(f),
            Self::Action(check) => write!(f, "{ACTION}{check}"),
            Self::Ready => f.write_str(READY),
            Self::Check(check) => write!(f, "{CHECK}{check}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_as_it_was_written() {
        let hooks = Hook::names().map(|name| format!("web:{name}"));
        let others = ["web", "web@2", "web@2:check-disk", "web:check-ready", "web:ready"];
        let others = others.map(str::to_owned).into_iter().chain(["web:action-disk".to_owned()]);
        for name in hooks.chain(others) {
            assert_eq!(RunOf::parse(&name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_no_agent_would_write_is_nobodys() {
        for name in ["", ":", "web:", ":before-start", "web:before", "web:check-", "web:action-"] {
            assert_eq!(RunOf::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_command_beside_a_unit_is_never_the_unit() {
        for hook in Hook::names() {
            UnitName::parse(&format!("web:{hook}")).unwrap_err();
        }
    }
}
