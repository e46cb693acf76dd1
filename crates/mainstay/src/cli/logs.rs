//! `mainstay logs`: what programs wrote. Reads the segments itself, so it works without an agent.

mod labels;
mod lines;
mod neighbours;
mod pattern;
mod reading;
mod runs;
mod sources;
mod stamps;
pub(super) mod tail;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Args as ClapArgs, ValueEnum};
use mainstay_agent::configuration;
use mainstay_api::{
    config,
    control::{Group, Status, UnitDetail},
    pattern::is_meant,
};
use mainstay_core::ServiceName;
use mainstay_storage::read::{self, Merge, Wanted};

use self::{
    neighbours::NEIGHBOURS_MAX,
    pattern::{Case, Pattern, View},
    reading::Reading,
    runs::RunChoice,
    sources::Source,
    stamps::Timestamps,
};
use crate::{
    client::{Client, escaped},
    errors::CliError,
    export::{Export, Former},
    instance::Located,
    meant, names,
    paging::Paging,
    print,
    when::Span,
};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Whoever writes much may be overtaken by retention: no time is lost then.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);
/// The logs are there without an agent; one that is stuck is not waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// So many lines are shown when nobody says how many.
const LINES_USUAL: usize = 50;
/// So many lines are turned around at most: all of them are in memory.
const REVERSED_MAX: usize = 100_000;

/// Why a unit has no log.
pub(super) const DISCARDED: &str = "its output is discarded (`logs = \"off\"`)";

/// Show what programs wrote
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay logs web -n 100\n  mainstay logs -f\n  mainstay logs web 'worker-*' @db --since 10m -t\n  mainstay logs web --since yesterday --until '2026-01-31 08:00'\n  mainstay logs web --grep 'error|panic' -i -C 3\n  mainstay logs web --run -1                    the run before the last\n  mainstay logs web --json | jq -r .text\n  mainstay logs web --raw --out web.log\n  mainstay logs --since yesterday --json --out all.jsonl.zst\n  mainstay logs web --hook before-start\n\nTimes: `10m` ago, `2026-01-31 08:00`, `08:00`, `today`, `yesterday` (local), or `2026-01-31T08:00:00Z`."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Args {
    /// Units, services, or groups such as `@web`; `*` and `?` match; all when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Go on as programs write
    #[arg(short, long)]
    follow: bool,

    /// How many lines, or `all`; 50, or all that a time, a run or a pattern asks for
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = parse_count)]
    lines: Option<Count>,

    #[command(flatten)]
    span: Span,

    /// The newest line first; 100000 lines at most
    #[arg(short, long, conflicts_with_all = ["follow", "before_context", "after_context", "context"])]
    reverse: bool,

    /// Only lines that this regular expression matches
    #[arg(short, long, value_name = "PATTERN", value_parser = Pattern::parse)]
    grep: Option<Pattern>,

    /// Capitals do not matter to `--grep`
    #[arg(short, long, requires = "grep")]
    ignore_case: bool,

    /// Only lines that `--grep` does not match
    #[arg(short = 'v', long, requires = "grep")]
    invert_match: bool,

    /// So many lines behind each that `--grep` finds, too
    #[arg(short = 'A', long, value_name = "COUNT", value_parser = parse_neighbours, requires = "grep")]
    after_context: Option<Count>,

    /// So many lines before each that `--grep` finds, too
    #[arg(short = 'B', long, value_name = "COUNT", value_parser = parse_neighbours, requires = "grep")]
    before_context: Option<Count>,

    /// So many lines around each that `--grep` finds, too
    #[arg(short = 'C', long, value_name = "COUNT", value_parser = parse_neighbours, requires = "grep")]
    context: Option<Count>,

    /// Only what this run wrote: a number, `last`, or `-1` for the one before it
    #[arg(long, value_name = "RUN", value_parser = RunChoice::parse, allow_hyphen_values = true)]
    run: Option<RunChoice>,

    /// Only this stream; needs `logs = { streams = "split" }`
    #[arg(long, value_name = "STREAM")]
    stream: Option<StreamName>,

    /// What a hook wrote, such as `before-start`, or `action-NAME` for that of a check
    #[arg(long, value_name = "NAME", value_parser = parse_part, conflicts_with_all = ["check", "stream"])]
    hook: Option<String>,

    /// What a check wrote that is a command, or `ready`
    #[arg(long, value_name = "NAME", value_parser = parse_part, conflicts_with = "stream")]
    check: Option<String>,

    /// When each line came: `local`, `utc` or `none`; `-t` alone is `local`
    #[arg(
        short,
        long,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_value = "none",
        default_missing_value = "local",
        hide_default_value = true,
        hide_possible_values = true
    )]
    timestamps: Timestamps,

    /// Leave out the names before lines of several units
    #[arg(long)]
    no_prefix: bool,

    /// Print the bytes exactly as they were written, with what steers a terminal
    #[arg(long)]
    raw: bool,

    /// Print JSON, one line of a log a line: time, unit, run, stream, text, partial
    #[arg(long, conflicts_with_all = ["raw", "timestamps", "no_prefix"])]
    json: bool,

    /// Write it into this file: all of it, unless `-n` says less; `.zst` compresses it, `-` is stdout
    #[arg(short, long, value_name = "FILE", conflicts_with = "follow")]
    out: Option<PathBuf>,

    /// Replace the file that `--out` names, if it is there already
    #[arg(long, requires = "out")]
    force: bool,

    #[command(flatten)]
    paging: Paging,
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
pub(super) type Count = usize;

