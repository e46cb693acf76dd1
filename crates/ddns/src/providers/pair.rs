//! Which of a name's records become what, so that no record of somebody else's is clobbered.
//!
//! ```text
//!  1. A record that has a wanted address stays as it is.
//!  2. Records that are ours (we put their addresses there) take the wanted addresses that are
//!     missing; those that are left over go.
//!  3. While one of ours is there, all others are somebody else's: they stay, and what is still
//!     missing is created beside them.
//!  4. While none of ours is there – the first time, or after somebody edited them by hand – the
//!     records are taken over, provided that there are no more of them than addresses are missing.
//!     Otherwise nobody can tell which one is meant: nothing is written, and the binding is parked.
//! ```

use std::net::IpAddr;

use crate::failure::{Class, Failure};

/// What becomes of a name's records; indices are those of the existing ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    /// These are as they shall be.
    pub(super) keep: Vec<usize>,
    /// These take another address.
    pub(super) patch: Vec<(usize, IpAddr)>,
    /// For these addresses, a record is missing.
    pub(super) create: Vec<IpAddr>,
    /// These are ours, and too many.
    pub(super) delete: Vec<usize>,
}

/// Pairs what there is with what is wanted, by the rules above.
pub(super) fn pair(
    existing: &[IpAddr],
    want: &[IpAddr],
    ours: &[IpAddr],
) -> Result<Pairs, Failure> {
    let mut pairs = Pairs::default();
    let mut missing: Vec<IpAddr> =
        want.iter().copied().filter(|address| !existing.contains(address)).collect();
    let (mut spare, mut strangers) = (Vec::new(), Vec::new());
    for (index, address) in existing.iter().enumerate() {
        match () {
            () if want.contains(address) => pairs.keep.push(index),
            () if ours.contains(address) => spare.push(index),
            () => strangers.push(index),
        }
    }
    if !existing.iter().any(|address| ours.contains(address)) {
        if strangers.len() <= missing.len() {
            spare = strangers;
        } else if !missing.is_empty() {
            return Err(ambiguous(existing, want));
        }
    }
    missing.reverse();
    for index in spare {
        match missing.pop() {
            Some(address) => pairs.patch.push((index, address)),
            None => pairs.delete.push(index),
        }
    }
    missing.reverse();
    pairs.create = missing;
    Ok(pairs)
}

/// Returns the addresses of a set that is only written as a whole, by the same rules.
pub(super) fn merged(
    existing: &[IpAddr],
    want: &[IpAddr],
    ours: &[IpAddr],
) -> Result<Vec<IpAddr>, Failure> {
    let pairs = pair(existing, want, ours)?;
    let mut merged = Vec::new();
    for (index, address) in existing.iter().enumerate() {
        if pairs.delete.contains(&index) {
            continue;
        }
        let patched = pairs.patch.iter().find(|(patched, _)| *patched == index);
        merged.push(patched.map_or(*address, |(_, address)| *address));
    }
    merged.extend(pairs.create);
    Ok(merged)
}

fn ambiguous(existing: &[IpAddr], want: &[IpAddr]) -> Failure {
    let list = |addresses: &[IpAddr]| {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    let words = format!(
        "cannot tell which record to change: the name has {}, none of which was put there by us, \
         and shall have {}; remove those that are not needed, or give one of them that address",
        list(existing),
        list(want)
    );
    Failure::new(Class::Parked, "ambiguous", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(letters: &str) -> Vec<IpAddr> {
        letters.bytes().map(|letter| IpAddr::from([192, 0, 2, letter])).collect()
    }

    fn check(existing: &str, want: &str, ours: &str, expected: &str) {
        let (existing, want, ours) = (addresses(existing), addresses(want), addresses(ours));
        let told = match merged(&existing, &want, &ours) {
            Err(failure) => failure.code,
            Ok(merged) => merged
                .iter()
                .map(|address| match address {
                    IpAddr::V4(address) => char::from(address.octets()[3]),
                    IpAddr::V6(_) => '?',
                })
                .collect(),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_name_without_records_gets_them() {
        check("", "b", "", "b");
        check("", "bc", "a", "bc");
    }

    #[test]
    fn our_records_take_the_new_addresses_and_others_stay() {
        check("a", "b", "a", "b");
        check("sa", "b", "a", "sb");
        check("sat", "b", "a", "sbt");
        check("sa", "bc", "a", "sbc");
        check("ab", "bc", "ab", "cb");
        check("sab", "b", "ab", "sb");
    }

    #[test]
    fn what_is_wanted_already_is_left_alone() {
        check("sb", "b", "a", "sb");
        check("sb", "b", "", "sb");
        check("bb", "b", "b", "bb");
    }

    #[test]
    fn records_of_nobody_are_taken_over_when_there_is_no_doubt() {
        check("x", "b", "", "b");
        check("x", "b", "a", "b");
        check("xy", "bc", "", "bc");
        check("xb", "bc", "", "cb");
    }

    #[test]
    fn in_doubt_nothing_is_written() {
        check("xy", "b", "", "ambiguous");
        check("xy", "b", "a", "ambiguous");
        check("xyb", "bc", "", "ambiguous");
    }

    #[test]
    fn each_record_has_one_fate() {
        let (existing, want, ours) = (addresses("sabc"), addresses("bde"), addresses("abc"));
        let pairs = pair(&existing, &want, &ours).unwrap();
        assert_eq!(pairs.keep, [2]);
        assert_eq!(pairs.patch, [(1, addresses("d")[0]), (3, addresses("e")[0])]);
        assert_eq!((pairs.create, pairs.delete), (Vec::new(), Vec::new()));
    }
}
