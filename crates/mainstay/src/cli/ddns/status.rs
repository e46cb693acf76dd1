//! `mainstay ddns status`: which names are published, since when, and why not.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use jiff::Timestamp;
use mainstay_ddns::host::ask::Request;
use mainstay_platform::clock;
use serde_json::{Value, json};

use super::found::{self, Whom};
use crate::{errors::CliError, print};

/// Show which names are published, since when, and why not
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns status\n  mainstay ddns status --service home --json\n\nThe code is 0 when every name is published, else 1."
)]
pub(super) struct Args {
    #[command(flatten)]
    whom: Whom,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let clients = found::clients(&args.whom, instance)?;
    let (mut told, mut silent) = (Vec::new(), None);
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
    } else {
        let now = Timestamp::try_from(clock::realtime()).unwrap_or(Timestamp::UNIX_EPOCH);
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

fn list<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    document[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is_well(document: &Value) -> bool {
    list(document, "names").iter().all(|name| name["state"] == "published")
}

fn in_words(name: &str, document: &Value, now: Timestamp) -> String {
    let addresses = list(document, "addresses").iter().map(|one| address(one, now));
    let names = list(document, "names");
    let mut sorted: Vec<&Value> = names.iter().collect();
    sorted.sort_by_key(|one| (one["state"] == "published", one["id"].to_string()));
    let rows: Vec<Row> = sorted.iter().map(|one| row(one, now)).collect();
    let remedies = remedies(&sorted);
    format!("{name}\n{}\n{}{remedies}", addresses.collect::<String>(), table(&rows))
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

const TITLES: [&str; 5] = ["RECORD", "STATE", "PUBLISHED", "SINCE", "VISIBLE"];

/// A record: its cells, and what else is to be said of it.
type Row = ([String; 5], String);

fn row(one: &Value, now: Timestamp) -> Row {
    let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let cells = [
        text(one, "id"),
        text(one, "state"),
        dash(texts(one, "published")),
        since(one, "published-since", now),
        since(one, "visible-since", now),
    ];
    (cells, remark(one, now))
}

/// Returns what is wrong with a record, since when, and when it is tried again.
fn remark(one: &Value, now: Timestamp) -> String {
    let mut said = Vec::new();
    let (why, code, failures) = (text(one, "why"), text(one, "code"), one["failures"].as_u64());
    if !why.is_empty() {
        let is_told = code.is_empty() || why.contains(&code);
        said.push(if is_told { why.clone() } else { format!("{why} ({code})") });
    }
    if let (Some(count @ 2..), false) = (failures, why.is_empty()) {
        said.push(format!("{count} attempts failed, since {}", since(one, "failing-since", now)));
    }
    let (state, want) = (text(one, "state"), texts(one, "want"));
    if state == "unaddressed" {
        said.push("no address is known that it could have".to_owned());
    } else if state != "published" && !want.is_empty() && want != texts(one, "published") {
        said.push(format!("{want} shall be written"));
    }
    let next = one["next-ms"].as_u64().filter(|_| state != "published" || !why.is_empty());
    said.extend(next.map(|next| format!("tried in {}", print::span(next / 1000))));
    said.join("; ")
}

/// Says what helps those that do not come right by themselves.
fn remedies(names: &[&Value]) -> String {
    let has = |class: &str| {
        let mut all = names.iter().filter(|one| one["state"] != "published");
        all.any(|one| one["class"] == class)
    };
    let mut text = String::new();
    if has("parked") {
        text.push_str(
            "\nparked: only you can help. Mend the configuration or the account at the provider;\n  \
             `mainstay ddns check --try` asks without writing, `mainstay ddns update` writes\n",
        );
    }
    if has("clock") {
        text.push_str("\nclock: set the clock of this machine; it is tried again at once then\n");
    }
    if has("rate-limited") {
        text.push_str("\nrate-limited: the provider asks for patience; nothing has to be done\n");
    }
    text
}

/// Lays rows out, each column as wide as its widest cell, with remarks below.
fn table(rows: &[Row]) -> String {
    let titles = TITLES.map(ToOwned::to_owned);
    let cells = || rows.iter().map(|(cells, _)| cells).chain([&titles]);
    let width = |column: usize| {
        cells().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> =
        (0..TITLES.len()).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &[String; 5]| {
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
    let below = |remark: &str| {
        if remark.is_empty() { String::new() } else { format!("      {remark}\n") }
    };
    let body = rows.iter().map(|(cells, remark)| line(cells) + &below(remark));
    line(&titles) + &body.collect::<String>()
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
                { "id": "cf/home.example.org/A", "state": "published", "published": ["81.2.69.142"], "published-since": "2026-11-21T10:00:00Z", "visible-since": null, "why": null, "next-ms": null, "want": ["81.2.69.142"] },
                { "id": "free/a.freemyip.com/A", "state": "parked", "published": [], "published-since": null, "visible-since": null, "why": "the token is wrong\u{1b}[31m", "code": "badauth", "class": "parked", "failures": 3, "failing-since": "2026-11-21T09:00:00Z", "next-ms": 61_000, "want": ["81.2.69.142"] },
                { "id": "free/b.freemyip.com/AAAA", "state": "unaddressed", "published": [], "published-since": null, "visible-since": null, "why": null, "next-ms": null, "want": [] },
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
        let parked = told.find("free/a.freemyip.com/A ").unwrap();
        let published = told.find("81.2.69.142  10m").unwrap();
        assert!(parked < published, "{told}");
        let remark = "\n      the token is wrong (badauth); 3 attempts failed, since 70m; \
                      81.2.69.142 shall be written; tried in 61s\n";
        assert!(told.contains(remark) && !told.contains('\u{1b}'), "{told}");
        assert!(told.contains("\n      no address is known that it could have\n"), "{told}");
        assert!(told.contains("`mainstay ddns check --try` asks without writing"), "{told}");
        assert!(!is_well(&document()));
    }
}
