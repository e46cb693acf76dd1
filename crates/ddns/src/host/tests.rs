//! The loop among a source, a provider and a disk that behave as a story wants.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use mainstay_platform::{clock, paths};
use serde_json::Value;
use tokio::time::interval;

use super::{
    Herald, Line, Parts, Shelf, Spring, Verify,
    ask::{self, Request},
    report, run, words,
};
use crate::{
    address::Family,
    engine::{
        Engine,
        input::{Event, Now},
        plan::{AccountPlan, BindingPlan, Compose, Plan, SightPlan, SourcePlan},
        state::State,
        view::Phase,
    },
    facts::{EVENTS, FACTS, Measure},
    failure::{Class, Failure},
    name::Fqdn,
    provider::{Attempt, Floors, Provider, Reading},
    record::{Change, Changed, Found, Record, Written},
    source::{Source, Vote},
    wire::{Exchange, Later, NetworkError, Networked, Request as HttpRequest, Response, Wire},
};

const WITHIN: Duration = Duration::from_secs(20);
const FLOORS: Floors = Floors {
    write: Duration::ZERO,
    write_least: None,
    transient: Duration::from_millis(10),
    rate_limited: Duration::from_millis(10),
    refresh: None,
};

/// A folder that goes with the story.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("mainstay-ddns-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        drop(fs::remove_dir_all(&path));
        paths::create_private(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// What was written, by name.
type Writes = Arc<Mutex<Vec<(String, IpAddr)>>>;

/// Writes down what it is asked for, and breaks over one name.
#[derive(Debug)]
struct Pad {
    writes: Writes,
    breaks_over: &'static str,
}

impl Provider for Pad {
    fn read<'a>(&'a self, _wire: &'a dyn Wire, _record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async { Ok(Found::default()) })
    }

    fn write<'a>(&'a self, _wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            let name = change.record.name.to_string();
            assert!(name != self.breaks_over, "a bug of this provider");
            self.writes.lock().unwrap().push((name, change.want[0]));
            Ok(Written { change: Changed::Yes, code: "good".to_owned() })
        })
    }
}

#[derive(Debug)]
struct Fixed(IpAddr);

impl Source for Fixed {
    fn look(&self, _family: Family) -> Later<'_, Vec<Vote>> {
        Box::pin(async { vec![Vote { voter: "fixed".to_owned(), answer: Ok(vec![self.0]) }] })
    }
}

struct Blind;

impl Verify for Blind {
    fn ask<'a>(&'a self, _record: &'a Record) -> Attempt<'a, Vec<IpAddr>> {
        Box::pin(async { Err(Failure::from(nowhere())) })
    }
}

impl Wire for Blind {
    fn http(&self, _request: HttpRequest) -> Networked<'_, Response> {
        Box::pin(async { Err(nowhere()) })
    }

    fn dns(&self, _exchange: Exchange) -> Networked<'_, Vec<u8>> {
        Box::pin(async { Err(nowhere()) })
    }

    fn resolve(&self, _name: &str, _family: Option<Family>) -> Networked<'_, Vec<IpAddr>> {
        Box::pin(async { Err(nowhere()) })
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn nonce(&self) -> u128 {
        0
    }
}

fn nowhere() -> NetworkError {
    NetworkError::Connect { peer: "nobody".to_owned(), why: "there is no network".to_owned() }
}

fn parts(folder: &Folder, names: &[&str], address: &str, writes: &Writes) -> Parts {
    let sight = SightPlan {
        family: Family::V4,
        sources: vec![SourcePlan { agree: 1, voters: 1 }],
        allow: Vec::new(),
    };
    let account = AccountPlan {
        name: "pad".to_owned(),
        floors: FLOORS,
        reading: Reading::Impossible,
        at_once: 4,
        digest: 1,
    };
    let plan = Plan {
        sights: vec![sight],
        accounts: vec![account],
        bindings: names.iter().map(|name| binding(name)).collect(),
        every: Duration::from_hours(1),
        settle: Duration::from_millis(50),
    };
    let provider = Box::new(Pad { writes: Arc::clone(writes), breaks_over: "broken.example.org" });
    let source = Box::new(Fixed(address.parse().unwrap()));
    Parts {
        plan,
        lines: vec![Line::new("pad", provider, Arc::new(Blind))],
        springs: vec![vec![Spring { word: "static", source }]],
        verifier: Box::new(Blind),
        networks: Vec::new(),
        shelf: Some(Shelf::in_folder(&folder.0)),
    }
}

