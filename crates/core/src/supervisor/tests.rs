//! Stories of whole instances.

mod bonds;
mod changed_care;
mod checks;
mod configured;
mod endings;
mod gates;
mod hooks;
mod layers;
mod order;
mod passed_on;
mod pauses;
mod ready;
mod reasons;
mod reloads;
mod taken_over;
mod traces;

use std::time::Duration;

use super::*;
use crate::{
    effect::Rung,
    graph,
    input::{
        Adopted, AdoptedHook, AdoptedPhase, Blame, Command, HookEnd, Memo, Notice, Outcome, Probe,
        ProbeOf, Prune, Reached, Wish,
    },
    service::{
        Bonds, Delays, ExitAction, ExitKey, Nature, RestartPolicy, RestartWhen, StartType,
        StopPolicy,
    },
    unit::Verdict,
    view::Next,
};

#[test]
fn a_crash_loop_slows_down() {
    let mut world = World::new(&[service("web")]);
    let mut starts = Vec::new();
    for _ in 0..7 {
        starts.push(world.now.elapsed().as_secs());
        world.started("web");
        world.exited("web", Exit::Code(1));
        world.wait();
    }
    assert_eq!(starts, [0, 1, 3, 7, 15, 25, 35]);
    assert_eq!(world.state("web"), "starting");
    assert!(world.view("web").is_degraded());
}

#[test]
fn a_restart_counts_once_it_is_done() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.exited("web", Exit::Code(1));
    assert_eq!((world.state("web"), world.view("web").restarts()), ("backoff", 0));
    world.wait();
    assert_eq!((world.state("web"), world.view("web").restarts()), ("starting", 1));
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.command("web", Command::Stop).unwrap();
    world.command("web", Command::Start).unwrap();
    assert_eq!(world.view("web").restarts(), 1, "a start by hand is none");
}

#[test]
fn a_good_run_wipes_out_earlier_failures() {
    let mut world = World::new(&[service("web")]);
    for _ in 0..4 {
        world.started("web");
        world.exited("web", Exit::Signal(9));
        world.wait();
    }
    world.started("web");
    world.pass(60);
    world.exited("web", Exit::Code(1));
    assert_eq!(world.view("web").failures(), 1);
    assert!(!world.view("web").is_degraded());
    assert_eq!(world.next_in(), Some(1));
}

#[test]
fn the_exit_table_goes_before_the_policy() {
    let mut web = service("web");
    web.restart.exits = BTreeMap::from([
        (ExitKey::Code(0), ExitAction::Stop),
        (ExitKey::Code(42), ExitAction::Fail),
        (ExitKey::Signal(15), ExitAction::Restart),
    ]);
    let after = |exit| {
        let mut world = World::new(std::slice::from_ref(&web));
        world.started("web");
        world.exited("web", exit);
        world.state("web")
    };
    assert_eq!(after(Exit::Code(0)), "stopped");
    assert_eq!(after(Exit::Code(42)), "failed");
    assert_eq!(after(Exit::Signal(15)), "backoff");
    assert_eq!(after(Exit::Unknown), "backoff");
}

#[test]
fn a_start_limit_is_kept_and_reset_lifts_it() {
    let mut web = service("web");
    web.restart.limit = 3;
    web.restart.delays = Delays::List(vec![Duration::ZERO]);
    let mut world = World::new(&[web]);
    for _ in 0..3 {
        world.started("web");
        world.exited("web", Exit::Code(1));
    }
    assert_eq!(world.state("web"), "failed");
    assert_eq!(world.spawns(), ["web 1", "web 2", "web 3"]);
    let refused = "`web` has failed: it was started 3 times within 10 min; \
                   `mainstay reset web` tries again";
    for command in [Command::Start, Command::Restart] {
        assert_eq!(world.command("web", command), Err(refused.to_owned()));
    }
    world.command("web", Command::Reset).unwrap();
    assert_eq!(world.state("web"), "starting");
}

#[test]
fn a_stop_asks_then_kills_and_keeps_killing() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    assert_eq!(
        world.take(),
        ["keep web down", "changed web", "answer web", "remember web 1", "ask web 1"]
    );
    assert_eq!(world.next_in(), Some(10));
    world.wait();
    assert_eq!(world.take(), ["kill web 1"]);
    world.wait();
    world.wait();
    assert_eq!(world.take(), ["kill web 1", "kill web 1"]);
    assert_eq!(world.spawns(), ["web 1"]);
    world.exited("web", Exit::Signal(9));
    assert_eq!(world.state("web"), "stopped");
    assert_eq!(world.next_in(), None);
}

