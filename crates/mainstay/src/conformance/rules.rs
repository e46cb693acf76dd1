//! The rules, in the order in which a kind comes to them.

use std::{fs, time::Duration};

use jiff::Timestamp;
use mainstay_agent::kinds::KIND_PROTOCOL;
use mainstay_api::notify::Message;
use mainstay_platform::{clock, process::Ended};

use super::{
    Finding, Trial, TrialError, Verdict,
    about::{self, About, AboutError},
    bench::{Bench, Heard, Manner, Running, Setup},
    doing,
};

/// `EX_CONFIG`.
const BAD_CONFIG: u32 = 78;
/// Signs of life are asked for so often.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
/// A busy machine may make a sign of life this late.
const LATE: Duration = Duration::from_millis(500);
/// They are listened for during so many of these times.
const SIGNS: u32 = 3;
/// A machine that stood still makes a kind silent once, hardly so often in a row.
const LISTENED: u32 = 3;
/// Who is run by hand and ends within this time has not begun.
const BY_HAND: Duration = Duration::from_secs(1);
/// And within so many times what the same kind took to be ready: a busy machine begins slowly.
const BY_HAND_FACTOR: u32 = 4;
/// What a kind has started may take so long to be gone after it.
const GONE_WITHIN: Duration = Duration::from_secs(1);
const MESSAGE_BYTES_MAX: usize = 4096;

/// The rules by their numbers in the specification.
const RULES: [(&str, &str); 14] = [
    ("K1", "describes itself"),
    ("K2", "has a name, a version and a protocol"),
    ("K3", "takes its configuration from its input"),
    ("K4", "refuses a wrong configuration with code 78 and a reason"),
    ("K5", "says that it is ready, in time"),
    ("K6", "works by hand, too"),
    ("K7", "says nothing but messages"),
    ("K8", "gives signs of life"),
    ("K9", "tells the facts that it has named"),
    ("K10", "writes nothing to the folder that it is started in"),
    ("K11", "begins again with what it has kept"),
    ("K12", "leaves when it is asked to"),
    ("K13", "leaves well, and nothing behind"),
    ("K14", "refuses a protocol that is too old"),
];

/// What is wrong, if anything; `Err` when it did not come to that.
type Seen = Result<Option<String>, &'static str>;

/// Runs a kind through all rules.
pub(crate) fn examine(trial: &Trial) -> Result<Vec<Finding>, TrialError> {
    let bench = Bench::new(trial)?;
    let mut report = Report::default();
    let about = described(trial, &mut report);
    report.note("K4", refuses(&bench, about.as_ref())?);
    report.note("K14", refuses_protocol(&bench)?);
    lives(&bench, about.as_ref(), &mut report)?;
    report.note("K10", keeps_off(&bench)?);
    Ok(report.in_order())
}

#[derive(Debug, Default)]
struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn note(&mut self, rule: &'static str, seen: Seen) {
        let says = RULES.iter().find(|(number, _)| *number == rule).map_or("", |(_, says)| says);
        let (verdict, why) = match seen {
            Ok(None) => (Verdict::Held, String::new()),
            Ok(Some(why)) => (Verdict::Broken, why),
            Err(why) => (Verdict::Untested, why.to_owned()),
        };
        self.findings.push(Finding { rule, says, verdict, why });
    }

    fn note_all(&mut self, rules: &[&'static str], why: &'static str) {
        for rule in rules {
            self.note(rule, Err(why));
        }
    }

    /// Returns a finding for each rule: a rule that was looked at twice has to hold both times.
    fn in_order(self) -> Vec<Finding> {
        let worst = |rule: &str| {
            let all = self.findings.iter().filter(|finding| finding.rule == rule);
            all.max_by_key(|finding| match finding.verdict {
                Verdict::Held => 0,
                Verdict::Untested => 1,
                Verdict::Broken => 2,
            })
        };
        RULES.iter().filter_map(|(rule, _)| worst(rule).cloned()).collect()
    }
}

