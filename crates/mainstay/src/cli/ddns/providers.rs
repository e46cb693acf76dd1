//! `mainstay ddns providers`: whose names can be kept, and what an account of theirs takes.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_api::config::suggestion;
use mainstay_ddns::{
    config,
    provider::{Entry, Nature, Need, Parameter, Reading},
    providers,
};
use serde_json::{Value, json};

use crate::{errors::CliError, print};

/// Show the providers that are known, or one of them with all that it takes
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay ddns providers\n  mainstay ddns providers cloudflare\n  mainstay ddns providers --json"
)]
pub(super) struct Args {
    /// A provider; all of them when there is none
    #[arg(value_name = "PROVIDER")]
    name: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    match (&args.name, args.json) {
        (Some(name), true) => print::json(&described(find(name)?)),
        (Some(name), false) => print::told(&page(find(name)?)),
        (None, true) => {
            let all: Vec<Value> = providers::ALL.iter().map(|entry| described(entry)).collect();
            print::json(&json!({ "providers": all }));
        }
        (None, false) => print::data(&table()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the provider of a name, or of a part of what it is called that is no other's; or says
/// which one may be meant.
pub(super) fn find(name: &str) -> Result<&'static Entry, CliError> {
    let mut fitting = providers::ALL.iter().copied().filter(|entry| fits(entry, name));
    let only = fitting.next().filter(|_| fitting.next().is_none());
    providers::find(name).or(only).ok_or_else(|| {
        let names: Vec<&str> = providers::ALL.iter().map(|entry| entry.name).collect();
        let hint = suggestion(name, &names).map_or_else(
            || {
                "`mainstay ddns providers` shows all; `dyndns2` and `template` may do for others"
                    .to_owned()
            },
            |near| format!("did you mean `{near}`?"),
        );
        CliError::refused(format!("there is no provider `{name}`"), hint)
    })
}

/// Returns whether a text is a part of what a provider is called, in any language.
pub(super) fn fits(entry: &Entry, typed: &str) -> bool {
    let typed = typed.to_lowercase();
    let names = entry.aliases.iter().copied().chain([entry.name, entry.title, entry.title_zh]);
    names.map(str::to_lowercase).any(|name| name.contains(&typed))
}

fn families(entry: &Entry) -> &'static str {
    match (entry.limits.ipv4, entry.limits.ipv6) {
        (true, true) => "IPv4, IPv6",
        (true, false) => "IPv4",
        (false, true) => "IPv6",
        (false, false) => "",
    }
}

fn table() -> String {
    let width = providers::ALL.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for entry in providers::ALL {
        // Writing into a text cannot fail.
        let _infallible =
            writeln!(text, "{:width$}  {:10}  {}", entry.name, families(entry), entry.title);
    }
    text
}

fn page(entry: &Entry) -> String {
    let mut text = format!("{}: {}\n{}\n\n", entry.name, entry.title, entry.documents);
    let reading = match entry.reading {
        Reading::Possible => "it is read before it is written",
        Reading::Impossible => "it only takes updates; the DNS is asked what there is",
    };
    let limits = entry.limits;
    let ttl = limits.ttl.map_or_else(
        || "a time to live of its own".to_owned(),
        |(least, most)| format!("a time to live of {least}s to {most}s"),
    );
    // Writing into a text cannot fail.
    let _infallible = writeln!(
        text,
        "{}; {} at a name; {ttl}; {reading}\n",
        families(entry),
        print::count(limits.values, "address")
    );
    section(&mut text, "An account takes", entry.parameters);
    section(&mut text, "A name takes besides", entry.extras);
    text.push_str(&example(entry));
    text
}

fn section(text: &mut String, title: &str, parameters: &[Parameter]) {
    if parameters.is_empty() {
        return;
    }
    let width = parameters.iter().map(|one| one.key.len()).max().unwrap_or_default();
    // Writing into a text cannot fail.
    let _infallible = writeln!(text, "{title}:");
    for one in parameters {
        let need = if one.need == Need::Required { "" } else { " (may be missing)" };
        let _infallible = writeln!(text, "  {:width$}  {}{need}", one.key, one.help);
    }
    text.push('\n');
}

/// Returns a configuration with all that must be there.
fn example(entry: &Entry) -> String {
    let mut account = json!({ "provider": entry.name, "names": ["home.example.org"] });
    let needed = entry.parameters.iter().filter(|one| one.need == Need::Required);
    for one in needed {
        let value = match one.nature {
            Nature::Plain => json!("…"),
            Nature::Secret => json!({ "secret": format!("{}-{}", entry.name, one.key) }),
            Nature::SecretTable => json!({ "key": { "secret": format!("{}-key", entry.name) } }),
        };
        account[one.key] = value;
    }
    config::to_toml("home", &json!({ "accounts": { entry.name: account } }))
}

fn described(entry: &Entry) -> Value {
    let limits = entry.limits;
    json!({
        "name": entry.name, "aliases": entry.aliases, "title": entry.title,
        "title-zh": entry.title_zh, "documents": entry.documents,
        "parameters": parameters(entry.parameters), "extras": parameters(entry.extras),
        "reads": entry.reading == Reading::Possible,
        "ipv4": limits.ipv4, "ipv6": limits.ipv6, "addresses": limits.values,
        "ttl-seconds": limits.ttl.map(|(least, most)| [least, most]),
    })
}

fn parameters(all: &[Parameter]) -> Vec<Value> {
    let one = |one: &Parameter| {
        json!({
            "key": one.key, "required": one.need == Need::Required,
            "secret": one.nature != Nature::Plain, "help": one.help, "help-zh": one.help_zh,
        })
    };
    all.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_found_by_a_part_of_what_it_is_called_that_is_no_others() {
        let check = |typed: &str, expected: Option<&str>| {
            assert_eq!(find(typed).ok().map(|entry| entry.name), expected, "{typed}");
        };
        check("alidns", Some("alidns"));
        check("阿里", Some("alidns"));
        check("CLOUDFL", Some("cloudflare"));
        check("dns", None);
        check("nosuch", None);
    }

    #[test]
    fn a_page_says_all_that_an_account_takes() {
        let text = page(find("freemyip").unwrap());
        for part in [
            "freemyip: freemyip.com",
            "1 address at a name",
            "token",
            "endpoint",
            "(may be missing)",
            "token = { secret = \"freemyip-token\" }",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(table().lines().count(), providers::ALL.len());
    }

    #[test]
    fn a_slip_of_the_keyboard_is_understood() {
        assert_eq!(find("freemyp").unwrap_err().hint, "did you mean `freemyip`?");
    }
}
