//! Names in the DNS, as providers and servers write them: lower-case, in ASCII, without a last dot.

use std::fmt;

/// The longest name, in its ASCII form (RFC 1035, section 2.3.4, less the root's own byte).
const NAME_BYTES_MAX: usize = 253;
/// The longest label (RFC 1035, section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// A whole name, such as `home.example.org`; its first label may be `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fqdn(String);

/// What cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be a name in the DNS: {reason}")]
pub struct NameError {
    name: String,
    reason: &'static str,
}

impl Fqdn {
    /// Reads a name as people write it: letters of any script, with or without a last dot.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let refuse = |reason| Err(NameError { name: text.to_owned(), reason });
        let bare = text.trim().trim_end_matches('.');
        let (wildcard, rest) = match bare.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", bare),
        };
        let Ok(ascii) = idna::domain_to_ascii(rest) else {
            return refuse("its letters have no form in ASCII");
        };
        let name = format!("{wildcard}{ascii}");
        match complaint(&ascii, &name) {
            Some(reason) => refuse(reason),
            None => Ok(Self(name)),
        }
    }

    /// Returns it as it goes onto the wire, without a last dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it with a last dot.
    pub fn absolute(&self) -> String {
        format!("{}.", self.0)
    }

    /// Returns what stands before the zone: `home` of `home.example.org` in `example.org`, `@` for
    /// the zone itself; nothing when it is not in that zone.
    pub fn relative_to(&self, zone: &Self) -> Option<&str> {
        if self == zone {
            return Some("@");
        }
        self.0.strip_suffix(zone.as_str())?.strip_suffix('.')
    }

    /// Returns whether it is the zone or below it.
    pub fn is_in(&self, zone: &Self) -> bool {
        self.relative_to(zone).is_some()
    }

    /// Returns it and each name above it that has two labels at least: where its zone may begin.
    pub fn ancestry(&self) -> impl Iterator<Item = Self> {
        let starts = self.0.match_indices('.').map(|(at, _)| at + 1);
        let names = std::iter::once(0).chain(starts).filter_map(|at| self.0.get(at..));
        let names = names.filter(|name| !name.starts_with('*') && name.contains('.'));
        names.map(|name| Self(name.to_owned())).collect::<Vec<_>>().into_iter()
    }
}

fn complaint(ascii: &str, name: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if ascii.is_empty() {
        return Some("it is empty");
    }
    if name.len() > NAME_BYTES_MAX {
        return Some("it is longer than 253 bytes");
    }
    if !ascii.contains('.') {
        return Some("it has one label; write the whole name, such as `home.example.org`");
    }
    ascii.split('.').find_map(|label| match label {
        "" => Some("it has an empty label"),
        _ if label.len() > LABEL_BYTES_MAX => Some("a label is longer than 63 bytes"),
        _ if !label.bytes().all(is_plain) => {
            Some("a label has more than letters, digits, `-`, `_`")
        }
        _ => None,
    })
}

impl fmt::Display for Fqdn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Fqdn {
        Fqdn::parse(text).unwrap()
    }

    #[test]
    fn names_are_lower_case_and_ascii() {
        let check = |text: &str, expected: &str| assert_eq!(name(text).as_str(), expected);
        check("Home.Example.ORG.", "home.example.org");
        check("*.example.org", "*.example.org");
        check("家.例子.中国", "xn--fct.xn--fsqu00a.xn--fiqs8s");
        check("_acme.example.org", "_acme.example.org");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_the_reason() {
        let check = |text: &str, part: &str| {
            let told = Fqdn::parse(text).unwrap_err().to_string();
            assert!(told.contains(part), "{told}");
        };
        check("", "empty");
        check("home", "one label");
        check("a..b", "empty label");
        check("a b.c", "more than letters");
        check(&format!("{}.org", "a".repeat(64)), "63");
        check(&format!("{}org", "ab.".repeat(84)), "253");
    }

    #[test]
    fn what_stands_before_the_zone_is_relative() {
        let zone = name("example.org");
        assert_eq!(name("home.example.org").relative_to(&zone), Some("home"));
        assert_eq!(name("*.a.example.org").relative_to(&zone), Some("*.a"));
        assert_eq!(zone.relative_to(&zone), Some("@"));
        assert_eq!(name("homeexample.org").relative_to(&zone), None);
    }

    #[test]
    fn zones_are_looked_for_from_the_name_upwards() {
        let told: Vec<String> =
            name("*.a.example.org").ancestry().map(|name| name.to_string()).collect();
        assert_eq!(told, ["a.example.org", "example.org"]);
    }
}
