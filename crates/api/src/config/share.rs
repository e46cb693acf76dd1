//! How much of the processors a service gets: `priority = "below-normal"`, `affinity = "0-2,4"`.

use super::fields::{Fields, Reading};
use crate::keeper::{Priority, Share};

/// Systems count more processors in groups; a program is in one group of so many.
const PROCESSORS_MAX: u32 = 64;

const PRIORITIES: &[(&str, Priority)] = &[
    ("idle", Priority::Idle),
    ("below-normal", Priority::BelowNormal),
    ("normal", Priority::Normal),
    ("above-normal", Priority::AboveNormal),
    ("high", Priority::High),
    ("realtime", Priority::Realtime),
];

/// Reads both keys; without them a program has what its keeper has.
pub(super) fn read(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Share {
    let priority = fields.word("priority", PRIORITIES, r);
    let expected = ("processors as text, such as \"0-2,4\"", "bad-affinity");
    let processors = fields.measured("affinity", r, expected, processors);
    Share { priority, processors }
}

/// Returns the processors that a text names, the lowest bit for the first one.
fn processors(text: &str) -> Result<u64, String> {
    text.split(',').try_fold(0, |mask, part| Ok(mask | range(part.trim())?))
}

fn range(part: &str) -> Result<u64, String> {
    let number = |text: &str| match text.trim().parse::<u32>() {
        Ok(number) if number < PROCESSORS_MAX => Ok(number),
        Ok(_) | Err(_) => Err(format!("`{text}` is no number from 0 to {}", PROCESSORS_MAX - 1)),
    };
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("`{part}` ends before it begins"));
    }
    Ok((first..=last).fold(0, |mask, processor| mask | 1_u64 << processor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_numbers_and_ranges() {
        assert_eq!(processors("0"), Ok(1));
        assert_eq!(processors("0-2, 4"), Ok(0b1_0111));
        assert_eq!(processors("63"), Ok(1 << 63));
        assert_eq!(processors("0-63"), Ok(u64::MAX));
        for wrong in ["", "64", "a", "2-1", "1-", "-1", "1,,2"] {
            assert!(processors(wrong).is_err(), "{wrong}");
        }
    }
}
