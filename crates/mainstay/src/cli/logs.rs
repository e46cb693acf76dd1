//! `mainstay logs`: what programs wrote. Reads the segments itself, so it works without an agent.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use clap::Args as ClapArgs;
use jiff::Timestamp;
use mainstay_api::{config::parse_duration, control::Status};
use mainstay_platform::clock;
use mainstay_storage::{
    index::Stream,
    read::{self, Cursor, Line, Tail},
    segment::{self, ChainFiles},
};
use serde::Serialize;

use crate::{
    client::Client,
    errors::CliError,
    instance::{self, Located},
    print,
};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The logs are there without an agent; one that is stuck is not waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// So many lines are shown when nobody says how many.
const LINES_USUAL: usize = 50;

/// Show what programs wrote
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay logs web -n 100\n  mainstay logs -f\n  mainstay logs web --since 10m\n  mainstay logs web --raw -n all > web.log"
)]
pub(super) struct Args {
    /// Units; all when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Go on as programs write
    #[arg(short, long)]
    follow: bool,

    /// How many lines, or `all`; 50, or all of the time that is asked for
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

    /// Only what this run wrote
    #[arg(long, value_name = "NUMBER")]
    run: Option<u64>,

    /// Only this stream: stdout or stderr; needs `logs = { streams = "split" }`
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
}

/// How many lines.
type Count = usize;

/// A time of day, since 1970.
type Nanoseconds = u64;

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

/// One line, as JSON says it.
#[derive(Debug, Serialize)]
struct JsonLine<'a> {
    time: Option<String>,
    unit: &'a str,
    run: Option<u64>,
    stream: &'static str,
    text: &'a str,
    partial: bool,
}

impl<'a> JsonLine<'a> {
    fn of(line: &Line, unit: &'a str, text: &'a str) -> Self {
        let time = Timestamp::from_nanosecond(line.realtime_ns.into());
        let time = time.ok().filter(|_| line.realtime_ns > 0).map(|time| format!("{time:.3}"));
        let stream = match line.stream {
            Stream::Joined => "joined",
            Stream::Out => "stdout",
            Stream::Err => "stderr",
        };
        let run = Some(line.run).filter(|run| *run > 0);
        Self { time, unit, run, stream, text, partial: line.is_partial }
    }
}

impl Args {
    /// Returns whether a line is asked for; one of which nobody knows the time is.
    fn wants(&self, line: &Line) -> bool {
        let at = line.realtime_ns;
        let is_in_time = self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at <= until);
        self.run.is_none_or(|run| run == line.run) && (at == 0 || is_in_time)
    }

    /// Returns how many lines of the past are asked for.
    fn count(&self) -> usize {
        let is_timed = self.since.is_some() || self.until.is_some();
        self.lines.unwrap_or(if is_timed { usize::MAX } else { LINES_USUAL })
    }

    /// Returns whether everything is asked for, byte by byte.
    fn wants_all_bytes(&self) -> bool {
        let is_filtered = self.run.is_some() || self.since.is_some() || self.until.is_some();
        self.raw && self.count() == usize::MAX && !is_filtered
    }
}

/// One chain and the unit it belongs to.
struct Source {
    unit: String,
    chain: ChainFiles,
    cursor: Cursor,
}

impl Source {
    fn is_same(&self, other: &Self) -> bool {
        self.unit == other.unit && self.chain.stem() == other.chain.stem()
    }
}

pub(super) async fn run(args: Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let located = instance::choose(named)?;
    let units = tokio::time::timeout(ANSWER_WITHIN, units(&located)).await.ok().flatten();
    if units.is_none() {
        print::talk("note: no agent answers; this is what the log files hold");
    }
    let mut sources = sources(&located, &args)?;
    for name in &args.names {
        let is_there = units.as_ref().is_some_and(|units| units.contains(name))
            || sources.iter().any(|source| source.unit == *name);
        if !is_there {
            let hint = "`mainstay status` lists all units; a log begins with its first byte";
            return Err(CliError::refused(format!("there is no log of `{name}`"), hint));
        }
    }
    if args.wants_all_bytes() {
        return copy_raw(&sources);
    }
    show_past(&mut sources, &args)?;
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        add_new(&mut sources, &located, &args)?;
        show_fresh(&mut sources, &args)?;
    }
}

/// Returns the names of all units, if an agent answers.
async fn units(located: &Located) -> Option<Vec<String>> {
    let mut client = Client::connect(located).await.ok()?;
    let status = client.get::<Status>("/v1/status").await.ok()?;
    Some(status.units.into_iter().map(|unit| unit.unit).collect())
}