#[test]
fn a_start_while_stopping_comes_after_it() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.command("web", Command::Start).unwrap();
    assert_eq!(world.state("web"), "stopping");
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.spawns(), ["web 1", "web 2"]);
}

#[test]
fn a_restart_of_what_it_requires_does_not_undo_an_operators_stop() {
    let mut world = World::new(&[needs("web", &["db"]), service("db")]);
    world.started("db");
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.command("db", Command::Restart).unwrap();
    world.exited("web", Exit::Signal(15));
    world.exited("db", Exit::Signal(15));
    world.started("db");
    assert_eq!((world.state("web"), world.state("db")), ("stopped", "running"));
}

#[test]
fn a_kill_during_a_start_is_repeated_once_there_is_a_process() {
    let mut world = World::new(&[service("web")]);
    world.command("web", Command::Kill).unwrap();
    world.take();
    world.tell(Input::Started { unit: unit("web"), run: 1, pid: 7 });
    assert_eq!(world.take(), ["kill web 1"]);
}

#[test]
fn a_fact_that_comes_late_or_twice_changes_nothing_in_any_state() {
    let reason = || "no such file".to_owned();
    let late = |run, told: &str| match told {
        "started" => Input::Started { unit: unit("web"), run, pid: 100 },
        "not started" => Input::NotStarted { unit: unit("web"), run, reason: reason() },
        "exited" => Input::Exited { unit: unit("web"), run, exit: Exit::Code(1), strays: false },
        _ => Input::Deadline,
    };
    let mut world = World::new(&[service("web")]);
    let ignores = |world: &mut World, told: &[&str]| {
        let before = format!("{:?}", world.supervisor.units);
        for one in told {
            world.tell(late(world.view("web").run(), one));
        }
        assert_eq!(format!("{:?}", world.supervisor.units), before);
    };
    ignores(&mut world, &["due"]);
    world.started("web");
    ignores(&mut world, &["started", "not started", "due"]);
    world.command("web", Command::Stop).unwrap();
    ignores(&mut world, &["due"]);
    world.exited("web", Exit::Code(0));
    ignores(&mut world, &["started", "not started", "exited", "due"]);
    world.command("web", Command::Start).unwrap();
    world.exited("web", Exit::Code(1));
    assert_eq!(world.state("web"), "backoff");
    ignores(&mut world, &["started", "not started", "exited", "due"]);
}

#[test]
fn a_stop_in_backoff_is_at_once() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    world.exited("web", Exit::Code(1));
    world.command("web", Command::Stop).unwrap();
    assert_eq!(world.state("web"), "stopped");
    assert_eq!(world.next_in(), None);
}

#[test]
fn what_a_run_left_behind_goes_before_the_next_one_starts() {
    let mut web = service("web");
    web.restart.delays = Delays::List(vec![Duration::ZERO]);
    let mut world = World::new(&[web]);
    world.started("web");
    let (unit, run) = (unit("web"), 1);
    world.tell(Input::Exited { unit: unit.clone(), run, exit: Exit::Code(1), strays: true });
    assert_eq!(world.state("web"), "waiting");
    assert_eq!(world.view("web").why(), "what run 1 left behind is being ended");
    assert!(world.view("web").is_clearing());
    world.tell(Input::Cleared { unit, run });
    assert_eq!(world.spawns(), ["web 1", "web 2"]);
}

#[test]
fn a_service_waits_for_what_it_requires_and_says_so() {
    let mut world = World::new(&[needs("web", &["db"]), service("db")]);
    assert_eq!(world.spawns(), ["db 1"]);
    assert_eq!(world.view("web").why(), "it requires `db`, which is starting");
    world.started("db");
    assert_eq!(world.spawns(), ["db 1", "web 1"]);
}

