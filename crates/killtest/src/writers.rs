//! Programs at full speed while agents and keepers die; then every line and every exit is counted.

use std::{
    fs::File,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use mainstay_api::control::{Status, Unit};
use mainstay_platform::clock;

use crate::{
    chance::Chance,
    ground::Ground,
    hooks::{self, Deaths},
    judge::{Judge, Tally, Verdict},
    options::{Mode, Options},
    program::{Habit, exit_code_of},
    reckoning::Exits,
    trial::{Broken, SOON, Trial, kill},
    wait::{rest, wait_for},
};

/// So many programs end and start again all the time.
const SHORT_LIVES: u32 = 8;
/// The longest life that is left to an agent or keeper.
const LIFE_MAX: Duration = Duration::from_millis(400);
/// The longest time without a keeper when both were killed.
const ABSENCE_MAX: Duration = Duration::from_millis(300);
/// The last kills come while programs end.
const KILLS_AT_THE_END: u32 = 4;
/// Between two rounds of judging.
const JUDGE_EVERY: Duration = Duration::from_millis(200);
const SEGMENT_SIZE: &str = "4MiB";
const LOSSY_PROGRAMS: u32 = 10;
/// The last bytes of a run that nobody told to end would be missed by nobody.
const NO_SHORT_LIVES: u32 = 0;

/// What was done to keeper and agent.
#[derive(Debug, Default)]
struct Deeds {
    kills: u32,
    upgrades: u32,
    takeovers: Vec<Duration>,
    codes_known: usize,
}

/// Runs a whole trial and returns what there is to tell.
pub(crate) fn run(mode: Mode, options: &Options) -> Result<String, Broken> {
    let programs = options.programs;
    let began = clock::monotonic();
    let mut trial = Trial::begin(
        mode.name(),
        |ground| config(ground, programs, SHORT_LIVES) + &hooks::config(ground),
        options.leftovers,
    )?;
    let ground = trial.ground.clone();
    let judges = judges(&ground, programs);
    let (deeds, verdict) = judged(judges, || hurt(&mut trial, mode, options))?;
    let spent = clock::monotonic().saturating_sub(began);
    let exits = Exits::read(&ground)?;
    trial.expect_no_doubles()?;
    expect_lines(&verdict, mode, &exits)?;
    expect_exits(&exits, mode, programs)?;
    let deaths = if mode == Mode::Agents { Deaths::OfAgents } else { Deaths::OfAll };
    let hooks = hooks::expect_each_once(&ground, &exits, deaths)?;
    trial.clean_up()?;
    let told = tell(&deeds, &verdict, &exits, spent);
    Ok(format!("{told}\n  {hooks} hooks, each run once"))
}

/// Loses bytes on purpose; not to notice is the failure.
pub(crate) fn run_lossy(options: &Options) -> Result<String, Broken> {
    let text = |ground: &Ground| config(ground, LOSSY_PROGRAMS, NO_SHORT_LIVES);
    let mut trial = Trial::begin("lossy", text, options.leftovers)?;
    let ground = trial.ground.clone();
    let order = ground.fail().join("pump.lose");
    let lose = || {
        trial.status_when("all programs run", |status| all_run(status, LOSSY_PROGRAMS))?;
        File::create(&order)?;
        wait_for("the pump loses something", SOON, || (!order.exists()).then_some(()))?;
        end(&mut trial, LOSSY_PROGRAMS).map(drop)
    };
    let ((), (tally, _)) = judged(judges(&ground, LOSSY_PROGRAMS), lose)?;
    if tally.is_clean() {
        return Err(Broken::Rule("a pump that lost bytes was not found out".to_owned()));
    }
    trial.clean_up()?;
    let Tally { lines, lost, torn, .. } = tally;
    Ok(format!("  found out: {lost} lines lost and {torn} torn of {lines}"))
}

/// Does something while judges read along, and lets them finish.
fn judged<T>(
    mut judges: Vec<Judge>,
    deed: impl FnOnce() -> Result<T, Broken>,
) -> Result<(T, Verdict), Broken> {
    let is_over = AtomicBool::new(false);
    let (done, judges) = thread::scope(|scope| {
        let judging = scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                judges.iter_mut().try_for_each(Judge::judge_closed)?;
                rest(JUDGE_EVERY);
            }
            Ok::<_, std::io::Error>(judges)
        });
        let done = deed();
        is_over.store(true, Ordering::SeqCst);
        (done, judging.join())
    });
    let judges = judges.map_err(|_| Broken::Rule("a judge panicked".to_owned()))??;
    let (mut sum, mut complaint) = (Tally::default(), None);
    for judge in judges {
        let (tally, own) = judge.finish()?;
        sum.add(tally);
        complaint = complaint.or(own);
    }
    Ok((done?, (sum, complaint)))
}

