//! What names mean that people give: a unit, a service with all its units, or a pattern.

/// Returns whether a name means a unit: `web` and `w*` both mean `web@2`, and `web@1` and `web@*`
/// mean the unit that is called `web`.
pub fn is_meant(name: &str, unit: &str) -> bool {
    let service = unit.split_once('@').map(|(service, _)| service);
    fits(name, unit)
        || service.is_some_and(|service| fits(name, service))
        || service.is_none() && name.contains('@') && fits(name, &format!("{unit}@1"))
}

/// Returns the group that a name means; nothing when it means units or services.
pub fn group_in(name: &str) -> Option<&str> {
    name.strip_prefix('@')
}

/// Returns whether a name fits a pattern in which `*` stands for anything and `?` for one letter.
///
/// Keeps the set of places in the pattern that the letters so far lead to, so the work is bounded by
/// the product of the lengths.
pub fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut places = behind_stars(&pattern, vec![0]);
    for letter in name.chars() {
        let steps = places.iter().filter_map(|place| match pattern.get(*place)? {
            '*' => Some(*place),
            wanted => (*wanted == '?' || *wanted == letter).then_some(place + 1),
        });
        places = behind_stars(&pattern, steps.collect());
    }
    places.contains(&pattern.len())
}

/// Adds the places that are reached without a letter: a star may stand for nothing.
fn behind_stars(pattern: &[char], mut places: Vec<usize>) -> Vec<usize> {
    let mut next = 0;
    while let Some(place) = places.get(next).copied() {
        if pattern.get(place) == Some(&'*') && !places.contains(&(place + 1)) {
            places.push(place + 1);
        }
        next += 1;
    }
    places.sort_unstable();
    places.dedup();
    places
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
        check("web@*", "web", true);
        check("web@*", "website", false);
        check("@web", "web", false);
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
    }
}
