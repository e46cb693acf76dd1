//! Keeper and agent die at each named instant, once, while commands fly.

use std::{
    fs::{self, File},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use mainstay_api::control::{CommandName, Status};
use mainstay_platform::clock;
use mainstay_storage::segment;

use crate::{
    chance::Chance,
    churn,
    ground::Ground,
    hooks,
    judge::{Judge, Tally},
    options::Options,
    reckoning::Exits,
    trial::{Broken, SOON, Trial},
    wait::wait_for,
};

/// The instants that come again and again.
const POINTS: &[&str] = &[
    "agent.bundle.after",
    "agent.bundle.before",
    "agent.effect.abandon",
    "agent.effect.abort",
    "agent.effect.answer",
    "agent.effect.ask",
    "agent.effect.changed",
    "agent.effect.end-hook",
    "agent.effect.forget",
    "agent.effect.health",
    "agent.effect.hook",
    "agent.effect.keep",
    "agent.effect.kill",
    "agent.effect.probe",
    "agent.effect.reload",
    "agent.effect.remember",
    "agent.effect.settle",
    "agent.effect.settle-hook",
    "agent.effect.spawn",
    "agent.events.before",
    "agent.events.synced",
    "agent.send",
    "agent.wishes.after",
    "agent.wishes.before",
    "keeper.journal.acknowledged.after",
    "keeper.journal.acknowledged.before",
    "keeper.journal.ended.after",
    "keeper.journal.ended.before",
    "keeper.journal.forget",
    "keeper.journal.free.after",
    "keeper.journal.free.before",
    "keeper.journal.intent.after",
    "keeper.journal.intent.before",
    "keeper.journal.number.before",
    "keeper.journal.started.after",
    "keeper.journal.started.before",
    "keeper.report",
    "keeper.spawn.cloned",
];

/// The instants that come only where the system tells a stranger how a program ended, or where a
/// program's end is the instance's.
#[cfg(test)]
const RARE_POINTS: &[&str] = &["agent.effect.exit", "agent.effect.exit-amended"];

/// The instants at which a test of the machine dies, `own_files`: no program here has a file of its
/// own.
#[cfg(test)]
const POINTS_OF_COPIES: &[&str] = &["agent.copy.appended", "agent.copy.noted"];

/// The instants at which tests of the machine die, `notifications` and `handed_over`: no program
/// here notifies.
#[cfg(test)]
const POINTS_OF_NOTICES: &[&str] =
    &["agent.former-notice.after", "agent.former-notice.before", "agent.notice"];

/// The instants at which a test of the machine dies, `freezes`: no program here is paused.
#[cfg(test)]
const POINTS_OF_PAUSES: &[&str] = &["agent.effect.freeze", "agent.effect.thaw"];

/// The instants at which tests of the machine die, `retention`: no log here is closed so often.
#[cfg(test)]
const POINTS_OF_RETENTION: &[&str] = &[
    "agent.compress.begun",
    "agent.compress.frame",
    "agent.compress.named",
    "agent.compress.removed",
    "agent.delete",
];

/// The instant that comes only at the end of everything.
const LAST_POINT: &str = "agent.effect.all-at-rest";

/// Runs the whole trial.
pub(crate) fn run(options: &Options) -> Result<String, Broken> {
    let began = clock::monotonic();
    let trial = Trial::begin("points", churn::config, options.leftovers)?;
    let mut chance = Chance::new(options.seed);
    let is_over = AtomicBool::new(false);
    let commands = chance.next();
    let died = thread::scope(|scope| {
        scope.spawn(|| churn::run(&trial, Chance::new(commands), &is_over));
        let died = die_everywhere(&trial, &mut chance);
        is_over.store(true, Ordering::SeqCst);
        died
    });
    died?;
    settle(&trial)?;
    die_last(&trial)?;
    let tally = judge(&trial.ground)?;
    let exits = Exits::read(&trial.ground)?;
    trial.expect_no_doubles()?;
    exits.expect_each_once()?;
    let hooks = hooks::expect_each_once(&trial.ground, &exits, hooks::Deaths::OfAll)?;
    trial.clean_up()?;
    let seconds = clock::monotonic().saturating_sub(began).as_secs_f64();
    Ok(format!(
        "  died at each of {} instants in {seconds:.1} s; {} runs, {} lines whole, {} exits, each told once, \
         {hooks} hooks, each run once",
        POINTS.len() + 1,
        tally.writers,
        tally.lines,
        exits.count(),
    ))
}

fn die_everywhere(trial: &Trial, chance: &mut Chance) -> Result<(), Broken> {
    let mut points = POINTS.to_vec();
    chance.shuffle(&mut points);
    for point in points {
        let before = trial.status()?;
        die_at(trial, point)?;
        let is_replaced = |status: &Status| {
            let is_other = |of: fn(&Status) -> u32| of(status) != of(&before);
            if point.starts_with("keeper.") {
                is_other(|status| status.keeper.pid)
            } else {
                is_other(|status| status.agent.pid)
            }
        };
        trial.status_when(&format!("somebody takes over after `{point}`"), is_replaced)?;
    }
    Ok(())
}

/// Puts a file down and waits until somebody has died of it.
fn die_at(trial: &Trial, point: &str) -> Result<(), Broken> {
    let file = trial.ground.fail().join(point);
    File::create(&file)?;
    wait_for(&format!("somebody comes to `{point}`"), SOON, || (!file.exists()).then_some(()))
}

/// After all that, what is told to run does.
fn settle(trial: &Trial) -> Result<(), Broken> {
    for unit in churn::SHORT.iter().chain(&churn::SLOW) {
        trial.command(CommandName::Start, unit);
    }
    let runs = |status: &Status, name: &&&str| {
        status.units.iter().any(|unit| unit.unit == ***name && unit.pid.is_some())
    };
    trial.status_when("all slow units run", |status| {
        churn::SLOW.iter().filter(|name| runs(status, name)).count() == churn::SLOW.len()
    })?;
    for name in churn::SHORT {
        let last = |status: &Status| {
            status.units.iter().find(|unit| unit.unit == name).map_or(0, |unit| unit.run)
        };
        let before = last(&trial.status()?);
        trial.status_when(&format!("{name} starts again"), |status| last(status) > before)?;
    }
    Ok(())
}

/// Ends everything, once with a death at the very end.
fn die_last(trial: &Trial) -> Result<(), Broken> {
    let file = trial.ground.fail().join(LAST_POINT);
    File::create(&file)?;
    let agents = trial.agents().len();
    trial.shut_down()?;
    if file.exists() || trial.agents().len() == agents {
        return Err(Broken::Rule(format!("nobody died at `{LAST_POINT}`")));
    }
    Ok(())
}

fn judge(ground: &Ground) -> Result<Tally, Broken> {
    let mut sum = Tally::default();
    for entry in fs::read_dir(ground.instance().logs())? {
        let entry = entry?;
        let unit = entry.file_name().to_string_lossy().into_owned();
        for stem in segment::stems(&entry.path())? {
            let (tally, complaint) = Judge::new(ground, &unit, &stem).finish()?;
            if !tally.is_clean() {
                return Err(Broken::Rule(complaint.unwrap_or_else(|| format!("{tally:?}"))));
            }
            sum.add(tally);
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;

    #[test]
    fn every_point_of_the_sources_is_died_at() {
        let mut found = BTreeSet::new();
        for room in ["agent", "keeper"] {
            collect(
                &Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(room).join("src"),
                &mut found,
            );
        }
        let mut known: BTreeSet<String> = POINTS.iter().map(|point| (*point).to_owned()).collect();
        known.extend(RARE_POINTS.iter().map(|point| (*point).to_owned()));
        known.extend(POINTS_OF_COPIES.iter().map(|point| (*point).to_owned()));
        known.extend(POINTS_OF_NOTICES.iter().map(|point| (*point).to_owned()));
        known.extend(POINTS_OF_PAUSES.iter().map(|point| (*point).to_owned()));
        known.extend(POINTS_OF_RETENTION.iter().map(|point| (*point).to_owned()));
        known.insert(LAST_POINT.to_owned());
        assert_eq!(found, known);
    }

    fn collect(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.extend(text.split('"').filter(|word| is_point(word)).map(str::to_owned));
            }
        }
    }

    fn is_point(word: &str) -> bool {
        let is_letter = |letter: char| letter.is_ascii_lowercase() || matches!(letter, '.' | '-');
        let owner = word.split('.').next().unwrap_or_default();
        let is_ours = matches!(owner, "agent" | "keeper") && word.contains('.');
        is_ours && word.chars().all(is_letter)
    }
}
