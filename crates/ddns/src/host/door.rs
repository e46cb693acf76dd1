//! Lets callers in: a thread waits at the door, because not every system's door can be waited for by
//! a runtime, and hands each caller over.

use std::{io, path::Path, sync::Arc, thread, time::Duration};

use mainstay_platform::{
    door::Door,
    local::{self, Stream},
    port::{Port, Token, Waker},
};
use serde_json::{Value, json};
use tokio::{
    sync::{
        mpsc::{Receiver, Sender, channel},
        oneshot,
    },
    time::timeout,
};

use super::ask::{self, Request};

/// So many callers may wait.
const CALLERS_MAX: usize = 16;
/// Who takes longer to ask or to listen is sent away.
const WITHIN: Duration = Duration::from_secs(5);
/// When the system refuses to let anybody in, it is asked again after this time.
const REFUSED_FOR: Duration = Duration::from_millis(200);

/// What a caller wants, and where the answer goes.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Value>,
}

/// Calls, as long as this is kept.
#[derive(Debug)]
pub(super) struct Calls {
    calls: Receiver<Call>,
    waker: Waker,
}

impl Calls {
    /// Opens the door. Must be called inside a runtime.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let door = Door::open(path)?;
        let port = Port::new()?;
        let (waker, (callers, calls)) = (port.waker(), channel(CALLERS_MAX));
        let runtime = tokio::runtime::Handle::current();
        let attend = move || attend(door, port, &callers, &runtime);
        thread::Builder::new().name("door".to_owned()).spawn(attend)?;
        Ok(Self { calls, waker })
    }

    /// Waits for the next call.
    pub(super) async fn next(&mut self) -> Option<Call> {
        self.calls.recv().await
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.calls.close();
        self.waker.wake();
    }
}

/// Waits for callers until nobody takes their calls any more.
fn attend(door: Door, mut port: Port, calls: &Sender<Call>, runtime: &tokio::runtime::Handle) {
    let door = Arc::new(door);
    let Ok(_watched) = port.watch(Arc::clone(&door), Token(0)) else { return };
    while !calls.is_closed() {
        let pause = match let_in(&door, calls, runtime) {
            Ok(()) => None,
            Err(_) => Some(REFUSED_FOR),
        };
        if port.wait(pause).is_err() {
            return;
        }
    }
}

fn let_in(door: &Door, calls: &Sender<Call>, runtime: &tokio::runtime::Handle) -> io::Result<()> {
    while let Some(caller) = door.accept_untouched()? {
        let calls = calls.clone();
        runtime.spawn(async move {
            if let Ok((stream, identity)) = local::take_over(caller)
                && identity.is_trusted
            {
                // Who hangs up in the middle has lost no more than his own answer.
                drop(timeout(WITHIN, serve(stream, calls)).await);
            }
        });
    }
    Ok(())
}

async fn serve(mut stream: Stream, calls: Sender<Call>) -> io::Result<()> {
    let value = match ask::hear(&mut stream).await? {
        Err(why) => json!({ "error": why }),
        Ok(request) => {
            let (reply, answer) = oneshot::channel();
            drop(calls.send(Call { request, reply }).await);
            answer.await.unwrap_or_else(|_| json!({ "error": "it leaves" }))
        }
    };
    ask::answer(&mut stream, &value).await
}
