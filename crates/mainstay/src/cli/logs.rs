//! `mainstay logs`: what programs wrote. Reads the segments itself, so it works without an agent.

mod lines;
mod pattern;
mod sources;
pub(super) mod tail;

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args as ClapArgs, ValueEnum};
use jiff::Timestamp;
use mainstay_agent::configuration;
use mainstay_api::{
    config::{self, parse_duration},
    control::{Group, Status, UnitDetail},
    pattern::is_meant,
};
use mainstay_core::ServiceName;
use mainstay_platform::clock;
use mainstay_storage::read::{self, Cursor, Line, Merge, Named, Reader, Unfinished, Wanted};

use self::{
    lines::{Labels, Lines},
    pattern::Pattern,
    sources::Source,
};
use crate::{
    client::{Client, escaped},
    errors::CliError,
    instance::Located,
    meant, names, print,
};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Whoever writes much may be overtaken by retention: no time is lost then.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);
/// The logs are there without an agent; one that is stuck is not waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// So many lines are shown when nobody says how many.
const LINES_USUAL: usize = 50;

/// Why a unit has no log.
pub(super) const DISCARDED: &str = "its output is discarded (`logs = \"off\"`)";

/// Show what programs wrote
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay logs web -n 100\n  mainstay logs -f\n  mainstay logs web --since 10m\n  mainstay logs web --grep 'error|panic'\n  mainstay logs web --raw -n all > web.log\n  mainstay logs web --hook before-start"
)]
pub(super) struct Args {
    /// Units, services, or groups such as `@web`; `*` and `?` match; all when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Go on as programs write
    #[arg(short, long)]
    follow: bool,

    /// How many lines, or `all`; 50, or all that `--since`, `--until` or `--grep` ask for
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = parse_count)]
    lines: Option<Count>,

    /// Only from this time on: `10m` ago, or `2026-01-31T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    since: Option<Nanoseconds>,

    /// Only up to this time
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "follow")]
    until: Option<Nanoseconds>,

    /// Print the bytes exactly as they were written
    #[arg(long)]
    raw: bool,

    /// Print JSON, one line of a log a line
    #[arg(long, conflicts_with = "raw")]
    json: bool,

    /// Only lines that this regular expression matches; `(?i)` in front ignores case
    #[arg(short, long, value_name = "PATTERN", value_parser = Pattern::parse)]
    grep: Option<Pattern>,

    /// Only what this run wrote
    #[arg(long, value_name = "NUMBER")]
    run: Option<u64>,

    /// Only this stream; needs `logs = { streams = "split" }`
    #[arg(long, value_name = "STREAM")]
    stream: Option<StreamName>,

    /// What a hook wrote, such as `before-start`, or `action-NAME` for that of a check
    #[arg(long, value_name = "NAME", value_parser = parse_part, conflicts_with_all = ["check", "stream"])]
    hook: Option<String>,

    /// What a check wrote that is a command, or `ready`
    #[arg(long, value_name = "NAME", value_parser = parse_part, conflicts_with = "stream")]
    check: Option<String>,
}

/// A stream that a program writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StreamName {
    Stdout,
    Stderr,
}

impl StreamName {
    /// Returns what the stem of a chain ends with that holds only this stream.
    const fn ending(self) -> &'static str {
        match self {
            Self::Stdout => ".stdout",
            Self::Stderr => ".stderr",
        }
    }
}

/// How many lines.
type Count = usize;

/// A time of day, since 1970.
type Nanoseconds = u64;

/// It becomes the name of a folder.
fn parse_part(text: &str) -> Result<String, String> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_good) {
        return Ok(text.to_owned());
    }
    Err("a name has letters, digits, `-`, `_` and `.` only".to_owned())
}

fn parse_count(text: &str) -> Result<Count, String> {
    let wrong = |_| "write `-n 50` or `-n all`".to_owned();
    if text == "all" { Ok(usize::MAX) } else { text.parse().map_err(wrong) }
}

fn parse_time(text: &str) -> Result<Nanoseconds, String> {
    if let Ok(ago) = parse_duration(text) {
        let ago = u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX);
        return Ok(clock::realtime_nanos().saturating_sub(ago));
    }
    let time: Timestamp = text
        .parse()
        .map_err(|_| "write how long ago, as in `10m`, or a time as in `2026-01-31T08:00:00Z`")?;
    Ok(u64::try_from(time.as_nanosecond()).unwrap_or_default())
}

