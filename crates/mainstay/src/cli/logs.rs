//! `mainstay logs`: what programs wrote. Reads the segments itself, so it works without an agent.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use clap::Args as ClapArgs;
use mainstay_storage::{
    index::Stream,
    read::{self, Cursor, Line},
    segment::{self, ChainFiles},
};

use crate::{
    client::Client,
    errors::CliError,
    instance::{self, Located},
    print,
};

const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Show what programs wrote
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay logs web -n 100\n  mainstay logs -f\n  mainstay logs web --raw -n all > web.log"
)]
pub(super) struct Args {
    /// Units; all when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Go on as programs write
    #[arg(short, long)]
    follow: bool,

    /// How many lines, or `all`
    #[arg(short = 'n', long, default_value = "50", value_name = "COUNT")]
    lines: String,

    /// Print the bytes exactly as they were written
    #[arg(long)]
    raw: bool,

    /// Only what this run wrote
    #[arg(long, value_name = "NUMBER")]
    run: Option<u64>,

    /// Only this stream: stdout or stderr; needs `logs = { streams = "split" }`
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
}

/// One chain and the unit it belongs to.
struct Source {
    unit: String,
    chain: ChainFiles,
    cursor: Cursor,
}

pub(super) async fn run(args: Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let located = instance::choose(named)?;
    if Client::connect(&located).await.is_err() {
        print::talk("note: no agent answers; this is what the log files hold");
    }
    let count = match args.lines.as_str() {
        "all" => usize::MAX,
        text => text.parse().map_err(|_| {
            CliError::usage(format!("`{text}` is no number of lines"), "write `-n 50` or `-n all`")
        })?,
    };
    let mut sources = sources(&located, &args)?;
    if args.raw && count == usize::MAX {
        return copy_raw(&sources);
    }
    show_past(&mut sources, count, &args)?;
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        show_fresh(&mut sources, &args)?;
    }
}

fn sources(located: &Located, args: &Args) -> Result<Vec<Source>, CliError> {
    let logs = located.instance.logs();
    let entries = std::fs::read_dir(&logs).into_iter().flatten().flatten();
    let mut units: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    units.sort();
    for name in &args.names {
        if !units.contains(name) {
            let hint = "`mainstay status` lists all units; a log begins with its first byte";
            return Err(CliError::refused(format!("there is no log of `{name}`"), hint));
        }
    }
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
                sources.push(Source { unit: unit.clone(), chain, cursor: Cursor::default() });
            }
        }
    }
    Ok(sources)
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

fn show_past(sources: &mut [Source], count: usize, args: &Args) -> Result<(), CliError> {
    let several = is_several(sources);
    let mut all = Vec::new();
    for source in sources {
        source.cursor = read::end(&source.chain).map_err(|error| unreadable(source, &error))?;
        let lines = read::last_lines(&source.chain, count);
        let lines = lines.map_err(|error| unreadable(source, &error))?;
        all.extend(lines.into_iter().map(|line| (line, source.unit.clone())));
    }
    all.sort_by_key(|(line, _)| line.realtime_ns);
    let surplus = all.len().saturating_sub(count);
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
        all.extend(lines.into_iter().map(|line| (line, source.unit.clone())));
    }
    all.sort_by_key(|(line, _)| line.realtime_ns);
    show(&all, several, args);
    Ok(())
}

fn is_several(sources: &[Source]) -> bool {
    sources.windows(2).any(|pair| matches!(pair, [a, b] if a.unit != b.unit))
}

fn show(lines: &[(Line, String)], several: bool, args: &Args) {
    let mut out = Vec::new();
    for (line, unit) in lines.iter().filter(|(line, _)| args.run.is_none_or(|run| run == line.run))
    {
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
