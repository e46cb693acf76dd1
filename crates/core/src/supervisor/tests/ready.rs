//! When a unit is ready, and who waits for that.

use super::*;
use crate::check::{Check, CheckRole, ReadyBy};

pub(super) fn readied(text: &str, by: ReadyBy) -> Service {
    let mut service = service(text);
    service.care.ready.by = by;
    service.care.ready.timeout = seconds(30);
    service
}

#[test]
fn who_requires_it_waits_until_it_says_that_it_is_ready() {
    let mut world = World::new(&[needs("web", &["db"]), readied("db", ReadyBy::Notice)]);
    world.started("db");
    assert_eq!((world.state("db"), world.state("web")), ("starting", "waiting"));
    assert_eq!(world.view("db").next(), Next::Stop(Moment::default() + seconds(30)));
    world.says("db", Notice::Ready);
    assert_eq!((world.state("db"), world.state("web")), ("running", "starting"));
    assert_eq!(world.view("db").why(), "it is ready");
}

#[test]
fn a_run_that_is_not_ready_in_time_is_stopped_and_has_failed() {
    let mut world = World::new(&[readied("db", ReadyBy::Notice)]);
    world.started("db");
    world.wait();
    assert_eq!(world.take(), ["remember db 1", "ask db 1", "changed db"]);
    world.exited("db", Exit::Code(0));
    assert_eq!(world.state("db"), "backoff");
    let why = "it was not ready within 30 s: it has not said that it is ready; \
               run 1 ended with code 0 after 30 s";
    assert_eq!(world.view("db").why(), why);
    assert_eq!(world.view("db").failures(), 1);
}

#[test]
fn a_run_that_was_never_ready_is_no_good_run_however_long_it_lived() {
    let mut world = World::new(&[readied("db", ReadyBy::Notice)]);
    for failures in 1..4 {
        world.started("db");
        world.wait();
        world.pass(100);
        world.exited("db", Exit::Code(0));
        assert_eq!(world.view("db").failures(), failures);
        world.wait();
    }
    assert!(world.view("db").is_degraded());
}

#[test]
fn more_time_is_given_to_who_asks_for_it() {
    let mut world = World::new(&[readied("db", ReadyBy::Notice)]);
    world.started("db");
    world.pass(29);
    world.says("db", Notice::Extend(seconds(60)));
    assert_eq!(world.next_in(), Some(60));
    world.says("db", Notice::Extend(Duration::MAX));
    assert_eq!(world.next_in(), Some(3600), "and no more at once");
    world.says("db", Notice::Ready);
    assert_eq!(world.state("db"), "running");
}

#[test]
fn a_crowded_machine_gets_more_time_up_to_tenfold() {
    let mut world = World::new(&[readied("db", ReadyBy::Notice)]);
    world.started("db");
    world.tell(Input::Crowded { permille: 1000 });
    world.wait();
    assert_eq!((world.state("db"), world.next_in()), ("starting", Some(270)));
    world.wait();
    assert_eq!(world.state("db"), "stopping");
}

#[test]
fn a_delay_makes_it_ready_after_its_time() {
    let mut world = World::new(&[readied("db", ReadyBy::Delay(seconds(3)))]);
    world.started("db");
    assert_eq!((world.state("db"), world.next_in()), ("starting", Some(3)));
    world.wait();
    assert_eq!((world.state("db"), world.next_in()), ("running", None));
}

#[test]
fn a_delay_begins_with_the_program_however_slow_its_start_was() {
    let mut world = World::new(&[readied("db", ReadyBy::Delay(seconds(3)))]);
    world.pass(20);
    world.started("db");
    assert_eq!((world.state("db"), world.next_in()), ("starting", Some(3)));
}

#[test]
fn it_is_looked_at_again_and_again_until_it_is_ready() {
    let by = ReadyBy::Probe { every: seconds(1), timeout: seconds(5) };
    let mut world = World::new(&[readied("db", by)]);
    world.started("db");
    world.wait();
    assert_eq!(world.take(), ["probe db 1 ready 1"]);
    world.probed("db", ProbeOf::Ready, 1, Outcome::Failed("connection refused".into()));
    world.wait();
    assert_eq!(world.take(), ["probe db 1 ready 2"]);
    world.probed("db", ProbeOf::Ready, 1, Outcome::Passed);
    assert_eq!(world.state("db"), "starting", "that look was over");
    world.probed("db", ProbeOf::Ready, 2, Outcome::Passed);
    assert_eq!((world.state("db"), world.next_in()), ("running", None));
}

#[test]
fn checks_of_startup_and_readiness_must_pass_first() {
    let mut db = readied("db", ReadyBy::Notice);
    db.care.checks = vec![check("up", CheckRole::Startup), check("serves", CheckRole::Readiness)];
    let mut world = World::new(&[db, needs("web", &["db"])]);
    world.started("db");
    world.wait();
    assert_eq!(world.take(), ["probe db 1 check-0 1", "probe db 1 check-1 2"]);
    world.says("db", Notice::Ready);
    world.probed("db", ProbeOf::Check(0), 1, Outcome::Passed);
    assert_eq!(world.state("db"), "starting");
    world.probed("db", ProbeOf::Check(1), 2, Outcome::Passed);
    assert_eq!((world.state("db"), world.state("web")), ("running", "starting"));
}