fn described(trial: &Trial, report: &mut Report) -> Option<About> {
    match about::ask(&trial.command) {
        Ok(about) => {
            report.note("K1", Ok(None));
            report.note("K2", Ok(about.fault(&trial.name)));
            Some(about)
        }
        Err(error @ AboutError::Unsaid(_)) => {
            report.note("K1", Ok(Some(error.to_string())));
            report.note("K2", Err("it does not describe itself"));
            None
        }
        Err(error @ AboutError::Nonsense(_)) => {
            report.note("K1", Ok(None));
            report.note("K2", Ok(Some(error.to_string())));
            None
        }
    }
}

const fn by_agent<'s>(input: &'s str, state: &'static str) -> Setup<'s> {
    Setup { input, state, manner: Manner::Agent(ALIVE_EVERY), protocol: KIND_PROTOCOL }
}

fn refuses(bench: &Bench<'_>, about: Option<&About>) -> Result<Seen, TrialError> {
    let no_objects = ["no JSON", "[]", "{\"\": "].map(str::to_owned);
    let closed = about.filter(|about| about.takes_no_other_keys());
    let unknown = closed.and_then(|_| with_another_key(&bench.trial.config));
    for input in no_objects.into_iter().chain(unknown).chain(bench.trial.bad_config.clone()) {
        let seen = refuses_one(bench, by_agent(&input, "other-state"))?;
        if let Some(why) = seen {
            return Ok(Ok(Some(format!("given `{input}`, {why}"))));
        }
    }
    Ok(Ok(None))
}

/// Returns a configuration with a key that nobody knows.
fn with_another_key(config: &str) -> Option<String> {
    let mut all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(config).ok()?;
    all.insert("no-such-key".to_owned(), true.into());
    serde_json::to_string(&all).ok()
}

fn refuses_protocol(bench: &Bench<'_>) -> Result<Seen, TrialError> {
    let setup = by_agent(&bench.trial.config, "other-state");
    let seen = refuses_one(bench, Setup { protocol: 0, ..setup })?;
    Ok(Ok(seen.map(|why| format!("told of protocol 0, {why}"))))
}

fn refuses_one(bench: &Bench<'_>, setup: Setup<'_>) -> Result<Option<String>, TrialError> {
    let mut running = bench.start(setup)?;
    let boot = bench.trial.boot;
    if !running.wait(boot, |it| it.has_ended() || it.ready_at().is_some())? {
        return Ok(Some(format!("it ran on for {boot:?}")));
    }
    // What it has said last may be on its way.
    running.wait(Duration::ZERO, |_| true)?;
    let ended = running.ended();
    Ok(if running.ready_at().is_some() {
        Some("it says that it is ready".to_owned())
    } else if ended != Some(Ended::Code(BAD_CONFIG)) {
        Some(in_words(ended))
    } else if running.printed[1].trim_ascii().is_empty() {
        Some("it says nothing on stderr".to_owned())
    } else {
        None
    })
}

/// The rules of a kind that has begun.
fn lives(bench: &Bench<'_>, about: Option<&About>, report: &mut Report) -> Result<(), TrialError> {
    let mut first = bench.start(by_agent(&bench.trial.config, "state"))?;
    let begun = begins(bench, &mut first)?;
    let (input, ready) = match &begun {
        Began::Ready => (Ok(None), Ok(None)),
        Began::Refused(why) => (Ok(Some(why.clone())), Err("it did not begin")),
        Began::Silent(why) => (Ok(None), Ok(Some(why.clone()))),
    };
    report.note("K3", input);
    report.note("K5", ready);
    if begun != Began::Ready {
        report.note("K7", Ok(messages_fault(&first.messages)));
        report.note_all(&["K6", "K8", "K9", "K11", "K12", "K13"], "it was never ready");
        return Ok(());
    }
    report.note("K8", Ok(watched(&mut first)?));
    first.kill()?;
    first.wait(bench.trial.stop, Running::has_ended)?;
    let mut messages = std::mem::take(&mut first.messages);
    drop(first);

    let started = clock::monotonic();
    let mut second = bench.start(by_agent(&bench.trial.config, "state"))?;
    let again = match begins(bench, &mut second)? {
        Began::Ready => None,
        Began::Refused(why) | Began::Silent(why) => Some(why),
    };
    report.note("K11", Ok(again));
    let took = second.ready_at().map_or(Duration::ZERO, |at| at.saturating_sub(started));
    leaves(bench, &mut second, report)?;
    messages.append(&mut second.messages);
    drop(second);
    report.note("K7", Ok(messages_fault(&messages)));
    report.note("K9", facts_fault(&messages, about));
    by_hand(bench, took, report)
}

