//! An endpoint's operation: a name, such as `"list"`, or a table with a type, such as `{ type = "metric", metric = "analytics" }`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::jobs::{JobStart, JobStatus};
use super::upstreams::UpstreamCall;

#[derive(Debug)]
pub(crate) enum Operation {
    Named(String),
    Upstream(Box<UpstreamCall>),
    Metric(MetricCall),
    Job(JobStart),
    JobStatus(JobStatus),
    JobBatch(JobStart),
    Manage(Box<ManageCall>),
}

impl Default for Operation {
    fn default() -> Self {
        Self::Named(String::new())
    }
}

/// The types of the tables.
pub(crate) const TABLES: &[&str] = &["upstream", "metric", "job", "job-status", "job-batch", "manage"];

/// `{ type = "metric", metric = "analytics" }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricCall {
    #[serde(rename = "type")]
    pub(crate) _kind: String,
    pub(crate) metric: String,
}

/// `{ type = "manage", call = "keys.create", … }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManageCall {
    #[serde(rename = "type")]
    pub(crate) _kind: String,
    pub(crate) call: String,
    pub(crate) client: Option<Client>,
    #[serde(default)]
    pub(crate) body: Map<String, Value>,
    #[serde(default)]
    pub(crate) fixed: Map<String, Value>,
    pub(crate) schema: Option<Value>,
    #[serde(default)]
    pub(crate) query: BTreeMap<String, Query>,
    #[serde(default)]
    pub(crate) credentials: Vec<Credential>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    pub(crate) external_id: String,
    pub(crate) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    pub(crate) native: String,
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) allowed: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Credential {
    Partner,
    Session,
    ServiceKey,
}