fn binding(name: &str) -> BindingPlan {
    let record = Record {
        name: Fqdn::parse(name).unwrap(),
        family: Family::V4,
        line: None,
        ttl: None,
        extra: serde_json::Map::new(),
    };
    BindingPlan {
        id: format!("pad/{name}/A"),
        account: 0,
        sight: 0,
        record,
        compose: Compose::Observed,
        values_max: 1,
        verify: crate::engine::plan::Verify::Never,
        digest: 7,
    }
}

/// Lets the loop run until a story has come to its end.
fn play<T>(parts: Parts, folder: &Path, story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            told = story => told,
            ended = run(parts, Herald::default(), Some(folder)) => panic!("it ended: {ended:?}"),
        }
    })
}

/// Asks until a name is as a story wants it.
async fn wait_for(folder: &Path, name: &str, state: &str) -> Value {
    let until = clock::monotonic() + WITHIN;
    let mut looks = interval(Duration::from_millis(10));
    loop {
        looks.tick().await;
        let status = ask::ask(folder, &Request::Status).await.unwrap_or_default();
        let names = status["names"].as_array().cloned().unwrap_or_default();
        if let Some(found) = names.iter().find(|one| one["name"] == name && one["state"] == state) {
            return found.clone();
        }
        assert!(clock::monotonic() < until, "{name} is never {state}: {status}");
    }
}

/// Waits until the disk has how the only write came out.
async fn wait_for_end_of_write(folder: &Path) {
    let until = clock::monotonic() + WITHIN;
    let mut looks = interval(Duration::from_millis(10));
    loop {
        looks.tick().await;
        let bytes = fs::read(folder.join("state.json")).unwrap_or_default();
        let state: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let mut all = state["bindings"].as_object().into_iter().flat_map(|all| all.values());
        if all.any(|kept| kept["intent"].is_null() && !kept["published"].is_null()) {
            return;
        }
        assert!(clock::monotonic() < until, "the end of the write is never kept: {state}");
    }
}

#[test]
fn what_a_source_tells_is_published_and_whoever_asks_is_told() {
    let (folder, writes) = (Folder::new("told"), Writes::default());
    let made = parts(&folder, &["home.example.org"], "81.2.69.142", &writes);
    let told = play(made, &folder.0, async {
        let told = wait_for(&folder.0, "home.example.org", "published").await;
        let all = Request::Update(Vec::new());
        let updating = ask::ask(&folder.0, &all).await.unwrap();
        assert_eq!(updating["updating"][0], "pad/home.example.org/A");
        let unknown = Request::Update(vec!["away.example.org".to_owned()]);
        let refused = ask::ask(&folder.0, &unknown).await.unwrap_err().to_string();
        assert!(refused.contains("away.example.org"), "{refused}");
        told
    });
    assert_eq!((&told["published"][0], &told["provider"]), (&"81.2.69.142".into(), &"pad".into()));
    assert_eq!(writes.lock().unwrap()[0].0, "home.example.org");
}

#[test]
fn a_provider_that_breaks_over_one_name_keeps_the_others() {
    let (folder, writes) = (Folder::new("broken"), Writes::default());
    let names = ["broken.example.org", "home.example.org"];
    let made = parts(&folder, &names, "81.2.69.142", &writes);
    let told = play(made, &folder.0, async {
        wait_for(&folder.0, "home.example.org", "published").await;
        wait_for(&folder.0, "broken.example.org", "backing-off").await
    });
    assert_eq!(told["code"], "panic");
    assert!(told["why"].as_str().unwrap().contains("report"), "{told}");
}

#[test]
fn what_was_written_is_known_to_the_next_process() {
    let (folder, writes) = (Folder::new("next"), Writes::default());
    for _ in 0..3 {
        let made = parts(&folder, &["home.example.org"], "81.2.69.142", &writes);
        play(made, &folder.0, async {
            wait_for(&folder.0, "home.example.org", "published").await;
            wait_for_end_of_write(&folder.0).await;
        });
    }
    // Its state tells where somebody lives; the socket beside it is `platform::door`'s to guard.
    drop(paths::open_private_regular(&folder.0.join("state.json")).unwrap());
    assert_eq!(writes.lock().unwrap().len(), 1);
}