impl Args {
    /// Returns what is asked for of all that the index knows.
    const fn wanted(&self) -> Wanted {
        Wanted { since_ns: self.since, until_ns: self.until, run: self.run }
    }

    /// Returns whether a line is asked for.
    fn wants(&self, line: &Line) -> bool {
        self.wanted().includes(line.realtime_ns, line.run)
            && self.grep.as_ref().is_none_or(|pattern| self.is_match(pattern, &line.bytes))
    }

    /// What is shown of a line is what a pattern is for.
    fn is_match(&self, pattern: &Pattern, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        if self.raw { pattern.is_in(&text) } else { pattern.is_in(&print::harmless(&text)) }
    }

    /// Returns how many lines of the past are asked for.
    fn count(&self) -> usize {
        let is_narrow = self.since.is_some() || self.until.is_some() || self.grep.is_some();
        self.lines.unwrap_or(if is_narrow { usize::MAX } else { LINES_USUAL })
    }

    /// Returns whether only some of the lines are asked for, wherever they are.
    const fn is_filtered(&self) -> bool {
        self.wanted().is_some() || self.grep.is_some()
    }

    /// Returns the folder, below that of a unit's log, of what runs beside it and is asked for.
    fn beside(&self) -> Option<PathBuf> {
        let hook = self.hook.iter().map(|name| Path::new("hooks").join(name));
        let check = self.check.iter().map(|name| Path::new("checks").join(name));
        hook.chain(check).next()
    }

    /// Returns whether everything is asked for, byte by byte.
    fn wants_all_bytes(&self) -> bool {
        self.raw && self.count() == usize::MAX && !self.is_filtered()
    }
}

/// Lines of several chains, each with the unit it belongs to.
type Merged = Merge<String>;

pub(super) async fn run(mut args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let located;
    (located, args.names) = meant::by(instance, &args.names).await?;
    let status = tokio::time::timeout(ANSWER_WITHIN, status(&located)).await.ok().flatten();
    args.names = names::expanded(&args.names, &groups(&located, status.as_ref()))?;
    let units: Option<Vec<String>> =
        status.map(|status| status.units.into_iter().map(|unit| unit.unit).collect());
    if units.is_none() {
        print::talk("note: no agent answers; this is what the log files hold");
    }
    let sources = sources::of(&located, &args)?;
    for name in &args.names {
        let known = units.iter().flatten().chain(sources.iter().map(|source| &source.unit));
        let is_there = known.into_iter().any(|unit| is_meant(name, unit));
        if !is_there {
            let known = units.iter().flatten().chain(sources.iter().map(|source| &source.unit));
            let hint = names::near(name, &known.map(String::as_str).collect::<Vec<_>>())
                .map_or_else(
                    || {
                        "`mainstay status` lists all units; a log begins with its first byte"
                            .to_owned()
                    },
                    |near| format!("did you mean `{near}`?"),
                );
            return Err(CliError::refused(format!("there is no log of `{name}`"), hint));
        }
    }
    if let Some(part) = args.beside().filter(|_| sources.is_empty() && !args.follow) {
        return Err(sources::nothing_of(&located, &args, &part));
    }
    let logless: Vec<&String> = units
        .iter()
        .flatten()
        .filter(|unit| args.names.iter().any(|name| is_meant(name, unit)))
        .filter(|unit| sources.iter().all(|source| source.unit != **unit))
        .collect();
    if args.beside().is_none() {
        tell_discarded(&located, &logless).await;
    }
    if args.wants_all_bytes() && !args.follow {
        return copy_raw(&sources);
    }
    let mut merged = open(sources, &args)?;
    show_past(&mut merged, &args)?;
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        let shown = show_fresh(&mut merged, &args)?;
        tokio::time::sleep(if shown > 0 { LOOK_AGAIN_AFTER } else { LOOK_EVERY }).await;
        add_new(&mut merged, &located, &args)?;
    }
}

/// Says of units without a log that they will never have one, where that is so.
async fn tell_discarded(located: &Located, units: &[&String]) {
    let asking = async {
        for unit in units {
            let path = format!("/v1/units/{}", escaped(unit));
            let detail: UnitDetail = Client::connect(located).await?.get(&path).await?;
            if detail.logs.is_none() {
                print::talk(&format!("note: `{unit}` has no log: {DISCARDED}"));
            }
        }
        Ok::<(), CliError>(())
    };
    // The logs are there without an agent.
    drop(tokio::time::timeout(ANSWER_WITHIN, asking).await);
}