/// How a kind begins.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Began {
    Ready,
    Refused(String),
    Silent(String),
}

fn begins(bench: &Bench<'_>, running: &mut Running) -> Result<Began, TrialError> {
    let boot = bench.trial.boot;
    running.wait(boot, |it| it.has_ended() || it.ready_at().is_some())?;
    if running.ready_at().is_some() {
        return Ok(Began::Ready);
    }
    let words = running.last_words();
    let said = if words.is_empty() { String::new() } else { format!(", and said `{words}`") };
    if running.has_ended() {
        return Ok(Began::Refused(in_words(running.ended()) + &said));
    }
    Ok(Began::Silent(format!("it has not said so within {boot:?}{said}")))
}

fn watched(running: &mut Running) -> Result<Option<String>, TrialError> {
    let mut begun = running.ready_at().unwrap_or_default();
    for _ in 1..LISTENED {
        if watched_once(running, begun)?.is_none() {
            return Ok(None);
        }
        begun = clock::monotonic();
    }
    watched_once(running, begun)
}

fn watched_once(running: &mut Running, begun: Duration) -> Result<Option<String>, TrialError> {
    // The whole time: what is said at its beginning shows nothing of its end.
    let ended = running.wait(ALIVE_EVERY * SIGNS, Running::has_ended)?;
    if ended {
        return Ok(Some(format!("it did not go on: {}", in_words(running.ended()))));
    }
    let mut signs = signs_of_life(&running.messages);
    signs.retain(|at| *at >= begun);
    Ok(silence(begun, &signs, clock::monotonic()))
}

/// Returns what is wrong when nothing was said for too long, at the end as much as between.
fn silence(begun: Duration, signs: &[Duration], now: Duration) -> Option<String> {
    let ends = signs.iter().copied().chain([now]);
    let begins = [begun].into_iter().chain(signs.iter().copied());
    let longest = begins.zip(ends).map(|(from, to)| to.saturating_sub(from)).max();
    let longest = longest.filter(|gap| *gap > ALIVE_EVERY + LATE)?;
    Some(format!("{longest:?} passed without one, one a second is asked for"))
}

fn signs_of_life(messages: &[Heard]) -> Vec<Duration> {
    let is_sign = |message: &&Heard| {
        message.bytes.split(|byte| *byte == b'\n').any(|line| line == b"WATCHDOG=1")
    };
    messages.iter().filter(is_sign).map(|message| message.at).collect()
}

fn leaves(bench: &Bench<'_>, running: &mut Running, report: &mut Report) -> Result<(), TrialError> {
    if running.has_ended() {
        report.note_all(&["K12", "K13"], "it had ended before it was asked to");
        return Ok(());
    }
    let stop = bench.trial.stop;
    running.ask()?;
    if !running.wait(stop, Running::has_ended)? {
        report.note("K12", Ok(Some(format!("it ran on for {stop:?}"))));
        report.note("K13", Err("it does not leave"));
        return Ok(());
    }
    report.note("K12", Ok(None));
    report.note("K13", Ok(end_fault(running)?));
    Ok(())
}

fn end_fault(running: &mut Running) -> Result<Option<String>, TrialError> {
    const TERM: i32 = 15;
    let ended = running.ended();
    if !matches!(ended, Some(Ended::Code(0) | Ended::Signal(TERM)) | None) {
        return Ok(Some(format!("it did not leave well: {}", in_words(ended))));
    }
    let is_gone = |it: &Running| it.left_behind().is_ok_and(|count| count == 0);
    if running.wait(GONE_WITHIN, is_gone)? {
        return Ok(None);
    }
    let count = running.left_behind()?;
    Ok(Some(format!("processes of it run on: {count}")))
}

