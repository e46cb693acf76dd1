//! Commands that look at programs: one at a time for each check, whoever asks how often.
//!
//! ```text
//!            asked                    ended, not started
//!   idle ──────────────► under way ──────────────────────► idle (and told)
//!    ▲                       │ given up, or asked for another run
//!    │                       ▼
//!    └──── ended ───── being killed, and killed again
//!                      (the next one waits for its end, a while)
//! ```
//!
//! Whoever waits for the end of another one has not begun to look, and says nothing of the program.
//!
//! One that an earlier agent has begun is taken over: it is the answer to the first question that
//! is asked for the same run.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mainstay_core::{Exit, Moment, Outcome, Probe, UnitName};

use super::name::{BesideName, Part};

/// One that was killed and has not ended is killed again after this long: the kill may have died
/// with a keeper, or may have come before the command was there.
const KILL_AGAIN: Duration = Duration::from_secs(5);
/// The next one waits for the end of the one before it for this part of its time, so that enough is
/// left to look.
const WAIT_SHARE: u32 = 4;
/// It waits no longer than this: whoever ends at all ends at once when it is killed.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// A question of the core's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    /// The run that is looked at.
    pub(super) run: u64,
    /// The look.
    pub(super) probe: Probe,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Order the command with this number.
    Start { number: u64, question: Question },
    /// Kill the command with this number, tree and all.
    Kill { number: u64 },
    /// The command with this number has answered.
    Answer { question: Question, number: u64, exit: Exit },
    /// The command could not give an answer.
    Tell { question: Question, outcome: Outcome },
}

/// A command whose answer nobody waits for, and what to do about it.
pub(super) type GivenUp = (BesideName, Option<Deed>);

/// All commands that look.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// Where numbers begin of which the keeper knows none.
    first: u64,
    all: BTreeMap<BesideName, Look>,
    /// Those of which one is being killed; perhaps others as well.
    restless: BTreeSet<BesideName>,
}

/// What the configuration says of a look's command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// What has ended within this time counts.
    pub(super) fresh: Duration,
    /// How long the look may take.
    pub(super) timeout: Duration,
}

/// The commands of one check, of which one runs at most.
#[derive(Debug, Default)]
struct Look {
    /// The highest number that the keeper knows or was told.
    highest: u64,
    current: Option<Current>,
    /// What was asked while another one was being killed.
    next: Option<Waiting>,
    /// One that ended when nobody was there to hear it.
    unheard: Option<Unheard>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    question: Question,
    until: Moment,
}

#[derive(Debug)]
struct Current {
    number: u64,
    /// The run that it looks at.
    run: u64,
    asked: Asked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Somebody waits for the answer.
    For(Question),
    /// An earlier agent did.
    Earlier,
    /// Nobody does any more; it is being killed, next time at this moment.
    GivenUp { again_at: Moment },
}

#[derive(Debug)]
struct Unheard {
    number: u64,
    run: u64,
    exit: Exit,
    at: Moment,
}

/// An end that the list of a keeper tells of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) number: u64,
    /// The run that it looked at.
    pub(super) run: u64,
}

impl Looks {
    /// Returns no commands yet. They are counted from a number that no earlier boot has begun with:
    /// nobody is told their numbers, and their logs go by them.
    pub(super) fn numbered_from(first: u64) -> Self {
        Self { first, all: BTreeMap::new(), restless: BTreeSet::new() }
    }

    /// Answers a question of the core's.
    pub(super) fn ask(
        &mut self,
        name: &BesideName,
        question: Question,
        now: Moment,
        Terms { fresh, timeout }: Terms,
    ) -> Option<Deed> {
        let first = self.first;
        let fresh_look = || Look { highest: first, ..Look::default() };
        let look = self.all.entry(name.clone()).or_insert_with(fresh_look);
        if let Some(Unheard { number, run, exit, at }) = look.unheard.take()
            && run == question.run
            && now.since(at) <= fresh
            && look.current.is_none()
        {
            return Some(Deed::Answer { question, number, exit });
        }
        let Some(current) = &mut look.current else { return Some(look.start(question)) };
        match current.asked {
            Asked::Earlier if current.run == question.run => {
                current.asked = Asked::For(question);
                None
            }
            Asked::For(_) | Asked::Earlier | Asked::GivenUp { .. } => {
                let until = now + (timeout / WAIT_SHARE).min(WAIT_MAX);
                look.next = Some(Waiting { question, until });
                self.restless.insert(name.clone());
                look.give_up(now)
            }
        }
    }

