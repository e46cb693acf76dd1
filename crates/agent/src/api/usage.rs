//! What units use, read on threads of its own: neither the loop nor other clients wait for it.
//!
//! ```text
//!  runs (loop) ──► first look ──► window ──► second look ──► runs (loop): the same ones only
//! ```
//!
//! A look reads every process of the machine once, however many units there are.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{Extension, extract::State, response::Response};
use mainstay_api::{
    config::Role,
    control::{UnitUsage, Usages},
};
use mainstay_platform::{
    clock,
    tally::{self, Depth, Root, Tally},
};
use serde::Deserialize;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};
use utoipa_axum::routes;

use super::{Calls, ask, examples, input::Parameters, operation, respond, stream::Audience};
use crate::calls::{Call, LiveRun, Refused, RefusedKind};

/// So many look at a time: what a process is held up by may hold up whoever looks at it.
const LOOKS_MAX: usize = 2;
/// How long a look may take, and the wait for a turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long is watched when nobody says how long.
const WINDOW_USUAL: Duration = Duration::from_millis(500);
const WINDOW_MAX: Duration = Duration::from_secs(10);

pub(super) fn routes() -> operation::Routes {
    let places = Extension(Arc::new(Semaphore::new(LOOKS_MAX)));
    let (schemas, paths, usage) = operation::operation(Role::Viewer, routes!(usage));
    operation::Routes::new().routes((schemas, paths, usage.layer(places)))
}

/// Which units are asked about, and for how long.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct UsageParameters {
    /// Only of these units, services, or groups such as `@web`, with commas between; `*` and `?` match.
    #[param(required = false, nullable = false, example = "web")]
    names: Option<String>,
    /// How long to watch, in milliseconds; 500 when absent. With 0 nothing is watched: there is no `cpu-percent`.
    #[param(required = false, nullable = false, minimum = 0, maximum = 10_000, example = 500)]
    window: Option<u64>,
}

impl UsageParameters {
    fn window(&self) -> Result<Duration, Refused> {
        let window = self.window.map_or(WINDOW_USUAL, Duration::from_millis);
        if window > WINDOW_MAX {
            let text = format!("`window` is a number up to {}", WINDOW_MAX.as_millis());
            return Err(Refused::new(RefusedKind::Bad, text, "ask twice for what comes behind"));
        }
        Ok(window)
    }

    fn names(self) -> Vec<String> {
        let names = self.names.unwrap_or_default();
        names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

type Places = Extension<Arc<Semaphore>>;

/// What units use of the machine
///
/// Of all processes of their runs, read at this moment; what the system does not tell is left out.
#[utoipa::path(
    get,
    path = "/v1/usage",
    tag = "state",
    params(UsageParameters),
    responses(
        (status = 200, description = "The units whose programs run.",
            body = Usages, example = json!(examples::usages())),
        (status = 404, description = "There is no such unit, service or group.",
            body = mainstay_api::control::Problem, content_type = "application/problem+json"),
    )
)]
async fn usage(
    State(calls): Calls,
    audience: Audience,
    Extension(places): Places,
    Parameters(asked): Parameters<UsageParameters>,
) -> Response {
    let answer = async {
        let _searching = audience.leave_to_search()?;
        measure(&calls, &places, asked).await
    };
    respond(answer.await)
}

async fn measure(
    calls: &mpsc::Sender<Call>,
    places: &Arc<Semaphore>,
    asked: UsageParameters,
) -> Result<Usages, Refused> {
    let window = asked.window()?;
    let runs = ask(calls, |reply| Call::Runs(asked.names(), reply)).await?;
    let roots: Arc<[Root]> = runs.iter().map(|run| run.root.clone()).collect();
    let mut before = Look::default();
    if !window.is_zero() {
        before = look(places, &roots, Depth::Time).await?;
        tokio::time::sleep(window).await;
    }
    let after = look(places, &roots, Depth::All).await?;
    // Whose run is another one by now was read in part, if at all. A name that has gone is none.
    let still = ask(calls, |reply| Call::Runs(Vec::new(), reply)).await?;
    let still: BTreeMap<String, u64> = still.into_iter().map(|run| (run.unit, run.run)).collect();
    let mut units = Vec::new();
    for (place, LiveRun { unit, run, .. }) in runs.into_iter().enumerate() {
        let tally = after.tallies.get(place).copied().flatten();
        let (Some(tally), true) = (tally, still.get(&unit) == Some(&run)) else { continue };
        let time = before.time_of(place, &tally);
        let since = time.map(|time| (time, after.at.saturating_sub(before.at)));
        units.push(told(unit, run, &tally, since));
    }
    let watched =
        if window.is_zero() { Duration::ZERO } else { after.at.saturating_sub(before.at) };
    Ok(Usages { window_ms: milliseconds(watched), units })
}

