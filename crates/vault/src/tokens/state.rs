//! The states of a token, and when it is renewed.

use std::time::Duration;

use kernel::{Error, Timestamp};
use serde::{Deserialize, Serialize};

/// How a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OauthTokenStatus)]
pub enum Status {
    /// It works.
    Active,
    /// The last renewal did not work, and may yet: the vendor was down, slow, or did not take our app.
    Degraded,
    /// The grant is over: somebody has to connect again.
    ReauthRequired,
    /// Somebody disconnected it.
    Revoked,
}

impl Status {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::ReauthRequired => "reauth_required",
            Self::Revoked => "revoked",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Active, Self::Degraded, Self::ReauthRequired, Self::Revoked]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::field("/status", "must be active, degraded, reauth_required or revoked"))
    }
}

/// How far the vendor has ended what was disconnected here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OauthTokenRevocation)]
pub enum Revocation {
    /// It will be asked (again).
    Pending,
    /// It has.
    Done,
    /// It was asked for days and never did.
    Failed,
    /// It cannot be asked: end it at the vendor's site.
    Unsupported,
}

impl Revocation {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
        }
    }

    pub(crate) fn read(text: &str) -> Option<Self> {
        [Self::Pending, Self::Done, Self::Failed, Self::Unsupported].into_iter().find(|one| one.as_str() == text)
    }
}

/// How long before its end a token is renewed: a quarter of its life, five minutes at most.
pub(crate) fn margin(from: Timestamp, until: Timestamp) -> Duration {
    (until.since(from) / 4).min(Duration::from_secs(300))
}

/// How long a renewal that failed so often is left alone: five seconds, doubling, at most an hour.
pub(crate) fn pause(failures: u32) -> Duration {
    Duration::from_secs(5) * 2_u32.pow(failures.saturating_sub(1).min(10)).min(720)
}

/// The same for a revocation: a minute, doubling, at most six hours. Twelve of them are about a day and a half.
pub(crate) fn revocation_pause(failures: u32) -> Duration {
    Duration::from_secs(60) * 2_u32.pow(failures.saturating_sub(1).min(9)).min(360)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lives_have_short_margins_and_pauses_grow_to_a_bound() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        assert_eq!(margin(at(0), at(5)), Duration::from_millis(1250));
        assert_eq!(margin(at(0), at(3600)), Duration::from_secs(300));
        assert_eq!(margin(at(10), at(5)), Duration::ZERO);
        assert_eq!([0, 1, 2, 3, 10, 11, 1000].map(|failures| pause(failures).as_secs()), [5, 5, 10, 20, 2560, 3600, 3600]);
        assert_eq!([0, 1, 2, 9, 10, 1000].map(|failures| revocation_pause(failures).as_secs() / 60), [1, 1, 2, 256, 360, 360]);
    }
}
