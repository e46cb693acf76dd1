//! Services whose programs are looked after: hooks that count themselves, checks that fail or hang,
//! a watchdog that nobody feeds.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use mainstay_platform::paths;

use crate::{
    ground::Ground, program::Habit, reckoning::Exits, trial::Broken, wait::rest, writers::service,
};

/// A unit whose runs are short, and one with every kind of trouble.
pub(crate) const CARED: [&str; 2] = ["h0", "h1"];
/// A unit that never says that it is alive; nobody commands it, so that its watchdog strikes.
const SILENT: &str = "h2";
/// Hooks that are run once for each run.
const ONCE: [&str; 5] = ["before-start", "after-start", "before-stop", "after-stop", "after-exit"];

/// The hook of a run that is ready has begun by then, however crowded the machine is.
const A_WHILE: Duration = Duration::from_secs(3);

/// Who dies in a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deaths {
    /// Agents alone: what they have told outlives them.
    OfAgents,
    /// Keepers, too: what both knew of a run that has ended meanwhile may be lost with them.
    OfAll,
}

/// Notes that a hook was run, in one write.
pub(crate) fn note(folder: &Path) -> ExitCode {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let [unit, event, run] = ["MAINSTAY_UNIT", "MAINSTAY_EVENT", "MAINSTAY_RUN"].map(variable);
    let line = format!("{unit} {event} {run}\n");
    let noted = paths::open_log(fs::OpenOptions::new().append(true), &Ground::at(folder).hooks())
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if noted.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Hangs until somebody kills it.
pub(crate) fn hang() -> ExitCode {
    rest(Duration::from_hours(1));
    ExitCode::FAILURE
}

/// Returns the configuration of units that are looked after.
pub(crate) fn config(ground: &Ground) -> String {
    let [program, _] = ground.binaries();
    let (program, folder) = (program.display().to_string(), ground.root().display().to_string());
    let note = format!("[{program:?}, \"hook\", {folder:?}]");
    let hang = format!("[{program:?}, \"hang\"]");
    let hooks: Vec<String> = ONCE.iter().map(|hook| format!("{hook} = {note}")).collect();
    let hooks = hooks.join(", ");
    let restart = "restart = { delay = \"10ms\", max-delay = \"50ms\" }\nlogs = { keep = 0 }\n";
    let calm = service(ground, CARED[0], Habit::Short);
    let ill = service(ground, CARED[1], Habit::Slow);
    let silent = service(ground, SILENT, Habit::Slow);
    format!(
        "{calm}{restart}hooks = {{ {hooks}, on-failure = {{ command = {hang}, timeout = \"50ms\" }} }}\n\n\
         {ill}{restart}hooks = {{ {hooks} }}\nstop = {{ timeout = \"300ms\" }}\n\
         ready = {{ exec = {note} }}\nreload = {{ signal = \"USR1\" }}\n\
         [[services.{name}.checks]]\nname = \"hangs\"\nexec = {hang}\nevery = \"100ms\"\n\
         timeout = \"50ms\"\nfailures = 2\naction = \"mark\"\n\n\
         {silent}{restart}watchdog = \"200ms\"\n\n",
        name = CARED[1],
    )
}

/// Fails when a hook was run twice for a run, or when a run was ready, was stopped or ended without
/// its hook.
pub(crate) fn expect_each_once(
    ground: &Ground,
    exits: &Exits,
    deaths: Deaths,
) -> Result<usize, Broken> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for line in read(ground)?.lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    let is_once = |line: &str| ONCE.iter().any(|hook| line.split(' ').nth(1) == Some(hook));
    let doubled = counts.iter().find(|(line, count)| **count > 1 && is_once(line));
    if let Some((line, count)) = doubled {
        return Err(Broken::Rule(format!("the hook `{line}` was run {count} times")));
    }
    for unit in CARED {
        let is_told_of = |run: &u64| !exits.is_unsure(unit, "after-exit", *run);
        let ended = exits.runs().filter(|(own, _)| *own == unit).map(|(_, run)| run);
        let ended = ended.filter(|run| deaths == Deaths::OfAgents || is_told_of(run));
        expect(&counts, (unit, "after-exit"), ended)?;
        if deaths == Deaths::OfAgents {
            expect(&counts, (unit, "after-start"), exits.ready_for(unit, A_WHILE))?;
            expect(&counts, (unit, "after-stop"), exits.stopped(unit))?;
        }
    }
    Ok(usize::try_from(counts.values().sum::<u64>()).unwrap_or(usize::MAX))
}

fn expect(
    counts: &BTreeMap<String, u64>,
    (unit, hook): (&str, &str),
    mut runs: impl Iterator<Item = u64>,
) -> Result<(), Broken> {
    let missing = runs.find(|run| !counts.contains_key(&format!("{unit} {hook} {run}")));
    missing.map_or(Ok(()), |run| {
        Err(Broken::Rule(format!("run {run} of {unit} has never had its hook `{hook}`")))
    })
}

fn read(ground: &Ground) -> io::Result<String> {
    match fs::read_to_string(ground.hooks()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read,
    }
}
