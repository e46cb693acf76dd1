//! Long answers on a terminal are read in a pager, as `git` and `journalctl` do it.

use std::{env, time::Duration};

use clap::Args as ClapArgs;
use mainstay_platform::pager::Pager;

use crate::print;

/// Where the choice stands, the first that is set; an empty one means none.
const CHOICES: [&str; 2] = ["MAINSTAY_PAGER", "PAGER"];
/// What is taken where nobody has chosen, if it is there.
const USUAL: &str = "less";

/// Whether a pager is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ClapArgs)]
pub(crate) struct Paging {
    /// Print on the terminal, without `$MAINSTAY_PAGER`, `$PAGER` or `less`
    #[arg(long)]
    no_pager: bool,
}

impl Paging {
    /// Starts a pager where a person reads on a terminal; what is printed goes there from now on.
    pub(crate) async fn start(self) {
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        if self.no_pager || is_dumb || !print::is_terminal() {
            return;
        }
        let chosen = CHOICES.iter().find_map(|name| env::var(name).ok());
        let line = chosen.as_deref().unwrap_or(USUAL).trim();
        if line.is_empty() || line == "cat" {
            return;
        }
        match Pager::start(line) {
            Ok(pager) => {
                leave_interrupts().await;
                print::divert(pager);
            }
            Err(error) if chosen.is_some() => {
                print::talk(&format!("note: cannot start the pager `{line}`: {error}"));
            }
            // Nobody has asked for it.
            Err(_) => {}
        }
    }
}

/// Ctrl-C is for the pager: it stays until the person leaves it.
async fn leave_interrupts() {
    // Asked for once, they do not end us any more.
    drop(tokio::time::timeout(Duration::ZERO, tokio::signal::ctrl_c()).await);
}
