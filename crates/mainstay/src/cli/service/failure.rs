//! What follows when the program of a service ends by itself: the words of the command line, and
//! the keys of the configuration that they stand for.

use std::collections::BTreeMap;

use clap::{Args as ClapArgs, ValueEnum};
use mainstay_api::config::{self, EditError, ServiceConfig};
use mainstay_core::service::{ExitAction, ExitKey, RestartWhen};
use mainstay_platform::scm::{Recovery, Service, Setting};

use super::recovery::{self, Row};

/// What follows the end of the program, and of the service.
#[derive(Debug, Default, ClapArgs)]
pub(super) struct FailureArgs {
    /// What follows when the program fails
    #[arg(long, value_enum, value_name = "WHAT")]
    on_failure: Option<OnFailure>,

    /// What follows this exit code: restart, stop, fail or exit; may be given several times
    #[arg(long, value_name = "CODE=WHAT", value_parser = parse_on_exit)]
    on_exit: Vec<OnExit>,

    /// What the system does when the service itself fails, one after the other:
    /// `restart/15s,restart/30s,run:COMMAND/60s`
    #[arg(long, value_name = "WHAT/DELAY,…", value_parser = recovery::parse)]
    recovery: Option<Row>,

    /// After how long without a failure that row begins anew
    #[arg(long, value_name = "DURATION", value_parser = recovery::parse_reset)]
    recovery_reset: Option<std::time::Duration>,
}

/// What follows when the program fails: ends with another code than 0, or is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnFailure {
    /// It is started again
    Restart,
    /// Nothing; the service stays as it is
    Ignore,
    /// The service ends with the program and its code, whichever that is
    Exit,
    /// The same, and the system counts it as a failure: its recovery follows
    Scm,
}

/// What follows one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OnExit {
    code: u32,
    action: ExitAction,
}

/// The name of an option, and what is typed behind it.
pub(super) type Opted = (&'static str, String);

/// The actions, as the configuration calls them.
const ACTIONS: [(&str, ExitAction); 4] = [
    ("restart", ExitAction::Restart),
    ("stop", ExitAction::Stop),
    ("fail", ExitAction::Fail),
    ("exit", ExitAction::Exit),
];
const WHEN: &str = "restart.when";
const FAILURE: &str = "restart.exit.failure";
const SUCCESS: &str = "restart.exit.0";

fn parse_on_exit(text: &str) -> Result<OnExit, String> {
    let (code, word) = text.split_once('=').ok_or("write `CODE=WHAT`, for example `3=exit`")?;
    let number = parse_code(code)
        .ok_or_else(|| format!("`{code}` is no exit code; write `3`, `-1` or `0xC0000005`"))?;
    let found = ACTIONS.iter().find(|(name, _)| *name == word);
    let action = found.ok_or_else(|| {
        format!("`{word}` is nothing that follows an exit; there is restart, stop, fail, exit")
    })?;
    Ok(OnExit { code: number, action: action.1 })
}

/// Codes are shown in three ways: as they are, with a sign, and in hexadecimal.
fn parse_code(text: &str) -> Option<u32> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(digits) = hexadecimal {
        return u32::from_str_radix(digits, 16).ok();
    }
    text.parse().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}

fn word_of(action: ExitAction) -> &'static str {
    ACTIONS.iter().find(|(_, one)| *one == action).map_or("restart", |(word, _)| word)
}

impl FailureArgs {
    /// Returns whether anything was asked for.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_for_configuration() && !self.is_for_manager()
    }

    fn is_for_configuration(&self) -> bool {
        self.on_failure.is_some() || !self.on_exit.is_empty()
    }

    fn is_for_manager(&self) -> bool {
        self.on_failure.is_some() || self.recovery.is_some() || self.recovery_reset.is_some()
    }

    /// Returns the configuration with what was asked for in it.
    pub(super) fn configured(&self, text: String, unit: &str) -> Result<String, EditError> {
        let mut text = text;
        if let Some(on_failure) = self.on_failure {
            for key in [WHEN, FAILURE, SUCCESS] {
                if config::get(&text, unit, key)?.is_some() {
                    text = config::unset(&text, unit, key)?;
                }
            }
            for (key, word) in on_failure.keys() {
                text = config::set(&text, unit, key, word)?;
            }
        }
        for OnExit { code, action } in &self.on_exit {
            let key = format!("restart.exit.{code}");
            text = config::set(&text, unit, &key, word_of(*action))?;
        }
        Ok(text)
    }

    /// Returns what the manager of a new service is to be told.
    pub(super) fn first_settings(&self) -> Vec<Setting> {
        let flag = self.on_failure == Some(OnFailure::Scm);
        let recovery = self.recovery_beyond(recovery::usual());
        vec![Setting::Recovery(recovery), Setting::RecoverAfterFailure(flag)]
    }

    /// Returns what the manager of an installed service is to be told.
    pub(super) fn settings(&self, service: &Service) -> Vec<Setting> {
        let mut settings = Vec::new();
        if self.recovery.is_some() || self.recovery_reset.is_some() {
            // A system that cannot tell what is set gets it whole.
            let former = service.recovery().unwrap_or_else(|_| recovery::usual());
            settings.push(Setting::Recovery(self.recovery_beyond(former)));
        }
        if let Some(on_failure) = self.on_failure {
            settings.push(Setting::RecoverAfterFailure(on_failure == OnFailure::Scm));
        }
        settings
    }

    fn recovery_beyond(&self, former: Recovery) -> Recovery {
        let mut recovery = former;
        if let Some(row) = &self.recovery {
            recovery.actions.clone_from(&row.actions);
            recovery.command.clone_from(&row.command);
        }
        recovery.reset_after = self.recovery_reset.unwrap_or(recovery.reset_after);
        recovery
    }

    /// Returns what a person is told of it.
    pub(super) const fn in_words(&self) -> &'static str {
        match self.on_failure {
            None | Some(OnFailure::Restart) => "restart for ever (200 ms … 1 min)",
            Some(OnFailure::Ignore) => "the program is not started again",
            Some(OnFailure::Exit) => "the service ends with its program",
            Some(OnFailure::Scm) => "the service ends with its program, and the system restarts it",
        }
    }
}

