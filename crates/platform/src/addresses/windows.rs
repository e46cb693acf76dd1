//! `GetAdaptersAddresses`.

use std::{io, time::Duration};

use windows_sys::Win32::{
    NetworkManagement::IpHelper::IP_ADAPTER_UNICAST_ADDRESS_LH,
    Networking::WinSock::{
        IpDadStateDeprecated, IpDadStateDuplicate, IpDadStateInvalid, IpDadStatePreferred,
        IpDadStateTentative, IpPrefixOriginDhcp, IpPrefixOriginManual,
        IpPrefixOriginRouterAdvertisement, IpSuffixOriginDhcp, IpSuffixOriginLinkLayerAddress,
        IpSuffixOriginManual, IpSuffixOriginRandom, NL_DAD_STATE, NL_PREFIX_ORIGIN,
        NL_SUFFIX_ORIGIN,
    },
};

use super::{Interface, InterfaceAddress, Origin, State};
use crate::windows::adapters::{Adapter, Adapters, Wanted, address_at};

/// The number of seconds that means for ever.
const FOR_EVER: u32 = u32::MAX;

pub(super) fn list() -> io::Result<Vec<InterfaceAddress>> {
    let adapters = Adapters::look(Wanted::Addresses)?;
    let mut all = Vec::new();
    for adapter in adapters.iter() {
        let interface = adapter.interface();
        all.extend(adapter.addresses().filter_map(|row| address(row, &interface)));
    }
    Ok(all)
}

pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    let adapters = Adapters::look(Wanted::Nothing)?;
    Ok(adapters.iter().map(Adapter::interface).collect())
}

/// Capital and small letters are the same.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[expect(unsafe_code, reason = "an address behind a pointer")]
fn address(row: &IP_ADAPTER_UNICAST_ADDRESS_LH, on: &Interface) -> Option<InterfaceAddress> {
    // SAFETY: the system has written both, and they live as long as the row.
    let address = unsafe { address_at(row.Address) }?.ip();
    let origins = (row.PrefixOrigin, row.SuffixOrigin);
    Some(InterfaceAddress {
        interface: on.clone(),
        address,
        prefix_length: row.OnLinkPrefixLength,
        peer: None,
        origin: if address.is_ipv4() { origin_of_v4(origins) } else { origin_of_v6(origins) },
        state: state(row.DadState, row.PreferredLifetime)?,
        preferred_lifetime: lifetime(row.PreferredLifetime),
        valid_lifetime: lifetime(row.ValidLifetime),
    })
}

/// Nothing for an address that is on its way out.
#[expect(non_upper_case_globals, reason = "names of the system's")]
const fn state(asked: NL_DAD_STATE, preferred_seconds: u32) -> Option<State> {
    match asked {
        IpDadStateInvalid => None,
        IpDadStateTentative => Some(State::Tentative),
        IpDadStateDuplicate => Some(State::Duplicate),
        IpDadStatePreferred if preferred_seconds > 0 => Some(State::Preferred),
        IpDadStateDeprecated | IpDadStatePreferred => Some(State::Deprecated),
        _ => Some(State::Tentative),
    }
}

/// An address of 169.254 has a random end, and is not temporary for that.
#[expect(non_upper_case_globals, reason = "names of the system's")]
const fn origin_of_v4(origins: (NL_PREFIX_ORIGIN, NL_SUFFIX_ORIGIN)) -> Origin {
    match origins {
        (IpPrefixOriginDhcp, _) => Origin::Dhcp,
        (IpPrefixOriginManual, _) => Origin::Manual,
        (_, IpSuffixOriginRandom) => Origin::Autoconfigured,
        _ => Origin::Unknown,
    }
}

/// The end of an address says more than its beginning: a stable one is `LinkLayerAddress`, whether
/// it is made of the hardware's or not, and a temporary one is `Random`.
#[expect(non_upper_case_globals, reason = "names of the system's")]
const fn origin_of_v6(origins: (NL_PREFIX_ORIGIN, NL_SUFFIX_ORIGIN)) -> Origin {
    match origins {
        (_, IpSuffixOriginRandom) => Origin::Temporary,
        (_, IpSuffixOriginDhcp) | (IpPrefixOriginDhcp, _) => Origin::Dhcp,
        (_, IpSuffixOriginManual) | (IpPrefixOriginManual, _) => Origin::Manual,
        (_, IpSuffixOriginLinkLayerAddress) | (IpPrefixOriginRouterAdvertisement, _) => {
            Origin::Autoconfigured
        }
        _ => Origin::Unknown,
    }
}

fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != FOR_EVER).then(|| Duration::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Networking::WinSock::IpPrefixOriginWellKnown;

    use super::*;

    #[test]
    fn a_random_end_is_temporary_in_the_younger_family_alone() {
        let router = IpPrefixOriginRouterAdvertisement;
        assert_eq!(origin_of_v6((router, IpSuffixOriginRandom)), Origin::Temporary);
        assert_eq!(origin_of_v6((router, IpSuffixOriginLinkLayerAddress)), Origin::Autoconfigured);
        assert_eq!(origin_of_v6((router, IpSuffixOriginDhcp)), Origin::Dhcp);
        let well_known = IpPrefixOriginWellKnown;
        assert_eq!(origin_of_v4((well_known, IpSuffixOriginRandom)), Origin::Autoconfigured);
        assert_eq!(origin_of_v4((IpPrefixOriginDhcp, IpSuffixOriginDhcp)), Origin::Dhcp);
        assert_eq!(origin_of_v4((IpPrefixOriginManual, IpSuffixOriginManual)), Origin::Manual);
    }

    #[test]
    fn an_address_without_time_left_is_deprecated_whatever_else_is_said() {
        assert_eq!(state(IpDadStatePreferred, 1), Some(State::Preferred));
        assert_eq!(state(IpDadStatePreferred, 0), Some(State::Deprecated));
        assert_eq!(state(IpDadStateDeprecated, 0), Some(State::Deprecated));
        assert_eq!(state(IpDadStateTentative, FOR_EVER), Some(State::Tentative));
        assert_eq!(state(IpDadStateDuplicate, FOR_EVER), Some(State::Duplicate));
        assert_eq!(state(IpDadStateInvalid, FOR_EVER), None);
    }

    #[test]
    fn an_adapter_is_called_as_people_see_it_and_has_its_number_as_well() {
        for it in interfaces().unwrap() {
            assert!(it.index > 0 && !it.name.is_empty() && it.aliases.len() == 1, "{it:?}");
            assert!(it.is_called(&it.name.to_uppercase()), "{it:?}");
        }
    }
}
