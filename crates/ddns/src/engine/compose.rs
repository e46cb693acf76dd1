//! How observed addresses become a record's values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    address::{Family, Unfit, unfit},
    engine::plan::{BindingPlan, Compose},
};

/// How long the prefix of a network is, unless somebody says otherwise (RFC 4291, section 2.5.4).
const PREFIX_LENGTH: u8 = 64;

/// Returns the values that a binding shall have, in order of address, each once.
pub(super) fn compose(observed: &[IpAddr], plan: &BindingPlan, allow: &[Unfit]) -> Vec<IpAddr> {
    let mut values = Vec::new();
    for address in observed {
        let value = composed(*address, plan.compose);
        let is_fit = value.is_some_and(|value| is_fit(value, allow));
        if let Some(value) = value.filter(|value| is_fit && !values.contains(value)) {
            values.push(value);
        }
    }
    values.truncate(plan.values_max.max(1));
    values.sort_unstable();
    values
}

/// Returns the prefix of the network, of IPv6.
pub(super) fn prefix(observed: &[IpAddr], compose: Compose) -> Option<(IpAddr, u8)> {
    let IpAddr::V6(address) = observed.first()? else { return None };
    let length = match compose {
        Compose::Observed => PREFIX_LENGTH,
        Compose::Suffix { prefix_length, .. } => prefix_length.min(128),
    };
    let bits = address.to_bits() & high_bits(length, 128);
    Some((IpAddr::V6(Ipv6Addr::from_bits(bits)), length))
}

/// Returns whether an address may be published.
pub(super) fn is_fit(address: IpAddr, allow: &[Unfit]) -> bool {
    unfit(address).is_none_or(|why| allow.contains(&why))
}

/// Returns the addresses of one family, best first, each once.
pub(super) fn of_family(addresses: &[IpAddr], family: Family) -> Vec<IpAddr> {
    let mut chosen = Vec::new();
    for address in addresses {
        if Family::of(*address) == family && !chosen.contains(address) {
            chosen.push(*address);
        }
    }
    chosen
}

fn composed(address: IpAddr, compose: Compose) -> Option<IpAddr> {
    let (length, host) = match compose {
        Compose::Observed => return Some(address),
        Compose::Suffix { prefix_length, host } => (prefix_length, host),
    };
    match (address, host) {
        (IpAddr::V6(address), IpAddr::V6(host)) => {
            let bits = spliced(address.to_bits(), host.to_bits(), high_bits(length, 128));
            Some(IpAddr::V6(Ipv6Addr::from_bits(bits)))
        }
        (IpAddr::V4(address), IpAddr::V4(host)) => {
            let [address, host] = [address, host].map(|one| u128::from(one.to_bits()));
            let bits = spliced(address, host, high_bits(length, 32));
            u32::try_from(bits).ok().map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

fn spliced(address: u128, host: u128, mask: u128) -> u128 {
    (address & mask) | (host & !mask)
}

/// Returns the mask of so many leading bits of a word that is `width` bits wide.
fn high_bits(length: u8, width: u32) -> u128 {
    let rest = width.saturating_sub(u32::from(length));
    u128::MAX.checked_shl(rest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::plan::Verify, name::Fqdn, record::Record};

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn plan(compose: Compose, values_max: usize) -> BindingPlan {
        let name = Fqdn::parse("a.example.org").unwrap();
        let (family, extra) = (Family::V6, serde_json::Map::new());
        BindingPlan {
            id: "cf/a.example.org/AAAA".to_owned(),
            account: 0,
            sight: 0,
            record: Record { name, family, line: None, ttl: None, extra },
            compose,
            values_max,
            verify: Verify::Never,
            digest: 1,
        }
    }

    fn suffix(prefix_length: u8, host: &str) -> Compose {
        Compose::Suffix { prefix_length, host: host.parse().unwrap() }
    }

    #[test]
    fn observed_addresses_are_cut_to_what_a_name_may_have_and_sorted() {
        let observed = addresses(&["2a00::3", "2a00::1", "2a00::3", "2a00::2"]);
        assert_eq!(
            compose(&observed, &plan(Compose::Observed, 2), &[]),
            addresses(&["2a00::1", "2a00::3"])
        );
        assert_eq!(compose(&observed, &plan(Compose::Observed, 1), &[]), addresses(&["2a00::3"]));
    }

    #[test]
    fn another_machine_has_the_prefix_and_its_own_rest() {
        let check = |compose_by, observed: &[&str], expected: &[&str]| {
            let told = compose(&addresses(observed), &plan(compose_by, 4), &[]);
            assert_eq!(told, addresses(expected));
        };
        check(suffix(64, "::1234"), &["2a00:1:2:3:9:9:9:9"], &["2a00:1:2:3::1234"]);
        check(suffix(56, "::12:0:0:0:1"), &["2a00:1:2:3ff::9"], &["2a00:1:2:312::1"]);
        check(suffix(128, "::1"), &["2a00::9"], &["2a00::9"]);
        check(suffix(24, "0.0.0.7"), &["81.2.69.142"], &["81.2.69.7"]);
        // Two addresses of one network make one; of a longer prefix than there is, none too many.
        check(suffix(64, "::1"), &["2a00::9", "2a00::8"], &["2a00::1"]);
        check(suffix(64, "0.0.0.7"), &["2a00::9"], &[]);
    }

    #[test]
    fn what_would_reach_nobody_is_not_composed() {
        assert!(compose(&addresses(&["2a00::9"]), &plan(suffix(0, "fd00::1"), 1), &[]).is_empty());
        let allowed =
            compose(&addresses(&["fd00::9"]), &plan(Compose::Observed, 1), &[Unfit::Private]);
        assert_eq!(allowed, addresses(&["fd00::9"]));
    }

    #[test]
    fn the_prefix_of_a_network_has_64_bits_unless_somebody_says_otherwise() {
        let told = prefix(&addresses(&["2a00:1:2:3:4::9"]), Compose::Observed);
        assert_eq!(told, Some(("2a00:1:2:3::".parse().unwrap(), 64)));
        let told = prefix(&addresses(&["2a00:1:2:3ff:4::9"]), suffix(56, "::1"));
        assert_eq!(told, Some(("2a00:1:2:300::".parse().unwrap(), 56)));
        assert_eq!(prefix(&addresses(&["81.2.69.142"]), Compose::Observed), None);
    }
}