/// Returns how everything is, if an agent answers.
async fn status(located: &Located) -> Option<Status> {
    Client::connect(located).await.ok()?.get::<Status>("/v1/status").await.ok()
}

/// Returns the groups that the agent knows; without one, those of the configuration.
fn groups(located: &Located, status: Option<&Status>) -> Vec<Group> {
    if let Some(status) = status {
        return status.groups.clone();
    }
    let config = configuration::load(&located.file).unwrap_or_default();
    let group = |(name, group): (_, config::Group)| Group {
        name: ServiceName::to_string(&name),
        description: group.description,
        services: group.services.iter().map(ToString::to_string).collect(),
    };
    config.groups.into_iter().map(group).collect()
}

/// Opens the chains where the lines that are asked for may begin.
fn open(sources: Vec<Source>, args: &Args) -> Result<Merged, CliError> {
    let count = if args.is_filtered() { usize::MAX } else { args.count() };
    let unfinished = if args.follow { Unfinished::Left } else { Unfinished::Given };
    let mut merged = Merge::new(unfinished);
    for Source { unit, chain } in sources {
        let begin = match count {
            usize::MAX => read::begin(&chain),
            // The last line is read, even if it is not shown, so that only what comes is.
            count => read::begin_of_last(&chain, count.max(1)),
        };
        let begin = begin.map_err(|error| unreadable(&format!("log of `{unit}`"), &error))?;
        merged.add(unit, Reader::new(chain, begin).only(args.wanted()));
    }
    Ok(merged)
}

/// Adds the chains that have begun since.
fn add_new(merged: &mut Merged, located: &Located, args: &Args) -> Result<(), CliError> {
    for Source { unit, chain } in sources::of(located, args)? {
        if merged.chains().all(|(_, reader)| *reader.chain() != chain) {
            merged.add(unit, Reader::new(chain, Cursor { segment: 1, offset: 0 }));
        }
    }
    Ok(())
}

fn copy_raw(sources: &[Source]) -> Result<ExitCode, CliError> {
    for Source { unit, chain } in sources {
        let copied = read::copy_all(chain, &mut print::Data);
        copied.map_err(|error| unreadable(&format!("log of `{unit}`"), &error))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the last lines that are asked for: no more of them are in memory at a time.
fn show_past(merged: &mut Merged, args: &Args) -> Result<(), CliError> {
    let count = args.count();
    if count == usize::MAX {
        show_fresh(merged, args)?;
        return Ok(());
    }
    let mut last = VecDeque::new();
    merged.look().map_err(|error| unreadable("logs", &error))?;
    while let Some((line, unit)) = next(merged, args)? {
        if last.len() == count {
            last.pop_front();
        }
        last.push_back((line, unit));
        last.truncate(count);
    }
    let mut lines = Lines::new(args, Labels::of(merged));
    for (line, unit) in &last {
        lines.show(line, unit);
    }
    lines.flush();
    Ok(())
}

/// Shows everything up to this moment; returns how many lines that was.
fn show_fresh(merged: &mut Merged, args: &Args) -> Result<usize, CliError> {
    let mut lines = Lines::new(args, Labels::of(merged));
    let mut shown = 0;
    merged.look().map_err(|error| unreadable("logs", &error))?;
    while let Some((line, unit)) = next(merged, args)? {
        lines.show(&line, &unit);
        shown += 1;
    }
    lines.flush();
    Ok(shown)
}

/// Returns the next line that is asked for; tells what was deleted before it.
fn next(merged: &mut Merged, args: &Args) -> Result<Option<Named<String>>, CliError> {
    loop {
        let line = merged.next_line().map_err(|error| unreadable("logs", &error))?;
        for (unit, deleted) in merged.take_deleted() {
            let segments = print::count(usize::try_from(deleted).unwrap_or(usize::MAX), "segment");
            print::talk(&format!(
                "note: {segments} of the log of `{unit}` went before they were read to the end"
            ));
        }
        if line.as_ref().is_none_or(|(line, _)| args.wants(line)) {
            return Ok(line);
        }
    }
}

fn unreadable(what: &str, error: &io::Error) -> CliError {
    CliError::refused(format!("cannot read the {what}: {error}"), "")
}
