//! What names on the command line mean: units, services with all their units, and patterns.

use mainstay_api::{
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
        return Err(unknown(name));
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
        all.extend(group.ok_or_else(|| no_group(wanted))?.services.iter().cloned());
    }
    Ok(all)
}

fn no_group(name: &str) -> CliError {
    let what = format!("there is no group `@{name}`");
    CliError::refused(what, "`mainstay tree` shows all groups")
}

/// Returns whether a unit is among those that names mean; each is when there is no name.
pub(crate) fn is_wanted(names: &[String], unit: &str) -> bool {
    names.is_empty() || names.iter().any(|name| is_meant(name, unit))
}

/// Refuses a name that means nothing.
pub(crate) fn unknown(name: &str) -> CliError {
    let what = format!("there is no unit or service `{name}`");
    CliError::refused(what, "`mainstay status` lists all")
}
