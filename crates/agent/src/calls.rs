//! Questions of clients, on their way from the API's thread to the loop that knows the answers.

use jiff::Timestamp;
use mainstay_api::control::{
    AddService, CommandAnswer, CommandRequest, Events, Problem, SecretAnswer, Secrets, Status,
    Tree, UnitDetail, UpgradeAnswer, UpgradeRequest,
};
use mainstay_storage::secrets::Secret;
use tokio::sync::oneshot;

use crate::{events::Level, rights::Rights};

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
    /// The state does not allow it.
    Conflict,
    /// The system refuses.
    Failed,
}

impl Refused {
    pub(crate) fn new(
        kind: RefusedKind,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { kind, problem: Problem { error: error.into(), hint: hint.into() } }
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
    /// Only of these units or services.
    pub(crate) names: Vec<String>,
    /// Only of this chain.
    pub(crate) trace: Option<String>,
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
    /// Whether to answer only once there is one.
    pub(crate) patience: Patience,
}

/// Whether somebody waits for what has not happened yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// An empty answer will do.
    None,
    /// The answer comes with the next event that fits.
    Waits,
}

/// A question.
#[derive(Debug)]
pub(crate) enum Call {
    Status(Reply<Status>),
    Tree(Reply<Tree>),
    Unit(String, Reply<UnitDetail>),
    Events(EventsQuery, Reply<Events>),
    Command(Asker, CommandRequest, Reply<CommandAnswer>),
    Add(Asker, AddService, Reply<CommandAnswer>),
    Remove(Asker, String, Keeps, Reply<CommandAnswer>),
    Apply(Asker, Reply<CommandAnswer>),
    ShutDown(Asker, Reply<CommandAnswer>),
    Upgrade(Asker, UpgradeRequest, Reply<UpgradeAnswer>),
    Secrets(Reply<Secrets>),
    SetSecret(Asker, String, Secret, Reply<SecretAnswer>),
    RemoveSecret(Asker, String, Reply<SecretAnswer>),
    /// Groups cannot have the rights that they should have, and why.
    NotLetIn(Vec<String>),
}

/// What becomes of what a service has kept when it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// It stays, for a service of the same name.
    Everything,
    /// It goes.
    Nothing,
}
