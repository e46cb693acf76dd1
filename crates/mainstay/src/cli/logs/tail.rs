//! What comes in the logs of an instance from now on, beside something else that goes on.

use mainstay_storage::read::{self, Merge, Reader, Unfinished};

use super::{Args, LOOK_AGAIN_AFTER, LOOK_EVERY, Merged, add_new, show_fresh, sources, unreadable};
use crate::{errors::CliError, instance::Located};

/// The end of all logs of an instance.
pub(in crate::cli) struct Tail {
    located: Located,
    args: Args,
    merged: Merged,
}

impl Tail {
    /// Begins behind what is there.
    pub(in crate::cli) fn of(located: &Located) -> Result<Self, CliError> {
        let args = Args::follower();
        let mut merged = Merge::new(Unfinished::Left);
        for source in sources::of(located, &args)? {
            let end = read::end(&source.chain);
            let end = end.map_err(|error| unreadable("logs", &error))?;
            merged.add(source.unit, Reader::new(source.chain, end));
        }
        Ok(Self { located: located.clone(), args, merged })
    }

    /// Shows lines as they come, for ever.
    pub(in crate::cli) async fn follow(&mut self) -> Result<(), CliError> {
        loop {
            let shown = self.show()?;
            tokio::time::sleep(if shown > 0 { LOOK_AGAIN_AFTER } else { LOOK_EVERY }).await;
        }
    }

    /// Shows what there is; returns how many lines that was.
    pub(in crate::cli) fn show(&mut self) -> Result<usize, CliError> {
        add_new(&mut self.merged, &self.located, &self.args)?;
        show_fresh(&mut self.merged, &self.args)
    }
}

impl Args {
    /// What to show to somebody who has asked for nothing in particular.
    const fn follower() -> Self {
        Self {
            names: Vec::new(),
            follow: true,
            lines: None,
            since: None,
            until: None,
            raw: false,
            json: false,
            grep: None,
            run: None,
            stream: None,
            hook: None,
            check: None,
        }
    }
}