/// Whose the lines of a chain are, and which of them are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    unit: String,
    wanted: Wanted,
}

/// Lines of several chains.
type Merged = Merge<Arc<Origin>>;

/// It becomes the name of a folder.
fn parse_part(text: &str) -> Result<String, String> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_good) {
        return Ok(text.to_owned());
    }
    Err("a name has letters, digits, `-`, `_` and `.` only".to_owned())
}

pub(super) fn parse_count(text: &str) -> Result<Count, String> {
    let wrong = |_| "write `-n 50` or `-n all`".to_owned();
    if text == "all" { Ok(usize::MAX) } else { text.parse().map_err(wrong) }
}

fn parse_neighbours(text: &str) -> Result<Count, String> {
    let count = text.parse().ok().filter(|count| *count <= NEIGHBOURS_MAX);
    count.ok_or_else(|| format!("write a number up to {NEIGHBOURS_MAX}"))
}

impl Args {
    /// Returns what is asked for of the chain of a unit whose run is this one.
    const fn wanted(&self, run: Option<u64>) -> Wanted {
        Wanted { since_ns: self.span.since, until_ns: self.span.until, run }
    }

    /// Returns what a pattern is about.
    const fn view(&self) -> View {
        if self.raw { View::Raw } else { View::Shown }
    }

    /// Returns whether the text of a line is asked for.
    fn fits(&self, line: &[u8]) -> bool {
        let is_in = |pattern: &Pattern| pattern.is_in(line, self.view());
        self.grep.as_ref().is_none_or(|pattern| is_in(pattern) != self.invert_match)
    }

    /// Returns how many lines before and behind others are asked for.
    fn neighbours(&self) -> (usize, usize) {
        let around = self.context.unwrap_or_default();
        (self.before_context.unwrap_or(around), self.after_context.unwrap_or(around))
    }

    /// Returns how many lines of the past are asked for.
    fn count(&self) -> usize {
        let wants_all = self.is_filtered() || self.out.is_some();
        let usual = if wants_all { usize::MAX } else { LINES_USUAL };
        let count = self.lines.unwrap_or(usual);
        if self.reverse { count.min(REVERSED_MAX) } else { count }
    }

    /// Returns whether only some of the lines are asked for, wherever they are.
    const fn is_filtered(&self) -> bool {
        self.span.is_bounded() || self.run.is_some() || self.grep.is_some()
    }

    /// Returns the folder, below that of a unit's log, of what runs beside it and is asked for.
    fn beside(&self) -> Option<PathBuf> {
        let hook = self.hook.iter().map(|name| Path::new("hooks").join(name));
        let check = self.check.iter().map(|name| Path::new("checks").join(name));
        hook.chain(check).next()
    }

