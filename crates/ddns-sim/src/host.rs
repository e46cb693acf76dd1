//! Doing what the engine asks for, and what comes of it.

use std::{net::IpAddr, time::Duration};

use mainstay_ddns::{
    engine::input::{Effect, Input},
    engine::state::State,
    failure::{Class, Failure},
    provider::Reading,
    record::{Changed, Found, Written},
};

use crate::{
    agenda::{Flight, Happening},
    plant::Plant,
    provider::{Mood, Servers},
    scene::wanted,
    sources,
    world::{DiskMood, World},
};

/// The engine gives up what takes longer.
const ANSWER_MAX: Duration = Duration::from_mins(2);
/// The clock of a provider and ours may differ by so many seconds.
const CLOCK_SECONDS_MAX: i64 = 300;

impl World {
    /// Does what the engine asks for; returns what it is told at once.
    pub(crate) fn performs(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Look { sight, source } => {
                let after = self.latency();
                let life = self.life;
                self.agenda.plan(self.time + after, Happening::Seen { life, sight, source });
                None
            }
            Effect::Read { binding, .. } => {
                self.asks(binding, None);
                None
            }
            Effect::Write { binding, change } => {
                self.asks(binding, Some(change.want));
                None
            }
            Effect::Verify { binding, .. } => {
                let after = self.latency();
                let life = self.life;
                self.agenda.plan(self.time + after, Happening::LookedUp { life, binding });
                None
            }
            Effect::Persist { revision, state } => self.keeps(revision, state),
            Effect::Tell(_) => None,
        }
    }

    /// Nothing takes less than some milliseconds, and now and then it takes seconds.
    fn latency(&mut self) -> Duration {
        let most = if self.once_in(20) { 5000 } else { 200 };
        Duration::from_millis(5) + self.up_to(Duration::from_millis(most))
    }

    fn asks(&mut self, binding: usize, want: Option<Vec<IpAddr>>) {
        self.give_up();
        self.may_ask(binding, want.is_some());
        let when = self.when();
        self.checker.asks(binding, want.as_deref(), when);
        self.flight += 1;
        let (number, life, sent) = (self.flight, self.life, self.now().at);
        let flight = Flight { number, life, binding, sent, want };
        self.flights.push(flight.clone());
        self.count(binding);
        let after = self.latency();
        let mut at = self.time + after;
        if self.plant == Some(Plant::OneAtATime) {
            at = at.max(self.busy_until);
            let is_hanging = self.mood_of(binding).1 == Mood::Hangs;
            let takes = if is_hanging { Duration::from_mins(30) } else { Duration::ZERO };
            self.busy_until = at + takes;
        }
        self.agenda.plan(at, Happening::Arrives(flight));
    }

    /// What is under way for too long is under way no more.
    fn give_up(&mut self) {
        let at = self.now().at;
        for flight in &self.flights {
            if at >= flight.sent + ANSWER_MAX {
                self.checker.has_cause(flight.binding);
            }
        }
        self.flights.retain(|flight| at < flight.sent + ANSWER_MAX);
    }

    fn count(&mut self, binding: usize) {
        let account = self.plan.bindings[binding].account;
        let is_ours = |flight: &&Flight| self.plan.bindings[flight.binding].account == account;
        let under_way = self.flights.iter().filter(is_ours).count();
        let most = self.plan.accounts[account].at_once;
        if under_way > most {
            self.checker.breaks("an account has no more requests than it bears", || {
                format!("{under_way} of {most}")
            });
        }
    }

    /// Returns how whoever is asked is, and whether that is the whole account.
    fn mood_of(&self, binding: usize) -> (bool, Mood) {
        let account = &self.accounts[self.plan.bindings[binding].account];
        let record = &self.records[binding];
        match (self.is_online, account.mood, record.mood) {
            (false, _, _) => (false, Mood::Unreachable),
            (true, Mood::Fine, mood) => (false, mood),
            (true, mood, _) => (true, mood),
        }
    }

    /// A request reaches its provider, or is lost with the engine that made it.
    pub(crate) fn arrives(&mut self, flight: Flight) {
        if flight.life != self.life && self.once_in(2) {
            return;
        }
        let (is_account, mood) = self.mood_of(flight.binding);
        let account = &self.accounts[self.plan.bindings[flight.binding].account];
        if account.knows_time && self.offset.abs() > CLOCK_SECONDS_MAX {
            let failure = Failure::new(Class::Clock, "BADTIME", "the clocks differ");
            return self.answers(flight, Err(failure));
        }
        if let Some(failure) = mood.failure() {
            // Now and then it was done all the same.
            if mood == Mood::Outage && self.once_in(8) {
                self.writes(&flight);
            }
            let is_for_all =
                is_account && !matches!(mood, Mood::Outage | Mood::Overloaded | Mood::Unreachable);
            let failure = if is_for_all { failure.of_account() } else { failure };
            return self.answers(flight, Err(failure));
        }
        if mood == Mood::Hangs {
            if self.once_in(2) {
                self.writes(&flight);
            }
            return;
        }
        let changed = self.writes(&flight);
        self.answers(flight, Ok(changed));
    }

    fn writes(&mut self, flight: &Flight) -> Changed {
        let record = &mut self.records[flight.binding];
        match &flight.want {
            Some(want) if record.values != *want => {
                record.values.clone_from(want);
                Changed::Yes
            }
            Some(_) | None => Changed::No,
        }
    }

    fn answers(&mut self, flight: Flight, result: Result<Changed, Failure>) {
        let binding = flight.binding;
        let input = match (&flight.want, result) {
            (Some(_), result) => {
                let code = "good".to_owned();
                let result = result.map(|change| Written { change, code });
                Input::Wrote { binding, result }
            }
            (None, result) => {
                let values = self.records[binding].values.clone();
                let found = Found { values, ..Found::default() };
                Input::Read { binding, result: result.map(|_| found) }
            }
        };
        let after = if let Mood::Slow(seconds) = self.mood_of(binding).1 {
            Duration::from_secs(seconds)
        } else {
            self.latency()
        };
        self.agenda.plan(self.time + after, Happening::Answered(flight, Box::new(input)));
    }

    /// The engine is told what came of a request, unless it has given that up.
    pub(crate) fn answered(&mut self, flight: &Flight, input: Input) {
        if flight.life != self.life {
            return;
        }
        let is_late = self.now().at >= flight.sent + ANSWER_MAX;
        if is_late && self.plant != Some(Plant::LateAnswers) {
            return;
        }
        self.flights.retain(|other| other.number != flight.number);
        let input = self.misheard(flight.binding, input);
        let version = (self.life, self.revision + 1);
        let when = self.when();
        let binding = flight.binding;
        if let Some(failure) = failure_of(&input) {
            // What the provider said, not what the host made of it.
            let failure = self.said(flight).unwrap_or(failure);
            self.checker.failed(binding, &failure, (when, version));
            if flight.want.is_some() && failure.class == Class::Parked {
                self.checker.is_refused(binding);
            }
        } else if let Input::Read { result: Ok(found), .. } = &input {
            self.checker.was_read(binding, &found.values);
        } else {
            let want = flight.want.clone().unwrap_or_default();
            self.checker.wrote(binding, &want, version);
        }
        self.handle(input);
    }

    /// Returns what the provider said where the host mistakes it for something else.
    fn said(&self, flight: &Flight) -> Option<Failure> {
        match self.plant {
            Some(Plant::AbuseAsParked | Plant::PatienceAsTrouble | Plant::ParkedAsTransient) => {
                let (is_account, mood) = self.mood_of(flight.binding);
                let failure = mood.failure()?;
                Some(if is_account { failure.of_account() } else { failure })
            }
            _ => None,
        }
    }

    /// What a host hears that makes a mistake of it.
    fn misheard(&self, binding: usize, mut input: Input) -> Input {
        if let Some(failure) = failure_in(&mut input) {
            match self.plant {
                Some(Plant::AbuseAsParked) if failure.code == "abuse" => {
                    "badauth".clone_into(&mut failure.code);
                }
                Some(Plant::PatienceAsTrouble) if failure.class == Class::RateLimited => {
                    failure.class = Class::Transient;
                }
                Some(Plant::ParkedAsTransient) if failure.class == Class::Parked => {
                    failure.class = Class::Transient;
                }
                Some(Plant::FailureAsSuccess) => {
                    if let Input::Wrote { result, .. } = &mut input {
                        let code = "good".to_owned();
                        *result = Ok(Written { change: Changed::Yes, code });
                    }
                }
                _ => {}
            }
        }
        if let (Some(Plant::ReadOfAnother), Input::Read { result: Ok(found), .. }) =
            (self.plant, &mut input)
        {
            let plan = &self.plan.bindings[binding];
            found.values = vec![wanted(plan, self.truths[plan.sight])];
        }
        input
    }

    /// A source answers.
    pub(crate) fn seen(&mut self, sight: usize, source: usize) {
        let plan = &self.plan.sights[sight];
        let truth = Some(self.truths[sight]).filter(|_| self.is_online);
        let mood = self.moods[sight][source].0;
        if self.plant == Some(Plant::SourcesDeaf) && self.life > 0 {
            return;
        }
        if let Some(votes) = sources::votes(mood, plan.sources[source], (plan.family, truth)) {
            self.handle(Input::Looked { sight, source, votes });
        }
    }

    /// The authoritative servers answer.
    pub(crate) fn looked_up(&mut self, binding: usize) {
        let record = &self.records[binding];
        let result = match (self.is_online, record.servers) {
            (true, Servers::Honest) => Ok(record.values.clone()),
            (true, Servers::Intercepted) => Ok(vec![IpAddr::from([1, 1, 1, 1])]),
            (true, Servers::Broken) | (false, _) => {
                Err(Failure::new(Class::Transient, "SERVFAIL", "they do not answer"))
            }
        };
        if result.is_ok() {
            self.checker.differs(binding);
        }
        self.handle(Input::Verified { binding, result });
    }

    /// A state goes to the disk.
    fn keeps(&mut self, revision: u64, state: State) -> Option<Input> {
        self.revision = revision;
        let life = self.life;
        let mood = self.disk_mood.0;
        let is_at_once = self.once_in(2);
        let (mood, after) = match mood {
            DiskMood::Fine if self.plant == Some(Plant::PersistedEarly) => {
                self.promises(revision, state.clone());
                // What is on its way to the disk is lost with the engine.
                if self.once_in(4) {
                    self.has_room_on_disk(state);
                }
                return Some(Input::Persisted { revision, result: Ok(()) });
            }
            DiskMood::Fine if is_at_once => {
                self.promises(revision, state.clone());
                self.has_room_on_disk(state);
                return Some(Input::Persisted { revision, result: Ok(()) });
            }
            DiskMood::Hangs => return None,
            DiskMood::Fine => (true, Duration::from_millis(30)),
            DiskMood::Slow => (true, Duration::from_secs(20)),
            DiskMood::Refuses => (false, Duration::from_millis(30)),
        };
        let after = self.up_to(after);
        let (state, is_kept) = (Box::new(state), mood);
        let happening = Happening::Persisted { life, revision, state, is_kept };
        self.agenda.plan(self.time + after, happening);
        None
    }

    /// Returns whether a binding's provider tells what it has.
    pub(crate) fn is_readable(&self, binding: usize) -> bool {
        let account = self.plan.bindings[binding].account;
        self.plan.accounts[account].reading == Reading::Possible
    }
}

fn failure_in(input: &mut Input) -> Option<&mut Failure> {
    if let Input::Wrote { result: Err(failure), .. } | Input::Read { result: Err(failure), .. } =
        input
    {
        return Some(failure);
    }
    None
}

fn failure_of(input: &Input) -> Option<Failure> {
    failure_in(&mut input.clone()).cloned()
}
