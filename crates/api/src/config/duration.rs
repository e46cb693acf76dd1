//! Durations and sizes as text: `1.5s`, `10MiB`.

use std::time::Duration;

/// Units of time, with their seconds.
const TIMES: &[(&str, f64)] =
    &[("ms", 0.001), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Units of size, with their bytes.
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("KB", 1000),
    ("KiB", 1024),
    ("MB", 1_000_000),
    ("MiB", 1_048_576),
    ("GB", 1_000_000_000),
    ("GiB", 1_073_741_824),
];

/// Returns what a duration looks like, as a regular expression.
pub(super) fn duration_pattern() -> String {
    let number = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
    format!(r"^\s*({number}({})\s*)+$", names(TIMES))
}

/// Returns what a size looks like, as a regular expression.
pub(super) fn size_pattern() -> String {
    format!(r"^\s*\+?[0-9]+\s*({})$", names(SIZES))
}

fn names<T>(units: &[(&str, T)]) -> String {
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    names.join("|")
}

/// Reads a duration such as `200ms`, `1.5s`, `1h 30m`; the error says what is expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected =
        || format!("`{text}` is no duration; write `200ms`, `1.5s`, `10m`, `2h` or `1d`");
    let mut total = 0.0;
    let mut parts = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, unit, behind) = split(rest).ok_or_else(expected)?;
        let scale = TIMES.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?.1;
        total += number * scale;
        parts += 1;
        rest = behind.trim_start();
    }
    if parts == 0 {
        return Err(expected());
    }
    Duration::try_from_secs_f64(total).map_err(|_| expected())
}

/// Reads a size such as `512KiB` or `10MiB`; the error says what is expected.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let expected = || format!("`{text}` is no size; write `512KiB`, `10MiB` or `1GiB`");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let number: u64 = digits.trim().parse().map_err(|_| expected())?;
    let scale = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?.1;
    number.checked_mul(scale).ok_or_else(expected)
}

/// A number, its unit, and what comes behind.
type Part<'t> = (f64, &'t str, &'t str);

/// Cuts off a number and its unit.
fn split(text: &str) -> Option<Part<'_>> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, rest) = text.split_at(unit_at);
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, behind) = rest.split_at(end);
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    Some((number.parse().ok().filter(|_| is_plain)?, unit, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let check = |text: &str, expected: Option<u64>| {
            let read = parse_duration(text).ok().map(|time| time.as_millis());
            assert_eq!(read, expected.map(u128::from), "{text}");
        };
        check("0s", Some(0));
        check("1.5s", Some(1500));
        check("200ms", Some(200));
        check("1h 30m", Some(5_400_000));
        check("1d", Some(86_400_000));
        check("", None);
        check("5", None);
        check("s", None);
        check("-1s", None);
        check("1e9s", None);
        check("5 parsecs", None);
        check("99999999999999999999d", None);
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(parse_size(text).ok(), expected, "{text}");
        };
        check("10485760B", Some(10_485_760));
        check("10MiB", Some(10_485_760));
        check("1GB", Some(1_000_000_000));
        check("10", None);
        check("10 megs", None);
        check("99999999999GiB", None);
    }
}
