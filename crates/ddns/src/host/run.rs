//! The loop.

use std::{
    collections::VecDeque,
    future::pending,
    io::{self, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use mainstay_platform::{clock, fail, interrupt::Interrupts, network::Watch, random};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::spawn_blocking,
    time::sleep,
};

use super::{
    Herald, Parts, Shelf,
    ask::{self, Request},
    chores,
    door::{Call, Calls},
    herald::Pulse,
    meant::{self, Meant},
    report::{self, Report},
    words,
};
use crate::{
    engine::{
        Engine,
        input::{Effect, Input, Now},
        state::State,
        view::View,
    },
    line,
    network::Network,
};

/// No wait is longer: a clock that stood still is noticed at the latest then.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_mins(10);

/// How all is is told at most so often: a thousand names change one by one.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// The longest line that is printed.
const LINE_CHARS_MAX: usize = 4096;

/// Why the work cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Nobody could end it in order.
    #[error("cannot be asked to end")]
    Interrupts {
        /// Why.
        source: io::Error,
    },
}

/// The world that the loop listens to.
struct World {
    interrupts: Interrupts,
    network: Option<Watch>,
    calls: Option<Calls>,
    answers: UnboundedReceiver<Input>,
    pulse: Pulse,
}

/// What the world has said.
enum Heard {
    Input(Input),
    Call(Call),
    Alive,
    End,
}

/// The engine and what its effects go to.
struct Client {
    engine: Engine,
    parts: Arc<Parts>,
    herald: Herald,
    answers: UnboundedSender<Input>,
    /// The newest state that waits for the disk, and whether the disk is at work.
    waiting: Option<(u64, State)>,
    disk: Disk,
    began: Duration,
    /// When it began, as seconds since 1970: all counters were 0 then.
    counted_since: i64,
    /// When people were told last how all is, and whether that has changed since.
    told_at: Duration,
    is_news: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Free,
    Busy,
}

/// Does the work until somebody asks for its end. Must be called inside a runtime.
pub async fn run(parts: Parts, herald: Herald, folder: Option<&Path>) -> Result<(), HostError> {
    let (sender, answers) = unbounded_channel();
    let interrupts = Interrupts::new().map_err(|source| HostError::Interrupts { source })?;
    let network = Watch::begin()
        .map_err(|error| say(&format!("changes of the network are not heard: {error}")));
    let calls = folder.and_then(|folder| {
        let opened = Calls::open(&ask::door(folder));
        opened.map_err(|error| say(&format!("nobody can ask how this is: {error}"))).ok()
    });
    let mut world = World {
        interrupts,
        network: network.ok(),
        calls,
        answers,
        pulse: Pulse::from_environment(),
    };
    let mut client = Client::begin(parts, herald, sender);
    client.herald.ready();
    client.turn(Input::Tick);
    loop {
        match world.next(client.patience()).await {
            Heard::Input(input) => client.turn(input),
            Heard::Call(call) => client.answer(call),
            Heard::Alive => client.herald.alive(),
            Heard::End => break,
        }
        client.tell();
    }
    client.herald.leaving();
    client.leave().await;
    Ok(())
}

impl World {
    async fn next(&mut self, patience: Duration) -> Heard {
        tokio::select! {
            () = self.interrupts.next() => Heard::End,
            Some(input) = self.answers.recv() => Heard::Input(input),
            call = next_call(&mut self.calls) => Heard::Call(call),
            () = changed(&mut self.network) => Heard::Input(Input::NetworkChanged),
            () = self.pulse.beat() => Heard::Alive,
            () = sleep(patience) => Heard::Input(Input::Tick),
        }
    }
}

async fn next_call(calls: &mut Option<Calls>) -> Call {
    if let Some(open) = calls {
        if let Some(call) = open.next().await {
            return call;
        }
        *calls = None;
    }
    pending().await
}

/// A watch that fails is over: what is polled is the net below it.
async fn changed(network: &mut Option<Watch>) {
    if let Some(watch) = network {
        match watch.changed().await {
            Ok(()) => return,
            Err(error) => say(&format!("changes of the network are not heard any more: {error}")),
        }
        *network = None;
    }
    pending::<()>().await;
}

impl Client {
    fn begin(parts: Parts, herald: Herald, answers: UnboundedSender<Input>) -> Self {
        let (state, trouble) = parts.shelf.as_ref().map(Shelf::load).unwrap_or_default();
        if let Some(trouble) = trouble {
            say(&trouble.to_string());
        }
        let began = clock::monotonic();
        let now = Now { at: Duration::ZERO, wall: chores::wall() };
        Self {
            engine: Engine::new(parts.plan.clone(), state, random::number(), now),
            parts: Arc::new(parts),
            herald,
            answers,
            waiting: None,
            disk: Disk::Free,
            began,
            counted_since: now.wall,
            told_at: Duration::ZERO,
            is_news: false,
        }
    }

