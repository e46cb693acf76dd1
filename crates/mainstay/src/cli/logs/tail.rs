//! What comes in the logs of an instance from now on, beside something else that goes on.

use super::{Args, LOOK_AGAIN_AFTER, LOOK_EVERY, Timestamps, reading::Reading};
use crate::{errors::CliError, instance::Located, paging::Paging, when::Span};

/// The end of all logs of an instance.
#[derive(Debug)]
pub(in crate::cli) struct Tail {
    reading: Reading,
}

impl Tail {
    /// Begins behind what is there.
    pub(in crate::cli) fn of(located: &Located) -> Result<Self, CliError> {
        let reading = Reading::at_end(located.clone(), Args::follower())?;
        Ok(Self { reading })
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
        self.reading.add_new()?;
        self.reading.show_fresh()
    }
}

impl Args {
    /// What to show to somebody who has asked for nothing in particular.
    fn follower() -> Self {
        Self {
            names: Vec::new(),
            follow: true,
            lines: None,
            span: Span { since: None, until: None },
            reverse: false,
            grep: None,
            ignore_case: false,
            invert_match: false,
            after_context: None,
            before_context: None,
            context: None,
            run: None,
            stream: None,
            hook: None,
            check: None,
            timestamps: Timestamps::None,
            no_prefix: false,
            raw: false,
            json: false,
            out: None,
            force: false,
            paging: Paging::default(),
        }
    }
}
