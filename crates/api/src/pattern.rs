//! What names mean that people give: a unit, a service with all its units, or a pattern.

/// Returns whether a name means a unit: `web` and `w*` both mean `web@2`, and `web@1` means the unit
/// that is called `web`.
pub fn is_meant(name: &str, unit: &str) -> bool {
    let service = unit.split_once('@').map(|(service, _)| service);
    fits(name, unit)
        || service.is_some_and(|service| fits(name, service))
        || first_copy(name) == Some(unit)
}

/// Returns the group that a name means; nothing when it means units or services.
pub fn group_in(name: &str) -> Option<&str> {
    name.strip_prefix('@')
}

/// Returns what the first copy is called that somebody has named with its number.
pub fn first_copy(name: &str) -> Option<&str> {
    name.strip_suffix("@1")
}

/// Returns whether a name fits a pattern in which `*` stands for anything and `?` for one letter.
///
/// What follows a star is looked for as early as possible, and only the last star is given more when
/// that does not do: the work is bounded by the pattern's length and the square of the name's.
pub fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    // What stands behind the last star, and where in the name it was tried last.
    let mut star = None;
    loop {
        let (mut behind, mut rest) = (pattern.clone(), name.clone());
        match (behind.next(), rest.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((behind.clone(), name.clone()));
                pattern = behind;
            }
            (Some(wanted), Some(letter)) if wanted == '?' || wanted == letter => {
                (pattern, name) = (behind, rest);
            }
            (Some(_) | None, _) => {
                let Some((behind, tried)) = &mut star else { return false };
                if tried.next().is_none() {
                    return false;
                }
                (pattern, name) = (behind.clone(), tried.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_means_all_its_units() {
        let check = |name: &str, unit: &str, expected| {
            assert_eq!(is_meant(name, unit), expected, "{name} {unit}");
        };
        check("web", "web@2", true);
        check("web@2", "web@2", true);
        check("web@2", "web", false);
        check("web@1", "web", true);
        check("web@1", "web@2", false);
        check("w?b", "web@3", true);
        check("web", "website@2", false);
        check("2", "web@2", false);
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        let check = |pattern: &str, name: &str, expected| {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        };
        check("web", "web", true);
        check("web", "website", false);
        check("web*", "website", true);
        check("*", "", true);
        check("w?b", "wüb", true);
        check("w?b", "wb", false);
        check("*@2", "web@2", true);
        check("", "web", false);
        check("*w*b*", "website", true);
        check("**b", "website", false);
        check(&"*a".repeat(40), &"a".repeat(39), false);
        check(&"*a".repeat(40), &"a".repeat(40), true);
        check("*b?*d", "abbcdxd", true);
        check("*ab", "aab", true);
        check("*ab", "aaba", false);
        check("a*", "a", true);
    }

    #[test]
    fn a_pattern_costs_no_more_than_its_length() {
        // Anything that grows with the square of it would not end within this test's time.
        let name = "UnitStateChanged";
        for pattern in ["*", "?", "*?", "*U"].map(|part| part.repeat(1_000_000)) {
            assert_eq!(fits(&pattern, name), pattern.starts_with("**"));
        }
    }
}
