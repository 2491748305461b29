//! Leases: how jobs are handed out, and what their holders may say.

mod complete;
mod fail;
mod heartbeat;
mod lease;
mod release;
pub(crate) mod sql;
mod token;

use kernel::{Caller, Error, JobId, Permission, Result, TenantId, TenantScope, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Tx;

use crate::jobs::{JobError, Row, State, Status, sql as jobs};

pub(crate) use complete::handle as complete;
pub(crate) use fail::Again;
pub(crate) use fail::handle as fail;
pub(crate) use heartbeat::handle as heartbeat;
pub(crate) use lease::Ask;
pub(crate) use lease::handle as lease;
pub(crate) use token::Token;

/// Most jobs in one lease.
pub(crate) const MAX_LEASED: u32 = 32;
/// Longest wait for jobs, in seconds.
pub(crate) const MAX_WAIT: u32 = 60;
/// Most types that are asked for at once.
pub(crate) const MAX_TYPES: usize = 32;

/// What a worker asks for.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseRequest {
    /// Types of jobs that it can do, at most 32; by default all that are done by workers.
    #[serde(default)]
    pub types: Vec<String>,
    /// Most jobs, 1 to 32; by default 1.
    #[serde(default)]
    pub max: Option<u32>,
    /// How long to wait for some, 0 to 60 seconds; by default 0.
    #[serde(default)]
    pub wait_seconds: Option<u32>,
    /// The worker's name, for people who look at jobs.
    #[serde(default)]
    pub worker: Option<String>,
}

/// Jobs that are leased now.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Leased {
    /// The most urgent first; none, when nothing came in the time.
    pub data: Vec<Lease>,
}

/// A job that is leased.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// The job.
    pub id: JobId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What to work on.
    #[schema(value_type = Object)]
    pub input: Value,
    /// How often it was begun, this time included.
    pub attempt: i64,
    /// 0 to 100: how far an earlier attempt had come. What is told below it changes nothing.
    pub progress: i64,
    /// To have ended by.
    pub deadline: Option<Timestamp>,
    /// Names this lease in everything that is said about the job.
    pub lease_token: String,
    /// The job goes to another worker if nothing is heard until then.
    pub lease_until: Timestamp,
}

/// A sign of life.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Heartbeat {
    /// As the lease gave it.
    pub lease_token: String,
    /// 0 to 100.
    #[serde(default)]
    pub progress: Option<i64>,
    /// What is being done, for people; at most 200 characters.
    #[serde(default)]
    pub message: Option<String>,
}

/// What a sign of life is answered with.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pulse {
    /// The job.
    pub id: JobId,
    /// `processing`.
    pub status: Status,
    /// As readers see it.
    pub progress: i64,
    /// The lease is good until then.
    pub lease_until: Timestamp,
}

/// The job is done.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Completion {
    /// As the lease gave it.
    pub lease_token: String,
    /// What came out; it must satisfy the type's schema. At most 512 KiB.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub result: Value,
}

/// The attempt failed.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failure {
    /// As the lease gave it.
    pub lease_token: String,
    /// Why.
    pub error: JobError,
    /// Whether it may be tried again, as the type says how often; by default true.
    #[serde(default)]
    pub retry: Option<bool>,
    /// Not to be tried again before, 0 to 86400; by default as the type says.
    #[serde(default)]
    pub retry_after_seconds: Option<u32>,
}

/// The authority over the tenant whose job a token names. Errors: 403 `insufficient_scope`; 404, where the caller may not act for it.
fn authority(caller: &Caller, token: &Token) -> Result<TenantScope> {
    caller.require(Permission::JobsWork)?;
    caller.acting_for(Some(token.tenant)).map_err(|_| Error::not_found("job"))?.tenant_scope()
}

/// Why a token did nothing. Errors: 404; 409 `job_cancelled`, `lease_lost`.
fn refusal(tx: &mut Tx<'_>, tenant: TenantId, id: JobId) -> Error {
    match jobs::get_short(tx, tenant, id) {
        Err(error) => error,
        Ok(None) => Error::not_found("job"),
        Ok(Some(Row { state: State::Cancelled, .. })) => Error::conflict("job_cancelled", "This job was cancelled. Drop it."),
        Ok(Some(_)) => lost(),
    }
}

fn lost() -> Error {
    let detail =
        "This lease is not good any more: it ran out and the job went on without it, or the job has ended. Drop it and lease anew.";
    Error::conflict("lease_lost", detail)
}
