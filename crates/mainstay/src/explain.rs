//! Numbers that people look up, as sentences with a remedy.

mod exits;
mod numbers;
mod shells;

/// What a number means, and what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Explanation {
    pub(crate) meaning: &'static str,
    /// May be empty.
    pub(crate) remedy: &'static str,
}

/// One number.
#[derive(Debug)]
struct Entry {
    number: u32,
    told: Explanation,
}

/// Returns an entry of a table: what a number means, and a remedy.
const fn entry(number: u32, [meaning, remedy]: [&'static str; 2]) -> Entry {
    Entry { number, told: Explanation { meaning, remedy } }
}

/// Explains an error of Windows, or an entry that its manager of services has written to the
/// system's log (7000 and more).
pub(crate) fn number(number: i32) -> Option<Explanation> {
    let number = u32::try_from(number).ok()?;
    numbers::TABLE.iter().find(|entry| entry.number == number).map(|entry| entry.told)
}

/// Explains the exit code of a program that the system has ended. No code that a program gives by
/// itself, on any system, is among them.
pub(crate) fn exit(code: u32) -> Option<Explanation> {
    exits::TABLE.iter().find(|entry| entry.number == code).map(|entry| entry.told)
}

/// Explains an exit code by which a shell tells what became of a program.
pub(crate) fn shell(code: u32) -> Option<Explanation> {
    shells::TABLE.iter().find(|entry| entry.number == code).map(|entry| entry.told)
}

/// Returns the exit code as it is looked up: those of the system in hex.
pub(crate) fn shown(code: u32) -> String {
    if code > 0xffff { format!("0x{code:08X}") } else { code.to_string() }
}

/// Reads a number as people find it: `1053`, `0xC0000005`, `C0000005`, `-1073741819`.
pub(crate) fn read(text: &str) -> Option<u32> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(hex) = hex {
        return u32::from_str_radix(hex, 16).ok();
    }
    let decimal =
        text.parse::<u32>().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned));
    decimal.or_else(|| (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_explained_once() {
        for table in [numbers::TABLE, exits::TABLE, shells::TABLE] {
            for (index, one) in table.iter().enumerate() {
                assert!(table.iter().skip(index + 1).all(|other| other.number != one.number));
                assert!(!one.told.meaning.is_empty(), "{one:?}");
            }
        }
    }

    #[test]
    fn what_everybody_looks_up_is_there() {
        for wanted in [193, 1053, 1067, 1069, 1072, 7000, 7009, 7023, 7031, 7034] {
            assert!(number(wanted).is_some(), "{wanted}");
        }
        for wanted in [
            0xC000_0005,
            0xC000_013A,
            0xC000_0135,
            0xC000_0142,
            0xC000_0409,
            0xC000_0374,
            0xC000_00FD,
            0xE043_4352,
        ] {
            assert!(exit(wanted).is_some(), "{wanted:x}");
        }
        for wanted in [126, 127, 130, 137, 139, 143] {
            assert!(
                shell(wanted).is_some() && i32::try_from(wanted).ok().and_then(number).is_none(),
                "{wanted}"
            );
        }
        assert_eq!(exit(1), None);
        assert_eq!(number(-1), None);
    }

    #[test]
    fn numbers_are_read_as_people_find_them() {
        let check = |text: &str, expected: Option<u32>| assert_eq!(read(text), expected, "{text}");
        check("1053", Some(1053));
        check("0xC0000005", Some(0xC000_0005));
        check("c0000005", Some(0xC000_0005));
        check("-1073741819", Some(0xC000_0005));
        check("3221225477", Some(0xC000_0005));
        check("e0434352", Some(0xE043_4352));
        check("web", None);
        check("", None);
    }

    #[test]
    fn codes_of_the_system_are_shown_in_hex() {
        assert_eq!([1, 259, 0xC000_0005].map(shown), ["1", "259", "0xC0000005"]);
    }
}
