//! Letting in the groups that `[[access]]` names: whoever may not even knock is never heard.

use std::path::{Path, PathBuf};

use mainstay_api::config::Access;
use mainstay_platform::local;
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
};

use crate::{calls::Call, rights::AccessList};

/// Goes by what the loop wants until the loop ends; what cannot be had is told.
pub(super) async fn keep(
    socket: PathBuf,
    mut wanted: watch::Receiver<Vec<Access>>,
    allowed: watch::Sender<AccessList>,
    calls: mpsc::Sender<Call>,
) {
    while wanted.changed().await.is_ok() {
        let access = wanted.borrow_and_update().clone();
        let path = socket.clone();
        // Groups may be kept by a directory server that does not answer.
        let Ok((list, wrong)) = spawn_blocking(move || open(&path, &access)).await else { return };
        allowed.send_replace(list);
        if !wrong.is_empty() {
            // A loop that is too busy to hear it is told with the next change.
            drop(calls.try_send(Call::NotLetIn(wrong)));
        }
    }
}

/// Finds the groups and lets them reach the socket; returns what is wrong as well.
fn open(socket: &Path, access: &[Access]) -> (AccessList, Vec<String>) {
    let (list, mut wrong) = AccessList::resolve(access, local::group);
    if let Err(error) = local::let_in(socket, &list.groups()) {
        wrong.push(format!("cannot let groups of `[[access]]` in: {error}"));
    }
    (list, wrong)
}
