//! A job, as it is kept and as it is shown.

mod cancel;
mod create;
mod get;
mod list;
pub(crate) mod sql;
mod view;

use kernel::{ClientId, DestinationId, Error, JobId, JobScheduleId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use cancel::handle as cancel;
pub(crate) use create::defaults;
pub(crate) use create::handle as create;
pub(crate) use get::handle as get;
pub use list::JobFilter;
pub(crate) use list::handle as list;
pub use view::{Job, JobError, Status};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It may be leased.
    Ready,
    /// It waits for a place among its tenant's.
    Held,
    /// It waits for its time.
    Waiting,
    /// Somebody has it.
    Processing,
    /// It has a result.
    Completed,
    /// It is given up.
    Failed,
    /// Nobody wants it any more.
    Cancelled,
}

impl State {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        [Self::Ready, Self::Held, Self::Waiting, Self::Processing, Self::Completed, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown job state {text:?}")))
    }

    /// Whether it has ended.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A row of `jobs`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) tenant: TenantId,
    pub(crate) id: JobId,
    pub(crate) kind: String,
    pub(crate) state: State,
    pub(crate) priority: i64,
    pub(crate) client: Option<ClientId>,
    /// JSON text. Empty where it was not read.
    pub(crate) input: String,
    pub(crate) result: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) progress: i64,
    pub(crate) message: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) failures: i64,
    pub(crate) losses: i64,
    pub(crate) epoch: i64,
    pub(crate) lease: Option<String>,
    pub(crate) run_at: Timestamp,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) deadline_at: Option<Timestamp>,
    pub(crate) webhook: Option<DestinationId>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) record: Option<String>,
    pub(crate) schedule: Option<JobScheduleId>,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
}

/// The row, whole. Error: 404.
pub(crate) fn get_row(tx: &mut store::Tx<'_>, tenant: TenantId, id: JobId) -> Result<Row> {
    sql::get(tx, tenant, id)?.ok_or_else(|| Error::not_found("job"))
}

/// Serializes and reads a status by its name.
impl Serialize for Status {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Status::ALL.into_iter().find(|status| status.as_str() == text);
        known.ok_or_else(|| serde::de::Error::custom("must be pending, processing, completed, failed or cancelled"))
    }
}
