//! A small text whose damage is noticed: a first line names what it is and its checksum.
//!
//! ```text
//! mainstay-kept-logs 1 1f3a09c2     what it is, its version, and a checksum of everything behind
//! 2 86400000000000 0 zstd 0 web
//! ```

/// Returns what a file of such a text holds; `title` names what it is.
pub fn encode(title: &str, version: u32, body: &str) -> Vec<u8> {
    format!("{title} {version} {:08x}\n{body}", crc32fast::hash(body.as_bytes())).into_bytes()
}

/// Returns the text that [`encode`] was given, if it was of this version.
pub fn decode<'a>(title: &str, version: u32, bytes: &'a [u8]) -> Option<&'a str> {
    let (_, body) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    (encode(title, version, body) == bytes).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_whole_or_not_at_all() {
        for body in ["", "2 0 0 zstd 0 web\n"] {
            let whole = encode("what", 1, body);
            assert_eq!(decode("what", 1, &whole), Some(body));
            assert_eq!(decode("what", 2, &whole), None);
            assert_eq!(decode("that", 1, &whole), None);
            for at in 0..whole.len() {
                assert_eq!(decode("what", 1, &whole[..at]), None, "{at}");
                for bit in 0..8 {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 1 << bit;
                    assert_eq!(decode("what", 1, &bytes), None, "{at} {bit}");
                }
            }
        }
    }
}