    fn now(&self) -> Now {
        Now { at: clock::monotonic().saturating_sub(self.began), wall: chores::wall() }
    }

    /// Returns how long nothing need be done.
    fn patience(&self) -> Duration {
        let news = self.is_news.then(|| self.told_at + TELL_EVERY);
        let due = self.engine.next_deadline().into_iter().chain(news).min();
        let left = due.map(|at| at.saturating_sub(self.now().at));
        left.map_or(LOOK_AT_LEAST_EVERY, |left| left.min(LOOK_AT_LEAST_EVERY))
    }

    /// Tells the engine, and does what it asks for.
    fn turn(&mut self, input: Input) {
        match &input {
            Input::Persisted { .. } => self.disk = Disk::Free,
            Input::NetworkChanged => {
                self.parts.networks.iter().for_each(Network::forget_connections);
            }
            Input::Tick
            | Input::Looked { .. }
            | Input::Read { .. }
            | Input::Wrote { .. }
            | Input::Verified { .. }
            | Input::Update { .. } => {}
        }
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in self.engine.handle(self.now(), input) {
                inputs.extend(self.perform(effect));
            }
        }
        self.write();
        self.is_news = true;
    }

    /// Tells how all is, now and then.
    fn tell(&mut self) {
        let now = self.now();
        if !self.is_news || now.at < self.told_at + TELL_EVERY {
            return;
        }
        let view = self.engine.view(now);
        let facts = self.report(&view, now).facts();
        self.herald.tell(&report::line(&self.parts, &view), facts);
        (self.told_at, self.is_news) = (now.at, false);
    }

    fn report<'a>(&'a self, view: &'a View, now: Now) -> Report<'a> {
        Report { parts: &self.parts, view, wall: now.wall, counted_since: self.counted_since }
    }

    /// Begins what an effect asks for; returns its answer where that is there at once.
    fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Persist { revision, state } => {
                if self.parts.shelf.is_none() {
                    return Some(Input::Persisted { revision, result: Ok(()) });
                }
                self.waiting = Some((revision, state));
            }
            Effect::Tell(event) => {
                let (name, words) = words::of(&self.parts, &event);
                say(&words);
                self.herald.happened(name, &words);
            }
            Effect::Look { .. }
            | Effect::Read { .. }
            | Effect::Write { .. }
            | Effect::Verify { .. } => chores::begin(&self.parts, effect, &self.answers),
        }
        None
    }

    /// Gives the newest state to the disk, one at a time.
    fn write(&mut self) {
        if self.disk == Disk::Busy {
            return;
        }
        let Some((revision, kept)) = self.waiting.take() else { return };
        let Some(kept_at) = self.parts.shelf.clone() else { return };
        self.disk = Disk::Busy;
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let stored = spawn_blocking(move || store(&kept_at, &kept)).await;
            let result = match stored {
                Ok(stored) => stored.map_err(|error| error.to_string()),
                Err(_) => Err("our own code broke over it; please report that".to_owned()),
            };
            drop(answers.send(Input::Persisted { revision, result }));
        });
    }

    /// Answers who asks how all is, or wants something.
    fn answer(&mut self, call: Call) {
        let value = match call.request {
            Request::Status => {
                let now = self.now();
                self.report(&self.engine.view(now), now).document()
            }
            Request::Update(names) => self.update(&names),
        };
        // Who has hung up does not want it any more.
        drop(call.reply.send(value));
    }

    fn update(&mut self, names: &[String]) -> Value {
        let Meant { bindings, ids, unknown } = Meant::by(&self.parts.plan, names);
        if bindings.is_empty() {
            return json!({ "error": meant::refusal(&self.parts.plan, &unknown) });
        }
        self.turn(Input::Update { bindings });
        json!({ "updating": ids, "unknown": unknown })
    }

    /// Waits until the last state is on the disk.
    async fn leave(mut self) {
        if let (Some((_, state)), Some(shelf)) = (self.waiting.take(), self.parts.shelf.clone()) {
            drop(spawn_blocking(move || shelf.store(&state)).await);
        }
    }
}

/// Puts a state on the disk; before a write it holds an intent, after it none.
fn store(shelf: &Shelf, state: &State) -> io::Result<()> {
    let intends = state.bindings.values().any(|one| one.intent.is_some());
    fail::point(if intends { "ddns.intent.before" } else { "ddns.end.before" });
    let stored = shelf.store(state);
    fail::point(if intends { "ddns.intent.after" } else { "ddns.end.after" });
    stored
}

/// Prints a line; who has closed our output does not want it.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let line = line::of(line, LINE_CHARS_MAX);
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}
