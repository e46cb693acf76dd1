//! `mainstay doctor`: what of this machine may get in the way.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_agent::{configuration, descriptors};
use mainstay_platform::{daemon, machine, paths};

use crate::{
    instance::{self, Located},
    print,
};

/// Look for what may get in the way on this machine
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay doctor")]
pub(super) struct Args {
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

pub(super) fn run(args: &Args, named: Option<&str>) -> ExitCode {
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
