//! Tells whoever started us how we are, in the words of `docs/spec/kind.md`.

use std::{collections::BTreeMap, env, future::pending, time::Duration};

use mainstay_api::notify::{FACT_NAME_BYTES_MAX, FACT_VALUE_BYTES_MAX, FACTS_MAX, cut};
use mainstay_platform::{
    datagram,
    notify_pipe::{self, Patience},
};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::line;

/// How long a message may be on its way to a pipe.
const WITHIN: Duration = Duration::from_secs(2);
/// No message is longer (K7).
const MESSAGE_BYTES_MAX: usize = 4096;
/// The longest sentence on how we are.
const STATUS_BYTES_MAX: usize = 1024;

/// Tells what is new, and nothing twice.
#[derive(Debug, Default)]
pub struct Herald {
    /// By which a message goes; nothing when nobody wants to hear anything.
    to: Option<Ear>,
    status: String,
    facts: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ear {
    Socket(String),
    Pipe(String),
}

/// When somebody wants to hear that we are alive, if anybody does: in half of the time that he bears.
#[derive(Debug)]
pub(super) struct Pulse(Option<Interval>);

impl Pulse {
    /// Returns the one that the environment asks for. Must be called inside a runtime.
    pub(super) fn from_environment() -> Self {
        let asked = env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse::<u64>().ok());
        let asked = asked.filter(|microseconds| *microseconds > 1);
        Self::every(asked.map(|microseconds| Duration::from_micros(microseconds / 2)))
    }

    fn every(time: Option<Duration>) -> Self {
        Self(time.map(|time| {
            let mut beats = interval(time);
            beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beats
        }))
    }

    /// Waits for the next time. It comes however often whoever waits turns to something else.
    pub(super) async fn beat(&mut self) {
        match &mut self.0 {
            Some(beats) => drop(beats.tick().await),
            None => pending().await,
        }
    }
}

impl Herald {
    /// Returns one for whoever the environment names.
    pub fn from_environment() -> Self {
        let is_pipe = notify_pipe::IS_THERE;
        let variable = if is_pipe { "MAINSTAY_NOTIFY_PIPE" } else { "NOTIFY_SOCKET" };
        let address = env::var(variable).ok().filter(|address| !address.is_empty());
        let to =
            address.map(|address| if is_pipe { Ear::Pipe(address) } else { Ear::Socket(address) });
        Self { to, ..Self::default() }
    }

    /// Says that the work is being done.
    pub fn ready(&self) {
        self.say(&["READY=1".to_owned()]);
    }

    /// Says that we are alive.
    pub fn alive(&self) {
        self.say(&["WATCHDOG=1".to_owned()]);
    }

    /// Says that we leave.
    pub fn leaving(&self) {
        self.say(&["STOPPING=1".to_owned()]);
    }

    /// Says how the work is, as far as that is new.
    pub fn tell(&mut self, status: &str, facts: BTreeMap<String, String>) {
        let facts: BTreeMap<String, String> = facts.into_iter().take(FACTS_MAX).collect();
        let mut lines = Vec::new();
        if status != self.status {
            lines.push(format!("STATUS={}", one_line(status, STATUS_BYTES_MAX)));
            status.clone_into(&mut self.status);
        }
        let gone = self.facts.keys().filter(|name| !facts.contains_key(*name));
        lines.extend(gone.map(|name| fact(name, "")));
        let news = facts.iter().filter(|(name, value)| self.facts.get(*name) != Some(value));
        lines.extend(news.map(|(name, value)| fact(name, value)));
        self.facts = facts;
        self.say(&lines);
    }

    /// Says what has happened.
    pub fn happened(&self, name: &str, words: &str) {
        let words = one_line(words, FACT_VALUE_BYTES_MAX);
        self.say(&[format!("X_MAINSTAY_EVENT={name}={words}")]);
    }

    /// Sends lines in as few messages as they fit into.
    ///
    /// Who does not hear us is no reason to do our work any worse.
    fn say(&self, lines: &[String]) {
        let Some(ear) = &self.to else { return };
        let mut message = String::new();
        for line in lines {
            if !message.is_empty() && message.len() + line.len() + 1 > MESSAGE_BYTES_MAX {
                drop(ear.send(&message));
                message.clear();
            }
            if !message.is_empty() {
                message.push('\n');
            }
            message.push_str(line);
        }
        if !message.is_empty() {
            drop(ear.send(&message));
        }
    }
}

impl Ear {
    fn send(&self, message: &str) -> std::io::Result<()> {
        match self {
            Self::Socket(address) => datagram::send(address, message.as_bytes(), &[]),
            Self::Pipe(name) => notify_pipe::send(name, message.as_bytes(), Patience::None, WITHIN),
        }
    }
}

fn fact(name: &str, value: &str) -> String {
    let (name, value) =
        (one_line(name, FACT_NAME_BYTES_MAX), one_line(value, FACT_VALUE_BYTES_MAX));
    format!("X_MAINSTAY_FACT={name}={value}")
}

/// Returns a text that begins no line of its own: that would be one we have not said.
fn one_line(text: &str, bytes_max: usize) -> String {
    cut(&line::of(text, bytes_max), bytes_max).to_owned()
}

#[cfg(test)]
mod tests {
    use mainstay_platform::clock;

    use super::*;

    #[test]
    fn a_fact_is_a_line_that_the_agent_understands() {
        assert_eq!(fact("ipv4", "81.2.69.142"), "X_MAINSTAY_FACT=ipv4=81.2.69.142");
        let long = fact(&"n".repeat(100), "");
        let parsed = mainstay_api::notify::Message::parse(long.as_bytes()).unwrap();
        assert!(parsed.faults.is_empty(), "{:?}", parsed.faults);
    }

    #[test]
    fn what_others_have_said_is_no_line_of_ours() {
        assert_eq!(fact("states", "x\nREADY=1\u{1b}[2J"), "X_MAINSTAY_FACT=states=x READY=1[2J");
        assert_eq!(one_line(&"网".repeat(2000), 1024).len(), 1023);
    }

    #[test]
    fn a_sign_of_life_is_due_however_much_else_happens() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut pulse = Pulse::every(Some(Duration::from_millis(50)));
            let (mut beats, until) = (0, clock::monotonic() + Duration::from_secs(20));
            while beats < 3 {
                tokio::select! {
                    () = pulse.beat() => beats += 1,
                    () = tokio::task::yield_now() => {}
                }
                assert!(clock::monotonic() < until, "{beats} signs of life in all that time");
            }
        });
    }
}
