//! Schedules: what starts jobs again and again, by cron in a time zone.
//!
//! One node fires each time: whoever moves `next_at` on starts the job in the same transaction. Times that passed while no server ran are made
//! up for by one job, not by one each.

mod create;
mod cron;
mod delete;
mod fire;
mod get;
mod list;
mod sql;
mod update;

use kernel::{ClientId, Error, JobId, JobScheduleId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Tx;
use web::Patch;

pub(crate) use create::handle as create;
pub(crate) use delete::handle as delete;
pub(crate) use fire::fire_due;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use update::handle as update;

/// Most schedules of a tenant.
pub(crate) const MAX_PER_TENANT: i64 = 100;

/// A schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSchedule {
    /// Its id.
    pub id: JobScheduleId,
    /// The type of its jobs.
    #[serde(rename = "type")]
    pub kind: String,
    /// A name for people.
    pub name: Option<String>,
    /// When: `minute hour day month weekday`, perhaps with seconds before it; also `@hourly`, `@daily`, `@weekly`, `@monthly`.
    pub cron: String,
    /// In which time zone: `Europe/Berlin`.
    pub timezone: String,
    /// What its jobs work on.
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
    /// Of its jobs; null: the type's.
    pub priority: Option<i64>,
    /// Whether it starts jobs.
    pub enabled: bool,
    /// The client whose jobs they are.
    pub client_id: Option<ClientId>,
    /// When it starts the next.
    pub next_run_at: Option<Timestamp>,
    /// When it started the last.
    pub last_run_at: Option<Timestamp>,
    /// The last.
    pub last_job_id: Option<JobId>,
    /// Why none could be started the last time.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A schedule as it is asked for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSchedule {
    /// The type of its jobs.
    #[serde(rename = "type")]
    pub kind: String,
    /// When: see [`JobSchedule::cron`].
    #[schema(example = "0 6 * * MON")]
    pub cron: String,
    /// By default UTC.
    #[serde(default)]
    pub timezone: Option<String>,
    /// A name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// What its jobs work on.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub input: Map<String, Value>,
    /// Of its jobs, -100 to 100; by default the type's.
    #[serde(default)]
    pub priority: Option<i64>,
    /// By default true.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// What is to change; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchedulePatch {
    /// When.
    #[serde(default)]
    pub cron: Option<String>,
    /// In which time zone.
    #[serde(default)]
    pub timezone: Option<String>,
    /// A name for people.
    #[serde(default)]
    pub name: Patch<String>,
    /// What its jobs work on.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub input: Option<Map<String, Value>>,
    /// Of its jobs.
    #[serde(default)]
    pub priority: Patch<i64>,
    /// Whether it starts jobs.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// The schedule. Error: 404.
fn get_row(tx: &mut Tx<'_>, tenant: TenantId, id: JobScheduleId) -> Result<JobSchedule> {
    sql::get(tx, tenant, id)?.ok_or_else(|| Error::not_found("job schedule"))
}

/// What is the same for new ones and changed ones. Errors: 413 `job_too_large`; 422 `validation_failed`, `invalid_cron`.
fn check(jobs: &crate::Jobs, schedule: &mut JobSchedule) -> Result<()> {
    if let Some(name) = &schedule.name {
        kernel::text::line("/name", name, 1, kernel::text::MAX_NAME)?;
    }
    crate::input::priority(schedule.priority)?;
    let kind = jobs.catalogue.get(&schedule.kind)?;
    crate::jobs::defaults(&kind.declared.input, &mut schedule.input);
    kind.check_input(&Value::Object(schedule.input.clone()), "/input")?;
    crate::input::written(&schedule.input)?;
    let next = cron::next(&schedule.cron, &schedule.timezone, jobs.ambient.now())?;
    schedule.next_run_at = Some(next).filter(|_| schedule.enabled);
    Ok(())
}
