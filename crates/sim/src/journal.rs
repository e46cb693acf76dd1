//! The keeper's recovery journal: survives the keeper, not the boot.

use std::collections::BTreeMap;

use mainstay_core::{Exit, Memo, Moment, UnitName};

use crate::{machine::Identity, wire::Key};

/// What is noted of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) hash: u64,
    pub(crate) memo: Memo,
    pub(crate) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Intent,
    Started { who: Identity, since: Moment },
    Ended { exit: Exit, at: Moment, since: Moment, strays: bool, is_acknowledged: bool },
}

/// What is remembered of a unit's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Number {
    pub(crate) highest: u64,
    pub(crate) hash: u64,
    pub(crate) memo: Memo,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Journal {
    pub(crate) boot: u64,
    pub(crate) slots: BTreeMap<Key, Slot>,
    pub(crate) numbers: BTreeMap<UnitName, Number>,
}
