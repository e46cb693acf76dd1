//! Letting in the groups that `[[access]]` names: whoever may not even knock is never heard.

use std::{collections::BTreeSet, io, path::PathBuf};

use mainstay_api::config::Access;
use mainstay_platform::{
    local,
    paths::{self, Right},
    scm,
};
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
};

use crate::{calls::Call, rights::AccessList};

/// Where clients come.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    pub(crate) socket: PathBuf,
    pub(crate) logs: PathBuf,
    /// Where the journal of events lies.
    pub(crate) events: PathBuf,
    /// The service of the system that the instance is.
    pub(crate) service: Option<String>,
}

/// Goes by what the loop wants until the loop ends; what cannot be had is told.
pub(super) async fn keep(
    gate: Gate,
    mut wanted: watch::Receiver<Vec<Access>>,
    allowed: watch::Sender<AccessList>,
    calls: mpsc::Sender<Call>,
) {
    while wanted.changed().await.is_ok() {
        let access = wanted.borrow_and_update().clone();
        let gate = gate.clone();
        // Groups may be kept by a directory server that does not answer.
        let Ok((list, wrong)) = spawn_blocking(move || open(&gate, &access)).await else { return };
        allowed.send_replace(list);
        if !wrong.is_empty() {
            // A loop that is too busy to hear it is told with the next change.
            drop(calls.try_send(Call::NotLetIn(wrong)));
        }
    }
}

/// Finds the groups and lets them reach the socket; returns what is wrong as well.
fn open(gate: &Gate, access: &[Access]) -> (AccessList, Vec<String>) {
    let (list, mut wrong) = AccessList::resolve(access, local::group);
    if let Err(error) = local::let_in(&gate.socket, &list.groups(), gate.service.as_deref()) {
        wrong.push(format!("cannot let groups of `[[access]]` in: {error}"));
    }
    if let Some(Err(error)) = gate.service.as_ref().map(|name| share_logs(gate, name, &list)) {
        wrong.push(format!("cannot let groups of `[[access]]` read logs: {error}"));
    }
    (list, wrong)
}

/// Lets whoever may read all logs read what the programs of a service write: nobody else may enter its
/// folders. Whoever writes there goes on to: an account whose service has no identity of its own
/// yet is one of them.
fn share_logs(gate: &Gate, service: &str, list: &AccessList) -> io::Result<()> {
    let mut writers = BTreeSet::from_iter(paths::sharers(&gate.logs)?);
    writers.insert(scm::identity_of(service)?);
    let writers = writers.into_iter().map(|who| (who, Right::Share));
    let groups = list.readers().into_iter().map(|group| (group, Right::Read));
    paths::guard_anew(&gate.logs, &writers.chain(groups).collect::<Vec<_>>())
}
