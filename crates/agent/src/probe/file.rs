//! Looks at a file: whether it is there, and how old it is.

use std::{fs, io, sync::Arc, time::Duration};

use mainstay_api::config::FileLook;
use mainstay_platform::clock;
use tokio::sync::Semaphore;

use super::{
    Miss, Sight,
    pool::{self, Pool},
};

/// Looks once; nobody looks at the same file while somebody does, because what hangs once hangs
/// for everybody.
pub(super) async fn look(
    file: &FileLook,
    files: &Pool,
    (gate, patience): (Option<Arc<Semaphore>>, Duration),
) -> Sight {
    let within = patience * 3 / 4;
    let alone = match &gate {
        Some(gate) => Some(pool::turn(gate, within, &format!("`{}`", file.path)).await?),
        None => None,
    };
    let path = file.path.clone();
    let work = move || {
        let changed = fs::metadata(path).and_then(|found| found.modified());
        drop(alone);
        changed
    };
    let changed = files.run(within, work).await?;
    let changed = changed.map_err(|error| missing(&file.path, &error))?;
    let Some(max_age) = file.max_age else { return Ok(()) };
    // One from the future is as good as new: clocks of file servers differ.
    let age = clock::realtime().duration_since(changed).unwrap_or_default();
    if age <= max_age {
        return Ok(());
    }
    let (age, max_age) = (Duration::from_secs(age.as_secs()), max_age);
    Err(Miss::Bad(format!("`{}` was changed {age:?} ago, not within {max_age:?}", file.path)))
}

fn missing(path: &str, error: &io::Error) -> Miss {
    if error.kind() == io::ErrorKind::NotFound {
        return Miss::Bad(format!("`{path}` is not there"));
    }
    Miss::of(&format!("cannot look at `{path}`"), error)
}
