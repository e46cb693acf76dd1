//! Who is there: accounts, names and sources, drawn by chance.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use mainstay_core::chance::Chance;
use mainstay_ddns::{
    address::{Family, Unfit},
    engine::plan::{AccountPlan, BindingPlan, Compose, Plan, SightPlan, SourcePlan, Verify},
    name::Fqdn,
    provider::{Floors, Reading},
    record::Record,
};

use crate::plant::Plant;

/// The rest of another machine's address.
const HOST: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0x1234);
/// How long prefixes are.
const PREFIX_LENGTH: u8 = 64;

/// Draws a plan.
pub(crate) fn plan(chance: &mut Chance) -> Plan {
    let accounts = 1 + chance.below(3);
    let accounts: Vec<AccountPlan> = (0..accounts).map(|number| account(number, chance)).collect();
    let families = if chance.below(2) == 0 { &Family::ALL[..1] } else { &Family::ALL[..] };
    let sights: Vec<SightPlan> = families.iter().map(|family| sight(*family, chance)).collect();
    let names = 1 + chance.below(5);
    let mut bindings = Vec::new();
    for number in 0..names {
        bindings.push(binding(number, (&accounts, &sights), chance));
    }
    let every = [5, 15, 30, 60][below(chance, 4)];
    let settle = Duration::from_secs(2 + chance.below(4));
    Plan { sights, accounts, bindings, every: Duration::from_mins(every), settle }
}

fn account(number: u64, chance: &mut Chance) -> AccountPlan {
    let reading = [Reading::Possible, Reading::Impossible][below(chance, 2)];
    let floors = match reading {
        Reading::Possible => Floors::API,
        Reading::Impossible => Floors::DYNDNS,
    };
    let (name, at_once) = (format!("account{number}"), 1 + below(chance, 3));
    AccountPlan { name, floors, reading, at_once, digest: chance.number() }
}

fn sight(family: Family, chance: &mut Chance) -> SightPlan {
    let mut source = || match chance.below(2) {
        0 => SourcePlan { agree: 2, voters: 3 },
        _ => SourcePlan { agree: 1, voters: 1 },
    };
    let mut sources = vec![source()];
    if chance.below(2) == 0 {
        sources.push(SourcePlan { agree: 1, voters: 1 });
    }
    SightPlan { family, sources, allow: Vec::new() }
}

fn binding(
    number: u64,
    (accounts, sights): (&[AccountPlan], &[SightPlan]),
    chance: &mut Chance,
) -> BindingPlan {
    let (account, sight) = (below(chance, accounts.len()), below(chance, sights.len()));
    let family = sights[sight].family;
    let is_other = family == Family::V6 && chance.below(2) == 0;
    let host = IpAddr::V6(HOST);
    let compose = if is_other {
        Compose::Suffix { prefix_length: PREFIX_LENGTH, host }
    } else {
        Compose::Observed
    };
    let verify = [Verify::Authoritative, Verify::Never][below(chance, 2)];
    let name = Fqdn::parse(&format!("name{number}.example.org"));
    let Ok(name) = name else { unreachable!("it is a name") };
    let id = format!("{}/{name}/{}", accounts[account].name, family.record_type());
    let extra = serde_json::Map::new();
    let record = Record { name, family, line: None, ttl: None, extra };
    let digest = chance.number();
    BindingPlan { id, account, sight, record, compose, values_max: 1, verify, digest }
}

/// Returns what the engine is told of a plan, as far as that is the mistake.
pub(crate) fn mistaken(plan: &Plan, plant: Option<Plant>, life: u64) -> Plan {
    let mut plan = plan.clone();
    match plant {
        Some(Plant::OneVoteEnough) => {
            for source in plan.sights.iter_mut().flat_map(|sight| &mut sight.sources) {
                source.agree = 1;
            }
        }
        Some(Plant::UnfitAllowed) => {
            for sight in &mut plan.sights {
                sight.allow = vec![Unfit::Private, Unfit::SharedByProvider];
            }
        }
        Some(Plant::FloorsIgnored) => {
            for account in &mut plan.accounts {
                account.floors.write = Duration::ZERO;
            }
        }
        Some(Plant::AtOnceIgnored) => {
            for account in &mut plan.accounts {
                account.at_once += 2;
            }
        }
        Some(Plant::DigestInvented) => {
            for binding in &mut plan.bindings {
                binding.digest ^= life;
            }
        }
        _ => {}
    }
    plan
}

/// Returns the `number`th address that this machine ever has.
pub(crate) fn address(family: Family, number: u64) -> IpAddr {
    let low = u16::try_from(number % 50_000).unwrap_or(0);
    match family {
        Family::V4 => {
            let [high, low] = low.to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(81, 2, high, low))
        }
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0x2a00, 1, 2, low, 9, 9, 9, 9)),
    }
}

/// Returns what a record shall have, by another way than the engine's.
pub(crate) fn wanted(binding: &BindingPlan, truth: IpAddr) -> IpAddr {
    match (binding.compose, truth) {
        (Compose::Suffix { .. }, IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0x1234))
        }
        _ => truth,
    }
}

/// Returns a number below `limit`, as an index.
pub(crate) fn below(chance: &mut Chance, limit: usize) -> usize {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    usize::try_from(chance.below(limit)).unwrap_or(0)
}
