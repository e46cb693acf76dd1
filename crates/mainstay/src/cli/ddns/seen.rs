//! What a trial has seen, told to people.

use std::{net::IpAddr, time::Duration};

use mainstay_ddns::{
    address::{Family, Unfit, unfit},
    config::Config,
    trial::{Next, Said, Trial, Tried},
};

use super::language;

/// What does not answer within this time is told as such.
pub(super) const WITHIN: Duration = Duration::from_secs(40);

/// Returns what each source said, and what is believed.
pub(super) fn addresses(config: &Config, trial: &Trial) -> Vec<String> {
    let mut lines = Vec::new();
    for ((plan, view), said) in config.plan.sights.iter().zip(&trial.view.sights).zip(&trial.said) {
        lines.push(match view.addresses.as_slice() {
            [] => language::no_address(plan.family, view.trouble.as_deref().unwrap_or_default()),
            found => language::believed(plan.family, &listed(found)),
        });
        lines.extend(said.iter().flat_map(|one| votes(one, plan.family)));
    }
    lines
}

fn votes(said: &Said, family: Family) -> Vec<String> {
    let mut lines = Vec::new();
    for vote in &said.votes {
        let voter = voter(said.word, &vote.voter);
        match &vote.answer {
            Ok(addresses) if !addresses.is_empty() => {
                lines.push(language::says(&voter, &listed(addresses)));
                let is_shared = |one: &IpAddr| unfit(*one) == Some(Unfit::SharedByProvider);
                if family == Family::V4 && addresses.iter().all(is_shared) {
                    lines.push(language::shared().to_owned());
                }
            }
            Ok(_) => {}
            Err(why) => lines.push(language::silent(&voter, why)),
        }
    }
    lines
}

/// Returns a voter with the kind of its source, which some have in their names already.
fn voter(word: &str, voter: &str) -> String {
    let is_said = voter.split(' ').next() == Some(word);
    if is_said { voter.to_owned() } else { format!("{word} {voter}").trim().to_owned() }
}

/// Returns what a record has, and what would come next.
pub(super) fn record(record: &Tried) -> String {
    let has = record.has.as_deref().filter(|has| !has.is_empty()).map(listed);
    match (&record.next, has) {
        (Next::Rest, has) => language::rests(&record.id, &has.unwrap_or_default()),
        (Next::Write(want), Some(has)) => language::changes(&record.id, &has, &listed(want)),
        (Next::Write(want), None) => language::begins(&record.id, &listed(want)),
        (Next::Unaddressed, _) => language::waits(&record.id),
        (Next::Failed(why), _) => language::failed(&record.id, why),
        (Next::Open, _) => language::open(&record.id),
    }
}

/// Returns addresses as people read them.
pub(super) fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voter_is_called_after_its_source_once() {
        assert_eq!(voter("web", "https://4.ipw.cn"), "web https://4.ipw.cn");
        assert_eq!(voter("upnp", "upnp 192.168.1.1"), "upnp 192.168.1.1");
        assert_eq!(voter("nat-pmp", "nat-pmp"), "nat-pmp");
        assert_eq!(voter("static", ""), "static");
    }
}
