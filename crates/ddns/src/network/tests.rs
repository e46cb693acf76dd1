//! Stories with servers, proxies and resolvers in this process.

mod dns;
mod fakes;
mod hostile;
mod http;
mod names;
mod proxies;
mod tls;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{runtime::Builder, time};

use crate::{
    address::Family,
    config::{NetworkConfig, Proxy},
    wire::{Carrier, ClockDoubt, Exchange, Method, NetworkError, Request, Way, Wire as _},
};

use super::*;
use fakes::{Fake, Heard};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs a story, which must come to its end.
fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let told = runtime.block_on(async { time::timeout(PATIENCE, story).await.unwrap() });
    runtime.shutdown_background();
    told
}

/// Returns a way with this configuration, whose system knows no names at all.
fn way(config: &NetworkConfig) -> Network {
    let nobody = |_: &str| Err(io::Error::other("it knows nobody"));
    Network::new(&shared(nobody, &[]), config).unwrap()
}

fn direct() -> Network {
    way(&NetworkConfig::default())
}

/// Returns what ways share, with another system than this one, and these DNS servers.
fn shared(
    system: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    servers: &[SocketAddr],
) -> Shared {
    Shared::with(Resolver::with(Arc::new(system), servers))
}

fn get(url: impl Into<String>) -> Request {
    Request { within: PATIENCE / 2, ..Request::new(Method::Get, url) }
}

fn told(error: &NetworkError) -> String {
    let told = error.to_string();
    assert!(!told.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    told
}
