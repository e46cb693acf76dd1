//! What names on the command line mean: units, services with all their units, and patterns.

use mainstay_api::{
    config::suggestion,
    control::{Group, Unit},
    pattern::{group_in, is_meant},
};

use crate::errors::CliError;

/// Returns the units that names mean, in the order of the units; all of them without a name.
///
/// A name that means none is refused, whatever the others mean.
pub(crate) fn meant<'a>(names: &[String], units: &'a [Unit]) -> Result<Vec<&'a Unit>, CliError> {
    let is_known = |name: &&String| units.iter().any(|unit| is_meant(name, &unit.unit));
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        return Err(unknown(name, &known(units)));
    }
    Ok(units.iter().filter(|unit| is_wanted(names, &unit.unit)).collect())
}

/// Returns the names with the services of groups in place of these.
pub(crate) fn expanded(names: &[String], groups: &[Group]) -> Result<Vec<String>, CliError> {
    let mut all = Vec::new();
    for name in names {
        let Some(wanted) = group_in(name) else {
            all.push(name.clone());
            continue;
        };
        let group = groups.iter().find(|group| group.name == wanted);
        all.extend(group.ok_or_else(|| no_group(wanted, groups))?.services.iter().cloned());
    }
    Ok(all)
}

fn no_group(name: &str, groups: &[Group]) -> CliError {
    let what = format!("there is no group `@{name}`");
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let hint = near(name, &names).map_or_else(
        || "`mainstay tree` shows all groups".to_owned(),
        |near| format!("did you mean `@{near}`?"),
    );
    CliError::refused(what, hint)
}

/// Returns the names that units and services have.
pub(crate) fn known(units: &[Unit]) -> Vec<&str> {
    units.iter().flat_map(|unit| [unit.unit.as_str(), unit.service.as_str()]).collect()
}

/// Returns the name that is nearest to what was typed; two letters are near to everything.
pub(crate) fn near<'n>(typed: &str, names: &[&'n str]) -> Option<&'n str> {
    const LETTERS_MIN: usize = 3;
    (typed.chars().count() >= LETTERS_MIN).then(|| suggestion(typed, names))?
}

/// Returns whether a unit is among those that names mean; each is when there is no name.
pub(crate) fn is_wanted(names: &[String], unit: &str) -> bool {
    names.is_empty() || names.iter().any(|name| is_meant(name, unit))
}

/// Refuses a name that means nothing, and says which of these it may have been.
pub(crate) fn unknown(name: &str, names: &[&str]) -> CliError {
    let what = format!("there is no unit or service `{name}`");
    let hint = near(name, names).map_or_else(
        || "`mainstay status` lists all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    CliError::refused(what, hint)
}
