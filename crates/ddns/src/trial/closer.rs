//! What is asked besides of each record, although nothing hangs on it: the provider, with which the
//! credentials are proved, and the authoritative servers.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{Answer, Open, Told, values};
use crate::{
    config::Config,
    engine::plan::{BindingPlan, Verify},
    failure::{Failure, Reach},
    provider::Reading,
    together::together,
    wire::Later,
};

/// So many questions are on their way at once.
const AT_ONCE: usize = 8;

/// Asks what has not been told yet, as far as the time suffices.
pub(super) async fn ask(config: &Config, open: &Open, told: &mut [Told], within: Duration) {
    let until = Instant::now() + within;
    let all: Vec<(usize, &BindingPlan)> = config.plan.bindings.iter().enumerate().collect();
    for part in all.chunks(AT_ONCE) {
        let refused = refused(config, told);
        let asked = part.iter().filter_map(|(index, plan)| {
            let known = told.get(*index)?.clone();
            let refused = refused.get(&plan.account).cloned();
            Some(
                Box::pin(async move { (*index, look(config, open, (plan, known), refused).await) })
                    as Later<'_, (usize, Told)>,
            )
        });
        let Ok(heard) = timeout_at(until, together(asked.collect())).await else { return };
        for (index, heard) in heard {
            if let Some(told) = told.get_mut(index) {
                *told = heard;
            }
        }
    }
}

/// Returns the accounts that have been refused as a whole: who is asked once more is annoyed.
fn refused(config: &Config, told: &[Told]) -> BTreeMap<usize, Failure> {
    let all = config.plan.bindings.iter().zip(told);
    let refused = all.filter_map(|(plan, told)| match &told.provider {
        Some(Err(failure)) if failure.reach == Reach::Account => {
            Some((plan.account, failure.clone()))
        }
        Some(_) | None => None,
    });
    refused.collect()
}

async fn look(
    config: &Config,
    open: &Open,
    (plan, mut told): (&BindingPlan, Told),
    refused: Option<Failure>,
) -> Told {
    if told.provider.is_none() {
        told.provider = match refused {
            Some(failure) => Some(Err(failure)),
            None => read(config, open, plan).await,
        };
    }
    if told.servers.is_none() && plan.verify == Verify::Authoritative {
        told.servers = Some(open.verifier.ask(&plan.record).await);
    }
    told
}

/// Reads a record at its provider; nothing where that can only be written to.
async fn read(config: &Config, open: &Open, plan: &BindingPlan) -> Option<Answer> {
    let account = config.accounts.get(plan.account)?;
    let wire = open.wires.get(plan.account)?;
    if account.entry.reading == Reading::Impossible {
        return None;
    }
    Some(values(account.provider.read(&**wire, &plan.record).await))
}
