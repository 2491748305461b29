//! Executions of syncs: what they did, how far they are, whether they were complete.

mod cancel;
mod decide;
mod errors;
mod get;
mod list;
mod log;
pub(crate) mod sql;
mod start;

use kernel::{Error, RecordId, Result, SyncConfigId, SyncRunId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use decide::PendingDeletions;
pub(crate) use errors::Picked;
pub use errors::{Outstanding, Pick, Side};
pub(crate) use log::LogLine;
pub use start::NewRun;

pub(crate) use cancel::handle as cancel;
pub(crate) use decide::{approve, deletions, reject};
pub(crate) use errors::{of_config as outstanding, of_run as errors, retry, skip};
pub(crate) use get::handle as get;
pub(crate) use list::{all, of_config};
pub(crate) use log::handle as log;
pub(crate) use start::{asked, begin, handle as start, queue, queue_work};

/// What a run looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncMode)]
pub enum Mode {
    /// Everything, on both sides.
    #[serde(alias = "full_sync")]
    Full,
    /// What changed since the last run.
    #[default]
    #[serde(alias = "incremental_sync")]
    Incremental,
    /// What changes, as it changes: one run for a day.
    #[serde(alias = "real_time", alias = "real_time_sync", alias = "realtime_sync")]
    Realtime,
}

impl Mode {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::Realtime => "realtime",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "full" => Self::Full,
            "realtime" => Self::Realtime,
            _ => Self::Incremental,
        }
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncRunState)]
#[schema(as = SyncState)]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    #[serde(alias = "in_progress")]
    Running,
    /// The vendor gives nothing until `parkedUntil`.
    Parked,
    /// It would delete more than it may without somebody's approval.
    AwaitingApproval,
    /// It ended, and every record went well.
    #[serde(alias = "success")]
    Completed,
    /// It ended, and some records failed; they are tried again.
    Partial,
    /// It could not go on.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl State {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Parked => "parked",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Error: internal, for what we never wrote.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "parked" => Self::Parked,
            "awaiting_approval" => Self::AwaitingApproval,
            "completed" => Self::Completed,
            "partial" => Self::Partial,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            other => return Err(Error::internal(format!("a run's state is {other}"))),
        })
    }

    /// Whether it has ended.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Partial | Self::Failed | Self::Cancelled)
    }
}

/// What a run counted. What it did here and at the vendor is told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = SyncCounters)]
pub struct Counters {
    /// Pages of the vendor that were read.
    pub pages: u64,
    /// The vendor's records that were met, each once.
    pub seen: u64,
    /// Our records that were looked at for the vendor.
    pub sent: u64,
    /// Records made, on either side.
    pub created: u64,
    /// Records changed, on either side.
    pub updated: u64,
    /// Records deleted, on either side.
    pub deleted: u64,
    /// Met, and as they should be.
    pub unchanged: u64,
    /// Left alone on purpose.
    pub skipped: u64,
    /// Failed; they are tried again.
    pub failed: u64,
    /// Fields for which a person must decide.
    pub conflicts: u64,
    /// Of those made, changed and deleted: at the vendor.
    pub there: u64,
    /// How many records the vendor says that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_total: Option<u64>,
    /// Everything that was to be read was read, and as many as the vendor says.
    pub complete: bool,
}

/// The part that is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The vendor's pages.
    #[default]
    Pull,
    /// The vendor's feed of deletions, or what a complete scan did not meet.
    Deletions,
    /// Looks at single records of the vendor.
    Hints,
    /// Our records, one after another: which does the vendor not know?
    Scan,
    /// Deletions, once it is clear how many.
    Apply,
    /// The outbox.
    Push,
    /// The end.
    Finish,
}

/// Where a run goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Checkpoint {
    pub(crate) phase: Phase,
    /// The vendor's token of the page that is next; none: the first of the phase.
    pub(crate) token: Option<String>,
    /// Where an incremental pull began.
    pub(crate) since: Option<String>,
    /// Where the deletion feed begins.
    pub(crate) deleted_since: Option<String>,
    /// All pages were read.
    pub(crate) pulled: bool,
    /// How far our own records were walked.
    pub(crate) place: Option<(i64, RecordId)>,
    /// Dry run: how far lists were walked that are not used up.
    pub(crate) after: Option<String>,
    /// Failures of the vendor in a row.
    pub(crate) faults: u32,
    /// Since when the run waits for creations of which nobody knows how they ended; none: it does not.
    pub(crate) held_since: Option<Timestamp>,
    /// Steps that a phase may still take whose work can grow while it is done; none: it has not begun.
    pub(crate) steps_left: Option<u64>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncRun {
    /// Its id.
    pub id: SyncRunId,
    /// Its sync.
    pub sync_id: SyncConfigId,
    /// 1 is the sync's first.
    pub number: i64,
    /// What it looks at.
    pub mode: Mode,
    /// It changes nothing, on neither side, and its log says what it would do.
    pub dry_run: bool,
    /// `schedule`, `request`, `realtime`.
    pub trigger: String,
    /// How it stands.
    pub status: State,
    /// What it counted.
    #[serde(flatten)]
    pub report: Counters,
    /// Records that it worked on: `recordsSuccessful` and `recordsFailed` together.
    pub records_processed: u64,
    /// Those that went well.
    pub records_successful: u64,
    /// Those that failed.
    pub records_failed: u64,
    /// The part that is under way.
    pub phase: String,
    /// Why it failed, or is parked: a stable code.
    pub code: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// When it goes on.
    pub parked_until: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// From its beginning to its end.
    pub duration_seconds: Option<f64>,
}

/// A run with what the engine knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) tenant: TenantId,
    pub(crate) id: SyncRunId,
    pub(crate) sync: SyncConfigId,
    pub(crate) number: i64,
    pub(crate) mode: Mode,
    pub(crate) dry_run: bool,
    pub(crate) trigger: String,
    pub(crate) state: State,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) counters: Counters,
    pub(crate) approved: bool,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) parked_until: Option<Timestamp>,
    pub(crate) log_seq: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
}

impl Row {
    pub(crate) fn view(&self) -> SyncRun {
        let counted = &self.counters;
        let well = counted.created + counted.updated + counted.deleted + counted.unchanged + counted.skipped;
        let phase = serde_json::to_value(self.checkpoint.phase).ok().and_then(|value| value.as_str().map(str::to_owned));
        #[allow(clippy::cast_precision_loss, reason = "a duration in seconds")]
        let seconds = |ms: i64| ms as f64 / 1000.0;
        SyncRun {
            id: self.id,
            sync_id: self.sync,
            number: self.number,
            mode: self.mode,
            dry_run: self.dry_run,
            trigger: self.trigger.clone(),
            status: self.state,
            report: *counted,
            records_processed: well + counted.failed,
            records_successful: well,
            records_failed: counted.failed,
            phase: phase.unwrap_or_default(),
            code: self.code.clone(),
            message: self.message.clone(),
            parked_until: self.parked_until,
            created_at: self.created_at,
            started_at: self.started_at,
            completed_at: self.ended_at,
            duration_seconds: self.started_at.zip(self.ended_at).map(|(from, to)| seconds(to.millis() - from.millis())),
        }
    }
}
