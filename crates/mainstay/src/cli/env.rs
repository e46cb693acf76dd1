//! `mainstay env`: what a unit's program finds in its environment, and where it comes from.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_api::control::{EnvironmentOf, EnvironmentVariable, UnitEnvironment, VariableOrigin};
use mainstay_words::padded;

use super::subject::Subject;
use crate::{
    client::{Client, escaped},
    errors::CliError,
    print, words,
};

/// Stands for what is not shown.
const WITHHELD: &str = "…";

/// Show the variables that a program is given, and where each comes from
///
/// Of what is, or may be, a secret only the name.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay env web\n  mainstay env web --export > web.env.sh")]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,

    /// Print it as lines for a shell; what is not shown is a comment
    #[arg(long, conflicts_with = "json")]
    export: bool,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (located, details) = args.subject.ask_there(instance).await?;
    let mut client = Client::connect(&located).await?;
    for (count, detail) in details.iter().enumerate() {
        let path = format!("/v1/units/{}/environment", escaped(&detail.unit.unit));
        let environment: UnitEnvironment = client.get(&path).await?;
        if args.subject.json {
            print::json(&environment);
            continue;
        }
        print::data(if count > 0 { "\n" } else { "" });
        print::told(&title(&environment));
        for variable in &environment.variables {
            let line = if args.export { exported(variable) } else { shown(variable) };
            print::data(&(print::harmless(&line).replace('\n', "\\n") + "\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn title(environment: &UnitEnvironment) -> String {
    let UnitEnvironment { unit, run, .. } = environment;
    match environment.of {
        EnvironmentOf::Run => format!("# run {run} of `{unit}` was started with\n"),
        EnvironmentOf::Next => format!("# the next run of `{unit}` is started with\n"),
    }
}

fn shown(variable: &EnvironmentVariable) -> String {
    let origin = origin(variable);
    let value = variable.value.as_deref().unwrap_or(WITHHELD);
    format!("{}  {}={value}", padded(origin, 10), variable.name)
}

/// Returns a line for a POSIX shell.
fn exported(variable: &EnvironmentVariable) -> String {
    let EnvironmentVariable { name, value, .. } = variable;
    match value {
        // What steers a terminal would not be what it was.
        Some(value) if is_shell_name(name) && !value.contains(char::is_control) => {
            format!("export {name}='{}'", value.replace('\'', r"'\''"))
        }
        Some(_) | None => format!("# {name}{}", words::in_brackets(origin(variable))),
    }
}

fn is_shell_name(name: &str) -> bool {
    !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns where a variable comes from: of what is fetched, from what.
fn origin(variable: &EnvironmentVariable) -> &str {
    if let Some(source) = &variable.source {
        return source;
    }
    match variable.origin {
        VariableOrigin::Inherited => words::label("inherited"),
        VariableOrigin::Configured => words::label("configured"),
        VariableOrigin::Mainstay => words::label("mainstay"),
        VariableOrigin::Other => words::label("other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_is_exported() {
        let check = |name: &str, value: Option<&str>, expected: &str| {
            let (name, value) = (name.to_owned(), value.map(str::to_owned));
            let origin = VariableOrigin::Configured;
            let variable = EnvironmentVariable { name, value, origin, source: None };
            assert_eq!(exported(&variable), expected);
        };
        check("A", Some("it's $HOME"), r"export A='it'\''s $HOME'");
        check("A", None, "# A (configured)");
        check("A", Some("one\ntwo"), "# A (configured)");
        check("ProgramFiles(x86)", Some("x"), "# ProgramFiles(x86) (configured)");
    }
}
