//! The chains of segments that `mainstay logs` is asked for.

use std::io::ErrorKind;

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
