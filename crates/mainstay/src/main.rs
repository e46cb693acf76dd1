//! The `mainstay` binary: picks a role. People use the command line; `keeper`, `agent` and built-in
//! kinds are roles that our own processes start.

mod card;
mod cli;
mod client;
mod conformance;
mod cost;
mod elevation;
mod errors;
mod explain;
mod export;
mod foreign;
mod hosted;
mod instance;
mod kinds;
mod ledger;
mod meant;
mod names;
#[cfg(test)]
mod page;
mod paging;
mod place;
mod print;
mod typed;
mod when;
mod words;

use std::process::ExitCode;

use mainstay_platform::ladder;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((role, [option, name])) if role == "keeper" && option == "--service" => {
            hosted::run(name)
        }
        Some((role, rest)) if role == "keeper" => mainstay_keeper::run(rest),
        Some((role, rest)) if role == "agent" => mainstay_agent::run(rest),
        Some((role, rest)) if role == ladder::ROLE => ladder::serve(rest),
        Some((role, [name, rest @ ..]))
            if role == "kind"
                && let Some(kind) = kinds::built_in(name) =>
        {
            (kind.run)(rest)
        }
        Some(_) | None => cli::run(),
    }
}
