//! `mainstay service list`: what the manager says of our services.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_platform::scm::{Database, Intent, Purpose, Record, Service, Status};
use mainstay_words::padded;
use serde::Serialize;

use super::{database, trouble};
use crate::{
    errors::CliError,
    foreign::{file_stem, split_line},
    place::Place,
    print, words,
};

/// List the services that Mainstay keeps
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay service list")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One service of ours.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) struct Row {
    pub(in crate::cli) name: String,
    display_name: String,
    state: String,
    pid: Option<u32>,
    exit_code: u32,
    own_code: u32,
    pub(in crate::cli) account: String,
    pub(in crate::cli) start: String,
    pub(in crate::cli) command_line: String,
    pub(super) configuration: String,
    pub(super) logs: String,
}

/// A service, and what it has said last.
pub(in crate::cli) type Seen = (Row, Status);

pub(super) fn list(args: &Args) -> Result<ExitCode, CliError> {
    let rows = ours(&database(Purpose::Look)?)?;
    if args.json {
        let rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
        print::json(&rows);
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        print::talk(
            "Mainstay keeps no service here; `mainstay service install NAME -- PROGRAM` makes one",
        );
    }
    for (row, _) in rows {
        let pid = row.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let (name, state) = (padded(&row.name, 24), padded(&words::of(&row.state), 14));
        print::data(&format!("{name} {state} {pid:>7}  {}\n", row.account));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns whether a service is one of ours, going by the command line that it runs.
pub(in crate::cli) fn is_ours(command_line: &str) -> bool {
    let words = split_line(command_line);
    let [program, keeper, option, _name] = words.as_slice() else { return false };
    file_stem(program) == "mainstay" && keeper == "keeper" && option == "--service"
}

/// Returns how many services are ours.
pub(super) fn count(database: &Database) -> Result<usize, CliError> {
    ours(database).map(|rows| rows.len())
}

/// Returns those services whose command line is one of ours.
pub(in crate::cli) fn ours(database: &Database) -> Result<Vec<Seen>, CliError> {
    let all = database.list().map_err(|error| trouble::refused("list the services", &error))?;
    let rows = all.iter().filter_map(|listed| {
        // One that vanished meanwhile, or that this account may not look at, is none to show.
        let found = database.service(&listed.name, Intent::Look).ok()?;
        row(&found, &listed.name).ok()
    });
    Ok(rows.filter(|(row, _)| is_ours(&row.command_line)).collect())
}

/// Returns the names of our services; none where nobody may look.
pub(in crate::cli) fn names() -> Vec<String> {
    let rows = Database::open(Purpose::Look).ok().and_then(|database| ours(&database).ok());
    rows.into_iter().flatten().map(|(row, _)| row.name).collect()
}

pub(super) fn look(name: &str, error: &std::io::Error) -> CliError {
    trouble::refused(&format!("look at `{name}`"), error)
}

pub(super) fn row(service: &Service, name: &str) -> Result<Seen, CliError> {
    let Record { display_name, command_line, start, account, .. } =
        service.record().map_err(|error| look(name, &error))?;
    let status = service.status().map_err(|error| look(name, &error))?;
    let place = Place::of(name).map_err(|error| look(name, &error))?;
    let located = place.located();
    let row = Row {
        name: name.to_owned(),
        display_name,
        state: status.state.to_string(),
        pid: Some(status.pid).filter(|pid| *pid != 0),
        exit_code: status.exit_code,
        own_code: status.own_code,
        account,
        start: format!("{start:?}").to_lowercase(),
        command_line,
        configuration: located.file.display().to_string(),
        logs: place.logs().display().to_string(),
    };
    Ok((row, status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page;

    #[test]
    fn a_row_in_json_has_the_fields_of_the_page() {
        let text = || String::from("x");
        let row = Row {
            name: text(),
            display_name: text(),
            state: text(),
            pid: Some(1),
            exit_code: 0,
            own_code: 0,
            account: text(),
            start: text(),
            command_line: text(),
            configuration: text(),
            logs: text(),
        };
        assert_eq!(page::fields_in(&row), page::fields_of("`mainstay service list`"));
    }

    #[test]
    fn a_service_is_ours_when_it_runs_our_keeper_and_nothing_else() {
        let ours = [
            r#""C:\Program Files\Mainstay\mainstay.exe" keeper --service "my web""#,
            r"D:\Mainstay.exe keeper --service web",
        ];
        for line in ours {
            assert!(is_ours(line), "{line}");
        }
        let foreign = [
            r"C:\Windows\System32\spoolsv.exe",
            r#"C:\tools\other.exe keeper --service "web""#,
            r#""C:\tools\nssm.exe" run -- mainstay keeper --service web"#,
            r"C:\mainstay.exe up",
            "",
        ];
        for line in foreign {
            assert!(!is_ours(line), "{line}");
        }
    }
}
