//! A configuration, tried out: sources are asked and records are read, and nothing is written.
//!
//! The engine decides here as it does in earnest. What it asks for is done, but for writes: those
//! are what would come next. What it does not ask for, [`Depth::Everything`] asks besides.

mod closer;

use std::{net::IpAddr, sync::Arc, time::Duration};

use mainstay_platform::clock;

use crate::{
    config::{Config, NetworkConfig},
    engine::{
        Engine,
        input::{Effect, Input, Now},
        state::State,
        view::{BindingView, Phase, View},
    },
    failure::Failure,
    network::{Network, ProxyError, Shared},
    record::{Change, Found},
    source::{Source, Vote},
    sources::{self, Around, SharedWire},
    together::together,
    verify::Verifier,
    wire::{Later, Wire},
};

/// What came of it.
#[derive(Debug)]
pub struct Trial {
    /// Of each sight, in the plan's order: what each source that was asked has said.
    pub said: Vec<Vec<Said>>,
    /// What each record has and shall have, in the plan's order.
    pub records: Vec<Tried>,
    /// What providers and name servers have told of each record, in the plan's order.
    pub told: Vec<Told>,
    /// What the engine makes of it all.
    pub view: View,
}

/// How much is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What has to be known for the next step.
    NextStep,
    /// Every record besides, though it has no address yet, and its authoritative servers.
    Everything,
}

/// The addresses that somebody has of a record, or why he does not tell.
pub type Answer = Result<Vec<IpAddr>, Failure>;

/// What has been told of a record; nothing where nobody was asked, or nobody answered in time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What the provider has.
    pub provider: Option<Answer>,
    /// What the authoritative servers have.
    pub servers: Option<Answer>,
}

/// What a source has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its kind.
    pub word: &'static str,
    /// What each of its voters says.
    pub votes: Vec<Vote>,
}

/// A record, tried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Its name everywhere.
    pub id: String,
    /// What there is, where that could be found out.
    pub has: Option<Vec<IpAddr>>,
    /// What would come next.
    pub next: Next,
}

/// What would come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is as it shall be.
    Rest,
    /// It would be given these addresses.
    Write(Vec<IpAddr>),
    /// No address is known that it could have.
    Unaddressed,
    /// It could not be read.
    Failed(String),
    /// It has not been found out in time.
    Open,
}