/// Looks at a kind that is run by a person, who knew it ready after it `took` so long.
fn by_hand(bench: &Bench<'_>, took: Duration, report: &mut Report) -> Result<(), TrialError> {
    let setup = by_agent(&bench.trial.config, "other-state");
    let mut running = bench.start(Setup { manner: Manner::Hand, ..setup })?;
    running.wait(BY_HAND + took * BY_HAND_FACTOR, Running::has_ended)?;
    if running.has_ended() && running.ended() != Some(Ended::Code(0)) {
        let (how, words) = (in_words(running.ended()), running.last_words());
        report.note("K6", Ok(Some(format!("{how}, and said `{words}`"))));
        return Ok(());
    }
    report.note("K6", Ok(None));
    leaves(bench, &mut running, report)
}

fn messages_fault(messages: &[Heard]) -> Option<String> {
    messages.iter().find_map(|Heard { bytes, .. }| {
        let shown = String::from_utf8_lossy(bytes.get(..60).unwrap_or(bytes)).into_owned();
        let wrong = |what: &str| Some(format!("{what}: {shown:?}"));
        if bytes.len() > MESSAGE_BYTES_MAX {
            return wrong("a message is too long");
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return wrong("a message is no UTF-8") };
        let is_line = |line: &str| line.split_once('=').is_some_and(|(name, _)| !name.is_empty());
        if !text.lines().filter(|line| !line.is_empty()).all(is_line) {
            return wrong("a line is no `NAME=value`");
        }
        let fault = Message::parse(bytes).ok()?.faults.into_iter().next()?;
        Some(format!("the value of `{}` {}", fault.key, fault.what))
    })
}

fn facts_fault(messages: &[Heard], about: Option<&About>) -> Seen {
    let about = about.ok_or("it does not describe itself")?;
    let all = messages.iter().filter_map(|message| Message::parse(&message.bytes).ok());
    Ok(all.flat_map(|message| message.facts).find_map(|(name, value)| {
        if !about.facts.contains_key(&name) {
            return Some(format!("`--describe` does not name `{name}`"));
        }
        let is_meant = value.is_empty() || fits(about.type_of(&name), &value);
        (!is_meant).then(|| format!("`{name}={value}` is no {}", about.type_of(&name)))
    }))
}

/// Returns whether a value is of a fact's type.
fn fits(kind: &str, value: &str) -> bool {
    match kind {
        "gauge" => value.parse::<f64>().is_ok_and(f64::is_finite),
        "counter" => value.parse::<f64>().is_ok_and(|number| number.is_finite() && number >= 0.0),
        "time" => value.parse::<Timestamp>().is_ok(),
        _ => true,
    }
}

fn keeps_off(bench: &Bench<'_>) -> Result<Seen, TrialError> {
    let entries = fs::read_dir(bench.work()).map_err(doing("look into a folder"))?;
    let first = entries.flatten().next().map(|entry| entry.file_name());
    Ok(Ok(first.map(|name| format!("it has made `{}` there", name.display()))))
}

fn in_words(ended: Option<Ended>) -> String {
    match ended {
        Some(Ended::Code(code)) => format!("it ended with code {code}"),
        Some(Ended::Signal(signal)) => format!("it was killed by signal {signal}"),
        None => "it ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_of_the_type_that_its_fact_is_described_with() {
        let check = |kind: &str, value: &str, expected: bool| {
            assert_eq!(fits(kind, value), expected, "{kind} {value}");
        };
        check("counter", "12", true);
        check("counter", "-1", false);
        check("gauge", "-1.5", true);
        check("gauge", "inf", false);
        check("gauge", "12 MB", false);
        check("time", "2026-11-22T06:00:00Z", true);
        check("time", "in an hour", false);
        check("text", "in an hour", true);
    }

    #[test]
    fn who_says_much_at_once_and_then_nothing_gives_no_signs_of_life() {
        let check = |begun: u64, signs: &[u64], now: u64, is_well: bool| {
            let signs: Vec<_> = signs.iter().copied().map(Duration::from_millis).collect();
            let (begun, now) = (Duration::from_millis(begun), Duration::from_millis(now));
            assert_eq!(silence(begun, &signs, now).is_none(), is_well, "{signs:?}");
        };
        check(0, &[500, 1000, 1500, 2000, 2500], 3000, true);
        check(0, &[1000, 2400], 3500, true);
        check(0, &[10, 20, 30, 40, 50, 60, 70], 3000, false);
        check(0, &[500, 1000], 3000, false);
        check(0, &[1600, 2000, 2500], 3000, false);
        check(0, &[], 3000, false);
    }
}
