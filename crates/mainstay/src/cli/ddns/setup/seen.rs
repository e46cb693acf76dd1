//! What a trial has seen, told to whoever sets something up.

use std::net::IpAddr;

use mainstay_ddns::{
    address::{Family, Unfit, unfit},
    config::Config,
    trial::{Next, Said, Trial, Tried},
};

use super::language::Language;
use crate::print;

/// Tells what each source said, what is believed, and what would be written.
pub(in crate::cli::ddns) fn tell(config: &Config, trial: &Trial, language: Language) {
    for ((plan, view), said) in config.plan.sights.iter().zip(&trial.view.sights).zip(&trial.said) {
        match view.addresses.as_slice() {
            [] => {
                let why = view.trouble.as_deref().unwrap_or_default();
                print::talk(&language.no_address(plan.family, why));
            }
            found => print::talk(&language.believed(plan.family, &listed(found))),
        }
        for one in said {
            tell_votes(one, plan.family, language);
        }
    }
    for record in &trial.records {
        print::talk(&in_words(record, language));
    }
}

fn tell_votes(said: &Said, family: Family, language: Language) {
    for vote in &said.votes {
        let voter = format!("{} {}", said.word, vote.voter);
        match &vote.answer {
            Ok(addresses) if !addresses.is_empty() => {
                print::talk(&language.says(voter.trim(), &listed(addresses)));
                let is_shared = |one: &IpAddr| unfit(*one) == Some(Unfit::SharedByProvider);
                if family == Family::V4 && addresses.iter().all(is_shared) {
                    print::talk(language.shared());
                }
            }
            Ok(_) => {}
            Err(why) => print::talk(&language.silent(voter.trim(), why)),
        }
    }
}

fn in_words(record: &Tried, language: Language) -> String {
    let has = record.has.as_deref().filter(|has| !has.is_empty()).map(listed);
    match (&record.next, has) {
        (Next::Rest, has) => language.rests(&record.id, &has.unwrap_or_default()),
        (Next::Write(want), Some(has)) => language.changes(&record.id, &has, &listed(want)),
        (Next::Write(want), None) => language.begins(&record.id, &listed(want)),
        (Next::Unaddressed, _) => language.waits(&record.id),
        (Next::Failed(why), _) => language.failed(&record.id, why),
        (Next::Open, _) => language.open(&record.id),
    }
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ")
}
