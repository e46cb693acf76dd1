//! The catalogue: every provider that there is, in the order of their names.

mod alidns;
mod answer;
mod api;
mod baiducloud;
mod cloudflare;
mod columns;
mod desec;
mod digitalocean;
mod dnsomatic;
mod dnspod;
mod duckdns;
mod dyn_com;
mod dyndns2;
mod dynu;
mod dynv6;
mod freemyip;
mod gandi;
mod godaddy;
mod he;
mod hetzner;
mod huaweicloud;
mod linode;
mod namecheap;
mod noip;
mod ovh_dynhost;
mod pair;
mod porkbun;
mod powerdns;
mod rfc2136;
mod route53;
mod rows;
mod selfhost;
mod sets;
mod sign;
mod strato;
mod template;
mod tencentcloud;
mod token;
#[cfg(test)]
mod trial;
mod variomedia;
mod verdict;
mod volcengine;
mod vultr;
mod zones;

use crate::provider::Entry;

pub(crate) use answer::encoded;

/// All providers.
pub const ALL: &[&Entry] = &[
    &alidns::ENTRY,
    &baiducloud::ENTRY,
    &cloudflare::ENTRY,
    &desec::ENTRY,
    &digitalocean::ENTRY,
    &dnsomatic::ENTRY,
    &dnspod::ENTRY,
    &duckdns::ENTRY,
    &dyn_com::ENTRY,
    &dyndns2::ENTRY,
    &dynu::ENTRY,
    &dynv6::ENTRY,
    &freemyip::ENTRY,
    &gandi::ENTRY,
    &godaddy::ENTRY,
    &he::ENTRY,
    &hetzner::ENTRY,
    &huaweicloud::ENTRY,
    &linode::ENTRY,
    &namecheap::ENTRY,
    &noip::ENTRY,
    &ovh_dynhost::ENTRY,
    &porkbun::ENTRY,
    &powerdns::ENTRY,
    &rfc2136::ENTRY,
    &route53::ENTRY,
    &selfhost::ENTRY,
    &strato::ENTRY,
    &template::ENTRY,
    &tencentcloud::ENTRY,
    &variomedia::ENTRY,
    &volcengine::ENTRY,
    &vultr::ENTRY,
];

/// Returns the provider of a name or an alias.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().copied().find(|entry| entry.name == name || entry.aliases.contains(&name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_leads_to_one_provider() {
        let names: Vec<&str> = ALL
            .iter()
            .flat_map(|entry| entry.aliases.iter().copied().chain([entry.name]))
            .collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(ALL.is_sorted_by_key(|entry| entry.name));
        assert!(names.iter().all(|name| find(name).is_some()));
        assert!(find("nobody").is_none());
    }
}
