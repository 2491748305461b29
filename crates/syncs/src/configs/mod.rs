//! Synchronisations as tenants write them: what flows between a resource type and a vendor's object.

mod create;
mod delete;
mod get;
mod input;
mod list;
pub(crate) mod sql;
mod update;

use kernel::{IntegrationId, SyncConfigId, SyncRunId, TenantId, Timestamp};
use mappings::{FieldMapping, Policy};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::frequency::{Frequency, Schedule};
use crate::runs::State;

pub use input::{NewSyncConfig, SyncConfigPatch};

pub(crate) use create::{handle as create, object_of};
pub(crate) use delete::handle as delete;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use update::handle as update;

/// Which way records flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncDirection)]
#[schema(as = SyncDirection)]
pub enum Direction {
    /// From the vendor to us (`inbound`).
    #[serde(alias = "inbound", alias = "to_local")]
    Pull,
    /// From us to the vendor (`outbound`).
    #[serde(alias = "outbound", alias = "to_remote")]
    Push,
    /// Both ways.
    #[default]
    #[serde(alias = "both", alias = "two_way", alias = "bi_directional")]
    Bidirectional,
}

impl Direction {
    pub(crate) fn pulls(self) -> bool {
        self != Self::Push
    }

    pub(crate) fn pushes(self) -> bool {
        self != Self::Pull
    }
}

/// What becomes of a record when the other side's is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SyncDeletions)]
pub enum Deletions {
    /// It is deleted too, unless it was changed since both agreed: then the other is made again.
    #[default]
    Delete,
    /// It stays, and the two go their own ways for ever.
    Unlink,
    /// It stays; when it is changed, the other is made again.
    Ignore,
}

/// What a tenant writes of a sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncSettings)]
pub struct Settings {
    /// A name for people.
    pub name: Option<String>,
    /// Which way records flow.
    pub direction: Direction,
    /// When it runs: milliseconds, a cron expression, `realtime`, `hourly`, `daily` or `manual`.
    pub frequency: Frequency,
    /// The time zone of a cron expression.
    pub timezone: String,
    /// What must hold of the vendor's records, as fields and values: `{"LeadSource": "Web"}`; they are set on those that we make there.
    #[schema(value_type = Option<Object>)]
    pub remote_filter: Option<Value>,
    /// Who wins where both sides changed a field: `local`, `remote`, `newest`, or `manual` (a person).
    pub conflict_resolution: Policy,
    /// The fields.
    pub field_mappings: Vec<FieldMapping>,
    /// For telephone numbers without a country's code.
    pub default_country: Option<String>,
    /// What becomes of a record when the other side's is deleted.
    pub deletions: Deletions,
    /// More deletions in one run than this part of all links (and than 20) wait for somebody's approval, in per cent.
    pub delete_brake_percent: u32,
    /// How often a realtime sync looks at the vendor although nothing was told, in seconds.
    pub poll_seconds: u64,
    /// How often everything is compared, in hours; null: only when asked for, or when the vendor tells of no deletions daily.
    pub full_every_hours: Option<u64>,
}

/// A sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncConfig {
    /// Its id.
    pub id: SyncConfigId,
    /// The account at the vendor.
    pub integration_id: IntegrationId,
    /// Our resource type.
    pub resource_type: String,
    /// The vendor's object.
    pub object: String,
    /// Whether it runs by itself and follows changes.
    pub enabled: bool,
    /// What was written.
    #[serde(flatten)]
    pub settings: Settings,
    /// 1, one more with every change of the mapping.
    pub mapping_version: i64,
    /// When it runs next.
    pub next_run_at: Option<Timestamp>,
    /// Its last run.
    pub last_run_id: Option<SyncRunId>,
    /// When that ended.
    pub last_sync_at: Option<Timestamp>,
    /// How that ended: `completed`, `partial`, `failed`.
    pub last_sync_status: Option<State>,
    /// Why that failed.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl SyncConfig {
    /// Whether changes are worked on as they come.
    ///
    /// Errors: a schedule that is good no more.
    pub(crate) fn is_lively(&self) -> kernel::Result<bool> {
        Ok(self.enabled && self.settings.schedule()? == Schedule::Realtime)
    }
}

/// A sync with what the engine knows of it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) tenant: TenantId,
    pub(crate) config: SyncConfig,
    pub(crate) cursor: Option<String>,
    pub(crate) deleted_cursor: Option<String>,
    pub(crate) full_at: Option<Timestamp>,
    pub(crate) enabled_at: Timestamp,
    /// What the vendor was asked to call us by, and when that ends.
    pub(crate) watch: Option<(String, Option<Timestamp>)>,
}
