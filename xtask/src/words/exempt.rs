//! What is not for people, and why: it needs no Chinese text.

/// Files and folders, each with its reason.
const FILES: &[(&str, &str)] = &[
    ("/tests/", "tests"),
    ("/tests.rs", "tests"),
    ("crates/agent/src/options.rs", "our own processes write the agent's command line"),
    ("crates/agent/src/api/examples.rs", "examples of the API's description, which is English"),
    ("crates/agent/src/api/operation.rs", "the API's description"),
    ("crates/agent/src/api/problem.rs", "the API's description"),
    ("crates/api/src/config/catalogue", "the reference of the configuration, and its schema"),
    ("crates/mainstay/src/hosted.rs", "what a service's keeper writes into its log"),
    ("crates/mainstay/src/cli/ddns/metrics.rs", "descriptions of metrics, for Prometheus"),
    ("crates/mainstay/src/cli/service/logon.rs", "names of accounts"),
];

/// Beginnings of texts that are commands, formats or names, each with its reason.
const TEXTS: &[(&str, &str)] = &[
    ("icacls ", "a command to copy"),
    ("rmdir /s", "a command to copy"),
    ("sc preshutdown", "a command to copy"),
    ("pass show ", "a command to copy"),
    ("--set {}", "options to copy"),
    ("--secret-file {", "options to copy"),
    ("{:.1} ms", "the same in both languages"),
    ("{} KiB", "the same in both languages"),
    ("{} ms", "the same in both languages"),
    ("{mib} MiB", "the same in both languages"),
    ("\"{}\" keeper --service", "a command line"),
    ("SecretText(", "for those who debug"),
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
