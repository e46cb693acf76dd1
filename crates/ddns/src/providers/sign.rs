//! Signatures of requests: one file for each scheme, and what they are all made of.

pub(super) mod acs;
pub(super) mod aws;
pub(super) mod bce;
pub(super) mod huawei;
pub(super) mod tc3;
pub(super) mod volc;

use std::fmt::Write as _;

use jiff::Timestamp;
use ring::{digest, hmac};

/// Returns the HMAC of SHA-256.
pub(super) fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// Returns the HMAC of SHA-1, which an old scheme still asks for.
pub(super) fn hmac_sha1(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// Returns the SHA-256 of some bytes, in hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Returns bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing into a text cannot fail.
        let _infallible = write!(digits, "{byte:02x}");
        digits
    })
}

/// Returns a moment as `2023-11-14T22:13:20Z`.
pub(super) fn extended(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns a moment as `20231114T221320Z`.
pub(super) fn basic(now: Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A URL in the parts that signatures are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The host, with its port if that is written.
    pub(super) host: &'a str,
    /// The path, with its first slash.
    pub(super) path: &'a str,
    /// The query, without its mark.
    pub(super) query: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes a URL apart.
    pub(super) fn of(url: &'a str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let at = rest.find('/').unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(at).unwrap_or((rest, ""));
        Self { host, path: if path.is_empty() { "/" } else { path }, query }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let check = |url, host, path, query| {
            assert_eq!(Parts::of(url), Parts { host, path, query });
        };
        check("https://a.test", "a.test", "/", "");
        check("https://a.test/x/y?b=1&c=https://d", "a.test", "/x/y", "b=1&c=https://d");
        check("http://127.0.0.1:80?b", "127.0.0.1:80", "/", "b");
    }

    #[test]
    fn moments_are_written_in_both_forms() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(extended(now), "2023-11-14T22:13:20Z");
        assert_eq!(basic(now), "20231114T221320Z");
    }

    #[test]
    fn digests_are_the_standards_own() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b""), empty);
        // RFC 4231, test case 2; RFC 2202, test case 2.
        let told = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&hmac_sha256(b"Jefe", "what do ya want for nothing?")), told);
        let told = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert_eq!(hex(&hmac_sha1(b"Jefe", "what do ya want for nothing?")), told);
    }
}