#[test]
fn a_stop_takes_dependants_first_and_a_crash_takes_none() {
    let mut world = World::new(&[needs("web", &["db"]), service("db")]);
    world.started("db");
    world.started("web");
    world.command("db", Command::Stop).unwrap();
    assert_eq!(world.asks(), ["web 1"]);
    world.exited("web", Exit::Signal(15));
    assert_eq!(world.asks(), ["web 1", "db 1"]);
    world.exited("db", Exit::Signal(15));
    assert_eq!((world.state("web"), world.state("db")), ("waiting", "stopped"));
    world.command("db", Command::Start).unwrap();
    world.started("db");
    world.started("web");

    world.exited("db", Exit::Signal(11));
    assert_eq!((world.state("web"), world.state("db")), ("running", "backoff"));
}

#[test]
fn a_failed_requirement_is_named() {
    let mut db = service("db");
    db.restart.when = RestartWhen::Never;
    let mut world = World::new(&[needs("web", &["db"]), db]);
    world.tell(Input::NotStarted {
        unit: unit("db"),
        run: 1,
        reason: "cannot find `db`".to_owned(),
    });
    world.wait();
    world.started("db");
    world.exited("db", Exit::Code(3));
    assert_eq!(world.state("db"), "failed");
    let mut other = World::new(&[needs("web", &["db"]), service("db")]);
    other.started("db");
    other.exited("db", Exit::Code(1));
    assert_eq!(other.state("web"), "starting");
}

#[test]
fn conflicts_exclude_each_other() {
    let mut blue = service("blue");
    blue.conflicts = vec![name("green")];
    let mut green = service("green");
    green.start = StartType::Manual;
    let mut world = World::new(&[blue, green]);
    world.started("blue");
    world.command("green", Command::Start).unwrap();
    assert_eq!(world.asks(), ["blue 1"]);
    assert_eq!(world.state("green"), "waiting");
    world.exited("blue", Exit::Signal(15));
    assert_eq!(world.spawns(), ["blue 1", "green 1"]);
}

#[test]
fn a_task_that_ended_well_is_completed_and_counts_as_ready() {
    let mut migrate = service("migrate");
    migrate.nature = Nature::Task;
    let mut world = World::new(&[needs("web", &["migrate"]), migrate]);
    world.started("migrate");
    world.exited("migrate", Exit::Code(0));
    assert_eq!(world.state("migrate"), "completed");
    assert_eq!(world.spawns().last().map(String::as_str), Some("web 1"));
}

#[test]
fn commands_that_do_not_fit_are_refused_with_state_and_remedy() {
    let mut off = service("off");
    off.start = StartType::Disabled;
    let mut world = World::new(&[off]);
    let refused =
        |world: &mut World, name: &str, command| world.command(name, command).unwrap_err();
    assert_eq!(
        refused(&mut world, "off", Command::Start),
        "`off` is disabled; set `start = \"manual\"` to allow it"
    );
    assert_eq!(
        refused(&mut world, "off", Command::Kill),
        "`off` is stopped; there is nothing to kill"
    );
    assert_eq!(
        refused(&mut world, "of", Command::Start),
        "there is no unit `of`; `mainstay status` lists all"
    );
}

#[test]
fn adoption_starts_nothing_twice_and_keeps_wishes() {
    let mut world = World::closed(&[service("web"), service("db"), service("old")]);
    let running = |name: &str| Adopted {
        unit: unit(name),
        run: 7,
        spec_hash: 1,
        memo: Memo { failures: 2, ..Memo::default() },
        phase: AdoptedPhase::Running { pid: 70, since: Moment::default() },
    };
    let ended = AdoptedPhase::Ended {
        exit: Exit::Code(1),
        at: Moment::default(),
        lived: Duration::from_secs(1),
        strays: false,
    };
    let runs = vec![running("web"), running("db"), Adopted { phase: ended, ..running("old") }];
    let wishes = vec![Wish { unit: unit("db"), up: false, beyond: 0, why: String::new() }];
    world.tell(Input::Adopt { runs, wishes, hooks: Vec::new() });
    world.tell(Input::Open);
    assert_eq!(world.spawns(), [""; 0]);
    assert_eq!(world.asks(), ["db 7"]);
    assert_eq!((world.state("web"), world.state("old")), ("running", "backoff"));
    assert_eq!(world.view("old").failures(), 3);
    world.wait();
    assert_eq!(world.spawns(), ["old 8"]);
}

