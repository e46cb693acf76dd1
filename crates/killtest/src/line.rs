//! Lines that prove themselves: who wrote it, its number, and a text that follows from both.

/// Bytes of the longest line.
pub(crate) const LINE_BYTES_MAX: usize = 128;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends line `number` of `who`; its length varies with the number.
pub(crate) fn write(who: &str, number: u64, into: &mut Vec<u8>) {
    into.extend_from_slice(who.as_bytes());
    into.push(b' ');
    into.extend_from_slice(number.to_string().as_bytes());
    into.push(b' ');
    let mut text = seed_of(who) ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for _ in 0..8 + number % 41 {
        text = text.rotate_left(7).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let digit = usize::try_from(text >> 60).unwrap_or_default();
        into.push(DIGITS.get(digit).copied().unwrap_or(b'?'));
    }
    into.push(b'\n');
}

/// Appends the last line of `who`, who wrote `count` before it.
pub(crate) fn write_end(who: &str, count: u64, into: &mut Vec<u8>) {
    into.extend_from_slice(format!("{who} end {count}\n").as_bytes());
}

/// FNV-1a.
fn seed_of(who: &str) -> u64 {
    who.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// A whole line.
    Line {
        /// Whose.
        who: &'a str,
        /// Which.
        number: u64,
    },
    /// The last one.
    End {
        /// Whose.
        who: &'a str,
        /// How many lines came before.
        count: u64,
    },
    /// Nobody wrote this.
    Nonsense,
}

/// Reads a line, without its line end; `scratch` is overwritten.
pub(crate) fn read<'a>(line: &'a [u8], scratch: &mut Vec<u8>) -> Said<'a> {
    understand(line, scratch).unwrap_or(Said::Nonsense)
}

fn understand<'a>(line: &'a [u8], scratch: &mut Vec<u8>) -> Option<Said<'a>> {
    let text = std::str::from_utf8(line).ok()?;
    let mut words = text.split(' ');
    let (who, second, third) = (words.next()?, words.next()?, words.next()?);
    scratch.clear();
    if second == "end" {
        let count = third.parse().ok()?;
        write_end(who, count, scratch);
        return is_same(line, scratch).then_some(Said::End { who, count });
    }
    let number = second.parse().ok()?;
    write(who, number, scratch);
    is_same(line, scratch).then_some(Said::Line { who, number })
}

fn is_same(line: &[u8], expected: &[u8]) -> bool {
    expected.strip_suffix(b"\n") == Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let mut written = Vec::new();
        for number in [1, 40, 41, 999_999_999] {
            written.clear();
            write("w7", number, &mut written);
            assert!(written.len() <= LINE_BYTES_MAX);
            let line = written.strip_suffix(b"\n").unwrap();
            assert_eq!(read(line, &mut Vec::new()), Said::Line { who: "w7", number });
        }
        written.clear();
        write_end("w7", 12, &mut written);
        let line = written.strip_suffix(b"\n").unwrap();
        assert_eq!(read(line, &mut Vec::new()), Said::End { who: "w7", count: 12 });
    }

    #[test]
    fn every_changed_byte_makes_it_nonsense() {
        let mut written = Vec::new();
        write("w7", 123, &mut written);
        let line = written.strip_suffix(b"\n").unwrap();
        for at in 0..line.len() {
            let mut torn = line.to_vec();
            torn.remove(at);
            assert_eq!(read(&torn, &mut Vec::new()), Said::Nonsense, "without byte {at}");
        }
        assert_eq!(read(b"", &mut Vec::new()), Said::Nonsense);
    }
}
