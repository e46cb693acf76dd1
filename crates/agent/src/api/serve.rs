//! Serving clients: each has a task of its own, and limits that none of them can widen.

use std::time::Duration;

use axum::{Extension, Router, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use mainstay_platform::local::{Identity, Listener};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    limits::{Limits, Visit},
    patient::Patient,
    problem,
};
use crate::{
    calls::{Refused, RefusedKind},
    events::complain,
};

/// So long the head of a request may take to come, and so long a client may say nothing at all.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
const HEADERS_MAX: usize = 64;
const HEAD_BYTES_MAX: usize = 128 * 1024;
/// Whoever is turned away has so long to take the word.
const WORD_WITHIN: Duration = Duration::from_secs(1);
/// Out of descriptors, most likely: others must close some first.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What clients find behind the door.
#[derive(Debug, Clone)]
pub(super) struct Front {
    router: Router,
    limits: Limits,
}

/// One client's way to the operations.
struct Way {
    router: Router,
    identity: Identity,
}

impl Service<Request<Incoming>> for Way {
    type Response = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.identity.clone());
        TowerToHyperService::new(self.router.clone()).call(request)
    }
}

impl Front {
    /// Returns one for these operations.
    pub(super) fn new(router: Router) -> Self {
        let limits = Limits::new();
        Self { router: router.layer(Extension(limits.clone())), limits }
    }

    /// Serves whoever comes to a listener, for as long as there is one.
    pub(super) fn listen(&self, listener: Listener) -> JoinHandle<()> {
        let front = self.clone();
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, identity)) => front.welcome(stream, identity),
                    Err(error) => {
                        complain("cannot accept a client", &error);
                        sleep(ACCEPT_AGAIN_AFTER).await;
                    }
                }
            }
        })
    }

    /// Serves a client to its end, or says that there are too many.
    pub(super) fn welcome<S>(&self, stream: S, identity: Identity)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.limits.let_in(&identity) {
            Some(visit) => {
                let way = Way { router: self.router.clone(), identity };
                tokio::spawn(serve(stream, way, visit));
            }
            None => {
                tokio::spawn(turn_away(stream));
            }
        }
    }
}

async fn serve<S>(stream: S, way: Way, _visit: Visit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    http.max_headers(HEADERS_MAX).max_header_size(HEAD_BYTES_MAX);
    // Whoever breaks off has its own reasons.
    drop(http.serve_connection(TokioIo::new(Patient::new(stream)), way).await);
}

async fn turn_away<S: AsyncWrite + Unpin>(mut stream: S) {
    let what = "too many clients are served already";
    let reason = Refused::new(RefusedKind::Failed, what, "try again in a second");
    let said = async {
        stream.write_all(&problem::whole_answer(&reason)).await?;
        stream.shutdown().await
    };
    drop(timeout(WORD_WITHIN, said).await);
}
