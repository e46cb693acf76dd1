//! `mainstay ddns status`: which names are published, since when, and why not.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use jiff::Timestamp;
use mainstay_ddns::host::ask::Request;
use mainstay_platform::clock;
use serde_json::{Value, json};

use super::{
    found::{self, Whom},
    metrics,
};
use crate::{errors::CliError, print};

/// Show which names are published, since when, and why not
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns status\n  mainstay ddns status --service home --json\n  mainstay ddns status --metrics > /var/lib/node_exporter/ddns.prom\n\nThe code is 0 when every name is published, else 1."
)]
pub(super) struct Args {
    #[command(flatten)]
    whom: Whom,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Print metrics of every record, in the text format of Prometheus
    #[arg(long, conflicts_with = "json")]
    metrics: bool,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let clients = found::clients(&args.whom, instance)?;
    let (mut told, mut silent) = (Vec::new(), None);
    let now = Timestamp::try_from(clock::realtime()).unwrap_or(Timestamp::UNIX_EPOCH);
    for client in &clients {
        match client.ask(&Request::Status).await {
            Ok(document) => told.push((client.name(), document)),
            Err(error) => {
                print::talk(error.to_string().trim_end());
                silent = Some(error);
            }
        }
    }
    if args.json {
        let all: Vec<Value> =
            told.iter().map(|(name, document)| with_name(name, document)).collect();
        print::json(&json!({ "clients": all }));
    } else if args.metrics {
        let answers = clients.iter().map(|client| {
            let name = client.name();
            let answer = told.iter().find(|(service, _)| *service == name);
            (name, answer.map(|(_, document)| document))
        });
        print::data(&metrics::text(&answers.collect::<Vec<_>>(), now));
    } else {
        let parts: Vec<String> = told.iter().map(|(name, one)| in_words(name, one, now)).collect();
        print::data(&parts.join("\n"));
    }
    let all_well = told.iter().all(|(_, document)| is_well(document));
    match silent {
        Some(error) => Ok(error.code()),
        None => Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
    }
}

fn with_name(name: &str, document: &Value) -> Value {
    let mut document = document.clone();
    document["service"] = name.into();
    document
}

/// Returns the items of a list; none when it is none.
pub(super) fn list<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    document[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_well(document: &Value) -> bool {
    list(document, "names").iter().all(|name| name["state"] == "published")
}

fn in_words(name: &str, document: &Value, now: Timestamp) -> String {
    let addresses = list(document, "addresses").iter().map(|one| address(one, now));
    let names = list(document, "names");
    let mut rows: Vec<[String; 6]> = vec![TITLES.map(ToOwned::to_owned)];
    let mut sorted: Vec<&Value> = names.iter().collect();
    sorted.sort_by_key(|one| (one["state"] == "published", one["id"].to_string()));
    rows.extend(sorted.into_iter().map(|one| row(one, now)));
    format!("{name}\n{}\n{}", addresses.collect::<String>(), table(&rows))
}

fn address(one: &Value, now: Timestamp) -> String {
    let family = text(one, "family");
    let known = texts(one, "addresses");
    let trouble = text(one, "trouble");
    let source = text(one, "source");
    let mut line = if known.is_empty() {
        format!("  {family}  not known")
    } else {
        format!("  {family}  {known}  from {source} since {}", since(one, "since", now))
    };
    if !trouble.is_empty() {
        line.push_str(": ");
        line.push_str(&trouble);
    }
    line + "\n"
}

const TITLES: [&str; 6] = ["RECORD", "STATE", "PUBLISHED", "SINCE", "VISIBLE", ""];

fn row(one: &Value, now: Timestamp) -> [String; 6] {
    let why = match (text(one, "why"), one["next-ms"].as_u64()) {
        (why, Some(next)) if !why.is_empty() => {
            format!("{why}; again in {}", print::span(next / 1000))
        }
        (why, _) => why,
    };
    let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    [
        text(one, "id"),
        text(one, "state"),
        dash(texts(one, "published")),
        since(one, "published-since", now),
        since(one, "visible-since", now),
        why,
    ]
}

/// Lays rows out, each column as wide as its widest cell.
fn table(rows: &[[String; 6]]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..6).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let padded = format!("{cell:width$}");
            if cell == "parked" || cell == "backing-off" {
                print::coloured(&padded, "failed")
            } else {
                padded
            }
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn text(one: &Value, key: &str) -> String {
    print::harmless(one[key].as_str().unwrap_or_default())
}

fn texts(one: &Value, key: &str) -> String {
    let all: Vec<&str> = list(one, key).iter().filter_map(Value::as_str).collect();
    print::harmless(&all.join(" "))
}

/// Returns how long something has been so; `-` when it is not.
fn since(one: &Value, key: &str, now: Timestamp) -> String {
    let at = one[key].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    at.map_or_else(
        || "-".to_owned(),
        |at| print::span(u64::try_from(now.as_second() - at.as_second()).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "addresses": [
                { "family": "ipv4", "addresses": ["81.2.69.142"], "source": "web", "since": "2026-11-21T10:00:00Z", "trouble": null },
                { "family": "ipv6", "addresses": [], "source": null, "since": null, "trouble": "eth0 has none" },
            ],
            "names": [
                { "id": "cf/home.example.org/A", "state": "published", "published": ["81.2.69.142"], "published-since": "2026-11-21T10:00:00Z", "visible-since": null, "why": null, "next-ms": null },
                { "id": "free/a.freemyip.com/A", "state": "parked", "published": [], "published-since": null, "visible-since": null, "why": "the token is wrong\u{1b}[31m", "next-ms": 61_000 },
            ],
        })
    }

    #[test]
    fn what_is_not_well_comes_first_with_the_reason() {
        let now: Timestamp = "2026-11-21T10:10:00Z".parse().unwrap();
        let told = in_words("home", &document(), now);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[1], "  ipv4  81.2.69.142  from web since 10m");
        assert_eq!(lines[2], "  ipv6  not known: eth0 has none");
        let parked = told.find("free/a.freemyip.com/A  parked").unwrap();
        let published = told.find("published  81.2.69.142  10m").unwrap();
        assert!(parked < published, "{told}");
        assert!(told.contains("; again in 61s\n") && !told.contains('\u{1b}'), "{told}");
        assert!(!is_well(&document()));
    }
}
