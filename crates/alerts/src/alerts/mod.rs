//! Alerts: what needs a look. They open and close by themselves (see `evaluation`); people acknowledge, resolve and mute them.

mod acknowledge;
mod by_hand;
mod get;
mod list;
mod mute;
mod resolve;
pub(crate) mod sql;

use kernel::{AlertId, Error, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Rule, Severity};

pub(crate) use acknowledge::handle as acknowledge;
pub(crate) use get::handle as get;
pub use list::AlertFilter;
pub(crate) use list::handle as list;
pub use mute::Mute;
pub(crate) use mute::handle as mute;
pub(crate) use resolve::handle as resolve;

/// How far an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AlertStatus)]
pub enum Status {
    /// Nobody has taken it up.
    Open,
    /// Somebody has; it closes when it is over, like one that is open.
    Acknowledged,
    /// It is over.
    Closed,
}

impl Status {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Open, Self::Acknowledged, Self::Closed]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown status of an alert {text:?}")))
    }
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// `alr_…`
    pub id: AlertId,
    /// Whose; null: the operator's.
    pub tenant_id: Option<TenantId>,
    /// The rule that opened it.
    pub rule: Rule,
    /// What it is about: a key, an address, a webhook, a source, …
    pub subject: String,
    /// How grave.
    pub severity: Severity,
    /// How far it is.
    pub status: Status,
    /// In a sentence.
    pub summary: String,
    /// What was measured last.
    pub value: f64,
    /// The worst that was measured.
    pub worst: f64,
    /// From where on it was an alert.
    pub threshold: f64,
    /// What the three are in.
    pub unit: String,
    /// At how many looks the condition held; there is one a minute, and none is counted while nothing changes.
    pub count: u64,
    /// When it opened.
    pub opened_at: Timestamp,
    /// When the condition held last.
    pub last_seen_at: Timestamp,
    /// When somebody took it up.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// Until when nothing is told of it.
    pub muted_until: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Why: `recovered`, `resolved` (by somebody), `disabled` (its rule).
    pub closed_reason: Option<String>,
    /// Who resolved it.
    pub closed_by: Option<String>,
}

fn missing() -> Error {
    Error::not_found("alert")
}

fn closed() -> Error {
    Error::conflict("alert_closed", "This alert is closed. If its condition comes again, another one opens.")
}
