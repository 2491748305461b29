//! One error type: a kind that decides the status, a stable code for programs, a text for people, and the source for the log.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The result of nearly everything.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure this is. `web` gives each its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 400: the request cannot be read.
    Malformed,
    /// 401: who is asking is not known.
    Unauthenticated,
    /// 403: who is asking may not.
    Forbidden,
    /// 404: no such thing, or not for this caller; the two look the same.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 409: it contradicts the present state.
    Conflict,
    /// 412: a condition in the request does not hold.
    PreconditionFailed,
    /// 413: too large.
    TooLarge,
    /// 415: not a media type that is served here.
    UnsupportedMedia,
    /// 422: readable, but breaks a rule.
    Invalid,
    /// 429: too many requests.
    RateLimited,
    /// 500: our fault.
    Internal,
    /// 503: not now.
    Unavailable,
    /// 502: whoever answers behind us could not be reached, or did not speak sense.
    BadGateway,
    /// 504: whoever answers behind us took too long.
    GatewayTimeout,
}

/// One fault inside a request body: where (a JSON pointer) and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// RFC 6901 pointer to the faulty value.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// An error. The public part is safe to show to anyone; the source is for the log only.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    code: &'static str,
    detail: Cow<'static, str>,
    fields: Vec<FieldError>,
    retry_after: Option<Duration>,
    policy: Option<&'static str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Any kind; `code` is snake_case and never changes once released, `detail` says what happened and what to do.
    pub fn new(kind: Kind, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, code, detail: detail.into(), fields: Vec::new(), retry_after: None, policy: None, source: None }))
    }

    /// 422.
    pub fn invalid(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, code, detail)
    }

    /// 422 `validation_failed` about one field.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid("validation_failed", "The request breaks a rule; see errors.").at(pointer, detail)
    }

    /// 400.
    pub fn malformed(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Malformed, code, detail)
    }

    /// 404 for a `thing` such as `webhook`: code `not_found`.
    pub fn not_found(thing: &str) -> Self {
        Self::new(Kind::NotFound, "not_found", format!("There is no such {thing}, or it is not yours."))
    }

    /// 403.
    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, code, detail)
    }

    /// 401.
    pub fn unauthenticated(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unauthenticated, code, detail)
    }

    /// 409.
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, code, detail)
    }

    /// 503.
    pub fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unavailable, code, detail)
    }

    /// 500: something that should not happen did; `source` goes to the log, never to the caller.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(Kind::Internal, "internal", "Something went wrong on our side. The request id helps us find it.");
        error.0.source = Some(source.into());
        error
    }

    /// Adds one fault with its place.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.fields.push(FieldError { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Replaces the list of faults.
    #[must_use]
    pub fn with_fields(mut self, fields: Vec<FieldError>) -> Self {
        self.0.fields = fields;
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Says which limit's policy was violated, by its name in the `RateLimit` fields.
    #[must_use]
    pub fn violating(mut self, policy: &'static str) -> Self {
        self.0.policy = Some(policy);
        self
    }

    /// Adds what caused it, for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Its stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Its text for people.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Its faults by place.
    pub fn fields(&self) -> &[FieldError] {
        &self.0.fields
    }

    /// The policy that was violated, if a limit was.
    pub fn policy(&self) -> Option<&'static str> {
        self.0.policy
    }

    /// When to try again, if known.
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.detail, self.0.code)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        write!(f, "{:?} {}: {}", inner.kind, inner.code, inner.detail)?;
        for field in &inner.fields {
            write!(f, "; {}: {}", field.pointer, field.detail)?;
        }
        inner.source.as_ref().map_or(Ok(()), |source| write!(f, " <- {source}"))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
