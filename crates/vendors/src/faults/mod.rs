//! What goes wrong, by switch.
//!
//! A fault is a kind and a place: which method and which part of the target it meets, how many such calls pass before it (`after`), and
//! how often it happens (`times`). As text, on the command line and at `POST /_double/faults`: `rate-limit,path=/search,after=2,times=1`.
//!
//! | text | what happens |
//! |---|---|
//! | `rate-limit[,retry-after=7][,retry-date=7]` | 429 in the vendor's form; with `Retry-After` in seconds, as a date, or without it |
//! | `forbidden` | 403 as the vendor says that a limit is reached |
//! | `unauthorized` | 401, and the access token that was shown is dead from then on |
//! | `scope-removed` | 403: the user has taken a scope back |
//! | `html[,status=503]` | the maintenance page |
//! | `server-error[,status=500]` | an error in the vendor's form |
//! | `error-inside` | an error with status 200, at vendors that do so |
//! | `lost-request` | the connection ends; nothing was done |
//! | `lost-answer` | the connection ends; it was done |
//! | `lost-refresh` | the same, for a refresh of a token only |
//! | `cut-body` | the connection ends in the middle of the answer |
//! | `slow,ms=500` | the answer comes later |
//! | `partial-batch[,every=3]` | each third row of a batch fails |
//! | `duplicate-rows` | a page begins with the last row of the one before |
//! | `index-lag,ms=5000` | search sees what was written that much later |
//! | `duplicate-webhooks`, `reorder-webhooks`, `lost-webhooks` | as they say |

mod parse;
mod plan;

use std::time::Duration;

use http::Method;

use crate::stand::Call;

pub use plan::Plan;

/// Whether and how a refused call is told when to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// It is not told.
    Silent,
    /// `Retry-After: 7`.
    Seconds(u64),
    /// `Retry-After` as a date that is so many seconds ahead.
    Date(u64),
}

/// What happens. The module's table has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the module's table says what each is")]
pub enum Kind {
    RateLimit(RetryAfter),
    Forbidden,
    Unauthorized,
    ScopeRemoved,
    Html(u16),
    ServerError(u16),
    ErrorInside,
    LostRequest,
    LostAnswer,
    CutBody,
    Slow(Duration),
    PartialBatch { every: u64 },
    DuplicateRows,
    IndexLag(Duration),
    DuplicateWebhooks,
    ReorderWebhooks,
    LostWebhooks,
}

impl Kind {
    /// Whether it is a state of the double, which holds while the fault is there, and no event of a call.
    fn is_standing(self) -> bool {
        matches!(self, Self::IndexLag(_) | Self::DuplicateWebhooks | Self::ReorderWebhooks | Self::LostWebhooks)
    }
}

/// A fault and where it strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// To which method; to all, if none.
    pub method: Option<Method>,
    /// To targets (path and query) that have this part; to all, if none.
    pub path: Option<String>,
    /// To bodies that have this part; to all, if none.
    pub body: Option<String>,
    /// So many such calls pass before.
    pub after: u64,
    /// How often; without end, if none.
    pub times: Option<u64>,
}

impl Fault {
    /// On every call, without end.
    pub fn new(kind: Kind) -> Self {
        Self { kind, method: None, path: None, body: None, after: 0, times: None }
    }

    /// Only on targets with this part.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Only on this method.
    #[must_use]
    pub fn on(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only from the `n + 1`-th such call.
    #[must_use]
    pub fn after(mut self, n: u64) -> Self {
        self.after = n;
        self
    }

    /// Only so often.
    #[must_use]
    pub fn times(mut self, n: u64) -> Self {
        self.times = Some(n);
        self
    }

    /// A refresh whose answer is lost after the token was rotated.
    pub fn lost_refresh() -> Self {
        Self { body: Some("refresh_token".to_owned()), ..Self::new(Kind::LostAnswer).at("token").on(Method::POST) }
    }

    fn meets(&self, call: &Call) -> bool {
        let has = |part: &Option<String>, bytes: &[u8]| {
            part.as_ref().is_none_or(|part| bytes.windows(part.len().max(1)).any(|window| window == part.as_bytes()))
        };
        self.method.as_ref().is_none_or(|method| *method == call.method)
            && self.path.as_ref().is_none_or(|part| call.target.contains(part.as_str()))
            && has(&self.body, &call.body)
    }
}
