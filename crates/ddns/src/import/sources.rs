//! Where other clients have addresses from, as our sources.

use serde_json::{Value, json};

use super::Shell;

/// Services that answer with more than an address: what others fish out of it by an expression may
/// be somebody else's.
const WORDY: &[&str] = &[
    "ddns.oray.com",
    "myip.ipip.net",
    "myip4.ipip.net",
    "checkip.dyndns.org",
    "checkip.dyndns.com",
    "dnsdynamic.org",
    "ddnss.de",
    "dns.loopia.se",
    "ip138.com",
];

/// Makes a source of echo services; the second part says what is left out of it.
pub(super) fn web(urls: &[&str]) -> (Value, Vec<String>) {
    let (mut kept, mut left) = (Vec::new(), Vec::new());
    for url in urls.iter().map(|url| url.trim()).filter(|url| !url.is_empty()) {
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', ':', '?']).next());
        let is_wordy = WORDY.iter().any(|wordy| host.is_some_and(|host| host.ends_with(wordy)));
        if is_wordy { left.push(url) } else { kept.push(url) }
    }
    if kept.is_empty() { (json!({ "web": true }), left) } else { (json!({ "web": kept }), left) }
}

/// Makes a source of a command line.
pub(super) fn command(line: &str, shell: Shell) -> Value {
    match shell {
        Shell::Posix => json!({ "command": ["sh", "-c", line] }),
        Shell::PowerShell => json!({ "command": ["powershell", "-NoProfile", "-Command", line] }),
    }
}

/// Makes a source of an interface.
pub(super) fn interface(name: &str) -> Value {
    json!({ "interface": name })
}