    /// Nobody waits for this question any more; returns which command it was, with what to do. The
    /// question tells: its check may have another name by now, or none.
    pub(super) fn abandon(
        &mut self,
        unit: &UnitName,
        question: Question,
        now: Moment,
    ) -> Option<GivenUp> {
        // The first of the parts that are looks.
        let first = BesideName { unit: unit.clone(), part: Part::Ready };
        let mut own = self.all.range_mut(first..).take_while(|(name, _)| name.unit == *unit);
        let (name, look) = own.find(|(_, look)| look.is_about(question))?;
        let name = name.clone();
        if look.next.take_if(|next| next.question == question).is_some() {
            return Some((name, None));
        }
        self.restless.insert(name.clone());
        Some((name, look.give_up(now)))
    }

    /// Kills what runs for something that nobody asks for any more.
    pub(super) fn end(&mut self, name: &BesideName, now: Moment) -> Option<Deed> {
        let look = self.all.get_mut(name)?;
        look.next = None;
        self.restless.insert(name.clone());
        look.give_up(now)
    }

    /// A command has executed, or another keeper lists it: if it is being killed, it is killed
    /// again, because the kill may not have met it.
    pub(super) fn is_there(&self, name: &BesideName, number: u64) -> Option<Deed> {
        let current = self.all.get(name)?.current.as_ref()?;
        let is_given_up = matches!(current.asked, Asked::GivenUp { .. });
        (is_given_up && current.number == number).then_some(Deed::Kill { number })
    }

    /// Does what is due: kills again, and tells whoever has waited long enough.
    pub(super) fn due(&mut self, now: Moment) -> Vec<(BesideName, Deed)> {
        let mut deeds = Vec::new();
        self.restless.retain(|name| {
            let Some(look) = self.all.get_mut(name) else { return false };
            deeds.extend(look.due(now).into_iter().map(|deed| (name.clone(), deed)));
            look.deadline().is_some()
        });
        deeds
    }

