//! What the system does when the process of a service fails: as it is typed, and as it is set.

use std::time::Duration;

use mainstay_api::config::parse_duration;
use mainstay_platform::scm::{Recovery, RecoveryAction};

/// When the manager starts a keeper that has crashed; the last one repeats.
const KEEPER_BACK_AFTER: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];
/// After how long a crash of the keeper is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);
/// The system counts milliseconds in 32 bits.
const DELAY_MAX: Duration = Duration::from_millis(u32::MAX as u64);
const RUN: &str = "run:";

/// What the system does, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) actions: Vec<(RecoveryAction, Duration)>,
    pub(super) command: Option<String>,
}

/// Returns what is set where nobody asks for anything else: programs wait for nothing but a
/// keeper that crashed, so it comes back soon.
pub(in crate::cli) fn usual() -> Recovery {
    let actions = KEEPER_BACK_AFTER.map(|after| (RecoveryAction::Restart, after)).to_vec();
    Recovery { actions, reset_after: FORGOTTEN_AFTER, command: None }
}

/// Reads `restart/15s,run:COMMAND/60s`; an error names the entry.
pub(super) fn parse(text: &str) -> Result<Row, String> {
    let mut row = Row { actions: Vec::new(), command: None };
    for (index, entry) in entries(text).into_iter().enumerate() {
        let said = |why: String| format!("entry {}, `{entry}`: {why}", index + 1);
        let (what, delay) = entry
            .rsplit_once('/')
            .ok_or_else(|| said("write `WHAT/DELAY`, for example `restart/15s`".to_owned()))?;
        let delay = parse_duration(delay).map_err(said)?;
        if delay > DELAY_MAX {
            return Err(said("the system waits at most 49 days".to_owned()));
        }
        let action = row.action(what).map_err(said)?;
        row.actions.push((action, delay));
    }
    Ok(row)
}

/// A comma belongs to a command unless something that can be done follows it.
fn entries(text: &str) -> Vec<String> {
    let begins = |part: &str| {
        part.starts_with(RUN) || ["restart/", "none/"].iter().any(|word| part.starts_with(word))
    };
    let mut entries: Vec<String> = Vec::new();
    for part in text.split(',') {
        match entries.last_mut() {
            Some(last) if last.starts_with(RUN) && !begins(part) => {
                last.push(',');
                last.push_str(part);
            }
            _ => entries.push(part.to_owned()),
        }
    }
    entries
}

impl Row {
    fn action(&mut self, what: &str) -> Result<RecoveryAction, String> {
        if let Some(command) = what.strip_prefix(RUN).filter(|command| !command.is_empty()) {
            let former = self.command.replace(command.to_owned());
            return match former {
                Some(former) if former != command => Err(format!(
                    "the system knows one command for each service, and has `{former}`"
                )),
                _ => Ok(RecoveryAction::Run),
            };
        }
        match what {
            "restart" => Ok(RecoveryAction::Restart),
            "none" => Ok(RecoveryAction::None),
            "reboot" => Err("a program that fails does not restart the machine here; \
                             `sc failure NAME actions= reboot/60000` asks for it"
                .to_owned()),
            _ => Err(format!("there is no `{what}`; there is restart, run:COMMAND, none")),
        }
    }
}

/// Reads after how long failures are forgotten; the system counts seconds.
pub(super) fn parse_reset(text: &str) -> Result<Duration, String> {
    let after = parse_duration(text)?;
    if after.as_secs() == 0 || after.as_secs() > u64::from(u32::MAX) {
        return Err(format!("`{text}` is nothing the system can wait for; write `1h`"));
    }
    Ok(after)
}

/// Returns the options that set it; none for what is usual.
pub(super) fn options_of(recovery: &Recovery) -> Vec<(&'static str, String)> {
    let usual = usual();
    let mut options = Vec::new();
    if (&recovery.actions, &recovery.command) != (&usual.actions, &usual.command) {
        options.push(("recovery", shown(recovery)));
    }
    if recovery.reset_after != usual.reset_after {
        options.push(("recovery-reset", span(recovery.reset_after)));
    }
    options
}

fn shown(recovery: &Recovery) -> String {
    let entry = |(action, delay): &(RecoveryAction, Duration)| {
        let what = match action {
            RecoveryAction::None => "none".to_owned(),
            RecoveryAction::Restart => "restart".to_owned(),
            RecoveryAction::Run => [RUN, recovery.command.as_deref().unwrap_or_default()].concat(),
            RecoveryAction::Reboot => "reboot".to_owned(),
        };
        format!("{what}/{}", span(*delay))
    };
    recovery.actions.iter().map(entry).collect::<Vec<_>>().join(",")
}

fn span(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_the_system_does_one_after_the_other() {
        let seconds = Duration::from_secs;
        let row = parse("restart/15s,restart/30s,run:C:\\a b\\tell.exe /x,y/60s,none/0s").unwrap();
        let expected = [
            (RecoveryAction::Restart, seconds(15)),
            (RecoveryAction::Restart, seconds(30)),
            (RecoveryAction::Run, seconds(60)),
            (RecoveryAction::None, seconds(0)),
        ];
        assert_eq!(row.actions, expected);
        assert_eq!(row.command.as_deref(), Some("C:\\a b\\tell.exe /x,y"));
    }

    #[test]
    fn a_mistake_names_its_entry() {
        let check = |text: &str, expected: &str| assert_eq!(parse(text).unwrap_err(), expected);
        check("", "entry 1, ``: write `WHAT/DELAY`, for example `restart/15s`");
        check(
            "restart/15s,restrat/30s",
            "entry 2, `restrat/30s`: there is no `restrat`; there is restart, run:COMMAND, none",
        );
        check(
            "restart/soon",
            "entry 1, `restart/soon`: `soon` is no duration; write `200ms`, `1.5s`, `10m`, `2h` or `1d`",
        );
        check(
            "run:a/1s,run:b/1s",
            "entry 2, `run:b/1s`: the system knows one command for each service, and has `a`",
        );
        check("restart/50d", "entry 1, `restart/50d`: the system waits at most 49 days");
        assert!(parse("reboot/60s").unwrap_err().contains("`sc failure NAME actions="));
        let nothing = "`0s` is nothing the system can wait for; write `1h`";
        assert_eq!(parse_reset("0s").unwrap_err(), nothing);
    }

    #[test]
    fn what_is_set_is_typed_again_in_the_same_way() {
        assert!(options_of(&usual()).is_empty());
        let text = "restart/15s,run:tell -v/1500ms";
        let Row { actions, command } = parse(text).unwrap();
        let reset_after = parse_reset("1d").unwrap();
        let options = options_of(&Recovery { actions, reset_after, command });
        let expected = [("recovery", text), ("recovery-reset", "86400s")];
        assert_eq!(
            options.iter().map(|(key, text)| (*key, text.as_str())).collect::<Vec<_>>(),
            expected
        );
    }
}
