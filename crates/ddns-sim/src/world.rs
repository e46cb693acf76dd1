//! One life: the engine, the clocks, the disk, and what must hold at the end.

use std::{
    collections::{BTreeSet, VecDeque},
    net::IpAddr,
    time::Duration,
};

use mainstay_core::chance::Chance;
use mainstay_ddns::{
    engine::{
        Engine,
        input::{Input, Now},
        plan::{Plan, Verify},
        state::State,
        view::Phase,
    },
    failure::Class,
};

use crate::{
    Life,
    agenda::{Agenda, Flight, Happening},
    checker::{Checker, Promised, When},
    plant::Plant,
    provider::{self, Account, Held, Servers},
    scene::{self, wanted},
    sources,
};

/// The wall clock at the beginning.
const WALL: i64 = 1_800_000_000;
/// No life has more steps; one that has does not come to rest.
const STEPS_MAX: u64 = 50_000;
/// How often it is looked whether everything is published.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// What has been published rests so long before nothing may be asked for.
const SETTLED: Duration = Duration::from_mins(70);
/// For so long nothing may be asked for.
const QUIET: Duration = Duration::from_hours(4);
/// Whoever has been parked, or asked for patience, or been changed by others, is well after this.
const BOUND_SLOW: Duration = Duration::from_hours(28);
/// All others are, besides the time between two looks.
const BOUND: Duration = Duration::from_mins(85);

/// Whether what happens is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Yes,
    No,
}

/// How the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskMood {
    Fine,
    Slow,
    Refuses,
    Hangs,
}

/// How somebody is, and until when.
pub(crate) type Lasting<T> = (T, Duration);

/// How far a life is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Storm,
    /// Nothing goes wrong since then.
    Calm(Duration),
    /// Everything has been published since then.
    Settling(Duration),
    /// Nothing may be asked for since then.
    Quiet(Duration),
    Over,
}

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) plant: Option<Plant>,
    telling: Telling,
    story: Vec<String>,
    steps: u64,
    pub(crate) time: Duration,
    /// What the engine's clock does not know: the time before it, and sleep.
    base: Duration,
    /// How wrong the wall clock is, in seconds.
    pub(crate) offset: i64,
    pub(crate) agenda: Agenda,
    pub(crate) plan: Plan,
    pub(crate) accounts: Vec<Account>,
    pub(crate) records: Vec<Held>,
    pub(crate) moods: Vec<Vec<Lasting<sources::Mood>>>,
    pub(crate) truths: Vec<IpAddr>,
    pub(crate) is_online: bool,
    pub(crate) addresses: u64,
    pub(crate) engine: Option<Engine>,
    pub(crate) life: u64,
    pub(crate) revision: u64,
    disk: State,
    pub(crate) promised: Promised,
    pub(crate) disk_mood: (DiskMood, Duration),
    pub(crate) flights: Vec<Flight>,
    pub(crate) flight: u64,
    pub(crate) busy_until: Duration,
    /// Out of so many effects one is the engine's last; 0 means never.
    pub(crate) danger: u64,
    pub(crate) part: Part,
    pub(crate) storms: u64,
    /// Whom nobody can make well: parked for good, hanging for ever, or changed by others.
    pub(crate) excused: BTreeSet<usize>,
    /// Something is only tried, or found, once a day.
    pub(crate) is_slow: bool,
    pub(crate) is_deaf: bool,
    pub(crate) checker: Checker,
}

impl World {
    pub(crate) fn new(seed: u64, plant: Option<Plant>, telling: Telling) -> Self {
        let mut chance = Chance::new(seed);
        let plan = scene::plan(&mut chance);
        let checker = Checker::new(&plan);
        let (mood, until) = (provider::Mood::Fine, Duration::ZERO);
        let account =
            |chance: &mut Chance| Account { mood, until, knows_time: chance.below(3) == 0 };
        let accounts = plan.accounts.iter().map(|_| account(&mut chance)).collect();
        let servers = Servers::Honest;
        let record = |_| Held { values: Vec::new(), mood, until, servers };
        let records = plan.bindings.iter().map(record).collect();
        let honest = (sources::Mood::Honest, Duration::ZERO);
        let moods = plan.sights.iter().map(|sight| vec![honest; sight.sources.len()]).collect();
        let danger = match chance.below(3) {
            0 => 0,
            _ => 20 + chance.below(300),
        };
        let storms = 4 + chance.below(24);
        let mut world = Self {
            chance,
            plant,
            telling,
            story: Vec::new(),
            steps: 0,
            time: Duration::ZERO,
            base: Duration::ZERO,
            offset: 0,
            agenda: Agenda::default(),
            plan,
            accounts,
            records,
            moods,
            truths: Vec::new(),
            is_online: true,
            addresses: 0,
            engine: None,
            life: 0,
            revision: 0,
            disk: State::default(),
            promised: Promised::default(),
            disk_mood: (DiskMood::Fine, Duration::ZERO),
            flights: Vec::new(),
            flight: 0,
            busy_until: Duration::ZERO,
            danger,
            part: Part::Storm,
            storms,
            excused: BTreeSet::new(),
            is_slow: false,
            is_deaf: false,
            checker,
        };
        world.new_addresses();
        world.agenda.plan(Duration::ZERO, Happening::Born);
        world.agenda.plan(Duration::from_secs(5), Happening::Storm);
        world
    }