    /// Returns the file that it goes into.
    fn file(&self) -> Option<&Path> {
        self.out.as_deref().filter(|out| *out != Path::new("-"))
    }

    const fn former(&self) -> Former {
        if self.force { Former::Replaced } else { Former::Kept }
    }

    /// Returns whether everything is asked for, byte by byte.
    fn wants_all_bytes(&self) -> bool {
        let is_plain = self.timestamps == Timestamps::None && !self.follow;
        self.raw && self.count() == usize::MAX && !self.is_filtered() && is_plain
    }
}

pub(super) async fn run(mut args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let case = if args.ignore_case { Case::Ignored } else { Case::Kept };
    args.grep = args.grep.map(|pattern| pattern.with(case));
    let located;
    (located, args.names) = meant::by(instance, &args.names).await?;
    let status = tokio::time::timeout(ANSWER_WITHIN, status(&located)).await.ok().flatten();
    args.names = names::expanded(&args.names, &groups(&located, status.as_ref()))?;
    if status.is_none() {
        print::talk("note: no agent answers; this is what the log files hold");
    }
    let sources = sources::of(&located, &args)?;
    demand_known(&args, &sources, status.as_ref())?;
    if let Some(part) = args.beside().filter(|_| sources.is_empty() && !args.follow) {
        return Err(sources::nothing_of(&located, &args, &part));
    }
    if args.beside().is_none() {
        tell_discarded(&located, &without_log(&args, &sources, status.as_ref())).await;
    }
    match args.file() {
        Some(file) => print::divert_to_file(Export::begin(file, args.former())?),
        None if args.follow || args.raw || args.out.is_some() => {}
        None => args.paging.start().await,
    }
    if args.wants_all_bytes() {
        copy_raw(&sources)?;
    } else {
        show(Reading::open(located, args, sources, status.as_ref())?).await?;
    }
    print::finish_file()?;
    Ok(ExitCode::SUCCESS)
}

async fn show(mut reading: Reading) -> Result<(), CliError> {
    reading.show_past()?;
    while reading.follows() {
        let shown = reading.show_fresh()?;
        tokio::time::sleep(if shown > 0 { LOOK_AGAIN_AFTER } else { LOOK_EVERY }).await;
        reading.add_new()?;
    }
    Ok(())
}

/// Refuses a name that means neither a unit nor a log.
fn demand_known(args: &Args, sources: &[Source], status: Option<&Status>) -> Result<(), CliError> {
    for name in &args.names {
        let units = status.iter().flat_map(|status| &status.units).map(|unit| &unit.unit);
        let known = units.chain(sources.iter().map(|source| &source.unit));
        let known: Vec<&str> = known.map(String::as_str).collect();
        if !known.iter().any(|unit| is_meant(name, unit)) {
            let hint = names::near(name, &known).map_or_else(
                || "`mainstay status` lists all units; a log begins with its first byte".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(CliError::refused(format!("there is no log of `{name}`"), hint));
        }
    }
    Ok(())
}

/// Returns the units that are named and have no log.
fn without_log<'a>(args: &Args, sources: &[Source], status: Option<&'a Status>) -> Vec<&'a String> {
    let units = status.into_iter().flat_map(|status| &status.units).map(|unit| &unit.unit);
    let named = units.filter(|unit| args.names.iter().any(|name| is_meant(name, unit)));
    named.filter(|unit| sources.iter().all(|source| source.unit != **unit)).collect()
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

fn copy_raw(sources: &[Source]) -> Result<(), CliError> {
    for Source { unit, chain } in sources {
        let copied = read::copy_all(chain, &mut print::Data);
        let damaged = copied.map_err(|error| unreadable(&format!("log of `{unit}`"), &error))?;
        tell_damaged(unit, damaged);
    }
    Ok(())
}

/// Says that some of a log is lost, where it is.
fn tell_damaged(unit: &str, bytes: u64) {
    if bytes > 0 {
        print::talk(&format!(
            "note: {bytes} bytes of the log of `{unit}` are left out: a compressed segment is damaged"
        ));
    }
}

fn unreadable(what: &str, error: &io::Error) -> CliError {
    CliError::refused(format!("cannot read the {what}: {error}"), "")
}
