//! Planted mistakes that take some lines.

use std::collections::BTreeSet;

use mainstay_core::{Adopted, Memo, UnitName};

use crate::{ground::Ground, plant::Plant};

/// Takes what is written on runs for something else, as far as that is the mistake.
pub(crate) fn mistake_memos(ground: &Ground, runs: &mut [Adopted]) {
    if ground.has(Plant::MemoIgnored) {
        for run in &mut *runs {
            run.memo = Memo::default();
        }
    }
    if ground.has(Plant::MemoOfAnother) {
        let asked: BTreeSet<UnitName> =
            runs.iter().filter(|run| run.memo.stopping).map(|run| run.unit.clone()).collect();
        for run in runs.iter_mut().filter(|run| asked.contains(&run.unit)) {
            run.memo.stopping = true;
        }
    }
    if ground.has(Plant::ReloadForgotten) {
        for run in &mut *runs {
            run.memo.reloads_within = None;
        }
    }
    if ground.has(Plant::PauseForgotten) {
        for run in &mut *runs {
            run.memo.paused_after = None;
        }
    }
    if ground.has(Plant::MarksOfAnother) {
        // Zero stands for marks of an agent that wrote down no fingerprint.
        for run in runs {
            run.memo.checks = 0;
        }
    }
}
