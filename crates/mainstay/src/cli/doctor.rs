//! `mainstay doctor`: what of this machine may get in the way.

mod finding;
mod instance;
mod machine;
pub(super) mod secrets;
mod services;

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_agent::configuration;

use self::finding::{Finding, Verdict};
use crate::{
    errors::CliError,
    explain::{self, Explanation},
    instance::choose,
    print,
};

/// Look for what may get in the way on this machine
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay doctor\n  mainstay doctor 1067           what an error of Windows means\n  mainstay doctor 0xC0000135     or the exit code of a program\n  mainstay doctor 137            also as shells tell it: 128 and the signal"
)]
pub(super) struct Args {
    /// A number to explain: of an error, an entry of the system's log, an exit code
    #[arg(value_name = "NUMBER", value_parser = parse_number)]
    number: Option<u32>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn parse_number(text: &str) -> Result<u32, &'static str> {
    explain::read(text).ok_or("it is no number; write `1067` or `0xC0000135`")
}

pub(super) fn run(args: &Args, named: Option<&str>) -> ExitCode {
    if let Some(number) = args.number {
        return explained(number, if args.json { Json::Yes } else { Json::No });
    }
    let located = choose(named).ok();
    let config = located.as_ref().and_then(|located| configuration::load(&located.file).ok());
    let config = config.unwrap_or_default();
    let mut findings = instance::look(located.as_ref(), &config);
    findings.extend(located.iter().flat_map(|located| secrets::look(located, &config)));
    findings.extend(machine::look());
    findings.extend(services::look());
    if args.json {
        print::json(&findings);
    } else {
        let told: Vec<String> = findings.iter().map(Finding::told).collect();
        print::data(&told.concat());
    }
    let is_well = findings.iter().all(|finding| finding.verdict != Verdict::Bad);
    if is_well { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Explains a number; one that nothing is known of is a failure.
fn explained(number: u32, json: Json) -> ExitCode {
    let of_system = i32::try_from(number).ok().and_then(explain::number);
    let shown = explain::shown(number);
    let found = explain::exit(number).or_else(|| explain::shell(number)).or(of_system);
    let Some(found) = found else {
        let hint = "a code that a program ends with by itself means what its manual says";
        let what = format!("nothing is known of {shown}");
        print::talk(&CliError::refused(what, hint).to_string());
        return ExitCode::from(1);
    };
    let Explanation { meaning, remedy } = found;
    match json {
        Json::Yes => {
            print::json(
                &serde_json::json!({ "number": number, "meaning": meaning, "remedy": remedy }),
            );
        }
        Json::No if remedy.is_empty() => print::told(&format!("{shown}: {meaning}\n")),
        Json::No => print::told(&format!("{shown}: {meaning}\n  {remedy}\n")),
    }
    ExitCode::SUCCESS
}

/// Whether a program reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Json {
    Yes,
    No,
}