    /// Returns when [`due`](Self::due) has something to do.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let looks = self.restless.iter().filter_map(|name| self.all.get(name));
        looks.filter_map(Look::deadline).min().map(Moment::elapsed)
    }

    /// A command has ended.
    pub(super) fn ended(&mut self, name: &BesideName, number: u64, exit: Exit) -> Vec<Deed> {
        self.over(name, number, |question| Deed::Answer { question, number, exit })
    }

    /// A command did not start, or nobody knows what became of it.
    pub(super) fn failed(&mut self, name: &BesideName, number: u64, outcome: Outcome) -> Vec<Deed> {
        self.over(name, number, |question| Deed::Tell { question, outcome })
    }

    /// A number was used before; the next one that was not is taken.
    pub(super) fn conflict(
        &mut self,
        name: &BesideName,
        number: u64,
        highest: u64,
    ) -> Option<Deed> {
        let look = self.all.get_mut(name)?;
        look.highest = look.highest.max(highest);
        let current = look.current.take_if(|current| current.number == number)?;
        let asked = match current.asked {
            Asked::For(question) => Some(question),
            Asked::Earlier | Asked::GivenUp { .. } => look.next.take().map(|next| next.question),
        };
        asked.map(|question| look.start(question))
    }

    fn over(
        &mut self,
        name: &BesideName,
        number: u64,
        deed: impl FnOnce(Question) -> Deed,
    ) -> Vec<Deed> {
        let Some(look) = self.all.get_mut(name) else { return Vec::new() };
        let Some(current) = look.current.take_if(|current| current.number == number) else {
            return Vec::new();
        };
        let answered = match current.asked {
            Asked::For(question) => Some(deed(question)),
            Asked::Earlier | Asked::GivenUp { .. } => None,
        };
        let next = look.next.take().map(|next| look.start(next.question));
        answered.into_iter().chain(next).collect()
    }

    /// A keeper knows this number; it is not used again.
    pub(super) fn remember(&mut self, name: &BesideName, number: u64) {
        let look = self.all.entry(name.clone()).or_default();
        look.highest = look.highest.max(number);
    }

    /// A command of an earlier agent runs.
    pub(super) fn find_running(&mut self, name: &BesideName, Found { number, run }: Found) {
        self.remember(name, number);
        if let Some(look) = self.all.get_mut(name)
            && look.current.is_none()
        {
            look.current = Some(Current { number, run, asked: Asked::Earlier });
        }
    }

    /// A command of an earlier agent has ended.
    pub(super) fn find_ended(
        &mut self,
        name: &BesideName,
        Found { number, run }: Found,
        exit: Exit,
        at: Moment,
    ) {
        self.remember(name, number);
        if let Some(look) = self.all.get_mut(name) {
            look.unheard = Some(Unheard { number, run, exit, at });
        }
    }

    /// Returns what is believed to run.
    pub(super) fn under_way(&self) -> Vec<(BesideName, u64)> {
        let current = |(name, look): (&BesideName, &Look)| {
            look.current.as_ref().map(|current| (name.clone(), current.number))
        };
        self.all.iter().filter_map(current).collect()
    }

    /// Returns the number of the command that is believed to run.
    pub(super) fn running(&self, name: &BesideName) -> Option<u64> {
        self.all.get(name)?.current.as_ref().map(|current| current.number)
    }

    /// Forgets a command that is no more.
    pub(super) fn forget(&mut self, name: &BesideName) {
        if let Some(look) = self.all.remove(name) {
            self.first = self.first.max(look.highest);
        }
    }
}

impl Look {
    fn start(&mut self, question: Question) -> Deed {
        self.highest += 1;
        let number = self.highest;
        let asked = Asked::For(question);
        self.current = Some(Current { number, run: question.run, asked });
        Deed::Start { number, question }
    }

    /// Kills what runs; what is being killed already is killed again in its time.
    fn give_up(&mut self, now: Moment) -> Option<Deed> {
        let current = self.current.as_mut()?;
        if matches!(current.asked, Asked::GivenUp { .. }) {
            return None;
        }
        current.asked = Asked::GivenUp { again_at: now + KILL_AGAIN };
        Some(Deed::Kill { number: current.number })
    }

    fn is_about(&self, question: Question) -> bool {
        let is_next = self.next.is_some_and(|next| next.question == question);
        is_next || self.current.as_ref().is_some_and(|it| it.asked == Asked::For(question))
    }

    fn due(&mut self, now: Moment) -> Vec<Deed> {
        let mut deeds = Vec::new();
        if let Some(Current { asked: Asked::GivenUp { again_at }, number, .. }) = &mut self.current
            && *again_at <= now
        {
            *again_at = now + KILL_AGAIN;
            deeds.push(Deed::Kill { number: *number });
        }
        let waited = self.next.take_if(|next| next.until <= now);
        deeds.extend(waited.map(|Waiting { question, .. }| {
            let reason = "the command before it has been killed and has not ended yet".to_owned();
            Deed::Tell { question, outcome: Outcome::Unknown(reason) }
        }));
        deeds
    }

    fn deadline(&self) -> Option<Moment> {
        let again = self.current.as_ref().and_then(|current| match current.asked {
            Asked::GivenUp { again_at } => Some(again_at),
            Asked::For(_) | Asked::Earlier => None,
        });
        again.into_iter().chain(self.next.map(|next| next.until)).min()
    }
}

#[cfg(test)]
mod tests {
    use mainstay_core::ProbeOf;

    use super::*;

    const FRESH: Terms = Terms { fresh: Duration::from_secs(10), timeout: Duration::from_secs(2) };
    const WELL: Exit = Exit::Code(0);

