//! `mainstay completions`: what a shell needs to complete our commands.

use std::process::ExitCode;

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use crate::print;

/// Print the completion of a shell
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay completions bash > /etc/bash_completion.d/mainstay\n  mainstay completions zsh > ~/.zfunc/_mainstay\n  mainstay completions fish > ~/.config/fish/completions/mainstay.fish\n  mainstay completions powershell >> $PROFILE"
)]
pub(super) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "mainstay", &mut script);
    print::bytes(&script);
    ExitCode::SUCCESS
}
