//! How the API says no.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, with the remedy: a problem document as RFC 9457 has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The name that HTTP has for the status.
    #[serde(default)]
    pub title: String,
    /// The status of the answer.
    #[serde(default)]
    pub status: u16,
    /// The reason, for programs.
    #[serde(default)]
    pub code: ProblemCode,
    /// What was wanted and why it cannot be.
    pub error: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// Why a request was refused. The words of `error` may change with a version, these do not; a later
/// version may have more of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// The request makes no sense.
    BadRequest,
    /// The user has not the role that this needs.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
    /// The body has not come in time.
    BodyTimeout,
    /// The state does not allow it.
    Conflict,
    /// There are mistakes in the files, or would be.
    BadFiles,
    /// Somebody else has changed a file since it was read.
    FilesChanged,
    /// There is no service left in the files; whoever means that says so.
    NoServices,
    /// The body is too large.
    BodyTooLarge,
    /// The body is of another kind.
    UnsupportedMediaType,
    /// The user asks too often, or too much at a time.
    TooManyRequests,
    /// There are too many headers, or they are too long.
    HeadersTooLarge,
    /// The system refuses, or the agent has too much to do.
    Unavailable,
    /// None that is known here: of another version.
    #[default]
    #[serde(other)]
    Unknown,
}
