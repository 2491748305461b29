//! Types of jobs: work that takes longer than a request.

use serde_json::Value;

/// A type of job.
#[derive(Clone, Debug)]
pub struct JobType {
    /// `call.analyze`.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// JSON Schema (2020-12, type object) of the input.
    pub input: Value,
    /// JSON Schema of the result; none: anything.
    pub result: Option<Value>,
    /// Who does the work.
    pub executor: JobExecutor,
    /// The scope that lets a caller start and cancel one; empty: only who may write jobs of every type (`jobs.write`).
    pub scope: String,
    /// The scope that lets a caller see one; empty: only who may see jobs of every type (`jobs.read`).
    pub read_scope: String,
    /// Of a job that names none; -100 to 100, the highest first. A point outweighs a minute of waiting.
    pub priority: i64,
    /// The most time from the moment at which a job may begin to its end, in milliseconds; none: no limit.
    pub deadline_ms: Option<u64>,
    /// How long a worker may be silent, in milliseconds.
    pub lease_ms: u64,
    /// Waits before each retry of a failed attempt, in milliseconds; its length is the number of retries.
    pub retry_schedule_ms: Vec<u64>,
    /// Most jobs under way at once, of all tenants; none: no limit.
    pub concurrency: Option<u32>,
    /// Most jobs under way at once of one tenant; none: no limit.
    pub concurrency_per_tenant: Option<u32>,
    /// The event of a job that completed.
    pub completed: Option<kernel::EventType>,
    /// The event of a job that failed for good.
    pub failed: Option<kernel::EventType>,
    /// How the webhook that a job itself asks for is retried.
    pub webhook: JobWebhook,
    /// The record that the job works on, and that its result changes.
    pub record: Option<JobRecord>,
}

/// Who does the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobExecutor {
    /// A program that leases jobs.
    Worker,
    /// The host, which is called.
    Http {
        /// Where.
        url: String,
        /// The most time for a call, in milliseconds.
        timeout_ms: u64,
        /// After a 202: the most time between two updates, in milliseconds.
        update_within_ms: u64,
    },
}

/// How the webhook that a job itself asks for is treated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobWebhook {
    /// Waits before each retry in milliseconds; none: as all webhooks of the product.
    pub retry_schedule_ms: Option<Vec<u64>>,
    /// Time-out of an attempt in milliseconds; none: as all webhooks of the product.
    pub timeout_ms: Option<u64>,
}

/// The record that a job works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// Its resource type.
    pub resource: String,
    /// The member of the input that names it: `callId`.
    pub id_member: String,
    /// Whether starting a job makes the record, of those members of the input that the resource type has. Otherwise the input names one that is
    /// there.
    pub create: bool,
    /// The record's member that takes the job's id.
    pub job: Option<String>,
    /// The record's member that takes the job's status.
    pub status: Option<String>,
    /// The record's member that takes the result.
    pub result: Option<String>,
    /// The record's member that takes the error of a job that failed.
    pub error: Option<String>,
    /// Further members of the record, each with the place in the result that it takes its value from: `score` from `scores.overall`.
    pub members: Vec<(String, String)>,
}
