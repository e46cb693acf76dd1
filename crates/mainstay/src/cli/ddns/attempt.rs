//! `mainstay ddns check --try`: all that can be asked without writing anything.
//!
//! Secrets are fetched, sources are asked, records are read at their providers, and authoritative
//! servers are asked for them. No state is read or kept.

use std::net::IpAddr;

use mainstay_agent::secrets::{Vault, config_by_hand};
use mainstay_api::config::ServiceConfig;
use mainstay_ddns::{
    config::{self, Config},
    failure::{Failure, Reach},
    provider::Reading,
    trial::{self, Answer, Depth, Next, Told, Trial, Tried},
};
use serde_json::{Value, json};

use super::seen;

/// What came of a service.
#[derive(Debug)]
pub(super) struct Attempt {
    config: Config,
    trial: Trial,
}

/// What a provider thinks of an account.
#[derive(Debug, PartialEq, Eq)]
enum Standing<'t> {
    /// It lets it read.
    Accepted,
    /// It does not.
    Refused(&'t str),
    /// No record could be read, each for its own reason.
    Unread,
    /// It can only be written to.
    Untold,
}

/// Tries a service out; says why it cannot even be tried.
pub(super) async fn make(
    vault: &Vault,
    name: &str,
    service: &ServiceConfig,
) -> Result<Attempt, String> {
    let value = config_by_hand(vault, name, service).map_err(|error| error.to_string())?;
    let config = config::read(&value.unwrap_or_default()).map_err(|error| error.to_string())?;
    let tried = trial::try_out(&config, Depth::Everything, seen::WITHIN).await;
    let trial = tried.map_err(|error| error.to_string())?;
    Ok(Attempt { config, trial })
}

impl Attempt {
    /// Returns whether every name could be kept: it has an address, and whoever was asked of it has
    /// answered.
    pub(super) fn is_well(&self) -> bool {
        let is_told = |told: &Told| {
            let answers = [&told.provider, &told.servers];
            answers.into_iter().flatten().all(Result::is_ok)
        };
        self.trial.told.iter().all(is_told)
            && self.trial.records.iter().all(|record| !matches!(record.next, Next::Open))
            && self.config.plan.bindings.iter().all(|plan| {
                let all = self.config.plan.bindings.iter().zip(&self.trial.records);
                let mut same = all.filter(|(other, _)| {
                    (other.account, &other.record.name) == (plan.account, &plan.record.name)
                });
                same.any(|(_, record)| record.next != Next::Unaddressed)
            })
    }

    /// Returns it for people, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = seen::addresses(&self.config, &self.trial);
        for (index, account) in self.config.accounts.iter().enumerate() {
            let standing = match self.standing(index) {
                Standing::Accepted => "lets us read",
                Standing::Refused(why) => why,
                Standing::Unread => "no record of it could be read",
                Standing::Untold => "can only be written to; then it shows whether we may",
            };
            lines.push(format!("account `{}` ({}): {standing}", account.name, account.entry.name));
        }
        for (record, told) in self.trial.records.iter().zip(&self.trial.told) {
            lines.push(record_line(record, told));
            lines.extend(told.servers.as_ref().map(servers_line));
        }
        lines
    }

    /// Returns it for programs.
    pub(super) fn document(&self) -> Value {
        let accounts = self.config.accounts.iter().enumerate().map(|(index, account)| {
            let (standing, error) = match self.standing(index) {
                Standing::Accepted => ("accepted", None),
                Standing::Refused(why) => ("refused", Some(why)),
                Standing::Unread => ("unread", None),
                Standing::Untold => ("untold", None),
            };
            json!({
                "account": account.name, "provider": account.entry.name,
                "credentials": standing, "error": error,
            })
        });
        let names = self.trial.records.iter().zip(&self.trial.told);
        json!({
            "addresses": self.addresses(),
            "accounts": accounts.collect::<Vec<_>>(),
            "names": names.map(|(record, told)| name(record, told)).collect::<Vec<_>>(),
        })
    }

    fn addresses(&self) -> Vec<Value> {
        let sights = self.config.plan.sights.iter().zip(&self.trial.view.sights);
        let sight = |((plan, view), said): ((&_, &_), &Vec<trial::Said>)| {
            let plan: &mainstay_ddns::engine::plan::SightPlan = plan;
            let view: &mainstay_ddns::engine::view::SightView = view;
            let votes = said.iter().flat_map(|one| {
                one.votes.iter().map(|vote| {
                    json!({
                        "source": one.word, "voter": vote.voter,
                        "addresses": texts(vote.answer.as_deref().unwrap_or_default()),
                        "error": vote.answer.as_ref().err(),
                    })
                })
            });
            json!({
                "family": plan.family.word(), "addresses": texts(&view.addresses),
                "trouble": view.trouble, "said": votes.collect::<Vec<_>>(),
            })
        };
        sights.zip(&self.trial.said).map(sight).collect()
    }

    fn standing(&self, account: usize) -> Standing<'_> {
        let all = self.config.plan.bindings.iter().zip(&self.trial.told);
        let own = all.filter(|(plan, _)| plan.account == account);
        let told: Vec<_> = own.filter_map(|(_, told)| told.provider.as_ref()).collect();
        let refusal = told.iter().find_map(|told| told.as_ref().err().filter(|why| is_whole(why)));
        let entry = self.config.accounts.get(account).map(|account| account.entry);
        match (told.iter().any(|told| told.is_ok()), refusal) {
            (_, Some(failure)) => Standing::Refused(&failure.words),
            (true, None) => Standing::Accepted,
            (false, None) if entry.is_some_and(|it| it.reading == Reading::Impossible) => {
                Standing::Untold
            }
            (false, None) => Standing::Unread,
        }
    }
}

fn is_whole(failure: &Failure) -> bool {
    failure.reach == Reach::Account
}

fn record_line(record: &Tried, told: &Told) -> String {
    match &told.provider {
        Some(Err(failure)) if is_whole(failure) => format!("{}: could not be read", record.id),
        Some(Err(failure)) => format!("{}: {}", record.id, failure.words),
        Some(Ok(has)) if record.next == Next::Unaddressed && !has.is_empty() => {
            let line = seen::record(record);
            format!("{line}; has {}", seen::listed(has))
        }
        Some(Ok(_)) | None => seen::record(record),
    }
}

fn servers_line(told: &Answer) -> String {
    match told {
        Ok(has) if has.is_empty() => "  the authoritative servers have nothing".to_owned(),
        Ok(has) => format!("  the authoritative servers have {}", seen::listed(has)),
        Err(failure) => format!("  {}", failure.words),
    }
}

fn name(record: &Tried, told: &Told) -> Value {
    let (next, write) = match &record.next {
        Next::Rest => ("nothing", None),
        Next::Write(want) => ("write", Some(texts(want))),
        Next::Unaddressed => ("wait-for-address", None),
        Next::Failed(_) => ("try-again", None),
        Next::Open => ("unknown", None),
    };
    json!({
        "id": record.id, "next": next, "write": write.unwrap_or_default(),
        "provider": told.provider.as_ref().map(answer),
        "servers": told.servers.as_ref().map(answer),
    })
}

fn answer(told: &Answer) -> Value {
    let failure = told.as_ref().err();
    json!({
        "has": texts(told.as_deref().unwrap_or_default()),
        "error": failure.map(|failure| &failure.words),
        "class": failure.map(|failure| failure.class.word()),
        "code": failure.map(|failure| &failure.code),
    })
}

fn texts(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}
