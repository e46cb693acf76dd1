//! What follows from what the authoritative servers say.

use std::net::IpAddr;

use crate::{
    engine::{
        Engine,
        binding::Step,
        input::{Effect, Event},
        watch::{Answer, Told, Wrong},
    },
    failure::{Class, Failure},
    provider::Reading,
};

/// So many questions are under way at once.
const ASKING_MAX: usize = 16;

impl Engine {
    /// Asks the authoritative servers what is due.
    pub(super) fn look_up(&mut self, effects: &mut Vec<Effect>) {
        let late = Failure::new(Class::Transient, "timeout", "no answer within two minutes");
        for index in 0..self.bindings.len() {
            if self.bindings.get(index).is_some_and(|binding| binding.watch.is_late(self.now)) {
                self.verified(index, &Err(late.clone()), effects);
            }
        }
        let now = self.now;
        let asking = self.bindings.iter().filter(|binding| binding.watch.is_asking()).count();
        let due = self.bindings.iter_mut().enumerate().filter(|(_, binding)| {
            binding.watch.is_due(now) && !matches!(binding.step, Step::Writing { .. })
        });
        for (index, binding) in due.take(ASKING_MAX.saturating_sub(asking)) {
            binding.watch.ask(now);
            effects.push(Effect::Verify { binding: index, record: binding.record().clone() });
        }
    }

    /// They have what was published, or something else.
    pub(super) fn verified(
        &mut self,
        index: usize,
        result: &Result<Vec<IpAddr>, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        let (now, chance) = (self.now, &mut self.chance);
        let Some(binding) = self.bindings.get_mut(index) else { return };
        let published = binding.kept.published.as_ref();
        let published = published.map(|have| have.values.clone()).unwrap_or_default();
        let (was_told, reading) = (binding.watch.told, binding.reading);
        match binding.watch.answered(result, (&published, reading), (now, chance)) {
            Answer::Unasked => {}
            Answer::Right => {
                if binding.kept.visible_since.is_none() || was_told == Told::Yes {
                    binding.kept.visible_since = Some(now.wall);
                    effects.push(Effect::Tell(Event::Visible { binding: index }));
                    self.ledger.note();
                }
            }
            Answer::Wrong(wrong, why) => {
                let was_visible = binding.kept.visible_since.is_some();
                let is_for_long = binding.watch.is_wrong_for_long(now);
                let is_doubtful = wrong == Wrong::Differs && (was_visible || is_for_long);
                if is_doubtful && reading == Reading::Possible {
                    binding.doubt(now);
                }
                if was_told == Told::No && is_for_long {
                    binding.watch.told = Told::Yes;
                    effects.push(Effect::Tell(Event::Invisible { binding: index, why }));
                }
            }
        }
    }
}
