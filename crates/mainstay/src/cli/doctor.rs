//! `mainstay doctor`: what of this machine may get in the way.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_agent::{configuration, descriptors};
use mainstay_platform::{daemon, machine, paths};

use crate::{
    errors::CliError,
    explain::{self, Explanation},
    instance::{self, Located},
    print,
};

/// Look for what may get in the way on this machine
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay doctor\n  mainstay doctor 1067           what an error of Windows means\n  mainstay doctor 0xC0000135     or the exit code of a program"
)]
pub(super) struct Args {
    /// A number to explain: of an error, an entry of the system's log, an exit code
    #[arg(value_name = "NUMBER", value_parser = parse_number)]
    number: Option<u32>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
#[derive(Debug, serde::Serialize)]
struct Finding {
    what: String,
    is_well: bool,
    remedy: String,
}

fn parse_number(text: &str) -> Result<u32, &'static str> {
    explain::read(text).ok_or("it is no number; write `1067` or `0xC0000135`")
}

pub(super) fn run(args: &Args, named: Option<&str>) -> ExitCode {
    if let Some(number) = args.number {
        return explained(number, if args.json { Json::Yes } else { Json::No });
    }
    let located = instance::choose(named).ok();
    let config = located.as_ref().and_then(|located| configuration::load(&located.file).ok());
    let config = config.unwrap_or_default();
    let units = config.services.values().map(|service| u64::from(service.instances)).sum();
    let mut findings = vec![files(units, descriptors::needed(&config)), pipes(units), runtime()];
    findings.extend(located.as_ref().map(agent));
    if args.json {
        print::json(&findings);
    } else {
        for finding in &findings {
            let word = if finding.is_well { "ok  " } else { "BAD " };
            print::data(&format!("{word} {}\n", finding.what));
            if !finding.is_well {
                print::data(&format!("     {}\n", finding.remedy));
            }
        }
    }
    let is_well = findings.iter().all(|finding| finding.is_well);
    if is_well { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Explains a number; one that nothing is known of is a failure.
fn explained(number: u32, json: Json) -> ExitCode {
    let language = explain::language();
    let of_system = i32::try_from(number).ok().and_then(|known| explain::number(known, language));
    let shown = explain::shown(number);
    let Some(found) = explain::exit(number, language).or(of_system) else {
        print::talk(&CliError::refused(format!("nothing is known of {shown}"), "").to_string());
        return ExitCode::from(1);
    };
    let Explanation { meaning, remedy } = found;
    match json {
        Json::Yes => {
            print::json(
                &serde_json::json!({ "number": number, "meaning": meaning, "remedy": remedy }),
            );
        }
        Json::No if remedy.is_empty() => print::data(&format!("{shown}: {meaning}\n")),
        Json::No => print::data(&format!("{shown}: {meaning}\n  {remedy}\n")),
    }
    ExitCode::SUCCESS
}

/// Whether a program reads the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Json {
    Yes,
    No,
}

fn files(units: u64, needed: u64) -> Finding {
    let allowed = daemon::file_limit();
    Finding {
        what: format!("open files: {needed} for {}, {allowed} are allowed", count(units)),
        is_well: allowed >= needed,
        remedy: format!("raise the hard limit: `ulimit -Hn {needed}`"),
    }
}

fn pipes(units: u64) -> Finding {
    let full = machine::pipes_of_full_size();
    let is_well = full.is_none_or(|full| units <= full);
    let limit = full.map_or_else(|| "no limit".to_owned(), |full| full.to_string());
    Finding {
        what: format!("pipes of full size for an ordinary user: {limit}, {}", count(units)),
        is_well,
        remedy: "raise `fs.pipe-user-pages-soft`, or run as root; pipes beyond it are small"
            .to_owned(),
    }
}

fn count(units: u64) -> String {
    print::count(usize::try_from(units).unwrap_or(usize::MAX), "unit")
}

/// Nobody looks after programs that run on without keeper and agent.
fn agent(located: &Located) -> Finding {
    let file = located.file.display();
    let answers = instance::answers(located);
    let is_well = answers || !instance::may_have_left_programs(located);
    let what = match (answers, is_well) {
        (true, _) => format!("agent of {file}: answers"),
        (false, true) => format!("agent of {file}: none, the instance is down"),
        (false, false) => format!("agent of {file}: none, and programs may run on"),
    };
    Finding { what, is_well, remedy: format!("`mainstay up {file}` takes them over") }
}

fn runtime() -> Finding {
    let base = paths::runtime_base();
    let (what, is_well) = match &base {
        Ok(path) => (format!("runtime folder: {}", path.display()), true),
        Err(error) => (format!("runtime folder: {error}"), false),
    };
    Finding { what, is_well, remedy: "set XDG_RUNTIME_DIR to a folder of your own".to_owned() }
}
