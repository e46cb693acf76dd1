//! What a unit may be called: `web`, `web@2`, and `web@2:check-disk` for what runs beside it.

/// The longest name of a unit, its part included.
pub const UNIT_BYTES_MAX: usize = 160;
/// The longest part: what follows the colon.
pub const PART_BYTES_MAX: usize = 80;

/// A name that no unit may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnitNameError {
    /// It has no name, or none before the colon.
    #[error("a unit needs a name")]
    Empty,
    /// It is longer than [`UNIT_BYTES_MAX`].
    #[error("a unit's name has {length} bytes, more than {UNIT_BYTES_MAX}")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// What follows the colon is empty, too long or holds something else.
    #[error(
        "what follows the colon in a unit's name has 1 to {PART_BYTES_MAX} letters, digits, dots, \
         hyphens and underscores"
    )]
    Part,
}

/// Returns whether a unit may have this name.
pub fn check_unit(name: &str) -> Result<(), UnitNameError> {
    if name.len() > UNIT_BYTES_MAX {
        return Err(UnitNameError::TooLong { length: name.len() });
    }
    let (unit, part) = name.split_once(':').map_or((name, None), |(unit, part)| (unit, Some(part)));
    if unit.is_empty() {
        return Err(UnitNameError::Empty);
    }
    let is_good = part.is_none_or(is_part);
    is_good.then_some(()).ok_or(UnitNameError::Part)
}

/// Returns what the names of a unit's segments begin with: a colon means something else in a name
/// on Windows.
pub fn stem_of(unit: &str) -> String {
    unit.replace(':', "+")
}

fn is_part(part: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=PART_BYTES_MAX).contains(&part.len()) && part.bytes().all(is_good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stem_of_a_part_can_be_a_name_everywhere() {
        assert_eq!(stem_of("web@2:check-disk"), "web@2+check-disk");
        assert_eq!(stem_of("web"), "web");
    }

    #[test]
    fn a_unit_has_one_part_at_most() {
        let check = |name: &str, expected| assert_eq!(check_unit(name), expected, "{name}");
        check("web", Ok(()));
        check("web@2", Ok(()));
        check("web@2:check-disk_1.B", Ok(()));
        check(&format!("web:{}", "x".repeat(PART_BYTES_MAX)), Ok(()));
        check(&format!("web:{}", "x".repeat(PART_BYTES_MAX + 1)), Err(UnitNameError::Part));
        check("web:", Err(UnitNameError::Part));
        check("web:a:b", Err(UnitNameError::Part));
        check("web:a/b", Err(UnitNameError::Part));
        check("", Err(UnitNameError::Empty));
        check(":part", Err(UnitNameError::Empty));
        let length = UNIT_BYTES_MAX + 1;
        check(&"x".repeat(length), Err(UnitNameError::TooLong { length }));
    }
}