fn hurt(trial: &mut Trial, mode: Mode, options: &Options) -> Result<Deeds, Broken> {
    let programs = options.programs;
    let before = trial.status_when("all programs run", |status| all_run(status, programs))?;
    let mut chance = Chance::new(options.seed);
    let kills = options.kills.unwrap_or(mode.kills());
    let mut deeds = Deeds::default();
    let upgrade_every = kills.checked_div(options.upgrades).unwrap_or_default().max(1);
    while deeds.kills < kills {
        if deeds.kills + KILLS_AT_THE_END == kills {
            expect_same_programs(&before, &trial.status()?)?;
            File::create(trial.ground.stop())?;
        }
        let is_time = deeds.kills % upgrade_every == upgrade_every / 2;
        if mode == Mode::Agents && is_time && deeds.upgrades * upgrade_every <= deeds.kills {
            trial.upgrade()?;
            deeds.upgrades += 1;
        }
        let takeover = kill_once(trial, mode, &mut chance)?;
        deeds.kills += 1;
        deeds.takeovers.push(takeover);
    }
    deeds.codes_known = end(trial, programs)?;
    Ok(deeds)
}

/// Kills whoever is to be killed, at a random moment; returns how long it took to be replaced.
fn kill_once(trial: &Trial, mode: Mode, chance: &mut Chance) -> Result<Duration, Broken> {
    let life = chance.moment_below(LIFE_MAX);
    if mode == Mode::Agents {
        return kill_agent(trial, life, chance);
    }
    let Status { keeper, agent, .. } = trial.status()?;
    rest(life);
    let mut victims = vec![keeper.pid];
    if mode == Mode::Both {
        victims.push(agent.pid);
        chance.shuffle(&mut victims);
    }
    let at = clock::monotonic();
    for victim in victims {
        kill(victim)?;
    }
    if mode == Mode::Both {
        rest(chance.moment_below(ABSENCE_MAX));
        trial.start_keeper()?;
    }
    trial.status_when("there is another keeper", |status| status.keeper.pid != keeper.pid)?;
    Ok(clock::monotonic().saturating_sub(at))
}

/// Kills the youngest agent: some of them before they have said a word.
fn kill_agent(trial: &Trial, life: Duration, chance: &mut Chance) -> Result<Duration, Broken> {
    if chance.below(2) == 0 {
        trial.status()?;
    }
    rest(life);
    loop {
        let pid = wait_for("an agent begins", SOON, || trial.agents().last().copied())?;
        let Some(at) = kill(pid)? else {
            // Somebody else was faster, or its successor has not begun.
            rest(Duration::from_millis(1));
            continue;
        };
        let is_next = || trial.agents().last().is_some_and(|agent| *agent != pid).then_some(());
        wait_for("the next agent begins", SOON, is_next)?;
        return Ok(clock::monotonic().saturating_sub(at));
    }
}

/// Lets all programs end; returns of how many the exit code is known.
fn end(trial: &mut Trial, programs: u32) -> Result<usize, Broken> {
    File::create(trial.ground.stop())?;
    let has_ended = |unit: &&Unit| unit.pid.is_none() && unit.last_exit.is_some();
    let status = trial.status_when("all writers have ended", |status| {
        writers(status).filter(has_ended).count() == programs as usize
    })?;
    let mut known = 0;
    for (index, unit) in (0..programs).zip(writers(&status)) {
        let code = unit.last_exit.as_ref().and_then(|exit| exit.code);
        if code.is_some_and(|code| code != u32::from(exit_code_of(index))) || unit.run != 1 {
            return Err(Broken::Rule(format!("not as it was told to end: {unit:?}")));
        }
        known += usize::from(code.is_some());
    }
    trial.shut_down()?;
    Ok(known)
}

/// Returns the writers, by number.
fn writers(status: &Status) -> impl Iterator<Item = &Unit> {
    status.units.iter().filter(|unit| unit.unit.starts_with('w'))
}

fn all_run(status: &Status, programs: u32) -> bool {
    writers(status).filter(|unit| unit.pid.is_some()).count() == programs as usize
}

fn expect_same_programs(before: &Status, after: &Status) -> Result<(), Broken> {
    for (one, other) in writers(before).zip(writers(after)) {
        if (one.pid, one.run) != (other.pid, other.run) {
            return Err(Broken::Rule(format!("was started again: {one:?}, then {other:?}")));
        }
    }
    Ok(())
}