/// What was seen at one moment.
#[derive(Debug, Default)]
struct Look {
    at: Duration,
    tallies: Vec<Option<Tally>>,
}

impl Look {
    /// Returns the time of a run, if it was counted as it was later: a job that is gone meanwhile
    /// has counted more.
    fn time_of(&self, place: usize, later: &Tally) -> Option<Duration> {
        let tally = self.tallies.get(place).copied().flatten()?;
        tally.processor_time.filter(|_| tally.by_descent == later.by_descent)
    }
}

async fn look(places: &Arc<Semaphore>, roots: &Arc<[Root]>, depth: Depth) -> Result<Look, Refused> {
    let (places, roots) = (Arc::clone(places), Arc::clone(roots));
    let looking = async {
        // Kept by the thread: one that stands still gives no room to another.
        let place = places.acquire_owned().await;
        let work = move || {
            let _place = place;
            let at = clock::monotonic();
            tally::of(&roots, depth).map(|tallies| Look { at, tallies })
        };
        tokio::task::spawn_blocking(work).await
    };
    let refuse = |why: String| {
        let text = format!("cannot read what programs use: {why}");
        Refused::new(
            RefusedKind::Failed,
            text,
            "try again; `mainstay status` needs no look at them",
        )
    };
    match timeout(PATIENCE, looking).await {
        Ok(Ok(Ok(look))) => Ok(look),
        Ok(Ok(Err(error))) => Err(refuse(error.to_string())),
        Ok(Err(error)) => Err(refuse(error.to_string())),
        Err(_) => Err(refuse("the system does not answer in five seconds".to_owned())),
    }
}

/// Returns what is told of a run, with what it used since so long ago, when it had used so much.
fn told(unit: String, run: u64, tally: &Tally, since: Option<(Duration, Duration)>) -> UnitUsage {
    let share = |now: Duration| {
        let (before, window) = since?;
        percent(now.saturating_sub(before), window)
    };
    UnitUsage {
        unit,
        run,
        processes: tally.processes,
        by_descent: tally.by_descent,
        threads: tally.threads,
        cpu_ms: tally.processor_time.map(milliseconds),
        cpu_percent: tally.processor_time.and_then(share),
        memory_bytes: tally.memory_bytes,
        memory_share_bytes: tally.memory_share_bytes,
        memory_peak_bytes: tally.memory_peak_bytes,
        descriptors: tally.descriptors,
        read_bytes: tally.read_bytes,
        written_bytes: tally.written_bytes,
    }
}

/// Returns how much of one processor that is, to a tenth of a percent.
fn percent(used: Duration, window: Duration) -> Option<f64> {
    let part = used.as_secs_f64() / window.as_secs_f64();
    part.is_finite().then(|| (part * 1000.0).round() / 10.0)
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_one_processor_and_of_no_time_there_is_none() {
        let check = |used: u64, window: u64, expected: Option<f64>| {
            let told = percent(Duration::from_millis(used), Duration::from_millis(window));
            assert_eq!(told, expected, "{used} of {window}");
        };
        check(0, 500, Some(0.0));
        check(250, 500, Some(50.0));
        check(1_000, 500, Some(200.0));
        check(1, 3_000, Some(0.0));
        check(2, 3_000, Some(0.1));
        check(0, 0, None);
    }

    #[test]
    fn what_was_not_read_is_not_told() {
        let none = Tally { by_descent: false, ..Tally::CLOSED };
        let told = told("web".to_owned(), 3, &none, Some((Duration::ZERO, Duration::ZERO)));
        let text = serde_json::to_string(&told).unwrap();
        assert_eq!(text, r#"{"unit":"web","run":3,"processes":1}"#);
    }
}