#[test]
fn shutting_down_stops_all_in_reverse_and_says_when_it_is_done() {
    let mut world = World::new(&[needs("web", &["db"]), service("db")]);
    world.started("db");
    world.started("web");
    world.tell(Input::ShutDown);
    assert_eq!(world.asks(), ["web 1"]);
    world.exited("web", Exit::Signal(15));
    world.exited("db", Exit::Signal(15));
    assert_eq!(world.take().last().map(String::as_str), Some("all at rest"));
    assert!(world.command("web", Command::Start).is_err());
}

#[test]
fn a_start_while_stopping_is_kept_whatever_is_in_its_way_now() {
    let mut web = service("web");
    web.after = vec![name("db")];
    let mut world = World::new(&[web, service("db")]);
    world.started("db");
    world.started("web");
    world.command("web", Command::Stop).unwrap();
    world.exited("db", Exit::Code(1));
    world.wait();
    world.command("web", Command::Start).unwrap();
    world.exited("web", Exit::Signal(15));
    world.started("db");
    assert_eq!(world.state("web"), "starting");
}

#[test]
fn who_comes_after_what_was_stopped_waits_no_longer() {
    let (mut web, db) = (service("web"), needs("db", &["disk"]));
    web.after = vec![name("db")];
    let mut world = World::new(&[web, db, service("disk")]);
    assert_eq!((world.state("web"), world.state("db")), ("waiting", "waiting"));
    world.command("db", Command::Stop).unwrap();
    assert_eq!(world.state("web"), "starting");
}

#[test]
fn a_delayed_service_that_appears_late_is_started() {
    let mut world = World::new(&[service("web")]);
    world.started("web");
    let mut report = service("report");
    report.start = StartType::Delayed;
    world.configure(&[service("web"), report], Prune::Keep);
    assert_eq!(world.state("report"), "starting");
}

#[test]
fn nobody_is_woken_up_for_delayed_services_that_do_not_exist() {
    let world = World::new(&[service("web")]);
    assert_eq!((world.state("web"), world.next_in()), ("starting", None));
    let mut report = service("report");
    report.start = StartType::Delayed;
    let world = World::new(&[service("web"), report]);
    assert_eq!((world.state("report"), world.next_in()), ("stopped", Some(120)));
}

#[test]
fn a_cycle_is_found_and_shown() {
    let services = [needs("a", &["b"]), needs("b", &["c"]), needs("c", &["b"]), service("d")];
    let services = services.into_iter().map(|service| (service.name.clone(), service)).collect();
    let cycle = graph::cycle(&services).unwrap();
    let names: Vec<_> = cycle.iter().map(ServiceName::as_str).collect();
    assert_eq!(names, ["b", "c", "b"]);
}

struct World {
    supervisor: Supervisor,
    now: Moment,
    effects: Vec<Effect>,
    all: Vec<Effect>,
}

impl World {
    fn new(services: &[Service]) -> Self {
        let mut world = Self::closed(services);
        world.tell(Input::Open);
        world
    }

    fn closed(services: &[Service]) -> Self {
        let (supervisor, now) = (Supervisor::new(1), Moment::default());
        let mut world = Self { supervisor, now, effects: Vec::new(), all: Vec::new() };
        world.configure(services, Prune::Keep);
        world
    }

    fn tell(&mut self, input: Input) {
        let effects = self.supervisor.handle(self.now, input);
        self.all.extend(effects.clone());
        self.effects.extend(effects);
    }

    fn configure(&mut self, services: &[Service], prune: Prune) {
        self.tell(Input::Configure { services: services.to_vec(), prune });
    }

    fn started(&mut self, name: &str) {
        self.effects.clear();
        let run = self.view(name).run();
        self.tell(Input::Started { unit: unit(name), run, pid: 100 });
        self.effects.clear();
    }

    fn all_started(&mut self, names: &[&str]) {
        for name in names {
            self.started(name);
        }
    }

    fn exited(&mut self, name: &str, exit: Exit) {
        let run = self.view(name).run();
        self.tell(Input::Exited { unit: unit(name), run, exit, strays: false });
    }

    fn command(&mut self, name: &str, command: Command) -> Result<(), String> {
        self.tell(Input::Command { units: vec![unit(name)], command });
        let answer = self.all.iter().rev().find_map(|effect| {
            if let Action::Answer(answer) = &effect.action { Some(answer.clone()) } else { None }
        });
        answer.unwrap().map_err(|refusal| refusal.reason)
    }

