//! What programs wrote: pages of lines, and streams that go on.
//!
//! Segments are read on threads of their own, few of them, so that storage that hangs holds up
//! neither the loop nor other questions.

mod page;

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use mainstay_api::{
    config::Role,
    control::{LogLines, Missed, UnitDetail},
};
use serde::Deserialize;
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};
use utoipa_axum::routes;

use self::page::{Begin, Page, Tail};
use super::{
    Calls, ask, examples,
    input::{Name, Parameters},
    operation,
    problem::refused,
    stream::{self, Audience, HEARTBEAT, Left, Outlet},
};
use crate::calls::{Asker, Call, Refused, RefusedKind};

/// So many lines are sent when nobody says how many.
const LINES_USUAL: usize = 100;
const LINES_MAX: usize = 1_000;
/// So many readers are at work at a time.
const READERS_MAX: usize = 4;
/// So long storage may take for one page.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// So often a log is looked at while somebody reads on.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new().routes(operation::operation(Role::Viewer, routes!(logs)))
}

/// Where all logs lie, and who reads them.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    folder: Arc<PathBuf>,
    readers: Arc<Semaphore>,
}

impl Archive {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder: Arc::new(folder), readers: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Reads on a thread of its own; a reader that hangs keeps its turn.
    async fn read(&self, mut tail: Tail, lines_max: usize) -> Result<(Tail, Page), Refused> {
        let slow = |_| failed("the disk of the logs does not answer".to_owned());
        let turn = timeout(READ_WITHIN, Arc::clone(&self.readers).acquire_owned());
        let turn = turn.await.map_err(slow)?;
        let reading = spawn_blocking(move || {
            let _turn = turn;
            let page = tail.page(lines_max);
            (tail, page)
        });
        let ended = |_| failed("nobody reads logs any more".to_owned());
        let (tail, page) = timeout(READ_WITHIN, reading).await.map_err(slow)?.map_err(ended)?;
        let page = page.map_err(|error| failed(format!("cannot read the log: {error}")))?;
        Ok((tail, page))
    }
}

fn failed(what: String) -> Refused {
    Refused::new(RefusedKind::Failed, what, "try again; `mainstay doctor` looks at the disk")
}

/// Which lines are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct LogParameters {
    /// Only lines behind this place, as `next` of another answer says it.
    #[param(required = false, nullable = false, example = "web:1:0")]
    after: Option<String>,
    /// At most so many: the last ones, or with `after` those that come first behind it; 100 when
    /// absent. An answer ends before a mebibyte of text, however many lines are asked for.
    #[param(required = false, nullable = false, minimum = 0, maximum = 1000, example = 20)]
    lines: Option<usize>,
}

impl LogParameters {
    fn begin(&self) -> Result<(Begin, usize), Refused> {
        let lines = self.lines.unwrap_or(LINES_USUAL);
        if lines > LINES_MAX {
            let what = format!("`lines` is a number up to {LINES_MAX}");
            return Err(Refused::new(RefusedKind::Bad, what, "ask again for what comes behind"));
        }
        let begin = self.after.as_deref().map_or(Ok(Begin::Last), Begin::parse);
        Ok((begin?, lines))
    }
}

/// What a unit has written, or what it writes
///
/// With `Accept: text/event-stream` the answer goes on: each line as JSON with its place as its id,
/// beginning with the last `lines`, or with those behind `Last-Event-ID` or `after`. `event: missed`
/// says how many segments were deleted before they were read, and how many bytes are damaged,
/// `event: problem` why the stream ends. A comment comes every fifteen seconds. A viewer or an
/// operator may read the logs of those services that its entry in `[[access]]` names.
#[utoipa::path(
    get,
    path = "/v1/units/{name}/logs",
    tag = "events",
    params(
        ("name" = String, Path, description = "The unit, such as `web` or `web@2`.", example = "web"),
        LogParameters,
    ),
    responses(
        (status = 200, description = "The lines, oldest first; one that is still being written is left.", content(
            (LogLines = "application/json", example = json!(examples::lines())),
            (String = "text/event-stream", example = json!(examples::stream_of_lines()))
        )),
        (status = 409, description = "Its output is discarded.",
            body = mainstay_api::control::Problem, content_type = "application/problem+json"),
    )
)]
async fn logs(
    State(calls): Calls,
    audience: Audience,
    Extension(archive): Extension<Archive>,
    Name(name): Name,
    Parameters(wanted): Parameters<LogParameters>,
) -> Response {
    let after = audience.last_seen.clone().or(wanted.after);
    let wanted = LogParameters { after, ..wanted };
    let answer = async {
        let (begin, lines) = wanted.begin()?;
        let unit = unit_of(&calls, &audience.asker, name).await?;
        let tail = Tail::new(&archive.folder, unit, begin);
        if audience.wants_stream {
            let (outlet, answer) = stream::begin(audience.seat()?);
            tokio::spawn(async move { drop(follow(archive, tail, lines, outlet).await) });
            return Ok(answer);
        }
        let _searching = audience.leave_to_search()?;
        let (tail, page) = archive.read(tail, lines).await?;
        Ok(Json(answer_of(&tail, page)).into_response())
    };
    answer.await.unwrap_or_else(refused)
}

/// Returns the full name of a unit whose log may be read.
async fn unit_of(
    calls: &mpsc::Sender<Call>,
    asker: &Asker,
    name: String,
) -> Result<String, Refused> {
    let UnitDetail { unit, logs, .. } = ask(calls, |reply| Call::Unit(name, reply)).await?;
    asker.rights.demand_log(&asker.user, &unit.unit)?;
    if logs.is_none() {
        let what = format!("`{}` has no log: its output is discarded", unit.unit);
        let hint = "remove `logs = \"off\"` from its configuration";
        return Err(Refused::new(RefusedKind::Conflict, what, hint));
    }
    Ok(unit.unit)
}

fn answer_of(tail: &Tail, page: Page) -> LogLines {
    let Page { lines, next, more, missed, damaged } = page;
    let lines = lines.into_iter().map(|(_, line)| line).collect();
    LogLines { unit: tail.unit().to_owned(), lines, next, more, missed, damaged }
}

/// Tells what is written until nobody reads any more.
async fn follow(
    archive: Archive,
    mut tail: Tail,
    first: usize,
    outlet: Outlet,
) -> Result<(), Left> {
    let mut lines_max = first;
    let mut told = Instant::now();
    loop {
        let (read, page) = match archive.read(tail, lines_max).await {
            Ok(read) => read,
            Err(reason) => return outlet.refuse(&reason).await,
        };
        (tail, lines_max) = (read, LINES_MAX);
        let Page { missed, damaged, .. } = page;
        if missed > 0 || damaged > 0 {
            outlet.send(stream::special("missed", &Missed { missed, damaged })).await?;
        }
        for (place, line) in &page.lines {
            outlet.send(stream::event(place, line)).await?;
        }
        if !page.lines.is_empty() {
            told = Instant::now();
        } else if told.elapsed() >= HEARTBEAT {
            told = Instant::now();
            outlet.beat().await?;
        }
        if !page.more {
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = outlet.left() => return Err(Left),
            }
        }
    }
}