    #[test]
    fn a_question_starts_one_command_and_hears_its_end() {
        let (mut looks, name) = (Looks::default(), name());
        assert_eq!(looks.ask(&name, ask(1, 1), at(0), FRESH), Some(start(1, ask(1, 1))));
        assert_eq!(looks.ended(&name, 1, WELL), [answer(ask(1, 1), 1)]);
        assert_eq!(looks.ask(&name, ask(1, 2), at(5), FRESH), Some(start(2, ask(1, 2))));
    }

    #[test]
    fn the_next_one_waits_for_the_end_of_one_that_was_given_up() {
        let (mut looks, name) = (Looks::default(), name());
        looks.ask(&name, ask(1, 1), at(0), FRESH);
        assert_eq!(
            looks.abandon(&name.unit, ask(1, 1), at(4)),
            Some(given_up(Some(Deed::Kill { number: 1 })))
        );
        assert_eq!(looks.abandon(&name.unit, ask(1, 1), at(4)), None);
        assert_eq!(looks.ask(&name, ask(1, 2), at(5), FRESH), None);
        assert_eq!(looks.ended(&name, 1, Exit::Signal(9)), [start(2, ask(1, 2))]);
    }

    #[test]
    fn a_question_that_waits_can_be_given_up_as_well() {
        let (mut looks, name) = (Looks::default(), name());
        looks.ask(&name, ask(1, 1), at(0), FRESH);
        looks.abandon(&name.unit, ask(1, 1), at(4));
        looks.ask(&name, ask(1, 2), at(5), FRESH);
        assert_eq!(looks.abandon(&name.unit, ask(1, 2), at(6)), Some(given_up(None)));
        assert_eq!(looks.ended(&name, 1, Exit::Signal(9)), []);
    }

    #[test]
    fn who_waits_for_an_end_says_nothing_of_the_program() {
        let (mut looks, name) = (Looks::default(), name());
        looks.ask(&name, ask(1, 1), at(0), FRESH);
        looks.abandon(&name.unit, ask(1, 1), at(2));
        assert_eq!(looks.ask(&name, ask(1, 2), at(2), FRESH), None);
        assert_eq!(looks.next_deadline(), Some(Duration::from_millis(2500)));
        assert_eq!(looks.due(at(2)), []);
        let due = looks.due(at(3));
        let is_unknown = |deed: &Deed| {
            matches!(deed, Deed::Tell { question, outcome: Outcome::Unknown(_) }
                if *question == ask(1, 2))
        };
        assert!(due.len() == 1 && due.iter().all(|(_, deed)| is_unknown(deed)), "{due:?}");
        assert_eq!(looks.ended(&name, 1, Exit::Signal(9)), []);
        assert_eq!(looks.next_deadline(), None);
    }

    #[test]
    fn what_does_not_end_is_killed_again_and_again() {
        let (mut looks, name) = (Looks::default(), name());
        let kill = || vec![(name.clone(), Deed::Kill { number: 1 })];
        looks.ask(&name, ask(1, 1), at(0), FRESH);
        assert_eq!(looks.is_there(&name, 1), None);
        looks.abandon(&name.unit, ask(1, 1), at(2));
        // It executes only now, or another keeper has it: the first kill has not met it.
        assert_eq!(looks.is_there(&name, 1), Some(Deed::Kill { number: 1 }));
        assert_eq!(looks.due(at(6)), []);
        assert_eq!((looks.due(at(7)), looks.due(at(11))), (kill(), vec![]));
        assert_eq!(looks.due(at(12)), kill());
        looks.ended(&name, 1, Exit::Signal(9));
        assert_eq!((looks.due(at(60)), looks.next_deadline()), (vec![], None));
    }

    #[test]
    fn nobody_else_is_killed_for_a_question_that_nobody_asks() {
        let (mut looks, name) = (Looks::default(), name());
        looks.ask(&name, ask(1, 1), at(0), FRESH);
        assert_eq!(looks.abandon(&name.unit, ask(2, 1), at(1)), None);
        let other = UnitName::parse("web@2").unwrap();
        assert_eq!(looks.abandon(&other, ask(1, 1), at(1)), None);
        assert_eq!(looks.end(&name, at(1)), Some(Deed::Kill { number: 1 }));
        assert_eq!(looks.end(&name, at(1)), None);
    }

