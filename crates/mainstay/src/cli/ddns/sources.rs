//! `mainstay ddns sources`: where addresses may come from.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_ddns::config::{KINDS, SourceKind};
use serde_json::{Value, json};

use crate::print;

/// Show where addresses may come from, with an example of each
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay ddns sources\n  mainstay ddns sources --json")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    if args.json {
        let all: Vec<Value> = KINDS.iter().map(described).collect();
        print::json(&json!({ "sources": all }));
    } else {
        print::told(&page());
    }
    ExitCode::SUCCESS
}

fn described(kind: &SourceKind) -> Value {
    json!({
        "name": kind.name, "example": kind.example, "options": kind.options,
        "help": kind.help, "help-zh": kind.help_zh,
    })
}

fn page() -> String {
    let mut text = String::new();
    for kind in KINDS {
        // Writing into a text cannot fail.
        let _infallible = writeln!(text, "{}: {}\n    {}", kind.name, kind.help, kind.example);
    }
    text.push_str(
        "\nEach takes `agree`, too: how many must tell the same before it is believed.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_has_an_example() {
        let text = page();
        assert!(KINDS.iter().all(|kind| text.contains(kind.example)));
    }
}
