//! The loop: the world in, the core's decisions out, one owner of everything.

mod answers;
mod counting;
mod durable;
mod environment;
mod files;
mod reloading;
mod search;
mod secrets;
mod tree;
mod upgrade;
mod waking;

use std::{collections::BTreeSet, io, time::Duration};

use mainstay_api::{
    config::{self, Config, Diagnostic, PARALLEL_STARTS},
    keeper::{END_WITH_SINCE, Leftover, Report, Request, Welcome},
};
use mainstay_core::{Input, Moment, Prune, Service, ServiceName, Supervisor, UnitName};
use mainstay_platform::{
    clock,
    crowding::Crowding,
    lock::FileLock,
    memory::{self, Bursts},
    paths, random,
};
use mainstay_storage::instance::Instance;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    api::{self, Clients, Gate},
    beside::Besides,
    bundle::{Bundles, Written},
    calls::{Call, EventsQuery, Reply},
    clerk::{Clerk, Done},
    configuration::{self, Files, Loaded, Texts},
    copies::{self, Copies, Said},
    custody::Custody,
    descriptors,
    editing::EditError,
    effects::{Outbox, Settled},
    events::{Events, Happening, Level, complain},
    given::Given,
    health::Looking,
    jobs::Jobs,
    keeper::{Introduction, Keeper, KeeperError},
    network::Network,
    notices::Notices,
    numbers::{History, Numbers},
    options::{AgentOptions, Mode, OptionsError},
    pauses::Pauses,
    pressure::Pressed,
    probe::Seen,
    retention::{self, Retention},
    secrets::{Ready, Secrets},
    watch::Sight,
    wishes::Wishes,
};
pub(crate) use environment::Setting;
pub(crate) use files::refusal_of;
use reloading::Reloading;
pub(crate) use tree::near_of;
use waking::Waking;

/// How long an agent that leaves waits for its last events.
const EVENTS_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Nothing is due for at least this long when nothing is due at all.
const FAR_AWAY: Duration = Duration::from_hours(24);

/// An agent that cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    #[error("the command line is wrong")]
    Options(#[from] OptionsError),
    #[error("cannot {doing}")]
    System { doing: &'static str, source: io::Error },
    #[error("another agent has the state")]
    Taken,
    #[error("there is no usable configuration:\n{0}")]
    Config(String),
    #[error("the keeper cannot be worked with")]
    Keeper(#[from] KeeperError),
}

fn doing(doing: &'static str) -> impl Fn(io::Error) -> AgentError {
    move |source| AgentError::System { doing, source }
}

/// Everything the agent knows.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) options: AgentOptions,
    pub(crate) instance: Instance,
    pub(crate) config: Config,
    pub(crate) supervisor: Supervisor,
    pub(crate) keeper: Keeper,
    pub(crate) welcome: Welcome,
    pub(crate) events: Events,
    pub(crate) wishes: Wishes,
    pub(crate) numbers: Numbers,
    pub(crate) clerk: Clerk,
    /// Answers that wait for the clerk.
    owed: durable::Owed,
    pub(crate) settled: Settled,
    pub(crate) outbox: Outbox,
    pub(crate) pauses: Pauses,
    /// Facts that a decision brought about at once; they are told when it is done.
    pub(crate) afterwards: Vec<Input>,
    /// Everything is to stop, and the keeper was told.
    ending: Option<Ending>,
    pub(crate) custody: Custody,
    pub(crate) copies: Copies,
    pub(crate) bundles: Bundles,
    pub(crate) retention: Retention,
    pub(crate) given: Given,
    pub(crate) besides: Besides,
    pub(crate) looking: Looking,
    waking: Waking,
    crowding: Crowding,
    pub(crate) secrets: Secrets,
    /// What programs say of themselves.
    pub(crate) notices: Notices,
    pub(crate) jobs: Jobs,
    /// Services whose units go with what they have kept.
    pub(crate) purged: BTreeSet<ServiceName>,
    /// What is wrong with logs.
    pub(crate) pressed: Pressed,
    /// Clients that wait for events.
    waiters: Vec<Waiter>,
    pub(crate) clients: Clients,
    pub(crate) upgrade: upgrade::Upgrade,
    pub(crate) bursts: Bursts,
    pub(crate) network: Network,
    /// The configuration files, and what is known of them.
    reloading: Reloading,
}

/// Runs an agent until its keeper ends.
pub(crate) fn run(options: AgentOptions) -> Result<(), AgentError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(doing("start the runtime"))?.block_on(live(options))
}

