//! Socket addresses and masks as macOS writes them: a length, a family, and what there is room for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const FAMILY_V4: u8 = 2;
const FAMILY_V6: u8 = 30;

/// Where the address begins, behind length, family, port and the flow of IPv6.
const V4_AT: usize = 4;
const V6_AT: usize = 8;

/// Returns the address in what the system has written, if it is one of a family we know.
pub(crate) fn address_in(bytes: &[u8]) -> Option<IpAddr> {
    match *bytes.get(1)? {
        FAMILY_V4 => Some(Ipv4Addr::from(part::<4>(bytes, V4_AT)).into()),
        FAMILY_V6 => Some(without_scope(part::<16>(bytes, V6_AT)).into()),
        _ => None,
    }
}

/// Returns the length of the prefix that a mask for this address stands for.
///
/// A mask may have no family, and ends behind its last byte that is not zero.
pub(crate) fn prefix_length_in(mask: &[u8], address: IpAddr) -> u8 {
    let bits = match address {
        IpAddr::V4(_) => u32::from_be_bytes(part::<4>(mask, V4_AT)).leading_ones(),
        IpAddr::V6(_) => u128::from_be_bytes(part::<16>(mask, V6_AT)).leading_ones(),
    };
    u8::try_from(bits).unwrap_or_default()
}

/// What is cut off is zero.
fn part<const SIZE: usize>(bytes: &[u8], at: usize) -> [u8; SIZE] {
    let mut part = [0; SIZE];
    let told = bytes.get(at..).unwrap_or_default();
    part.iter_mut().zip(told).for_each(|(to, from)| *to = *from);
    part
}

/// The kernel keeps the interface within addresses of a link.
fn without_scope(mut bytes: [u8; 16]) -> Ipv6Addr {
    if Ipv6Addr::from(bytes).is_unicast_link_local() {
        [bytes[2], bytes[3]] = [0, 0];
    }
    Ipv6Addr::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: [u8; 16] = [16, 2, 0, 0, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0];

    fn v6(address: &str) -> Vec<u8> {
        let address: Ipv6Addr = address.parse().unwrap();
        [vec![28, 30, 0, 0, 0, 0, 0, 0], address.octets().to_vec(), vec![0; 4]].concat()
    }

    #[test]
    fn an_address_is_read_and_the_interface_in_it_is_not() {
        let is = |bytes: &[u8], address: &str| {
            assert_eq!(address_in(bytes), Some(address.parse().unwrap()));
        };
        is(&V4, "192.0.2.7");
        is(&v6("2001:db8:4::7"), "2001:db8:4::7");
        is(&v6("fe80:4::7"), "fe80::7");
        assert_eq!(address_in(&[]), None);
        assert_eq!(address_in(&[20, 18, 0, 0, 1, 2, 3, 4]), None, "of a link");
    }

    #[test]
    fn a_mask_that_is_cut_off_ends_in_zeros() {
        let v4 = address_in(&V4).unwrap();
        assert_eq!(prefix_length_in(&[7, 0, 0, 0, 255, 255, 240], v4), 20);
        assert_eq!(prefix_length_in(&[16, 2, 0, 0, 255, 255, 255, 255], v4), 32);
        assert_eq!(prefix_length_in(&[0], v4), 0);
        let other = address_in(&v6("::1")).unwrap();
        assert_eq!(prefix_length_in(&v6("ffff:ffff:ffff:ffff::"), other), 64);
        assert_eq!(prefix_length_in(&v6("ffff:ffff:ffff:ffff::")[..12], other), 32);
    }
}
