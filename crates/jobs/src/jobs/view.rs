//! A job as a reader sees it.

use kernel::{ClientId, DestinationId, Error, JobId, JobScheduleId, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Row, State};

/// Where a job stands, for readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[schema(as = JobStatus)]
pub enum Status {
    /// It has not begun, or is to be tried again.
    Pending,
    /// It is under way.
    Processing,
    /// It has a result.
    Completed,
    /// It failed for good.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl Status {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Processing, Self::Completed, Self::Failed, Self::Cancelled];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<State> for Status {
    fn from(state: State) -> Self {
        match state {
            State::Ready | State::Held | State::Waiting => Self::Pending,
            State::Processing => Self::Processing,
            State::Completed => Self::Completed,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

/// Why a job, or an attempt at it, failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobError {
    /// A word for programs: `[a-z0-9_.-]`, 1 to 64. Ours: `worker_lost`, `deadline_exceeded`, `host_unreachable`, `host_refused`, `invalid_answer`.
    #[schema(example = "recording_unreadable")]
    pub code: String,
    /// A text for people, at most 2000 characters.
    pub message: String,
    /// More, as the worker likes; at most 16 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<Value>,
}

impl JobError {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), details: None }
    }
}

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it stands.
    pub status: Status,
    /// 0 to 100; never goes back.
    pub progress: i64,
    /// What the worker said last.
    pub message: Option<String>,
    /// -100 to 100.
    pub priority: i64,
    /// What it works on; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub input: Option<Value>,
    /// What came out; not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Why it failed, or why the last attempt did.
    pub error: Option<JobError>,
    /// How often it was begun.
    pub attempts: i64,
    /// The client that started it.
    pub client_id: Option<ClientId>,
    /// The record that its result changes.
    pub record_id: Option<String>,
    /// The schedule that started it.
    pub schedule_id: Option<JobScheduleId>,
    /// Where its end is told.
    pub webhook_url: Option<String>,
    /// The deliveries there: `GET /deliveries?webhookId=…`.
    pub webhook_id: Option<DestinationId>,
    /// Not to begin before.
    pub run_at: Timestamp,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// To have ended by.
    pub deadline: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it first began.
    pub started_at: Option<Timestamp>,
    /// When it ended, well or not.
    pub completed_at: Option<Timestamp>,
    /// The secret that signs at `webhookUrl`: in the answer that makes it and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_secret: Option<String>,
}

impl Job {
    pub(crate) fn of(row: Row) -> Result<Self> {
        let json = |text: &str| serde_json::from_str(text).map_err(Error::internal);
        Ok(Self {
            id: row.id,
            status: row.state.into(),
            progress: row.progress,
            message: row.message,
            priority: row.priority,
            input: Some(row.input.as_str()).filter(|text| !text.is_empty()).map(json).transpose()?,
            result: row.result.as_deref().map(json).transpose()?,
            error: row.error.as_deref().map(|text| serde_json::from_str(text).map_err(Error::internal)).transpose()?,
            attempts: row.attempts,
            client_id: row.client,
            record_id: row.record,
            schedule_id: row.schedule,
            webhook_url: row.webhook_url,
            webhook_id: row.webhook,
            run_at: row.run_at,
            next_attempt_at: row.due_at.filter(|_| row.state == State::Waiting),
            deadline: row.deadline_at,
            created_at: row.created_at,
            started_at: row.started_at,
            completed_at: row.ended_at,
            kind: row.kind,
            webhook_secret: None,
        })
    }
}
