//! Questions of clients, on their way from the API's thread to the loop that knows the answers.

use axum::http::StatusCode;
use jiff::Timestamp;
use mainstay_api::control::{
    AddService, CommandAnswer, CommandRequest, DiffAnswer, DiffRequest, EditKeys, Files, Problem,
    ProblemCode, ReplaceFile, SecretAnswer, Secrets, ServiceText, Status, Tree, UnitDetail,
    UpgradeAnswer, UpgradeRequest,
};
use mainstay_platform::tally::Root;
use mainstay_storage::secrets::Secret;
use tokio::sync::oneshot;

use crate::{
    daemon::Setting,
    events::{Level, history::Recent},
    rights::Rights,
};

/// An answer that somebody waits for.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Refused>>;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What the HTTP status says.
    pub(crate) kind: RefusedKind,
    /// What the body says.
    pub(crate) problem: Problem,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedKind {
    /// The question makes no sense.
    Bad,
    /// Whoever asks has no rights here.
    Stranger,
    /// There is no such thing.
    Missing,
    /// The path has no such method.
    Method,
    /// The question has not come in time.
    Late,
    /// The state does not allow it.
    Conflict,
    /// There is more of it than anybody reads.
    Large,
    /// It is of a kind that is not read here.
    Strange,
    /// Somebody asks too often.
    Often,
    /// There are more or longer headers than anybody reads.
    Headers,
    /// The system refuses.
    Failed,
}

impl RefusedKind {
    /// Returns the status that HTTP has for it.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Bad => StatusCode::BAD_REQUEST,
            Self::Stranger => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Late => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Large => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Strange => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Often => StatusCode::TOO_MANY_REQUESTS,
            Self::Headers => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Failed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns what programs are told, where nothing more is known.
    const fn code(self) -> ProblemCode {
        match self {
            Self::Bad => ProblemCode::BadRequest,
            Self::Stranger => ProblemCode::Forbidden,
            Self::Missing => ProblemCode::NotFound,
            Self::Method => ProblemCode::MethodNotAllowed,
            Self::Late => ProblemCode::BodyTimeout,
            Self::Conflict => ProblemCode::Conflict,
            Self::Large => ProblemCode::BodyTooLarge,
            Self::Strange => ProblemCode::UnsupportedMediaType,
            Self::Often => ProblemCode::TooManyRequests,
            Self::Headers => ProblemCode::HeadersTooLarge,
            Self::Failed => ProblemCode::Unavailable,
        }
    }

    /// Returns what the contract says of it.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Bad => "The request makes no sense.",
            Self::Stranger => "The user has not the role that this needs.",
            Self::Missing => "There is no such thing.",
            Self::Method => "The path has no such method.",
            Self::Late => "The body has not come in time.",
            Self::Conflict => "The state does not allow it.",
            Self::Large => "The body is too large.",
            Self::Strange => "The body is of another kind.",
            Self::Often => {
                "The user asks too often, or too much at a time; `Retry-After` says when to try again."
            }
            Self::Headers => "There are too many headers, or they are too long; without a body.",
            Self::Failed => "The system refuses, or the agent has too much to do.",
        }
    }
}

impl Refused {
    pub(crate) fn new(
        kind: RefusedKind,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (status, code) = (kind.status(), kind.code());
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        let (error, hint) = (error.into(), hint.into());
        Self { kind, problem: Problem { title, status: status.as_u16(), code, error, hint } }
    }

    /// Returns the same with a code that says more, where there is one.
    pub(crate) fn coded(mut self, code: Option<ProblemCode>) -> Self {
        self.problem.code = code.unwrap_or(self.problem.code);
        self
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asker {
    /// The user, as the system names it.
    pub(crate) user: String,
    /// What it may do.
    pub(crate) rights: Rights,
}

/// Which events are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventsQuery {
    /// Only later ones.
    pub(crate) after: Option<u64>,
    /// Only earlier ones.
    pub(crate) before: Option<u64>,
    /// Only of these units or services.
    pub(crate) names: Vec<String>,
    /// Only of this chain.
    pub(crate) trace: Option<String>,
    /// Only of this run.
    pub(crate) run: Option<u64>,
    /// Only those with such names; `*` and `?` match.
    pub(crate) types: Vec<String>,
    /// Only those that matter so much at least.
    pub(crate) level: Level,
    /// Only from this time on.
    pub(crate) since: Option<Timestamp>,
    /// Only up to this time.
    pub(crate) until: Option<Timestamp>,
    /// At most so many, the newest.
    pub(crate) limit: usize,
}

/// A run with a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveRun {
    /// Its unit.
    pub(crate) unit: String,
    /// Its number.
    pub(crate) run: u64,
    /// Its processes that are known.
    pub(crate) root: Root,
}

/// A question.
#[derive(Debug)]
pub(crate) enum Call {
    Status(Reply<Status>),
    Tree(Reply<Tree>),
    /// The runs of the units that names mean, all of them without a name.
    Runs(Vec<String>, Reply<Vec<LiveRun>>),
    Unit(String, Reply<UnitDetail>),
    /// What is known of a unit's environment.
    Setting(String, Reply<Setting>),
    /// What is in memory of the events that a question may be about, and the names that its names
    /// mean.
    Recent(EventsQuery, Reply<(EventsQuery, Recent)>),
    /// Answered once something fits; the names are those that names mean.
    NextEvent(EventsQuery, Reply<()>),
    Command(Asker, CommandRequest, Reply<CommandAnswer>),
    Add(Asker, AddService, Reply<CommandAnswer>),
    Remove(Asker, String, Keeps, Reply<CommandAnswer>),
    Apply(Asker, Applying, Reply<CommandAnswer>),
    Diff(DiffRequest, Reply<DiffAnswer>),
    Files(Reply<Files>),
    Replace(Asker, ReplaceFile, Reply<CommandAnswer>),
    Source(String, Option<String>, Reply<ServiceText>),
    EditKeys(Asker, String, EditKeys, Reply<CommandAnswer>),
    ShutDown(Asker, Reply<CommandAnswer>),
    Upgrade(Asker, UpgradeRequest, Reply<UpgradeAnswer>),
    Secrets(Reply<Secrets>),
    SetSecret(Asker, String, Secret, Reply<SecretAnswer>),
    RemoveSecret(Asker, String, Reply<SecretAnswer>),
    /// Groups cannot have the rights that they should have, and why.
    NotLetIn(Vec<String>),
}

/// What may come of applying files besides what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Applying {
    /// What no file has any more is stopped and forgotten.
    pub(crate) prune: bool,
    /// They may hold no service at all.
    pub(crate) allow_empty: bool,
}

/// What becomes of what a service has kept when it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// It stays, for a service of the same name.
    Everything,
    /// It goes.
    Nothing,
}