fn expect_lines((tally, complaint): &Verdict, mode: Mode, exits: &Exits) -> Result<(), Broken> {
    let killed = u64::try_from(exits.killed()).unwrap_or_default();
    let is_complete = match mode {
        // Programs of short lives are killed at the end.
        Mode::Agents => tally.unfinished <= killed && tally.broken_off == 0,
        // They may end before the agent holds their pipe beside the keeper.
        Mode::Keepers => tally.unfinished_writers == 0,
        // Any program may end while nobody holds its pipe.
        Mode::Both | Mode::Lossy | Mode::Points => true,
    };
    if tally.is_clean() && is_complete {
        return Ok(());
    }
    let complaint =
        complaint.clone().unwrap_or_else(|| "somebody never said that it ended".to_owned());
    Err(Broken::Rule(format!("{complaint}\n{}", tell_tally(*tally))))
}

fn expect_exits(exits: &Exits, mode: Mode, programs: u32) -> Result<(), Broken> {
    exits.expect_each_once()?;
    if mode != Mode::Agents {
        return Ok(());
    }
    for index in 0..programs {
        exits.expect_text(&writer(index), &format!("ended with code {}", exit_code_of(index)))?;
    }
    for index in 0..SHORT_LIVES {
        exits.expect_no_gap(&short(index))?;
    }
    Ok(())
}

fn tell(deeds: &Deeds, (tally, _): &Verdict, exits: &Exits, spent: Duration) -> String {
    let Deeds { kills, upgrades, takeovers, codes_known } = deeds;
    let mut takeovers = takeovers.clone();
    takeovers.sort_unstable();
    let median = takeovers.get(takeovers.len() / 2).copied().unwrap_or_default().as_millis();
    let worst = takeovers.last().copied().unwrap_or_default().as_millis();
    let (told, unknown) = (exits.count(), exits.unknown());
    format!(
        "  {kills} kills, {upgrades} upgrades in {:.1} s; replaced after {median} ms (median), {worst} ms (worst)\n\
         {}\n  exits: {told} told, each once, {unknown} of them unknown; {codes_known} writers' codes known",
        spent.as_secs_f64(),
        tell_tally(*tally),
    )
}

fn tell_tally(tally: Tally) -> String {
    let Tally { bytes, lines, segments, lost, torn, doubled, cut, .. } = tally;
    let Tally { broken_off, writers, unfinished, .. } = tally;
    let megabytes = bytes / 1_000_000;
    format!(
        "  {lines} lines of {writers} runs, {megabytes} MB in {segments} segments: \
         {lost} lost, {torn} torn, {doubled} doubled, {cut} cut, {unfinished} without an end, {broken_off} broken off"
    )
}

fn writer(index: u32) -> String {
    format!("w{index:03}")
}

fn short(index: u32) -> String {
    format!("f{index}")
}

fn judges(ground: &Ground, programs: u32) -> Vec<Judge> {
    let mut judges = Vec::new();
    for index in 0..programs {
        let unit = writer(index);
        if Habit::of_writer(index) == Habit::Split {
            judges.push(Judge::new(ground, &unit, &format!("{unit}.stdout")));
            judges.push(Judge::new(ground, &unit, &format!("{unit}.stderr")));
        } else {
            judges.push(Judge::new(ground, &unit, &unit));
        }
    }
    judges.extend((0..SHORT_LIVES).map(|index| Judge::new(ground, &short(index), &short(index))));
    judges
}

fn config(ground: &Ground, programs: u32, short_lives: u32) -> String {
    let writers = (0..programs).map(|index| {
        let habit = Habit::of_writer(index);
        let streams = if habit == Habit::Split { "split" } else { "joined" };
        let table = service(ground, &writer(index), habit);
        format!(
            "{table}restart = {{ when = \"never\" }}\n\
             logs = {{ max-size = \"{SEGMENT_SIZE}\", keep = 0, streams = \"{streams}\" }}\n\n"
        )
    });
    let short = (0..short_lives).map(|index| {
        let table = service(ground, &short(index), Habit::Short);
        format!(
            "{table}restart = {{ delay = \"20ms\", max-delay = \"100ms\" }}\n\
             logs = {{ max-size = \"{SEGMENT_SIZE}\", keep = 0 }}\n\n"
        )
    });
    writers.chain(short).collect()
}

/// Returns the beginning of a service's table.
pub(crate) fn service(ground: &Ground, name: &str, habit: Habit) -> String {
    let [program, _] = ground.binaries();
    let (program, folder) = (program.display().to_string(), ground.root().display().to_string());
    let words = [&program, "program", &folder, name, habit.name()];
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[services.{name}]\ncommand = [{}]\n", words.join(", "))
}
