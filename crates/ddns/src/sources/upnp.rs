//! The source `upnp`: the router's outer address, asked of the router by `UPnP` (IGD 1 and 2).
//!
//! ```text
//!  M-SEARCH to 239.255.255.250 and to the gateway ─► answers: a URL each
//!    ─► description of the device, from whom answered alone ─► its WAN services
//!      ─► GetExternalIPAddress of the first that has one
//! ```

mod description;
mod search;
mod soap;

use std::{net::IpAddr, net::Ipv4Addr, time::Duration};

use crate::{
    address::Family,
    source::{Source, Vote},
    together::together,
    wire::{Later, Method, NetworkError, Request, Response, Way},
};

use super::{Around, router};
use description::Service;
use search::{Device, Search};

/// How long a router may take for an answer.
const WITHIN: Duration = Duration::from_secs(5);

/// The router, asked by `UPnP`.
#[derive(Debug)]
pub(super) struct Upnp {
    around: Around,
    /// Where to look; the default gateway's network otherwise.
    search: Option<Search>,
}

impl Upnp {
    pub(super) fn new(around: Around) -> Self {
        Self { around, search: None }
    }

    async fn votes(&self, family: Family) -> Vec<Vote> {
        if family == Family::V6 {
            return vec![refusal("UPnP tells of IPv4 alone")];
        }
        let bind = self.around.bind.as_deref();
        let search = match &self.search {
            Some(search) => search.clone(),
            None => Search::around(router::neighbour(bind).await, bind),
        };
        let devices = match search.devices(bind).await {
            Ok(devices) => devices,
            Err(why) => return vec![refusal(&why)],
        };
        if devices.is_empty() {
            return vec![refusal("no router answers; it may be switched off in the router")];
        }
        let votes = devices.iter().map(|device| Box::pin(self.vote(device)) as Later<'_, Vote>);
        together(votes.collect()).await
    }

    async fn vote(&self, device: &Device) -> Vote {
        let answer = self.ask(device).await.map(|one| vec![one]);
        Vote { voter: format!("upnp {}", device.address), answer }
    }

    async fn ask(&self, device: &Device) -> Result<IpAddr, String> {
        let described = self.fetch(Request::new(Method::Get, &device.location), device).await;
        let described = described.map_err(|error| error.to_string())?;
        if described.status != 200 {
            return Err(format!("its description is not there: HTTP {}", described.status));
        }
        let services = description::services(&described.text(), device)?;
        let mut failure = "it has no connection to the internet".to_owned();
        for service in &services {
            match self.ask_service(service, device).await {
                Ok(address) => return Ok(IpAddr::V4(address)),
                Err(why) => failure = why,
            }
        }
        Err(failure)
    }

    async fn ask_service(&self, service: &Service, device: &Device) -> Result<Ipv4Addr, String> {
        let answer = self.fetch(soap::request(service), device).await;
        soap::read(&answer.map_err(|error| error.to_string())?)
    }

    async fn fetch(&self, request: Request, device: &Device) -> Result<Response, NetworkError> {
        let family = Some(Family::of(IpAddr::V4(device.address)));
        let request = Request { way: Way::Direct, within: WITHIN, family, ..request };
        self.around.wire.http(request).await
    }
}

fn refusal(why: &str) -> Vote {
    Vote { voter: "upnp".to_owned(), answer: Err(why.to_owned()) }
}

impl Source for Upnp {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        Box::pin(self.votes(family))
    }
}

#[cfg(test)]
mod tests;
