//! What administrators ask the store for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mainstay_api::control::{SecretAnswer, SecretInfo, Secrets};
use mainstay_storage::secrets::Secret;

use super::{Kept, Vault, VaultError};
use crate::calls::{Refused, RefusedKind, Reply};

/// Something to be done to the store, and whoever waits for it.
#[derive(Debug)]
pub(crate) enum Deed {
    Set {
        value: Secret,
        answer: SecretAnswer,
        reply: Reply<SecretAnswer>,
    },
    Remove {
        answer: SecretAnswer,
        reply: Reply<SecretAnswer>,
    },
    /// With the services that refer to each secret.
    List {
        users: BTreeMap<String, Vec<String>>,
        reply: Reply<Secrets>,
    },
}

/// What is to be done, without whoever waits for it.
#[derive(Debug)]
pub(super) enum Work {
    Set { value: Secret, answer: SecretAnswer },
    Remove { answer: SecretAnswer },
    List { users: BTreeMap<String, Vec<String>> },
}

/// Whoever waits for an answer.
#[derive(Debug)]
pub(super) enum Waiting {
    Change(Reply<SecretAnswer>),
    List(Reply<Secrets>),
}

/// What has come of it.
#[derive(Debug)]
pub(super) enum Answer {
    Change(Result<SecretAnswer, Refused>),
    List(Result<Secrets, Refused>),
}

impl Deed {
    /// Parts what may take its time from whoever waits: they are answered whether it ends or not.
    pub(super) fn split(self) -> (Waiting, Work) {
        match self {
            Self::Set { value, answer, reply } => {
                (Waiting::Change(reply), Work::Set { value, answer })
            }
            Self::Remove { answer, reply } => (Waiting::Change(reply), Work::Remove { answer }),
            Self::List { users, reply } => (Waiting::List(reply), Work::List { users }),
        }
    }
}

impl Work {
    pub(super) fn perform(self, vault: &Vault) -> Answer {
        match self {
            Self::Set { value, answer } => {
                let kept = vault.set(&answer.name, &value);
                Answer::Change(kept.map(|kept| set(answer, kept)).map_err(|error| refused(&error)))
            }
            Self::Remove { answer } => Answer::Change(remove(vault, answer)),
            Self::List { users } => {
                let names = vault.names().map_err(|error| refused(&error));
                Answer::List(names.map(|names| list(names, users)))
            }
        }
    }
}

impl Waiting {
    /// Answers; whoever does not wait any more needs no answer.
    pub(super) fn answer(self, answer: Answer) {
        match (self, answer) {
            (Self::Change(reply), Answer::Change(answer)) => drop(reply.send(answer)),
            (Self::List(reply), Answer::List(answer)) => drop(reply.send(answer)),
            // A ticket stands for one question, so the two always fit.
            (Self::Change(_) | Self::List(_), Answer::Change(_) | Answer::List(_)) => {}
        }
    }

    /// Tells that the store does not answer.
    pub(super) fn refuse(self, store: &str) {
        let what = format!("what `{store}` lies on does not answer");
        let hint = "what was asked for may still be done: `mainstay secret list` says";
        let refused = Refused::new(RefusedKind::Failed, what, hint);
        match self {
            Self::Change(reply) => drop(reply.send(Err(refused))),
            Self::List(reply) => drop(reply.send(Err(refused))),
        }
    }
}

fn set(answer: SecretAnswer, kept: Kept) -> SecretAnswer {
    let aside = kept.aside.map(|path| path.display().to_string());
    SecretAnswer { replaced: kept.replaced, aside, ..answer }
}

fn remove(vault: &Vault, answer: SecretAnswer) -> Result<SecretAnswer, Refused> {
    if vault.remove(&answer.name).map_err(|error| refused(&error))? {
        return Ok(SecretAnswer { replaced: true, ..answer });
    }
    let what = format!("there is no secret `{}`", answer.name);
    Err(Refused::new(RefusedKind::Missing, what, "`mainstay secret list` lists all"))
}

fn list(names: Vec<(String, u64)>, mut users: BTreeMap<String, Vec<String>>) -> Secrets {
    let info = |(name, set_at): (String, u64)| SecretInfo {
        set_at: shown(set_at),
        services: users.remove(&name).unwrap_or_default(),
        name,
    };
    Secrets { secrets: names.into_iter().map(info).collect() }
}

/// Returns a second since 1970 as RFC 3339.
fn shown(second: u64) -> String {
    let second = i64::try_from(second).unwrap_or_default();
    Timestamp::from_second(second).unwrap_or_default().to_string()
}

fn refused(error: &VaultError) -> Refused {
    Refused::new(RefusedKind::Failed, error.to_string(), error.hint())
}
