//! What went wrong at a vendor, as what is to be done about it.

use std::time::Duration;

use kernel::Timestamp;

/// Why a vendor did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The credential is not (or no longer) good, also after a renewal: somebody has to connect again.
    Unauthorized {
        /// What the vendor said, bounded, without secrets.
        message: String,
    },
    /// The credential is good and may not do this.
    Forbidden {
        /// What the vendor said.
        message: String,
    },
    /// Too much at once: worth another try after a pause.
    RateLimited {
        /// How long, where the vendor said so.
        after: Option<Duration>,
    },
    /// The account has nothing left until then: the run is parked, nobody sleeps.
    Exhausted {
        /// When there is something again.
        until: Timestamp,
    },
    /// There is no such record or object.
    NotFound {
        /// What the vendor said.
        message: String,
    },
    /// The vendor refuses the request as it is; trying again is no use.
    Refused {
        /// The vendor's code, or one of ours: `REQUIRED_FIELD_MISSING`.
        code: String,
        /// What the vendor said.
        message: String,
        /// The field that is meant, where the vendor names one.
        field: Option<String>,
    },
    /// A cursor or a page's token is too old: begin anew, completely.
    Stale {
        /// Why.
        message: String,
    },
    /// The vendor is down, slow or answers nonsense (an HTML page); nothing of the call has happened.
    Unavailable {
        /// What came.
        message: String,
    },
    /// The answer was lost: what was asked for may have happened.
    Lost {
        /// How.
        message: String,
    },
}

impl Fault {
    /// A cursor or a page's token that is of no use (any more).
    pub fn stale(message: impl Into<String>) -> Self {
        Self::Stale { message: message.into() }
    }

    /// A member of an integration's `config` that is not what it must be; `is` goes on after its name: `is a text`.
    pub fn wrong_setting(name: &str, is: &str) -> Self {
        Self::Refused {
            code: "invalid_config".to_owned(),
            message: format!("The setting {name} of the integration {is}."),
            field: Some(name.to_owned()),
        }
    }

    /// Whether the same call may succeed later without anybody doing anything.
    pub fn passes(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Exhausted { .. } | Self::Unavailable { .. } | Self::Lost { .. })
    }

    /// A stable code for logs and answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => "vendor_unauthorized",
            Self::Forbidden { .. } => "vendor_forbidden",
            Self::RateLimited { .. } => "vendor_rate_limited",
            Self::Exhausted { .. } => "vendor_quota_exhausted",
            Self::NotFound { .. } => "vendor_not_found",
            Self::Refused { .. } => "vendor_refused",
            Self::Stale { .. } => "vendor_cursor_stale",
            Self::Unavailable { .. } => "vendor_unavailable",
            Self::Lost { .. } => "vendor_answer_lost",
        }
    }
}