fn sources(located: &Located, args: &Args) -> Result<Vec<Source>, CliError> {
    let logs = located.instance.logs();
    let entries = std::fs::read_dir(&logs).into_iter().flatten().flatten();
    let mut units: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    units.sort();
    units.retain(|unit| args.names.is_empty() || args.names.contains(unit));
    let mut sources = Vec::new();
    for unit in units {
        let folder = logs.join(&unit);
        let stems = segment::stems(&folder).unwrap_or_default();
        let is_split = stems.iter().any(|stem| *stem != unit);
        if args.stream.is_some() && !is_split && !stems.is_empty() {
            let hint = "set `logs = { streams = \"split\" }` for streams of their own";
            return Err(CliError::refused(format!("the streams of `{unit}` are joined"), hint));
        }
        for stem in stems {
            let wanted = args.stream.as_ref().is_none_or(|stream| stem.ends_with(stream.as_str()));
            if wanted {
                let chain = ChainFiles::new(&folder, &stem);
                let cursor = Cursor { segment: 1, offset: 0 };
                sources.push(Source { unit: unit.clone(), chain, cursor });
            }
        }
    }
    Ok(sources)
}

/// Adds the chains that have begun since.
fn add_new(sources: &mut Vec<Source>, located: &Located, args: &Args) -> Result<(), CliError> {
    let known = |found: &Source| sources.iter().any(|source| source.is_same(found));
    let fresh: Vec<Source> =
        self::sources(located, args)?.into_iter().filter(|found| !known(found)).collect();
    sources.extend(fresh);
    Ok(())
}

fn copy_raw(sources: &[Source]) -> Result<ExitCode, CliError> {
    let mut out = io::stdout().lock();
    for source in sources {
        let copied = read::copy_all(&source.chain, &mut out).and_then(|()| out.flush());
        match copied {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => return Err(unreadable(source, &error)),
            Ok(()) => {}
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show_past(sources: &mut [Source], args: &Args) -> Result<(), CliError> {
    let several = is_several(sources);
    let is_filtered = args.run.is_some() || args.since.is_some() || args.until.is_some();
    let count = if is_filtered { usize::MAX } else { args.count() };
    let mut all = Vec::new();
    for source in sources {
        let tail = read::tail(&source.chain, count);
        let Tail { mut lines, cursor } = tail.map_err(|error| unreadable(source, &error))?;
        source.cursor = cursor;
        if args.follow {
            // It comes as a whole.
            lines.pop_if(|line| line.is_partial);
        }
        let lines = lines.into_iter().filter(|line| args.wants(line));
        all.push((source.unit.clone(), lines.collect()));
    }
    let mut all = read::merged(all);
    let surplus = all.len().saturating_sub(args.count());
    show(&all.split_off(surplus), several, args);
    Ok(())
}

fn show_fresh(sources: &mut [Source], args: &Args) -> Result<(), CliError> {
    let several = is_several(sources);
    let mut all = Vec::new();
    for source in sources {
        let mut cursor = source.cursor;
        let lines = read::lines_behind(&source.chain, &mut cursor);
        let lines = lines.map_err(|error| unreadable(source, &error))?;
        source.cursor = cursor;
        let lines = lines.into_iter().filter(|line| args.wants(line));
        all.push((source.unit.clone(), lines.collect()));
    }
    let all = read::merged(all);
    show(&all, several, args);
    Ok(())
}

fn is_several(sources: &[Source]) -> bool {
    sources.windows(2).any(|pair| matches!(pair, [a, b] if a.unit != b.unit))
}

fn show(lines: &[(Line, String)], several: bool, args: &Args) {
    let mut out = Vec::new();
    for (line, unit) in lines {
        if args.json {
            let text = String::from_utf8_lossy(&line.bytes);
            // Strings and numbers only: nothing of it can fail.
            let object = serde_json::to_vec(&JsonLine::of(line, unit, &text)).unwrap_or_default();
            out.extend_from_slice(&object);
            out.push(b'\n');
            continue;
        }
        if several {
            out.extend_from_slice(format!("{unit:12} | ").as_bytes());
        }
        if args.raw {
            out.extend_from_slice(&line.bytes);
        } else {
            let text = String::from_utf8_lossy(&line.bytes);
            out.extend_from_slice(print::harmless(&text).as_bytes());
        }
        let is_error = line.stream == Stream::Err && !args.raw && args.stream.is_none();
        out.extend_from_slice(if is_error { b"  (stderr)\n" } else { b"\n" });
    }
    print::bytes(&out);
}

fn unreadable(source: &Source, error: &io::Error) -> CliError {
    CliError::refused(format!("cannot read the log of `{}`: {error}", source.unit), "")
}
