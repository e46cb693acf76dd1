//! The chains of segments that `mainstay logs` is asked for.

use std::{collections::BTreeSet, io::ErrorKind, path::Path};

use mainstay_platform::local;
use mainstay_storage::segment::{self, ChainFiles};

use super::Args;
use crate::{errors::CliError, instance::Located, names};

/// One chain and the unit it belongs to.
pub(super) struct Source {
    pub(super) unit: String,
    pub(super) chain: ChainFiles,
}

/// Returns the chains that there are at this moment.
pub(super) fn of(located: &Located, args: &Args) -> Result<Vec<Source>, CliError> {
    let logs = located.instance.logs();
    let found = std::fs::read_dir(&logs);
    if found.as_ref().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied) {
        let what = format!("you may not read the logs in `{}`", logs.display());
        return Err(CliError::refused(what, local::WAY_IN));
    }
    let entries = found.into_iter().flatten().flatten();
    let mut units: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    units.sort();
    units.retain(|unit| names::is_wanted(&args.names, unit));
    let mut sources = Vec::new();
    for unit in units {
        let folder = logs.join(&unit);
        if let Some(part) = args.beside() {
            let folder = folder.join(part);
            let stems = segment::stems(&folder).unwrap_or_default();
            let chains = stems.iter().map(|stem| ChainFiles::new(&folder, stem));
            sources.extend(chains.map(|chain| Source { unit: unit.clone(), chain }));
            continue;
        }
        let stems = segment::stems(&folder).unwrap_or_default();
        let is_split = stems.iter().any(|stem| *stem != unit);
        if args.stream.is_some() && !is_split && !stems.is_empty() {
            let hint = "set `logs = { streams = \"split\" }` for streams of their own";
            return Err(CliError::refused(format!("the streams of `{unit}` are joined"), hint));
        }
        for stem in stems {
            let wanted = args.stream.is_none_or(|stream| stem.ends_with(stream.ending()));
            if wanted {
                let chain = ChainFiles::new(&folder, &stem);
                sources.push(Source { unit: unit.clone(), chain });
            }
        }
    }
    Ok(sources)
}

/// Says that what runs beside the units has written nothing, and what has.
pub(super) fn nothing_of(located: &Located, args: &Args, part: &Path) -> CliError {
    let (of_kind, name) = (part.parent().unwrap_or(part), part.file_name().unwrap_or_default());
    let is_hook = args.hook.is_some();
    let thing = if is_hook { "hook" } else { "check" };
    let what = format!("no {thing} `{}` of these units has written anything", name.display());
    let units = folders(&located.instance.logs()).into_iter();
    let wanted = units.filter(|unit| names::is_wanted(&args.names, unit));
    let others: BTreeSet<String> = wanted
        .flat_map(|unit| folders(&located.instance.logs().join(unit).join(of_kind)))
        .map(|name| format!("`{name}`"))
        .collect();
    let hint = match others.into_iter().collect::<Vec<_>>().join(", ") {
        others if !others.is_empty() => format!("there is {others}"),
        _ if is_hook => {
            "`mainstay show` tells how its hooks ended; a log begins with its first byte".to_owned()
        }
        _ => "only checks that are commands write; a log begins with its first byte".to_owned(),
    };
    CliError::refused(what, hint)
}

/// Returns the names of what lies in a folder; none when there is no such folder.
fn folders(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
