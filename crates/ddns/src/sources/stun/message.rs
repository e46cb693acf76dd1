//! The binding request of STUN and its answer (RFC 8489, sections 5, 14 and 14.2).
//!
//! ```text
//!   0                   1                   2                   3
//!  |0 0|      type (14)            |            length             |
//!  |                     magic cookie 0x2112A442                   |
//!  |                     transaction (96 bits)                     |
//!  | attribute type | length | value, padded to 4 bytes | …
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const COOKIE: [u8; 4] = 0x2112_a442_u32.to_be_bytes();
const HEADER_BYTES: usize = 20;
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const REFUSAL: u16 = 0x0111;
const ERROR_CODE: u16 = 0x0009;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// What makes an answer ours: the cookie and 96 bits of chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transaction([u8; 16]);

impl Transaction {
    pub(super) fn new(nonce: u128) -> Self {
        let mut octets = nonce.to_be_bytes();
        for (octet, cookie) in octets.iter_mut().zip(COOKIE) {
            *octet = cookie;
        }
        Self(octets)
    }
}

/// Returns the request, without attributes.
pub(super) fn request(transaction: &Transaction) -> Vec<u8> {
    [&REQUEST.to_be_bytes()[..], &[0, 0], &transaction.0].concat()
}

/// Reads an answer: nothing when it is not ours, a reason when it tells no address.
pub(super) fn read(transaction: &Transaction, octets: &[u8]) -> Option<Result<IpAddr, String>> {
    let (header, attributes) = octets.split_at_checked(HEADER_BYTES)?;
    let kind = word(header, 0)?;
    let length = usize::from(word(header, 2)?);
    if header.get(4..)? != transaction.0 || length != attributes.len() || length % 4 != 0 {
        return None;
    }
    match kind {
        SUCCESS => Some(address(transaction, attributes)),
        REFUSAL => Some(Err(refusal(attributes))),
        _ => None,
    }
}

fn address(transaction: &Transaction, attributes: &[u8]) -> Result<IpAddr, String> {
    let mut all = Attributes(attributes);
    // The first one counts, whatever follows it (section 14).
    let Some((_, value)) = all.find(|(kind, _)| *kind == XOR_MAPPED_ADDRESS) else {
        return Err("it answers without an address".to_owned());
    };
    mapped(transaction, value).ok_or_else(|| "it answers an address that is none".to_owned())
}

/// Takes the mask off: the cookie for IPv4, cookie and transaction for IPv6.
fn mapped(transaction: &Transaction, value: &[u8]) -> Option<IpAddr> {
    let (&family, masked) = (value.get(1)?, value.get(4..)?);
    let mut octets = [0; 16];
    let unmasked = octets.iter_mut().zip(masked.iter().zip(transaction.0));
    unmasked.for_each(|(octet, (one, mask))| *octet = one ^ mask);
    match (family, masked.len()) {
        (1, 4) => {
            let octets: [u8; 4] = octets.get(..4)?.try_into().ok()?;
            Some(IpAddr::from(Ipv4Addr::from(octets)))
        }
        (2, 16) => Some(IpAddr::from(Ipv6Addr::from(octets))),
        _ => None,
    }
}

/// Says a refusal by its number (section 14.8).
fn refusal(attributes: &[u8]) -> String {
    let code = Attributes(attributes).find(|(kind, _)| *kind == ERROR_CODE);
    match code.and_then(|(_, value)| Some((*value.get(2)?, *value.get(3)?))) {
        Some((class, number)) => format!("it refuses with {}{number:02}", class & 7),
        None => "it refuses".to_owned(),
    }
}

/// Attributes one after the other; those that are cut end the list.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_at_checked(4)?;
        let (kind, length) = (word(head, 0)?, usize::from(word(head, 2)?));
        let value = rest.get(..length)?;
        self.0 = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

fn word(octets: &[u8], at: usize) -> Option<u16> {
    let pair = octets.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_wire::Chance;

    /// The answers of RFC 5769, sections 2.2 and 2.3.
    const IPV4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
        002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
    const IPV6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220\
        002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275\
        bfe3ed4180280004c8fb0b4c";

    fn octets(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|it| it.to_digit(16)).collect();
        digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
    }

    fn transaction() -> Transaction {
        Transaction::new(0xb7e7_a701_bc34_d686_fa87_dfae)
    }

    #[test]
    fn the_answers_of_the_standard_are_read() {
        let check = |text, expected: &str| {
            let read = read(&transaction(), &octets(text));
            assert_eq!(read, Some(Ok(expected.parse().unwrap())));
        };
        check(IPV4, "192.0.2.1");
        check(IPV6, "2001:db8:1234:5678:11:2233:4455:6677");
    }

    #[test]
    fn a_request_is_a_header_alone() {
        let request = request(&Transaction::new(1));
        assert_eq!(request, [&[0, 1, 0, 0][..], &COOKIE, &[0; 11], &[1]].concat());
    }

    #[test]
    fn what_is_not_ours_is_nothing_and_what_is_empty_is_told() {
        let other = Transaction::new(7);
        assert_eq!(read(&other, &octets(IPV4)), None);
        assert_eq!(read(&transaction(), &request(&transaction())), None, "our own request");
        assert_eq!(read(&transaction(), &octets(IPV4)[..40]), None, "cut short");
        let answer = |kind: u16, attributes: &[u8]| {
            let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
            let octets = [&kind.to_be_bytes(), &length[..], &transaction().0, attributes].concat();
            read(&transaction(), &octets).unwrap().unwrap_err()
        };
        assert_eq!(answer(SUCCESS, &[]), "it answers without an address");
        assert_eq!(
            answer(SUCCESS, &[0, 0x20, 0, 4, 0, 1, 0, 0]),
            "it answers an address that is none"
        );
        assert_eq!(answer(SUCCESS, &[0, 0x20, 0xff, 0xff]), "it answers without an address");
        assert_eq!(answer(REFUSAL, &[0, 9, 0, 4, 0, 0, 4, 1]), "it refuses with 401");
    }

    #[test]
    fn damaged_answers_are_read_to_an_end() {
        let mut chance = Chance::new(3);
        let whole = octets(IPV6);
        let understood = |_: &u32| read(&transaction(), &chance.damage(&whole)).is_some();
        assert!((0..20_000).filter(understood).count() > 100);
    }
}