async fn live(options: AgentOptions) -> Result<(), AgentError> {
    let instance = Instance::new(options.runtime.clone(), options.state.clone());
    paths::create_private(&instance.logs()).map_err(doing("create the folder of logs"))?;
    // The keeper ends the former agent before it welcomes us; only then is its lock free.
    let (keeper, introduction) = Keeper::meet(&options.link).await?;
    let lock = FileLock::try_take(&instance.agent_lock()).map_err(doing("take the lock"))?;
    let _lock = lock.ok_or(AgentError::Taken)?;
    let (socket, logs) = (instance.api_socket(), instance.logs());
    let events = instance.events_directory();
    let gate = Gate { socket, logs, events, service: options.service.clone() };
    let (clients, calls) = api::start(gate).map_err(doing("start the API"))?;
    let mut agent = Agent::begin(options, instance, keeper, clients)?;
    agent.introduced(introduction, IsFirst::Yes);
    agent.work(calls).await
}

/// Why everything is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Somebody asked.
    Asked,
    /// A program has ended with this code, and its end is the instance's.
    With(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsFirst {
    Yes,
    No,
}

enum Goes {
    On,
    Ended,
}

impl Agent {
    fn begin(
        options: AgentOptions,
        instance: Instance,
        keeper: Keeper,
        clients: Clients,
    ) -> Result<Self, AgentError> {
        let mut events = Events::open(&instance, &options).map_err(doing("open the events"))?;
        let history = if events.last() > 0 { History::Some } else { History::None };
        let (wishes, damage) = Wishes::open(instance.agent_journal());
        let (numbers, doubt) = Numbers::open(&instance, history);
        for message in damage.into_iter().chain(doubt) {
            events.tell(Happening::of_instance(Level::Error, "StateDamaged", message));
        }
        let files = Files { main: options.config.clone(), instance: instance.clone() };
        let clerk = Clerk::start(files.clone()).map_err(doing("start the clerk"))?;
        let First { config, reloading } = first_config(&files, options.mode, &clerk, &mut events)?;
        copies::clean(&config, &instance);
        copies::begin(&config, &instance);
        let notices = Notices::new().map_err(doing("listen to programs"))?;
        let bundles = Bundles::start(&instance).map_err(doing("start the writer of bundles"))?;
        let retention = Retention::start(&instance).map_err(doing("start the sweeper of logs"))?;
        let seed = random::number();
        let secrets = Secrets::new(&instance, options.service.as_deref());
        Ok(Self {
            options,
            instance,
            config,
            supervisor: Supervisor::new(seed),
            keeper,
            welcome: Welcome::default(),
            events,
            wishes,
            numbers,
            clerk,
            owed: durable::Owed::default(),
            settled: Settled::new(),
            outbox: Outbox::default(),
            pauses: Pauses::default(),
            afterwards: Vec::new(),
            ending: None,
            custody: Custody::default(),
            copies: Copies::new(),
            bundles,
            retention,
            given: Given::default(),
            besides: Besides::new(),
            looking: Looking::default(),
            waking: Waking::default(),
            crowding: Crowding::default(),
            secrets,
            notices,
            jobs: Jobs::default(),
            purged: BTreeSet::new(),
            pressed: Pressed::default(),
            waiters: Vec::new(),
            clients,
            upgrade: upgrade::Upgrade::default(),
            bursts: Bursts::default(),
            network: Network::default(),
            reloading,
        })
    }

    fn introduced(&mut self, introduction: Introduction, is_first: IsFirst) {
        let Introduction { welcome, entries, besides } = introduction;
        if is_first == IsFirst::Yes {
            self.configure(Prune::Keep);
        }
        let what = if welcome.recover { "AgentRecovered" } else { "AgentStarted" };
        let message = format!("agent {} works with keeper {}", std::process::id(), welcome.pid);
        // What is taken over below belongs to this chain.
        let trace = self.supervisor.next_trace();
        let happening = Happening::of_instance(Level::Info, what, message);
        self.events.tell(Happening { trace, ..happening });
        if let Some(damage) = welcome.damage.clone() {
            let happening = Happening::of_instance(Level::Error, "StateDamaged", damage);
            self.events.tell(Happening { trace, ..happening });
        }
        self.welcome = welcome;
        self.pressed = Pressed::default();
        // Each keeper has a door of its own, where nobody has been let in yet.
        self.clients.let_in(&self.config.access);
        if is_first == IsFirst::Yes {
            self.adopt_notices(&entries);
            self.adopt(&entries);
            self.hear_all(besides);
            self.listen_to_all();
            // Nothing begins any more where a stop was asked for meanwhile.
            self.take(Input::Open);
        } else {
            self.reconcile(&entries);
            self.hear_all(besides);
            self.store_again();
            self.repeat_ending();
            self.forgive_all_pauses();
            for parcel in self.custody.parcels() {
                if let Err(error) = self.keeper.give(parcel) {
                    complain("cannot give the keeper what we held", &error);
                }
            }
        }
    }

    fn hear_all(&mut self, reports: Vec<Report>) {
        for report in reports {
            self.hear(report);
        }
    }

    /// Stops everything, and has every later agent go on with that.
    pub(crate) fn shut_down(&mut self) {
        self.ending.get_or_insert(Ending::Asked);
        self.take(Input::ShutDown);
        self.repeat_ending();
    }

    /// Everything stops because a program has ended; the keeper is to end with its code.
    pub(crate) fn end_with(&mut self, code: u32) {
        self.ending = Some(Ending::With(code));
        self.repeat_ending();
    }

    /// Tells the keeper that everything is to stop; it tells each agent.
    fn repeat_ending(&mut self) {
        let request = match self.ending {
            None => return,
            Some(Ending::With(code)) if self.welcome.protocol >= END_WITH_SINCE => {
                Request::EndWith { code }
            }
            Some(Ending::Asked | Ending::With(_)) => Request::Ending,
        };
        if let Err(error) = self.keeper.ask(request) {
            complain("cannot tell the keeper of the end", &error);
        }
    }

    pub(crate) fn configure(&mut self, prune: Prune) {
        let services: Vec<Service> = self.config.core().into_values().collect();
        self.bursts.count(clock::monotonic(), services.len());
        self.clients.let_in(&self.config.access);
        self.copies.apply(&self.config, &self.instance);
        self.retention.apply(&self.config);
        self.attend_network();
        self.listen_for_wakes();
        self.watch_files();
        let width = self.config.parallel_starts.unwrap_or(PARALLEL_STARTS);
        // The chain that the caller has told of is the one of the services.
        self.take(Input::Configure { services, prune });
        self.take(Input::Gate { width });
        self.end_former_looks();
    }

    /// Lets the core take an input, and does what it decides.
    pub(crate) fn take(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            if let Input::NotStarted { unit, .. } = &input {
                // Whatever it was not started for: whoever spoke meanwhile is heard.
                self.notices.resume(unit);
            }
            let now = Moment::from_start(clock::monotonic());
            let effects = self.supervisor.handle(now, input);
            self.perform(effects);
            inputs.append(&mut self.afterwards);
        }
    }

    async fn work(mut self, mut calls: mpsc::Receiver<Call>) -> Result<(), AgentError> {
        loop {
            if let Err(error) = self.finish_turn() {
                self.find_keeper(&error).await?;
                continue;
            }
            if self.outbox.is_all_at_rest {
                return self.end().await;
            }
            if self.leave_at().is_some_and(|at| clock::monotonic() >= at) {
                self.finish_events().await;
                return Ok(());
            }
            let next_in = self.next_in();
            let heard = tokio::select! {
                report = self.keeper.next() => Heard::Report(report),
                () = sleep(next_in) => Heard::Deadline,
                call = calls.recv() => Heard::Call(call),
                done = self.clerk.next() => Heard::Done(done),
                said = self.copies.next() => Heard::Said(said),
                kept = self.retention.next() => Heard::Kept(kept),
                stirred = self.network.stirred() => Heard::Network(stirred),
                woke = self.waking.next() => Heard::Woke(woke),
                seen = self.looking.next() => Heard::Seen(seen),
                units = self.notices.next() => Heard::Notices(units),
                written = self.bundles.next() => Heard::Written(written),
                ready = self.secrets.next() => Heard::Ready(ready),
                sight = self.reloading.next() => Heard::Sight(sight),
            };
            if let Goes::Ended = self.handle(heard).await? {
                return Ok(());
            }
        }
    }

    async fn handle(&mut self, heard: Heard) -> Result<Goes, AgentError> {
        match heard {
            Heard::Report(Ok(report)) => self.hear(report),
            Heard::Report(Err(error)) => self.find_keeper(&error).await?,
            Heard::Deadline => self.deadline(),
            Heard::Call(Some(call)) => self.answer(call),
            Heard::Done(Some(done)) => self.done(done),
            Heard::Said(Some(said)) => self.copied(said),
            Heard::Kept(Some(said)) => self.retained(&said),
            Heard::Network(stirred) => self.network_stirred(stirred),
            Heard::Woke(woke) => self.woke(woke),
            Heard::Seen(Some(seen)) => self.seen(seen),
            Heard::Notices(units) => self.hear_notices(&units),
            Heard::Written(Some(written)) => self.bundle_written(written),
            Heard::Ready(Some(ready)) => self.values_ready(ready),
            Heard::Sight(sight) => self.sighted(sight),
            Heard::Call(None)
            | Heard::Done(None)
            | Heard::Said(None)
            | Heard::Kept(None)
            | Heard::Seen(None)
            | Heard::Written(None)
            | Heard::Ready(None) => {
                return Ok(Goes::Ended);
            }
        }
        Ok(Goes::On)
    }

    fn deadline(&mut self) {
        self.look_at_crowd();
        self.take(Input::Deadline);
        self.beside_deadline();
        self.hurry_bundles();
        if self.bursts.end(clock::monotonic()) {
            memory::give_back();
        }
    }

    fn next_in(&self) -> Duration {
        let now = clock::monotonic();
        let core = self.supervisor.next_deadline().map(Moment::elapsed);
        let others = [
            self.leave_at(),
            self.wishes.retry_at(),
            self.numbers.next_deadline(),
            self.bursts.next_deadline(),
            self.bundles.next_deadline(),
            self.besides.next_deadline(),
            self.notices.next_deadline(),
        ];
        let next = core.into_iter().chain(others.into_iter().flatten()).min();
        next.map_or(FAR_AWAY, |at| at.saturating_sub(now))
    }

    /// Returns when this agent makes room for its successor: not while it owes answers.
    fn leave_at(&self) -> Option<Duration> {
        self.upgrade.leave_at().filter(|_| self.owed.is_empty())
    }

    /// Sends what was decided; nothing here waits for a disk.
    fn finish_turn(&mut self) -> Result<(), KeeperError> {
        self.write_said();
        self.send_outbox()?;
        if let Some(question) = self.custody.question() {
            self.keeper.ask(question)?;
        }
        // What was due before this agent began is due in its next turn, and no sign of a hang.
        let now = clock::monotonic();
        let deadline = self.supervisor.next_deadline().map(|at| at.elapsed().max(now));
        self.keeper.finish_turn(deadline)?;
        self.take_notices();
        self.events.pass_on();
        self.save_wishes();
        self.save_numbers();
        self.answer_waiters();
        Ok(())
    }

    /// Waits until what was told is on the disk, as long as the disk works.
    async fn finish_events(&self) {
        let until = clock::monotonic() + EVENTS_WITHIN;
        while !self.events.is_synced(self.events.last()) && clock::monotonic() < until {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Everything is at rest: the keeper may go, and we go with it.
    async fn end(mut self) -> Result<(), AgentError> {
        self.numbers.close();
        self.save_numbers();
        self.finish_writing().await;
        self.finish_bundles().await;
        self.events.pass_on();
        self.finish_events().await;
        self.keeper.ask(Request::Shutdown { programs: Leftover::Kill })?;
        self.keeper.finish_turn(None)?;
        loop {
            match self.keeper.next().await {
                Ok(Report::Done) if self.copies.is_empty() => return Ok(()),
                // A keeper that is gone has put the last words into the logs.
                Err(_) => break,
                Ok(_) => {}
            }
        }
        self.copies.finish().await;
        Ok(())
    }
}

/// A client that waits for events.
type Waiter = (EventsQuery, Reply<()>);

enum Heard {
    Report(Result<Report, KeeperError>),
    Deadline,
    Call(Option<Call>),
    Done(Option<Done>),
    Said(Option<Said>),
    Kept(Option<retention::Said>),
    Network(io::Result<()>),
    Woke(io::Result<()>),
    Seen(Option<Seen>),
    /// These units have something to say.
    Notices(Vec<UnitName>),
    Written(Option<Written>),
    Ready(Option<Ready>),
    /// The configuration files hold something else; nothing: nobody watches them any more.
    Sight(Option<Sight>),
}

/// What an agent begins with.
struct First {
    config: Config,
    reloading: Reloading,
}

/// Returns the configuration to begin with: the files, or what was last applied when they are bad.
fn first_config(
    files: &Files,
    mode: Mode,
    clerk: &Clerk,
    events: &mut Events,
) -> Result<First, AgentError> {
    let (kept, damage) = configuration::recall(&files.kept());
    if let Some(message) = damage.clone() {
        events.tell(Happening::of_instance(Level::Error, "StateDamaged", message));
    }
    let recall = || kept.as_ref().map(Texts::understand);
    if mode == Mode::Recovery
        && let Some(Ok(config)) = recall()
    {
        return Ok(First { config, reloading: Reloading::recovered() });
    }
    let wrong = match first_files(files, recall) {
        Ok(Loaded { config, texts, fingerprint }) => {
            if kept.as_ref() != Some(&texts) {
                clerk.keep_first(texts);
            }
            if let Err(found) = descriptors::check(&config, &files.main) {
                let message = config::render(&found);
                events.tell(Happening::of_instance(Level::Error, "TooFewFiles", message));
            }
            return Ok(First { config, reloading: Reloading::applied(fingerprint) });
        }
        Err(wrong) => wrong,
    };
    let message = wrong.for_all();
    events.tell(Happening::of_instance(Level::Error, "ConfigRefused", message.clone()));
    events.pass_on();
    match recall() {
        Some(Ok(config)) => Ok(First { config, reloading: Reloading::refused(message) }),
        Some(Err(found)) => Err(AgentError::Config(wrong.to_string() + &config::render(&found))),
        None => Err(AgentError::Config(wrong.to_string() + &damage.unwrap_or_default())),
    }
}

/// Reads the files. That they hold no service any more is no reason to forget those that were
/// applied: whoever means that removes the last one by a command.
fn first_files(
    files: &Files,
    recall: impl Fn() -> Option<Result<Config, Vec<Diagnostic>>>,
) -> Result<Loaded, EditError> {
    let loaded = configuration::read_in_time(&files.main).map_err(EditError::Bad)?;
    let had_some = || matches!(recall(), Some(Ok(config)) if !config.services.is_empty());
    if loaded.config.services.is_empty() && had_some() {
        return Err(EditError::Empty);
    }
    Ok(loaded)
}