#[test]
fn every_fact_and_every_event_that_is_told_is_one_that_is_described() {
    let (folder, writes) = (Folder::new("facts"), Writes::default());
    let parts = parts(&folder, &["home.example.org"], "81.2.69.142", &writes);
    let now = Now { at: Duration::ZERO, wall: 1_700_000_000 };
    let engine = Engine::new(parts.plan.clone(), State::default(), 1, now);
    let mut view = engine.view(now);
    for sight in &mut view.sights {
        (sight.addresses, sight.since) = (vec!["81.2.69.142".parse().unwrap()], Some(1));
    }
    let mut other = view.sights[0].clone();
    other.addresses = vec!["2001:db8::1".parse().unwrap()];
    view.sights.push(other);
    let mut parts = parts;
    parts.plan.sights.push(SightPlan { family: Family::V6, ..parts.plan.sights[0].clone() });
    let binding = &mut view.bindings[0];
    (binding.published_since, binding.next) = (Some(7), Some(Duration::from_mins(1)));
    let report =
        report::Report { parts: &parts, view: &view, wall: now.wall, counted_since: now.wall };
    let told = report.facts();
    let names: Vec<&str> = told.keys().map(String::as_str).collect();
    let mut described: Vec<&str> = FACTS.iter().map(|fact| fact.name).collect();
    described.sort_unstable();
    assert_eq!(names, described);
    for fact in FACTS {
        let value = &told[fact.name];
        let is_meant = match fact.measure {
            Measure::Text => !value.is_empty(),
            Measure::Gauge | Measure::Counter => value.parse::<u64>().is_ok(),
            Measure::Time => value.parse::<Timestamp>().is_ok(),
        };
        assert!(is_meant, "{}={value}", fact.name);
    }
    assert_eq!(told["next-attempt"], "2023-11-14T22:14:20Z");

    let (why, id) = (String::new, 0);
    let mut events = vec![
        Event::AddressChanged { sight: id, from: Vec::new(), to: Vec::new() },
        Event::AddressLost { sight: id, why: why() },
        Event::AddressFound { sight: id },
        Event::Published { binding: id, values: Vec::new(), code: why() },
        Event::Visible { binding: id },
        Event::Invisible { binding: id, why: why() },
        Event::Failed { binding: id, class: Class::Clock, why: why(), again: None },
        Event::Recovered { binding: id, failures: 2 },
        Event::NotKept { why: why() },
        Event::KeptAgain,
    ];
    let told: Vec<&str> = events.drain(..).map(|event| words::of(&parts, &event).0).collect();
    assert_eq!(told, EVENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn of_a_thousand_records_those_that_are_not_well_are_named_and_the_rest_are_counted() {
    let (folder, writes) = (Folder::new("thousand"), Writes::default());
    let names: Vec<String> = (0..1000).map(|number| format!("n{number}.example.org")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts = parts(&folder, &names, "81.2.69.142", &writes);
    let now = Now { at: Duration::ZERO, wall: 0 };
    let mut view = Engine::new(parts.plan.clone(), State::default(), 1, now).view(now);
    view.bindings.iter_mut().for_each(|one| one.phase = Phase::Published);
    let ill = &mut view.bindings[977];
    (ill.phase, ill.code) = (Phase::Parked, Some("nohost".to_owned()));
    let report = report::Report { parts: &parts, view: &view, wall: 0, counted_since: 0 };
    let told = report.facts();
    assert_eq!([&told["records"], &told["published"], &told["parked"]], ["1000", "999", "1"]);
    let states = &told["states"];
    assert!(states.starts_with("pad/n977.example.org/A parked (nohost); "), "{states}");
    let known = states.matches(" published").count();
    assert!(known > 20 && states.ends_with(&format!("; {} more", 999 - known)), "{states}");
    assert!(states.len() <= mainstay_api::notify::FACT_VALUE_BYTES_MAX, "{}", states.len());
}
