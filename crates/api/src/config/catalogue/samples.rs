//! Whole files, each around one key: what tests of the parser and of the schema read.

use super::{Key, Part};

/// Services for keys of one of them.
const WEB: &str = "[services.db]\ncommand = ['x']\n[services.web]\n";
/// A service for tables of it.
const OF_WEB: &str = "[services.web]\ncommand = ['x']\n";
/// A check for a table of it.
const OF_CHECK: &str = "[[services.web.checks]]\ntcp = 80\n";
/// What `ready` can wait for.
const LOOKS: &[&str] = &["http", "tcp", "log", "file", "exec", "notify", "delay"];
/// What hooks of a reload, and of memory, cannot do without.
const OF_HOOKS: &str = "reload = { signal = 'HUP' }\nchecks = [{ memory = '1MiB' }]\n";

/// What stands around the keys of a part.
#[derive(Debug)]
struct Surroundings {
    /// What comes before, up to the part's own header.
    before: String,
    /// Keys of the part that are there unless they exclude each other.
    beside: &'static [(&'static str, &'static str)],
}

/// Returns a file that has a key with a value, and nothing else that it does not need.
pub fn with(part: &Part, key: &str, value: &str) -> String {
    let Surroundings { before, beside } = around(part.path, key);
    let excluded = |other: &str| {
        let is_ready = std::ptr::eq(part, &raw const super::READY);
        let one_of = [part.one_of, if is_ready { LOOKS } else { &[] }];
        let both = |all: &&[&str]| all.contains(&other) && all.contains(&key);
        other == key || one_of.iter().any(both)
    };
    let kept = beside.iter().filter(|(other, _)| !excluded(other));
    let lines: Vec<String> = kept.copied().chain([(key, value)]).map(line).collect();
    before + &lines.concat()
}

/// Returns the same file without the key.
pub fn without(part: &Part, key: &str) -> String {
    let Surroundings { before, beside } = around(part.path, key);
    let kept = beside.iter().filter(|(other, _)| *other != key || part.needs.contains(&key));
    let lines: Vec<String> = kept.copied().map(line).collect();
    before + &lines.concat()
}

fn line((key, value): (&str, &str)) -> String {
    format!("{key} = {value}\n")
}

/// Returns a file with the example of a key.
pub fn example(part: &Part, key: &Key) -> String {
    with(part, key.name, key.example)
}

fn around(path: &str, key: &str) -> Surroundings {
    let part = path.strip_prefix("services.NAME.").unwrap_or(path);
    let header = format!("{OF_WEB}[services.web.{part}]\n");
    let before = match part {
        "" if key == "services" => String::new(),
        "" => "services = { web = { command = ['x'] } }\n".to_owned(),
        "groups.NAME" => format!("{WEB}command = ['x']\n[groups.front]\n"),
        "access" => "[[access]]\n".to_owned(),
        "services.NAME" => WEB.to_owned(),
        "checks" => format!("{OF_WEB}[[services.web.checks]]\n"),
        "checks.action" => format!("{OF_WEB}{OF_CHECK}[services.web.checks.action]\n"),
        "hooks" => format!("{OF_WEB}{OF_HOOKS}[services.web.hooks]\n"),
        "hooks.HOOK" => format!("{OF_WEB}[services.web.hooks.after-exit]\n"),
        "environment.VARIABLE" => format!("{OF_WEB}[services.web.environment.A]\n"),
        _ => header,
    };
    Surroundings { before, beside: beside(part, key) }
}

fn beside(part: &str, key: &str) -> &'static [(&'static str, &'static str)] {
    match (part, key) {
        ("groups.NAME", _) => &[("services", "['web']")],
        ("access", "role") => &[("group", "'staff'"), ("role", "'viewer'")],
        ("access", _) => &[("group", "'staff'"), ("role", "'operator'")],
        ("services.NAME", "config") => &[("kind", "'heartbeat'")],
        ("services.NAME", _) => &[("command", "['x']")],
        ("checks" | "ready", "status" | "body" | "headers" | "method") => {
            &[("http", "'http://localhost/'")]
        }
        ("checks" | "ready", "ca-file" | "server-name") => &[("http", "'https://localhost/'")],
        ("checks" | "ready", "max-age") => &[("file", "'f'")],
        ("checks" | "ready", _) => &[("tcp", "80")],
        ("reload" | "environment.VARIABLE", "timeout") | ("hooks.HOOK", _) => {
            &[("command", "['x']")]
        }
        ("checks.action", _) => &[("run", "['x']")],
        ("watchdog", _) => &[("every", "'1m'")],
        ("reload", _) => &[("signal", "'USR1'")],
        ("environment.VARIABLE", _) => &[("env", "'X'")],
        _ => &[],
    }
}
