//! `mainstay kind check`: the conformance test of a kind.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args as ClapArgs;
use mainstay_agent::kinds::{self, FoundKind, KindError};
use mainstay_api::config::parse_duration;
use mainstay_platform::{paths, random};
use mainstay_words::padded;

use super::list;
use crate::{
    conformance::{self, Finding, Trial, Verdict},
    errors::CliError,
    instance, print, words,
};

/// Run a kind through every MUST of its specification that can be seen from outside
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Example:\n  mainstay kind check ./mainstay-kind-tide --config tide.json --boot 5s"
)]
pub(super) struct Args {
    /// The kind, or its program
    #[arg(value_name = "NAME")]
    name: String,

    /// A file of JSON with which it can begin; else `{}`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// A file of JSON with which it cannot begin, and has to say so
    #[arg(long, value_name = "FILE")]
    bad_config: Option<PathBuf>,

    /// It has to be ready within this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    boot: Duration,

    /// It has to leave within this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    stop: Duration,

    /// Print JSON, a list with an object a rule
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let FoundKind { name, command } = find(&args.name, instance)?;
    let config = args.config.as_deref().map_or_else(|| Ok("{}".to_owned()), configuration)?;
    let bad_config = args.bad_config.as_deref().map(configuration).transpose()?;
    let sandbox = Sandbox::new()?;
    let folder = sandbox.0.clone();
    let Args { boot, stop, .. } = *args;
    let trial = Trial { name, command, config, bad_config, boot, stop, folder };
    let findings =
        conformance::examine(&trial).map_err(|error| CliError::refused(error.to_string(), ""))?;
    if args.json {
        print::json(&findings);
    } else {
        let lines: String = findings.iter().map(line).collect();
        print::data(&lines);
    }
    let is_held = findings.iter().all(|finding| finding.verdict == Verdict::Held);
    if findings.iter().any(|finding| finding.verdict == Verdict::Untested) && !args.json {
        print::talk("not every rule was come to; `--config FILE` gives it something to begin with");
    }
    Ok(if is_held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Finds the kind. Who tries one out may do so where others could change it, and is told.
fn find(name: &str, instance: Option<&str>) -> Result<FoundKind, CliError> {
    let path = Path::new(name);
    let named = if path.components().count() > 1 || path.is_file() {
        paths::canonical(path).map_or_else(|_| name.to_owned(), |path| path.display().to_string())
    } else {
        name.to_owned()
    };
    let state = instance::choose(instance).map(|located| located.instance.state);
    match kinds::find(&named, &kinds::folders(&state.unwrap_or_default())) {
        Err(KindError::Weak { name, weakness }) => {
            print::talk(&format!("no agent would run it: {weakness}"));
            Ok(FoundKind { name, command: vec![named] })
        }
        found => found.map_err(|error| list::refused(&error)),
    }
}

fn configuration(file: &Path) -> Result<String, CliError> {
    let text = fs::read_to_string(file).map_err(|error| {
        CliError::refused(format!("cannot read `{}`: {error}", file.display()), "")
    })?;
    let read: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_str(&text);
    match read {
        Ok(_) => Ok(text),
        Err(error) => {
            let what = format!("`{}` holds no object of JSON: {error}", file.display());
            Err(CliError::refused(what, "write what `config` of the service would say"))
        }
    }
}

fn line(finding: &Finding) -> String {
    let Finding { rule, says, verdict, why } = finding;
    let word = match verdict {
        Verdict::Held => words::label("held"),
        Verdict::Broken => words::label("BROKEN"),
        Verdict::Untested => words::label("untested"),
    };
    let told = if why.is_empty() {
        (*says).to_owned()
    } else {
        format!("{says}: {}", print::harmless(why))
    };
    format!("{rule:4} {} {}\n", padded(word, 9), words::told(&told))
}

/// The folder of one trial, which goes with the value.
struct Sandbox(PathBuf);

impl Sandbox {
    fn new() -> Result<Self, CliError> {
        let folder = std::env::temp_dir().join(format!("mainstay-kind-{:08x}", random::number()));
        paths::create_private(&folder).map_err(|error| {
            let what = format!("cannot make the folder `{}`: {error}", folder.display());
            CliError::refused(what, "make room there, or set TMPDIR")
        })?;
        Ok(Self(folder))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