    pub(crate) fn live(mut self) -> Life {
        while self.part != Part::Over && self.checker.violation.is_none() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                self.checker.breaks("every life comes to rest", || "too many steps".to_owned());
            }
            self.step();
        }
        Life { violation: self.checker.violation, steps: self.steps, story: self.story }
    }

    fn step(&mut self) {
        let tick = self.engine.as_ref().and_then(Engine::next_deadline).map(|at| self.base + at);
        let tick = tick.filter(|_| !self.is_deaf);
        match (self.agenda.next_at(), tick) {
            (Some(planned), Some(tick)) if tick < planned => self.tick(tick),
            (None, Some(tick)) => self.tick(tick),
            (None, None) => self.part = Part::Over,
            (Some(planned), _) => {
                self.time = self.time.max(planned);
                if let Some(happening) = self.agenda.take() {
                    self.happens(happening);
                }
            }
        }
    }

    fn tick(&mut self, at: Duration) {
        self.time = self.time.max(at);
        if self.plant == Some(Plant::TicksDropped) && self.once_in(200) {
            self.is_deaf = true;
        }
        self.handle(Input::Tick);
        if self.plant == Some(Plant::Restless) && matches!(self.part, Part::Quiet(_)) {
            self.handle(Input::Update { bindings: Vec::new() });
        }
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(flight) => self.arrives(flight),
            Happening::Answered(flight, input) => self.answered(&flight, *input),
            Happening::Seen { life, sight, source } if life == self.life => {
                self.seen(sight, source);
            }
            Happening::LookedUp { life, binding } if life == self.life => self.looked_up(binding),
            Happening::Persisted { life, revision, state, is_kept } if life == self.life => {
                self.persisted(revision, *state, is_kept);
            }
            Happening::Seen { .. } | Happening::LookedUp { .. } | Happening::Persisted { .. } => {}
            Happening::Flap => self.flap(),
            Happening::Born => self.born(),
            Happening::Storm => self.storm(),
            Happening::Calm => self.calm(),
            Happening::Look => self.look(),
        }
    }

    /// Tells the engine something and does what it asks for, as far as it lives.
    pub(crate) fn handle(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = self.now();
            self.tell(|| short(&format!("  told {input:?}")));
            let Some(engine) = &mut self.engine else { return };
            let effects = engine.handle(now, input);
            let next = engine.next_deadline();
            for effect in effects {
                if self.danger > 0 && self.part == Part::Storm && self.once_in(self.danger) {
                    self.dies();
                    return;
                }
                self.tell(|| short(&format!("    does {effect:?}")));
                inputs.extend(self.performs(effect));
            }
            if next.is_some_and(|next| next <= now.at) {
                self.checker.breaks("deadlines lie ahead", || format!("{next:?} at {:?}", now.at));
            }
        }
    }

    /// A state is on the disk, or is said to be.
    pub(crate) fn persisted(&mut self, revision: u64, state: State, is_kept: bool) {
        let result = if is_kept { Ok(()) } else { Err("no space left on device".to_owned()) };
        if is_kept && (self.life, revision) > self.promised.version {
            self.promises(revision, state.clone());
            self.disk = state;
        }
        self.handle(Input::Persisted { revision, result });
    }

    /// A host that lies says so before it is true.
    pub(crate) fn promises(&mut self, revision: u64, state: State) {
        self.promised = Promised { state, version: (self.life, revision), offset: self.offset };
    }

    pub(crate) fn has_room_on_disk(&mut self, state: State) {
        self.disk = state;
    }

    pub(crate) fn dies(&mut self) {
        self.tell(|| "the engine dies".to_owned());
        self.engine = None;
        let after = self.up_to(Duration::from_mins(1));
        self.agenda.plan(self.time + after, Happening::Born);
        self.ends();
    }

    /// Whatever was under way is nobody's.
    fn ends(&mut self) {
        self.life += 1;
        self.flights.clear();
        self.busy_until = self.time;
    }

    fn born(&mut self) {
        if self.engine.is_none() {
            let mut state = self.disk.clone();
            self.mistake(&mut state);
            self.begins(state);
        }
    }

    /// Begins an engine with a state.
    fn begins(&mut self, state: State) {
        self.base = self.time;
        self.revision = 0;
        self.checker.begins(&self.promised, self.offset);
        self.promised.offset = self.promised.offset.max(self.offset);
        let plan = scene::mistaken(&self.plan, self.plant, self.life);
        let seed = self.chance.number();
        self.tell(|| "an engine begins".to_owned());
        self.engine = Some(Engine::new(plan, state, seed, self.now()));
        self.handle(Input::Tick);
    }

    /// Another configuration: the engine ends in peace, and the next one knows all that it knew.
    pub(crate) fn reconfigured(&mut self) {
        // It looks at the clocks once more.
        self.handle(Input::Tick);
        let Some(engine) = self.engine.take() else { return };
        let state = engine.state();
        self.promises(self.revision + 1, state.clone());
        self.disk = state.clone();
        self.ends();
        self.begins(state);
    }

    fn mistake(&self, state: &mut State) {
        match self.plant {
            Some(Plant::StateForgotten) => *state = State::default(),
            Some(Plant::IntentForgotten) => {
                state.bindings.values_mut().for_each(|kept| kept.intent = None);
            }
            Some(Plant::HoldsForgotten) => {
                state.accounts.clear();
                state.bindings.values_mut().for_each(|kept| kept.hold = None);
            }
            _ => {}
        }
    }

    /// The calm has lasted a while: everything is published, or will be soon, or nothing happens.
    fn look(&mut self) {
        let next = match self.part {
            Part::Storm | Part::Over => return,
            Part::Calm(since) => {
                let bound = self.bound();
                let is_late = self.time > since + bound;
                match self.missing() {
                    None => {
                        self.part = Part::Settling(self.time);
                        SETTLED
                    }
                    Some(missing) if is_late => {
                        self.checker.breaks("what is wanted is published in the end", || missing);
                        return;
                    }
                    Some(_) => LOOK_EVERY,
                }
            }
            Part::Settling(_) => {
                self.part = Part::Quiet(self.time);
                QUIET
            }
            Part::Quiet(_) => {
                if let Some(missing) = self.missing() {
                    self.checker.breaks("what is published stays published", || missing);
                }
                self.part = Part::Over;
                return;
            }
        };
        self.agenda.plan(self.time + next, Happening::Look);
    }

    /// Returns what is not published, if anything is not that should be.
    fn missing(&self) -> Option<String> {
        let view = self.engine.as_ref()?.view(self.now());
        for (index, binding) in self.plan.bindings.iter().enumerate() {
            let want = wanted(binding, self.truths[binding.sight]);
            let (record, seen) = (&self.records[index], &view.bindings[index]);
            if self.is_excused(index) {
                continue;
            }
            if !record.values.contains(&want) || seen.phase != Phase::Published {
                let (id, phase) = (&binding.id, seen.phase);
                return Some(format!("{id}: wants {want}, is {phase:?}, has {:?}", record.values));
            }
        }
        None
    }

    /// Returns whether nobody can make a binding well.
    fn is_excused(&self, index: usize) -> bool {
        let is_hopeless = self.checker.is_nuisance(index) || self.checker.is_lost(index);
        is_hopeless || self.excused.contains(&index)
    }

    /// Returns how long after the storm everything is published.
    fn bound(&mut self) -> Duration {
        let view = self.engine.as_ref().map(|engine| engine.view(self.now()));
        let is_slow = view.is_some_and(|view| {
            view.bindings.iter().enumerate().any(|(index, seen)| {
                let code = seen.code.as_deref().unwrap_or_default();
                let is_patient = seen.failed.contains_key(&Class::RateLimited)
                    || ["429", "badauth", "nohost"].contains(&code);
                !self.is_excused(index) && (seen.phase == Phase::Parked || is_patient)
            })
        });
        // Whoever was slow needs a little longer than that.
        self.is_slow |= is_slow;
        if self.is_slow { BOUND_SLOW } else { BOUND + self.plan.every + self.plan.every / 10 }
    }

    /// Checks that a request may be made at all at this time.
    pub(crate) fn may_ask(&mut self, binding: usize, is_write: bool) {
        let plan = &self.plan.bindings[binding];
        // What cannot be looked up is read once a day.
        let is_daily = !is_write && plan.verify == Verify::Never;
        let is_quiet = matches!(self.part, Part::Quiet(_));
        if is_quiet && !is_daily && !self.is_excused(binding) {
            let id = plan.id.clone();
            self.checker.breaks("nothing is asked for while nothing changes", || id);
        }
    }

    pub(crate) fn now(&self) -> Now {
        Now { at: self.time.saturating_sub(self.base), wall: self.when().wall }
    }

    pub(crate) fn when(&self) -> When {
        let passed = i64::try_from(self.time.as_secs()).unwrap_or(i64::MAX);
        When { at: self.time, wall: WALL + passed + self.offset }
    }

    /// The machine sleeps: all clocks but the engine's go on.
    pub(crate) fn sleeps(&mut self, time: Duration) {
        self.time += time;
        self.base += time;
    }

    pub(crate) fn once_in(&mut self, of: u64) -> bool {
        self.chance.below(of) == 0
    }

    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.chance.below(most.saturating_add(1)))
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.telling == Telling::Yes {
            let at = self.time.as_secs_f64();
            self.story.push(format!("{at:12.3}  {}", line()));
        }
    }
}

/// States are long; their beginning is enough.
fn short(line: &str) -> String {
    line.chars().take(400).collect()
}