    fn wait(&mut self) {
        if let Some(at) = self.supervisor.next_deadline() {
            self.now = at;
            self.tell(Input::Deadline);
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    fn next_in(&self) -> Option<u64> {
        self.supervisor.next_deadline().map(|at| at.since(self.now).as_secs())
    }

    fn view(&self, name: &str) -> UnitView<'_> {
        self.supervisor.unit(&unit(name)).unwrap()
    }

    fn state(&self, name: &str) -> &'static str {
        self.view(name).state()
    }

    fn spawns(&self) -> Vec<String> {
        self.select("spawn ")
    }

    fn asks(&self) -> Vec<String> {
        self.select("ask ")
    }

    fn select(&self, prefix: &str) -> Vec<String> {
        let all = self.all.iter().map(told);
        all.filter_map(|line| line.strip_prefix(prefix).map(str::to_owned)).collect()
    }

    fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.effects).iter().map(told).collect()
    }
}

fn told(effect: &Effect) -> String {
    let unit = effect.unit.as_ref().map(ToString::to_string).unwrap_or_default();
    match &effect.action {
        Action::Spawn { run, .. } => format!("spawn {unit} {run}"),
        Action::Ask { run } => format!("ask {unit} {run}"),
        Action::Kill { run } => format!("kill {unit} {run}"),
        Action::Freeze { run } => format!("freeze {unit} {run}"),
        Action::Thaw { run } => format!("thaw {unit} {run}"),
        Action::Remember { run, .. } => format!("remember {unit} {run}"),
        Action::Settle { run, .. } => format!("settle {unit} {run}"),
        Action::Keep(wish) => format!("keep {unit} {}", if wish.up { "up" } else { "down" }),
        Action::Answer(_) => format!("answer {unit}"),
        Action::Changed => format!("changed {unit}"),
        Action::ExitAmended { run, .. } => format!("amended {unit} {run}"),
        Action::Forget => format!("forget {unit}"),
        Action::Exit(exit) => format!("the instance {exit}"),
        Action::AllAtRest => "all at rest".to_owned(),
        Action::Abort { run } => format!("abort {unit} {run}"),
        Action::Reload { run } => format!("reload {unit} {run}"),
        Action::Probe { run, probe } => format!("probe {unit} {run} {}", looked_at(*probe)),
        Action::Abandon { run, probe } => format!("abandon {unit} {run} {}", looked_at(*probe)),
        Action::Hook { hook, number, .. } => format!("hook {unit} {hook} {number}"),
        Action::EndHook { hook, number, rung: Rung::Ask } => {
            format!("ask-hook {unit} {hook} {number}")
        }
        Action::EndHook { hook, number, rung: Rung::Kill } => {
            format!("kill-hook {unit} {hook} {number}")
        }
        Action::SettleHook { hook, number, .. } => format!("settle-hook {unit} {hook} {number}"),
        Action::Health(health) => format!("health {unit} {health:?}"),
    }
}

fn looked_at(probe: Probe) -> String {
    match probe.of {
        ProbeOf::Ready => format!("ready {}", probe.attempt),
        ProbeOf::Check(place) => format!("check-{place} {}", probe.attempt),
    }
}

fn name(text: &str) -> ServiceName {
    ServiceName::new(text).unwrap()
}

fn unit(text: &str) -> UnitName {
    UnitName::parse(text).unwrap()
}

fn service(text: &str) -> Service {
    let seconds = [1, 2, 4, 8, 10].map(Duration::from_secs).to_vec();
    Service {
        name: name(text),
        nature: Nature::Daemon,
        start: StartType::Auto,
        instances: 1,
        requires: Vec::new(),
        wants: Vec::new(),
        after: Vec::new(),
        conflicts: Vec::new(),
        bonds: Bonds::default(),
        restart: RestartPolicy { delays: Delays::List(seconds), ..RestartPolicy::default() },
        stop: StopPolicy { timeout: Duration::from_secs(10), kill_again: Duration::from_secs(5) },
        care: crate::service::Care::default(),
        spec_hash: 1,
    }
}

fn needs(text: &str, required: &[&str]) -> Service {
    Service { requires: required.iter().map(|other| name(other)).collect(), ..service(text) }
}
