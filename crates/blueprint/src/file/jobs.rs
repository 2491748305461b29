//! `[[jobs]]`, and the operations of endpoints that start a job or show one.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) input: Value,
    pub(crate) result: Option<Value>,
    #[serde(default)]
    pub(crate) executor: Executor,
    #[serde(default)]
    pub(crate) scope: String,
    pub(crate) read_scope: Option<String>,
    pub(crate) priority: Option<i64>,
    pub(crate) deadline_seconds: Option<u64>,
    pub(crate) lease_seconds: Option<u64>,
    pub(crate) retries: Option<u64>,
    pub(crate) retry_schedule_seconds: Option<Vec<u64>>,
    pub(crate) concurrency: Option<u64>,
    pub(crate) concurrency_per_tenant: Option<u64>,
    #[serde(default)]
    pub(crate) events: Events,
    #[serde(default)]
    pub(crate) webhook: Webhook,
    pub(crate) record: Option<Record>,
}

/// `"worker"`, or a table with a URL.
#[derive(Debug, Default)]
pub(crate) enum Executor {
    #[default]
    Worker,
    Unknown(String),
    Http(Box<HttpExecutor>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpExecutor {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) url: String,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) update_within_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Events {
    pub(crate) completed: Option<String>,
    pub(crate) failed: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhook {
    pub(crate) retry_schedule_seconds: Option<Vec<u64>>,
    pub(crate) timeout_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(crate) resource: String,
    pub(crate) id_member: Option<String>,
    #[serde(default)]
    pub(crate) create: bool,
    pub(crate) job: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) result: Option<String>,
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) members: BTreeMap<String, String>,
}

/// `{ type = "job", job = "call.analyze" }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobStart {
    #[serde(rename = "type")]
    pub(crate) _kind: String,
    pub(crate) job: String,
}

/// `{ type = "job-status", jobs = ["call.analyze"] }`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobStatus {
    #[serde(rename = "type")]
    pub(crate) _kind: String,
    #[serde(default)]
    pub(crate) jobs: Vec<String>,
}

impl<'de> Deserialize<'de> for Executor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Executor;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"worker\", or a table with type = \"http\" and url")
            }

            fn visit_str<E>(self, name: &str) -> Result<Executor, E> {
                Ok(if name == "worker" { Executor::Worker } else { Executor::Unknown(name.to_owned()) })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Executor, A::Error> {
                HttpExecutor::deserialize(MapAccessDeserializer::new(map)).map(|http| Executor::Http(Box::new(http)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
