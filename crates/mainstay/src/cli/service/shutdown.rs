//! How long the manager lets a service stop before the machine shuts down: as long as its
//! configuration says that stopping may take.

use std::time::Duration;

use mainstay_api::config::{self, SourceText};
use mainstay_platform::scm::Setting;

use crate::cli::install::{OWN_TIME, longest_stop};

/// What holds for a configuration that cannot be read: the time of one service without settings.
const USUAL: Duration = Duration::from_secs(30);

/// Returns what the manager is to be told of a service with this configuration.
pub(in crate::cli) fn setting_for(text: &str) -> Setting {
    let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
    let longest = config::parse(&[source]).map_or(USUAL, |config| longest_stop(&config));
    Setting::PreshutdownTimeout(longest + OWN_TIME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shutdown_waits_as_long_as_the_service_may_stop() {
        let check = |more: &str, seconds: u64| {
            let text = format!("[services.web]\ncommand = [\"web\"]\n{more}");
            let expected = Setting::PreshutdownTimeout(Duration::from_secs(seconds));
            assert_eq!(setting_for(&text), expected, "{more}");
        };
        check("", 35);
        check("stop = { timeout = \"2m\" }\n", 125);
        check("stop = { timeout = \"1s\" }\n", 6);
        check("nonsense", 35);
    }
}