#[test]
fn what_is_behind_a_run_has_no_time_out_and_holds_nobody_up_who_can_do_without() {
    let mut db = readied("db", ReadyBy::Notice);
    db.care.checks = vec![check("serves", CheckRole::Readiness)];
    let mut late = service("late");
    late.wants.push(db.name.clone());
    let mut world = World::new(&[db.clone(), needs("web", &["db"]), late]);
    world.started("db");
    world.says("db", Notice::Ready);
    assert_eq!(world.view("db").next(), Next::Nothing);
    world.look("db", Outcome::Failed("refused".to_owned()));
    assert_eq!((world.state("db"), world.state("late")), ("starting", "waiting"));
    world.comes_to(30);
    let all = ["db", "web", "late"].map(|name| world.state(name));
    assert_eq!(all, ["starting", "waiting", "starting"]);
    world.comes_to(3600);
    assert_eq!(world.state("db"), "starting");
    assert_eq!(
        world.view("db").lacks().unwrap(),
        "its check `serves` has not passed: no answer within 2 s"
    );
    db.care.checks.push(check("up", CheckRole::Startup));
    world.configure(&[db, needs("web", &["db"])], Prune::Keep);
    let until = Moment::from_start(world.now.elapsed() + seconds(30));
    assert_eq!(world.view("db").next(), Next::Stop(until), "its own part has a time of its own");
}

#[test]
fn who_waits_for_others_is_looked_at_whether_it_lives() {
    let mut db = readied("db", ReadyBy::Notice);
    db.care.checks = vec![check("serves", CheckRole::Readiness), check("up", CheckRole::Liveness)];
    let action = crate::check::CheckAction::Restart;
    db.care.watchdog = Some(crate::check::Watchdog { every: seconds(3600), action });
    let mut world = World::new(&[db]);
    world.started("db");
    world.comes_to(20);
    assert!(!world.select("probe ").iter().any(|probe| probe.contains("check-1")));
    world.says("db", Notice::Ready);
    world.comes_to(100);
    assert_eq!((world.state("db"), world.asks()), ("stopping", vec!["db 1".to_owned()]));
    assert!(world.view("db").why().starts_with("its check `up` is bad"));
}

#[test]
fn a_readiness_check_gives_nobody_more_time_for_the_own_part() {
    let mut db = readied("db", ReadyBy::Notice);
    db.care.checks = vec![check("serves", CheckRole::Readiness)];
    let mut world = World::new(&[db]);
    world.started("db");
    world.look("db", Outcome::Passed);
    world.comes_to(30);
    assert_eq!(world.state("db"), "stopping");
}

#[test]
fn a_readiness_check_that_fails_later_holds_back_who_is_not_up_yet_and_stops_nobody() {
    let mut db = service("db");
    db.care.checks = vec![check("serves", CheckRole::Readiness)];
    let (web, late) = (needs("web", &["db"]), needs("late", &["db"]));
    let late = Service { start: StartType::Manual, ..late };
    let mut world = World::new(&[db, web, late]);
    world.started("db");
    world.look("db", Outcome::Passed);
    world.started("web");
    world.turn_bad("db");
    assert_eq!((world.state("db"), world.state("web")), ("running", "running"));
    assert!(world.view("db").is_unready());
    world.command("late", Command::Start).unwrap();
    assert_eq!(world.view("late").why(), "it requires `db`, which runs and is not ready");
    world.look("db", Outcome::Passed);
    assert_eq!(world.state("late"), "starting");
}

pub(super) fn check(name: &str, role: CheckRole) -> Check {
    Check {
        name: name.to_owned(),
        role,
        about: crate::check::About::Answer,
        delay: Duration::ZERO,
        every: seconds(10),
        timeout: seconds(2),
        failures: 3,
        successes: 1,
        action: match role {
            CheckRole::Readiness => crate::check::CheckAction::Mark,
            CheckRole::Startup | CheckRole::Liveness => crate::check::CheckAction::Restart,
        },
    }
}

pub(super) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl World {
    /// Lets the time come that is so many seconds after the beginning.
    fn comes_to(&mut self, seconds: u64) {
        let then = Moment::from_start(Duration::from_secs(seconds));
        while self.supervisor.next_deadline().is_some_and(|next| next <= then) {
            self.wait();
        }
        self.now = then;
    }

    pub(super) fn says(&mut self, name: &str, notice: Notice) {
        let run = self.view(name).run();
        self.effects.clear();
        self.tell(Input::Noticed { unit: unit(name), run, notice });
    }

    pub(super) fn probed(&mut self, name: &str, of: ProbeOf, attempt: u64, outcome: Outcome) {
        let run = self.view(name).run();
        let probe = Probe { of, attempt };
        self.effects.clear();
        self.tell(Input::Probed { unit: unit(name), run, probe, outcome });
    }

    /// Waits for the next look at a unit's first check and answers it.
    pub(super) fn look(&mut self, name: &str, outcome: Outcome) {
        self.effects.clear();
        for _ in 0..10 {
            let asked = self.effects.iter().rev().find_map(|effect| {
                let is_of = effect.unit == Some(unit(name));
                if let Action::Probe { probe, .. } = effect.action {
                    is_of.then_some(probe)
                } else {
                    None
                }
            });
            if let Some(probe) = asked {
                return self.probed(name, probe.of, probe.attempt, outcome);
            }
            self.wait();
        }
        panic!("nobody looks at {name}");
    }

    pub(super) fn turn_bad(&mut self, name: &str) {
        for _ in 0..3 {
            self.look(name, Outcome::Failed("status 503".to_owned()));
        }
    }
}
