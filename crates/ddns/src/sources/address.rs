//! How addresses are read: strictly, because a wrong one is published.

use std::net::IpAddr;

use crate::{address::Family, line};

/// The longest part of an answer that is told.
const SNIPPET_CHARS_MAX: usize = 60;
/// The most addresses that are taken from one list.
const ADDRESSES_MAX: usize = 16;

/// Reads a text that is one address of this family and nothing else.
pub(super) fn one(text: &str, family: Family) -> Result<IpAddr, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it answers nothing".to_owned());
    }
    if text.starts_with('<') {
        return Err("it answers a web page instead of an address".to_owned());
    }
    let words: Vec<&str> = text.split(|it: char| it.is_whitespace() || it == ',').collect();
    match text.parse::<IpAddr>() {
        Ok(address) => of_family(address, family),
        Err(_) if words.iter().filter(|word| word.parse::<IpAddr>().is_ok()).count() > 1 => {
            Err(format!("it answers several addresses: {}", shown(text)))
        }
        Err(_) => Err(format!("it answers no address: {}", shown(text))),
    }
}

/// Lets pass an address of this family.
pub(super) fn of_family(address: IpAddr, family: Family) -> Result<IpAddr, String> {
    if Family::of(address) == family {
        return Ok(address);
    }
    Err(format!("it answers {address}, which is no {family} address"))
}

/// Reads a list with an address a line and returns those of this family; empty lines and lines
/// that begin with `#` are left out.
pub(super) fn lines(text: &str, family: Family) -> Result<Vec<IpAddr>, String> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut all = Vec::new();
    for line in lines {
        let Ok(address) = line.parse::<IpAddr>() else {
            return Err(format!("a line of it is no address: {}", shown(line)));
        };
        if !all.contains(&address) {
            all.push(address);
        }
    }
    of_list(&all, family)
}

/// Returns those of this family.
pub(super) fn of_list(all: &[IpAddr], family: Family) -> Result<Vec<IpAddr>, String> {
    let fit: Vec<IpAddr> = all.iter().copied().filter(|one| Family::of(*one) == family).collect();
    match fit.len() {
        0 => Err(format!("there is no {family} address in it")),
        1..=ADDRESSES_MAX => Ok(fit),
        count => Err(format!("there are {count} {family} addresses in it, more than 16")),
    }
}

/// Returns the beginning of a text in one line of harmless characters.
pub(super) fn shown(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("`{}`", line::of(&words, SNIPPET_CHARS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_read_and_nothing_else() {
        let read = |text: &str| one(text, Family::V4);
        assert_eq!(read(" 81.2.69.142\r\n"), Ok("81.2.69.142".parse().unwrap()));
        let refused = |text: &str, part: &str| {
            let told = read(text).unwrap_err();
            assert!(told.contains(part), "{told}");
        };
        refused("", "nothing");
        refused("<html>81.2.69.142</html>", "web page");
        refused("81.2.69.142\n81.2.69.143", "several");
        refused("81.2.69.142, 10.0.0.1", "several");
        refused("Current IP Address: 81.2.69.142", "no address: `Current IP");
        refused("81.2.69.142:80", "no address");
        refused("081.2.69.142", "no address");
        refused("2001:4860::1", "no IPv4 address");
        refused("\u{1b}[31m", "no address: `[31m`");
        refused(&"x".repeat(5000), "…");
        assert_eq!(one("2001:4860::1", Family::V6), Ok("2001:4860::1".parse().unwrap()));
        one("fe80::1%eth0", Family::V6).unwrap_err();
        one("::ffff:81.2.69.142", Family::V4).unwrap_err();
    }

    #[test]
    fn a_list_has_an_address_a_line() {
        let text = "\u{feff}# mine\n81.2.69.142\r\n\n2001:4860::1\n81.2.69.142\n";
        assert_eq!(lines(text, Family::V4), Ok(vec!["81.2.69.142".parse().unwrap()]));
        assert_eq!(lines(text, Family::V6), Ok(vec!["2001:4860::1".parse().unwrap()]));
        let told = lines("81.2.69.142 eth0", Family::V4).unwrap_err();
        assert_eq!(told, "a line of it is no address: `81.2.69.142 eth0`");
        assert_eq!(lines("", Family::V6).unwrap_err(), "there is no IPv6 address in it");
        let many: Vec<String> = (0..17).map(|last| format!("81.2.69.{last}")).collect();
        assert!(lines(&many.join("\n"), Family::V4).unwrap_err().contains("17"));
    }
}