    #[test]
    fn what_an_earlier_agent_began_is_the_answer_and_not_begun_again() {
        let (mut looks, name) = (Looks::default(), name());
        looks.find_running(&name, Found { number: 7, run: 3 });
        assert_eq!(looks.ask(&name, ask(3, 1), at(0), FRESH), None);
        assert_eq!(looks.ended(&name, 7, WELL), [answer(ask(3, 1), 7)]);
        assert_eq!(looks.ask(&name, ask(3, 2), at(0), FRESH), Some(start(8, ask(3, 2))));
    }

    #[test]
    fn what_an_earlier_agent_began_for_another_run_is_killed_first() {
        let (mut looks, name) = (Looks::default(), name());
        looks.find_running(&name, Found { number: 7, run: 3 });
        let deed = looks.ask(&name, ask(4, 1), at(0), FRESH);
        assert_eq!(deed, Some(Deed::Kill { number: 7 }));
        assert_eq!(looks.ended(&name, 7, Exit::Signal(9)), [start(8, ask(4, 1))]);
    }

    #[test]
    fn an_end_that_nobody_heard_counts_while_it_is_fresh() {
        let found = |ended: u64, run: u64, asked_at: u64| {
            let (mut looks, name) = (Looks::default(), name());
            looks.find_ended(&name, Found { number: 7, run: 3 }, WELL, at(ended));
            looks.ask(&name, ask(run, 1), at(asked_at), FRESH)
        };
        assert_eq!(found(90, 3, 100), Some(answer(ask(3, 1), 7)));
        assert_eq!(found(89, 3, 100), Some(start(8, ask(3, 1))));
        assert_eq!(found(100, 4, 100), Some(start(8, ask(4, 1))));
    }

    #[test]
    fn a_number_that_was_used_is_passed_over() {
        let (mut looks, name) = (Looks::default(), name());
        looks.ask(&name, ask(1, 1), at(0), FRESH);
        assert_eq!(looks.conflict(&name, 1, 41), Some(start(42, ask(1, 1))));
    }

    #[test]
    fn numbers_begin_where_they_are_told_to_and_come_once() {
        let (mut looks, name) = (Looks::numbered_from(1000), name());
        assert_eq!(looks.ask(&name, ask(1, 1), at(0), FRESH), Some(start(1001, ask(1, 1))));
        looks.ended(&name, 1001, WELL);
        looks.forget(&name);
        assert_eq!(looks.ask(&name, ask(1, 2), at(5), FRESH), Some(start(1002, ask(1, 2))));
        let mut taken_over = Looks::numbered_from(1000);
        taken_over.remember(&name, 7);
        assert_eq!(taken_over.ask(&name, ask(1, 1), at(0), FRESH), Some(start(8, ask(1, 1))));
    }

    #[test]
    fn what_could_not_be_started_is_told_once() {
        let (mut looks, name) = (Looks::default(), name());
        looks.ask(&name, ask(1, 1), at(0), FRESH);
        let outcome = Outcome::Unknown("no descriptors".to_owned());
        let told = Deed::Tell { question: ask(1, 1), outcome: outcome.clone() };
        assert_eq!(looks.failed(&name, 1, outcome.clone()), [told]);
        assert_eq!(looks.failed(&name, 1, outcome), []);
    }

    fn name() -> BesideName {
        let unit = UnitName::parse("web").unwrap();
        BesideName { unit, part: Part::Check("disk".to_owned()) }
    }

    fn ask(run: u64, attempt: u64) -> Question {
        Question { run, probe: Probe { of: ProbeOf::Check(0), attempt } }
    }

    fn given_up(deed: Option<Deed>) -> GivenUp {
        (name(), deed)
    }

    const fn start(number: u64, question: Question) -> Deed {
        Deed::Start { number, question }
    }

    const fn answer(question: Question, number: u64) -> Deed {
        Deed::Answer { question, number, exit: WELL }
    }

    const fn at(seconds: u64) -> Moment {
        Moment::from_start(Duration::from_secs(seconds))
    }
}
