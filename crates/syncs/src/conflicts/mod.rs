//! Fields that both sides changed, each to something else. The field is left alone on both sides until somebody decides; other fields go on.
//! A decision is carried out by the next push, by the merge that handles every other change.

mod get;
mod list;
mod resolve;
mod resolve_many;
pub(crate) mod sql;

use kernel::{ConflictId, Error, RecordId, Result, SyncConfigId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use resolve::Resolution;
pub(crate) use resolve_many::Decided;
pub use resolve_many::Resolutions;

pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use resolve::handle as resolve;
pub(crate) use resolve_many::handle as resolve_many;

/// How a conflict stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConflictState {
    /// Somebody must decide.
    Open,
    /// Somebody has; it is being carried out.
    Decided,
    /// It was carried out.
    Resolved,
    /// It ended by itself: both sides came to the same, or a record is gone.
    Settled,
}

impl ConflictState {
    fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Decided => "decided",
            Self::Resolved => "resolved",
            Self::Settled => "settled",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "open" => Self::Open,
            "decided" => Self::Decided,
            "resolved" => Self::Resolved,
            "settled" => Self::Settled,
            other => return Err(Error::internal(format!("a conflict's state is {other}"))),
        })
    }
}

/// What somebody decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConflictChoice)]
pub enum Choice {
    /// Our value, as it is when the decision is carried out.
    Local,
    /// The vendor's, as it is then.
    Remote,
    /// Another value, for both sides.
    Value,
}

impl Choice {
    fn text(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Value => "value",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "local" => Self::Local,
            "remote" => Self::Remote,
            "value" => Self::Value,
            other => return Err(Error::internal(format!("a decision is {other}"))),
        })
    }
}

/// A field that both sides changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// Its id.
    pub id: ConflictId,
    /// The sync.
    pub sync_id: SyncConfigId,
    /// Our record.
    pub record_id: RecordId,
    /// The vendor's.
    pub remote_id: String,
    /// Our field.
    pub field: String,
    /// The vendor's.
    pub remote_field: String,
    /// Our value.
    #[schema(value_type = Object)]
    pub local_value: Value,
    /// The vendor's, as we would store it.
    #[schema(value_type = Object)]
    pub remote_value: Value,
    /// What both had before; null where they never agreed.
    #[schema(value_type = Object)]
    pub agreed_value: Value,
    /// How it stands.
    pub status: ConflictState,
    /// What was decided.
    pub decision: Option<Choice>,
    /// The value that was chosen, where neither side's was.
    #[schema(value_type = Object)]
    pub value: Option<Value>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Since when it is known.
    pub created_at: Timestamp,
    /// When its values or its state last changed.
    pub updated_at: Timestamp,
}
