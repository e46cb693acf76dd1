//! Stories of the engine, and the stage on which they are played.

mod begins;
mod failures;
mod restarts;
mod sights;
mod watches;
mod writes;

use std::{net::IpAddr, time::Duration};

use super::{
    Engine,
    input::{Effect, Event, Input, Now},
    plan::{AccountPlan, BindingPlan, Compose, Plan, SightPlan, SourcePlan, Verify},
    state::State,
    view::{BindingView, Phase},
};
use crate::{
    address::Family,
    failure::{Class, Failure},
    name::Fqdn,
    provider::{Floors, Reading},
    record::{Change, Changed, Found, Record, Written},
    source::Vote,
};

const ONE: &str = "81.2.69.142";
const TWO: &str = "81.2.69.143";
/// The wall clock at the beginning.
const WALL: i64 = 1_800_000_000;

fn addresses(text: &str) -> Vec<IpAddr> {
    text.split_whitespace().map(|address| address.parse().unwrap()).collect()
}

/// Returns a plan of one source, one account and so many names.
fn plan(reading: Reading, names: usize) -> Plan {
    let floors = match reading {
        Reading::Possible => Floors::API,
        Reading::Impossible => Floors::DYNDNS,
    };
    let (every, settle) = (Duration::from_mins(5), Duration::from_secs(3));
    let sources = vec![SourcePlan { agree: 1, voters: 1 }];
    let sight = SightPlan { family: Family::V4, sources, allow: Vec::new() };
    let name = "acct".to_owned();
    let account = AccountPlan { name, floors, reading, at_once: 2, digest: 1 };
    let bindings = (0..names).map(binding).collect();
    Plan { sights: vec![sight], accounts: vec![account], bindings, every, settle }
}

fn binding(number: usize) -> BindingPlan {
    let name = Fqdn::parse(&format!("n{number}.example.org")).unwrap();
    let id = format!("acct/{name}/A");
    let extra = serde_json::Map::new();
    let record = Record { name, family: Family::V4, line: None, ttl: None, extra };
    let (compose, verify) = (Compose::Observed, Verify::Never);
    BindingPlan { id, account: 0, sight: 0, record, compose, values_max: 1, verify, digest: 7 }
}

/// An engine, a disk that is always well, and what the engine has asked for.
struct Stage {
    engine: Engine,
    now: Now,
    disk: State,
    asked: Vec<Effect>,
    told: Vec<Event>,
}

impl Stage {
    fn new(plan: Plan) -> Self {
        Self::with(plan, State::default(), Now { at: Duration::ZERO, wall: WALL })
    }

    fn with(plan: Plan, disk: State, now: Now) -> Self {
        let engine = Engine::new(plan, disk.clone(), 5, now);
        let mut stage = Self { engine, now, disk, asked: Vec::new(), told: Vec::new() };
        stage.tell(Input::Tick);
        stage
    }

    /// Ends the engine, with whatever was under way, and begins one with this plan.
    fn restarted(self, plan: Plan) -> Self {
        let now = Now { at: Duration::ZERO, wall: self.now.wall };
        Self::with(plan, self.disk, now)
    }

    fn tell(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.engine.handle(self.now, input) {
                match effect {
                    Effect::Persist { revision, state } => {
                        self.disk = state;
                        inputs.push(Input::Persisted { revision, result: Ok(()) });
                    }
                    Effect::Tell(event) => self.told.push(event),
                    effect @ (Effect::Look { .. }
                    | Effect::Read { .. }
                    | Effect::Write { .. }
                    | Effect::Verify { .. }) => self.asked.push(effect),
                }
            }
            assert!(self.engine.next_deadline().is_none_or(|at| at > self.now.at));
        }
    }

    /// Lets time pass, deadline by deadline, until something is asked for or it is over.
    fn pass(&mut self, time: Duration) {
        let end = self.now.at + time;
        while self.asked.is_empty() {
            let next = self.engine.next_deadline().filter(|at| *at <= end);
            self.skip_to(next.unwrap_or(end));
            self.tell(Input::Tick);
            if next.is_none() {
                return;
            }
        }
    }

    /// Lets time pass and answers every look with what was seen last, until it is over.
    fn quiet(&mut self, time: Duration, seen: &str) {
        let end = self.now.at + time;
        while self.now.at < end {
            self.pass(end.saturating_sub(self.now.at));
            self.answer_looks(seen);
            if !self.asked.is_empty() {
                return;
            }
        }
    }

    fn answer_looks(&mut self, seen: &str) {
        let is_look = |effect: &Effect| matches!(effect, Effect::Look { .. });
        while let Some(place) = self.asked.iter().position(is_look) {
            if let Effect::Look { sight, source } = self.asked.remove(place) {
                self.sees_by(sight, source, seen);
            }
        }
    }

    fn skip_to(&mut self, at: Duration) {
        let before = self.now.at.as_secs();
        self.now.at = at;
        self.now.wall += i64::try_from(at.as_secs() - before).unwrap();
    }

    fn sees_by(&mut self, sight: usize, source: usize, seen: &str) {
        let answer = match seen {
            "?" => Err("no answer".to_owned()),
            _ => Ok(addresses(seen)),
        };
        let votes = vec![Vote { voter: "echo".to_owned(), answer }];
        self.tell(Input::Looked { sight, source, votes });
    }

    /// The one sight's one source is being asked, and sees this.
    fn sees(&mut self, seen: &str) {
        assert!(matches!(self.asked.remove(0), Effect::Look { sight: 0, source: 0 }));
        self.sees_by(0, 0, seen);
    }

    fn reads(&mut self, binding: usize, values: &str) {
        let found = Found { values: addresses(values), ..Found::default() };
        self.take_read(binding);
        self.tell(Input::Read { binding, result: Ok(found) });
    }

    fn take_read(&mut self, wanted: usize) {
        let is_read =
            |effect: &Effect| matches!(effect, Effect::Read { binding, .. } if *binding == wanted);
        self.take(is_read);
    }

    fn take_write(&mut self, wanted: usize) -> Change {
        let is_write =
            |effect: &Effect| matches!(effect, Effect::Write { binding, .. } if *binding == wanted);
        let effect = self.take(is_write);
        let Effect::Write { change, .. } = effect else { panic!("{effect:?}") };
        change
    }

    fn take(&mut self, is_it: impl Fn(&Effect) -> bool) -> Effect {
        let place = self.asked.iter().position(is_it);
        let place = place.unwrap_or_else(|| panic!("not asked for: {:?}", self.asked));
        self.asked.remove(place)
    }

    /// A write is being asked for and goes well; returns what was written.
    fn writes(&mut self, binding: usize) -> Vec<IpAddr> {
        let want = self.take_write(binding).want;
        self.tell(Input::Wrote { binding, result: Ok(good()) });
        want
    }

    fn write_fails(&mut self, binding: usize, failure: Failure) {
        self.take_write(binding);
        self.tell(Input::Wrote { binding, result: Err(failure) });
    }

    fn view(&self, binding: usize) -> BindingView {
        self.engine.view(self.now).bindings[binding].clone()
    }

    fn phase(&self, binding: usize) -> Phase {
        self.view(binding).phase
    }
}

fn good() -> Written {
    Written { change: Changed::Yes, code: "good".to_owned() }
}

fn failure(class: Class, code: &str) -> Failure {
    Failure::new(class, code, format!("the provider says {code}"))
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
