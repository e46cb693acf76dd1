//! What is not for people, and why: it needs no Chinese text.

/// Files and folders, each with its reason.
const FILES: &[(&str, &str)] = &[
    ("/tests/", "tests"),
    ("/tests.rs", "tests"),
    ("crates/agent/src/options.rs", "our own processes write the agent's command line"),
    ("crates/agent/src/api/examples.rs", "examples of the API's description, which is English"),
    ("crates/agent/src/api/operation.rs", "the API's description"),
    ("crates/agent/src/api/problem.rs", "the API's description"),
    ("crates/agent/src/api/stream.rs", "what programs read"),
    ("crates/api/src/config/catalogue", "the reference of the configuration, and its schema"),
    ("crates/mainstay/src/hosted.rs", "what a service's keeper writes into its log"),
    ("crates/mainstay/src/cli/completions/places.rs", "names of commands"),
    ("crates/mainstay/src/cli/man/page.rs", "manual pages are in English"),
    ("crates/mainstay/src/cli/ddns/metrics.rs", "descriptions of metrics, for Prometheus"),
    ("crates/mainstay/src/cli/service/logon.rs", "names of accounts"),
    ("crates/ddns/src/providers/sign/", "what is signed, for providers"),
    ("crates/ddns/src/sources/upnp/soap.rs", "what routers read"),
    ("crates/platform/src/namespace.rs", "commands of `ip`, in a test's network"),
    ("crates/platform/src/replace.rs", "commands of a test's shell"),
    ("crates/service/src/command.rs", "the library's own command line, which is English"),
];

/// Beginnings of texts that are commands, formats or names, each with its reason.
const TEXTS: &[(&str, &str)] = &[
    ("icacls ", "a command to copy"),
    ("rmdir /s", "a command to copy"),
    ("sc preshutdown", "a command to copy"),
    ("pass show ", "a command to copy"),
    ("1 {thing}", "a number of any thing"),
    ("{number} {thing}", "a number of any thing"),
    ("--set {}", "options to copy"),
    ("--secret-file {", "options to copy"),
    ("{:.1} ms", "the same in both languages"),
    ("{} KiB", "the same in both languages"),
    ("{} ms", "the same in both languages"),
    ("{mib} MiB", "the same in both languages"),
    ("\"{}\" keeper --service", "a command line"),
    ("SecretText(", "for those who debug"),
    ("Complaint(", "for those who debug"),
    ("Windows Registry Editor", "the first line of a format"),
    ("SOFTWARE\\Microsoft", "a key of the registry"),
    ("coredumpctl info", "a command to copy"),
    ("{ web = [", "an example of the configuration"),
    ("{ interface = ", "an example of the configuration"),
    ("{ dns = [", "an example of the configuration"),
    ("{ stun = [", "an example of the configuration"),
    ("{ upnp = ", "an example of the configuration"),
    ("{ nat-pmp = ", "an example of the configuration"),
    ("{ pcp = ", "an example of the configuration"),
    ("{ command = [", "an example of the configuration"),
    ("{ file = ", "an example of the configuration"),
    ("{ static = [", "an example of the configuration"),
    ("nat-pmp {}", "a source, as the configuration names it"),
    ("pcp {}", "a source, as the configuration names it"),
    ("upnp {}", "a source, as the configuration names it"),
    ("dynamic DNS", "what we are called towards servers"),
    ("Basic {", "a header"),
    ("Bearer {", "a header"),
    ("Host: {", "a header"),
    ("Proxy-Authorization: ", "a header"),
    ("sso-key {", "a header"),
    ("<ChangeResourceRecordSets", "a request to a provider"),
    ("[a pattern]", "for those who debug"),
    ("server string to sign", "a word of a provider's answer"),
    ("invalid access token", "a word of a provider's answer"),
    ("addresses updated", "a word of a provider's answer"),
    ("addresses unchanged", "a word of a provider's answer"),
    ("used in another request", "a word of a provider's answer"),
    ("signature expired", "a word of a provider's answer"),
    ("x-sdk-date expired", "a word of a provider's answer"),
    ("invalid api key", "a word of a provider's answer"),
    ("opted in", "a word of a provider's answer"),
    ("invalid domain", "a word of a provider's answer"),
    ("The Canonical String", "a word of a provider's answer"),
    ("Signature expired", "a word of a provider's answer"),
    ("Signature not yet current", "a word of a provider's answer"),
];

/// Returns whether nothing in a file is for people.
pub(super) fn is_file(path: &str) -> bool {
    FILES.iter().any(|(file, _reason)| path.contains(file))
}

/// Returns whether a text is not for people, or is Chinese already.
pub(super) fn is_text(text: &str) -> bool {
    let is_chinese = text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    is_chinese || TEXTS.iter().any(|(start, _reason)| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_chinese_need_no_chinese() {
        assert!(["icacls \"{}\" /reset", "没有写入"].into_iter().all(is_text));
        assert!(!is_text("nothing was written"));
        assert!(is_file("crates/agent/src/probe/tests/files.rs"));
        assert!(!is_file("crates/agent/src/probe.rs"));
    }
}
