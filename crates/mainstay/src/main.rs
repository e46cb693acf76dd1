//! The `mainstay` binary: picks a role.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((role, rest)) if role == "keeper" => mainstay_keeper::run(rest),
        Some(_) | None => ExitCode::FAILURE,
    }
}
