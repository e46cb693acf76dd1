//! What the pretend agent does about the commands beside programs.

use mainstay_core::{Exit, Hook, HookEnd, Input, Memo, UnitName};

use super::{Agent, Later};
use crate::{
    beside,
    disk::Event,
    ground::Ground,
    plant::Plant,
    wire::{Key, Request},
};

/// A hook as it was ordered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordered {
    pub(super) run: u64,
    pub(super) number: u64,
    pub(super) memo: Memo,
}

impl Agent {
    pub(super) fn hook(&mut self, ground: &mut Ground, unit: &UnitName, hook: Hook, of: Ordered) {
        let Some(name) = beside::beside(unit, hook) else { return };
        let ordered = (name.clone(), of.number);
        let decided_at = self.begun.get(&ordered).copied().unwrap_or(ground.now);
        let is_first = self.begun.insert(ordered, decided_at).is_none();
        if is_first && hook == Hook::BeforeStart {
            // A start begins with it, though its order may have to be repeated.
            ground.checker.decided(unit, &ground.disk.services, ground.now);
            ground.checker.enters(unit, ground.width, ground.now);
        }
        if is_first && hook == Hook::Reload {
            ground.checker.reloads(&(unit.clone(), of.run), ground.now);
        }
        ground.checker.awaits_hook(unit, hook, of.number);
        if ground.drops(hook) && ground.once_in(4) {
            let (number, end) = (of.number, HookEnd::Known);
            self.pretended.push(Input::HookEnded { unit: unit.clone(), hook, number, end });
            return;
        }
        let life = if ground.has(Plant::OwnNumbers) { self.life * 1000 } else { 0 };
        let key = (name, of.number + life);
        let memo = beside::memo_of(of.run, of.memo);
        self.outbox.requests.push(Request::Spawn { key, hash: 1, memo, decided_at });
    }

    /// The keeper may forget how a hook ended once that was told.
    pub(super) fn settle_hook(
        &mut self,
        ground: &Ground,
        unit: &UnitName,
        (hook, number): (Hook, u64),
        end: &HookEnd,
    ) {
        let Some(name) = beside::beside(unit, hook) else { return };
        if !matches!(end, HookEnd::Exited(_)) {
            return;
        }
        let is_told = self.exits.get(&name).is_some_and(|told| *told >= number);
        if !is_told {
            self.tell(Event::Exited((name.clone(), number)));
        }
        if ground.has(Plant::HookAckEarly) {
            self.outbox.requests.push(Request::Ack((name, number)));
        } else {
            self.later.push_back((self.last_event, Later::Ack((name, number))));
        }
    }

    pub(super) fn hook_ended(&mut self, ground: &mut Ground, (name, number): &Key, end: HookEnd) {
        if let Some((unit, hook)) = beside::owner(name) {
            let is_ignored = hook == Hook::BeforeReload && ground.has(Plant::BeforeReloadIgnored);
            let end = if is_ignored { HookEnd::Exited(Exit::Code(0)) } else { end };
            self.take(ground, Input::HookEnded { unit, hook, number: *number, end });
        }
    }
}