impl OnFailure {
    /// Returns the keys of the configuration that mean it.
    const fn keys(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Restart => &[],
            Self::Ignore => &[(WHEN, "never"), (FAILURE, "stop")],
            Self::Exit | Self::Scm => &[(SUCCESS, "exit"), (FAILURE, "exit")],
        }
    }
}

/// Returns the options that install a service with this behaviour; `recovers` says whether the
/// system counts an end with a code as a failure.
pub(super) fn options_of(configured: &ServiceConfig, service: Option<&Service>) -> Vec<Opted> {
    let mut options = Vec::new();
    let exits: &BTreeMap<ExitKey, ExitAction> = &configured.restart.exits;
    let recovers = service.is_some_and(|service| service.recovers_after_failure().unwrap_or(false));
    let on_failure = match exits.get(&ExitKey::Failure) {
        Some(ExitAction::Exit) if recovers => Some("scm"),
        Some(ExitAction::Exit) => Some("exit"),
        Some(ExitAction::Stop) if configured.restart.when == RestartWhen::Never => Some("ignore"),
        _ => None,
    };
    options.extend(on_failure.map(|word| ("on-failure", word.to_owned())));
    for (key, action) in exits {
        let ExitKey::Code(code) = key else { continue };
        let is_said = *code == 0 && *action == ExitAction::Exit && on_failure.is_some();
        if !is_said {
            options.push(("on-exit", format!("{code}={}", word_of(*action))));
        }
    }
    let set = service.and_then(|service| service.recovery().ok());
    options.extend(set.into_iter().flat_map(|set| recovery::options_of(&set)));
    options
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::SourceText;

    use super::*;

    const WEB: &str = "[services.web]\ncommand = [\"web\"]\n";

    fn args(on_failure: Option<OnFailure>, on_exit: &[&str]) -> FailureArgs {
        let on_exit = on_exit.iter().map(|text| parse_on_exit(text).unwrap()).collect();
        FailureArgs { on_failure, on_exit, ..FailureArgs::default() }
    }

    fn configured(text: &str) -> ServiceConfig {
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        config::parse(&[source]).unwrap().services.into_values().next().unwrap()
    }

    #[test]
    fn what_is_asked_for_stands_in_the_configuration_and_is_dumped_again() {
        let check = |on_failure, on_exit: &[&str], keys: &str, dumped: &[(&str, &str)]| {
            let text = args(on_failure, on_exit).configured(WEB.to_owned(), "web").unwrap();
            assert_eq!(text, format!("{WEB}{keys}"));
            let options = options_of(&configured(&text), None);
            let options: Vec<(&str, &str)> =
                options.iter().map(|(name, text)| (*name, text.as_str())).collect();
            assert_eq!(options, dumped);
        };
        check(None, &[], "", &[]);
        check(Some(OnFailure::Restart), &[], "", &[]);
        check(
            Some(OnFailure::Ignore),
            &[],
            "restart = { when = \"never\", exit = { failure = \"stop\" } }\n",
            &[("on-failure", "ignore")],
        );
        let exit = "restart = { exit = { 0 = \"exit\", failure = \"exit\" } }\n";
        check(Some(OnFailure::Exit), &[], exit, &[("on-failure", "exit")]);
        check(Some(OnFailure::Scm), &[], exit, &[("on-failure", "exit")]);
        check(
            None,
            &["3=exit", "-1=restart"],
            "restart = { exit = { 3 = \"exit\", 4294967295 = \"restart\" } }\n",
            &[("on-exit", "3=exit"), ("on-exit", "4294967295=restart")],
        );
    }

    #[test]
    fn another_way_takes_the_place_of_the_former_one() {
        let first = args(Some(OnFailure::Ignore), &["3=fail"]).configured(WEB.to_owned(), "web");
        let second = args(Some(OnFailure::Restart), &[]).configured(first.unwrap(), "web");
        let exits = configured(&second.unwrap()).restart.exits;
        assert_eq!(exits, BTreeMap::from([(ExitKey::Code(3), ExitAction::Fail)]));
    }

    #[test]
    fn codes_are_read_as_people_find_them() {
        let check = |text: &str, expected: Option<u32>| assert_eq!(parse_code(text), expected);
        check("3", Some(3));
        check("-1", Some(u32::MAX));
        check("0xC0000005", Some(0xC000_0005));
        check("3221225477", Some(0xC000_0005));
        check("x", None);
        let wrong = |text: &str| parse_on_exit(text).unwrap_err();
        assert_eq!(wrong("3"), "write `CODE=WHAT`, for example `3=exit`");
        assert!(wrong("x=exit").starts_with("`x` is no exit code"));
        assert!(wrong("3=suicide").starts_with("`suicide` is nothing that follows an exit"));
    }
}