/// A source, and its kind.
type Spring = (&'static str, Box<dyn Source>);

/// All ways that a configuration goes, open.
struct Open {
    springs: Vec<Vec<Spring>>,
    wires: Vec<Arc<dyn Wire>>,
    verifier: Verifier,
}

/// What happens to a record.
#[derive(Debug, Clone, Default)]
struct Fate {
    told: Told,
    write: Option<Change>,
}

impl Fate {
    /// Returns what there is, by the word of whoever told it.
    fn has(&self) -> Option<Vec<IpAddr>> {
        let told = [&self.told.provider, &self.told.servers];
        told.into_iter().flatten().find_map(|told| told.as_ref().ok()).cloned()
    }
}

/// Tries a configuration out over the real network. Must be called inside a runtime.
pub async fn try_out(config: &Config, depth: Depth, within: Duration) -> Result<Trial, ProxyError> {
    let shared = Shared::new(&config.resolvers);
    let way = |network: &NetworkConfig| -> Result<Arc<dyn Wire>, ProxyError> {
        Ok(Arc::new(Network::new(&shared, network)?))
    };
    try_by(config, depth, within, way).await
}

/// Tries a configuration out over any network.
pub async fn try_by<E>(
    config: &Config,
    depth: Depth,
    within: Duration,
    way: impl Fn(&NetworkConfig) -> Result<Arc<dyn Wire>, E>,
) -> Result<Trial, E> {
    let open = open(config, way)?;
    let mut trial = decide(config, &open, within).await;
    if depth == Depth::Everything {
        closer::ask(config, &open, &mut trial.told, within).await;
    }
    Ok(trial)
}

/// Lets the engine ask until nothing more can be found out without writing.
async fn decide(config: &Config, open: &Open, within: Duration) -> Trial {
    let begun = clock::monotonic();
    let now = || {
        let wall = i64::try_from(clock::realtime_nanos() / 1_000_000_000).unwrap_or(i64::MAX);
        Now { at: clock::monotonic().saturating_sub(begun), wall }
    };
    let mut plan = config.plan.clone();
    plan.settle = Duration::ZERO;
    let mut engine = Engine::new(plan, State::default(), 1, now());
    let mut said = vec![Vec::new(); config.sources.len()];
    let mut fates = vec![Fate::default(); config.plan.bindings.len()];
    let mut inputs = vec![Input::Tick];
    while now().at < within {
        let mut asked = Vec::new();
        for input in inputs.drain(..) {
            note(&input, &mut fates, &mut said, open);
            for effect in engine.handle(now(), input) {
                if let Effect::Write { binding, change } = effect {
                    wish(&mut fates, binding, change);
                } else {
                    asked.extend(perform(config, open, effect));
                }
            }
        }
        if is_over(&engine.view(now()), &fates) {
            break;
        }
        if asked.is_empty() {
            let next = engine.next_deadline().unwrap_or(within).min(within);
            tokio::time::sleep(next.saturating_sub(now().at)).await;
            inputs.push(Input::Tick);
        } else {
            let left = within.saturating_sub(now().at);
            inputs = tokio::time::timeout(left, together(asked)).await.unwrap_or_default();
        }
    }
    let view = engine.view(now());
    let records = view.bindings.iter().zip(&fates).map(|(view, fate)| tried(view, fate)).collect();
    let told = fates.into_iter().map(|fate| fate.told).collect();
    Trial { said, records, told, view }
}

fn open<E>(
    config: &Config,
    way: impl Fn(&NetworkConfig) -> Result<Arc<dyn Wire>, E>,
) -> Result<Open, E> {
    let straight = NetworkConfig::default();
    let mut springs = Vec::new();
    for sight in &config.sources {
        let mut list = Vec::new();
        for source in sight {
            let network = source.network().unwrap_or(&straight);
            let around =
                Around { wire: SharedWire::new(way(network)?), bind: network.bind.clone() };
            list.push((source.word(), sources::open(source, &around)));
        }
        springs.push(list);
    }
    let wires = config.accounts.iter().map(|account| way(&account.network));
    let wires = wires.collect::<Result<_, _>>()?;
    let verifier = Verifier::new(SharedWire::new(way(&straight)?), config.resolvers.clone());
    Ok(Open { springs, wires, verifier })
}

/// Begins what is asked for, if it can be done without changing anything.
fn perform<'a>(config: &'a Config, open: &'a Open, effect: Effect) -> Option<Later<'a, Input>> {
    match effect {
        Effect::Look { sight, source } => {
            let (_, spring) = open.springs.get(sight)?.get(source)?;
            let family = config.plan.sights.get(sight)?.family;
            Some(Box::pin(async move {
                let votes = spring.look(family).await;
                let votes = votes.into_iter().map(Vote::harmless).collect();
                Input::Looked { sight, source, votes }
            }))
        }
        Effect::Read { binding, record } => {
            let account = config.plan.bindings.get(binding)?.account;
            let provider = &config.accounts.get(account)?.provider;
            let wire = open.wires.get(account)?;
            Some(Box::pin(async move {
                Input::Read { binding, result: provider.read(&**wire, &record).await }
            }))
        }
        Effect::Verify { binding, record } => Some(Box::pin(async move {
            Input::Verified { binding, result: open.verifier.ask(&record).await }
        })),
        Effect::Persist { revision, .. } => {
            Some(Box::pin(async move { Input::Persisted { revision, result: Ok(()) } }))
        }
        Effect::Write { .. } | Effect::Tell(_) => None,
    }
}

fn note(input: &Input, fates: &mut [Fate], said: &mut [Vec<Said>], open: &Open) {
    match input {
        Input::Looked { sight, source, votes } => {
            let spring = open.springs.get(*sight).and_then(|list| list.get(*source));
            if let (Some((word, _)), Some(list)) = (spring, said.get_mut(*sight)) {
                list.push(Said { word, votes: votes.clone() });
            }
        }
        Input::Read { binding, result } => {
            if let Some(fate) = fates.get_mut(*binding) {
                fate.told.provider = Some(values(result.clone()));
            }
        }
        Input::Verified { binding, result } => {
            if let Some(fate) = fates.get_mut(*binding) {
                fate.told.servers = Some(result.clone());
            }
        }
        Input::Tick
        | Input::NetworkChanged
        | Input::Wrote { .. }
        | Input::Persisted { .. }
        | Input::Update { .. } => {}
    }
}

fn values(found: Result<Found, Failure>) -> Answer {
    found.map(|found| found.values)
}

fn wish(fates: &mut [Fate], binding: usize, change: Change) {
    if let Some(fate) = fates.get_mut(binding) {
        fate.write = Some(change);
    }
}

/// Returns whether nothing more can be found out without writing.
fn is_over(view: &View, fates: &[Fate]) -> bool {
    let looked = |sight: &crate::engine::view::SightView| {
        !sight.addresses.is_empty() || sight.trouble.is_some()
    };
    let settled = |(view, fate): (&BindingView, &Fate)| match view.phase {
        Phase::Published | Phase::BackingOff | Phase::Parked | Phase::Unaddressed => true,
        Phase::Pending => fate.write.is_some(),
    };
    view.sights.iter().all(looked) && view.bindings.iter().zip(fates).all(settled)
}

fn tried(view: &BindingView, fate: &Fate) -> Tried {
    let next = match (view.phase, &fate.write) {
        (_, Some(change)) => Next::Write(change.want.clone()),
        (Phase::Published, None) => Next::Rest,
        (Phase::Unaddressed, None) => Next::Unaddressed,
        (Phase::BackingOff | Phase::Parked, None) => {
            Next::Failed(view.why.clone().unwrap_or_default())
        }
        (Phase::Pending, None) => Next::Open,
    };
    Tried { id: view.id.clone(), has: fate.has(), next }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Mutex};

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        config,
        fake_wire::FakeWire,
        wire::{Method, Request, Response},
    };

    fn tried_at(status: u16, has: &str, sources: &Value) -> Trial {
        tried_to(Depth::NextStep, status, has, sources)
    }

    /// Tries it out at a server that has one address, and that must not be written to.
    fn tried_to(depth: Depth, status: u16, has: &str, sources: &Value) -> Trial {
        let account = json!({
            "provider": "powerdns", "endpoint": "http://pdns.test", "api-key": "k",
            "names": ["home.example.org"],
        });
        let value = json!({ "sources": sources, "accounts": { "pdns": account } });
        let config = config::read(&value).unwrap();
        let set = json!({ "name": "home.example.org.", "type": "A", "ttl": 60,
            "records": [{ "content": has, "disabled": false }] });
        let body = json!({ "name": "example.org.", "rrsets": [set] }).to_string();
        let methods: Arc<Mutex<Vec<Method>>> = Arc::default();
        let seen = methods.clone();
        let wire = FakeWire::of_http(move |request: Request| {
            seen.lock().unwrap().push(request.method);
            Ok(Response { status, headers: Vec::new(), body: body.clone().into_bytes() })
        });
        let wire: Arc<dyn Wire> = Arc::new(wire);
        let way = |_: &NetworkConfig| Ok::<_, Infallible>(wire.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let Ok(trial) = runtime.block_on(try_by(&config, depth, Duration::from_secs(30), way));
        assert!(methods.lock().unwrap().iter().all(|method| *method == Method::Get));
        trial
    }

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn what_differs_would_be_written() {
        let sources = json!({ "ipv4": [{ "static": "81.2.69.142" }], "ipv6": [] });
        let trial = tried_at(200, "81.2.69.1", &sources);
        let record = &trial.records[0];
        assert_eq!(record.id, "pdns/home.example.org/A");
        assert_eq!(record.has, Some(addresses(&["81.2.69.1"])));
        assert_eq!(record.next, Next::Write(addresses(&["81.2.69.142"])));
        assert_eq!(trial.said[0][0].word, "static");
        assert_eq!(trial.view.sights[0].addresses, addresses(&["81.2.69.142"]));
    }

    #[test]
    fn what_is_right_rests() {
        let sources = json!({ "ipv4": [{ "static": "81.2.69.142" }], "ipv6": [] });
        assert_eq!(tried_at(200, "81.2.69.142", &sources).records[0].next, Next::Rest);
    }

    #[test]
    fn a_wrong_key_is_told() {
        let sources = json!({ "ipv4": [{ "static": "81.2.69.142" }], "ipv6": [] });
        let next = &tried_at(401, "81.2.69.142", &sources).records[0].next;
        let Next::Failed(why) = next else { panic!("{next:?}") };
        assert!(why.contains("401"), "{why}");
    }

    #[test]
    fn whoever_wants_to_know_everything_hears_of_a_record_without_an_address() {
        let nothing = json!({ "ipv4": [{ "static": "192.168.1.2" }], "ipv6": [] });
        let trial = tried_to(Depth::Everything, 200, "81.2.69.142", &nothing);
        assert_eq!(trial.records[0].next, Next::Unaddressed);
        assert_eq!(trial.told[0].provider, Some(Ok(addresses(&["81.2.69.142"]))));
        let Some(Err(failure)) = &trial.told[0].servers else { panic!("{:?}", trial.told) };
        assert!(!failure.words.is_empty());
        let trial = tried_at(200, "81.2.69.142", &nothing);
        assert_eq!(trial.told, [Told::default()]);
    }

    #[test]
    fn what_reaches_nobody_is_no_address() {
        let sources = json!({ "ipv4": [{ "static": "192.168.1.2" }], "ipv6": [] });
        let trial = tried_at(200, "81.2.69.142", &sources);
        assert_eq!(trial.records[0].next, Next::Unaddressed);
        assert!(trial.view.sights[0].trouble.as_ref().unwrap().contains("192.168.1.2"));
    }
}
