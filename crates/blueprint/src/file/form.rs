//! The members of a file, one struct a section. An unknown member is a fault everywhere except inside schemas and examples.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::operations::Operation;
use super::upstreams::Upstream;

/// A whole file.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) default_tier: String,
    pub(crate) product: Product,
    pub(crate) style: Style,
    pub(crate) keys: Keys,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) publishing: Publishing,
    pub(crate) events: Vec<Event>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) webhooks: Webhooks,
    pub(crate) jobs: Vec<super::jobs::Job>,
    pub(crate) metrics: Vec<super::metrics::Metric>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Product {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) contact_email: Option<String>,
    pub(crate) tenant_word: Option<String>,
    #[serde(default)]
    pub(crate) docs_paths: Vec<String>,
    #[serde(default)]
    pub(crate) words: Map<String, Value>,
    #[serde(default)]
    pub(crate) languages: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Style {
    pub(crate) base_path: Option<String>,
    pub(crate) envelope: Envelope,
    pub(crate) errors: Errors,
    pub(crate) validation_status: Option<u16>,
    pub(crate) naming: Naming,
    pub(crate) reset: Reset,
    pub(crate) error_texts: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Envelope {
    #[default]
    Plain,
    Success,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Errors {
    #[default]
    Problem,
    Success,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Naming {
    #[default]
    Camel,
    Snake,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reset {
    #[default]
    UnixSeconds,
    Iso8601,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keys {
    pub(crate) prefix: Option<String>,
    pub(crate) dual_auth: bool,
    pub(crate) default_scopes: Vec<String>,
    pub(crate) max_lifetime_days: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) implies: Vec<String>,
    #[serde(default)]
    pub(crate) grants: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tier {
    pub(crate) name: String,
    pub(crate) per_minute: Option<u32>,
    pub(crate) per_hour: Option<u32>,
    pub(crate) per_day: Option<u32>,
    pub(crate) burst: Option<u32>,
    pub(crate) monthly_quota: Option<MonthlyQuota>,
    #[serde(default)]
    pub(crate) environments: BTreeMap<String, Windows>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Windows {
    pub(crate) per_minute: Option<u32>,
    pub(crate) per_hour: Option<u32>,
    pub(crate) per_day: Option<u32>,
    pub(crate) burst: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonthlyQuota {
    pub(crate) limit: u64,
    pub(crate) refill_day: Option<u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) schema: Value,
    pub(crate) example: Value,
    pub(crate) version: Option<u32>,
    pub(crate) default_version: Option<u32>,
    pub(crate) deprecated: Option<Deprecated>,
    pub(crate) feature: Option<String>,
    pub(crate) on_schema_fault: Option<OnSchemaFault>,
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    #[serde(default)]
    pub(crate) versions: Vec<Version>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) version: u32,
    pub(crate) schema: Value,
    pub(crate) example: Value,
    pub(crate) deprecated: Option<Deprecated>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deprecated {
    pub(crate) since: String,
    pub(crate) replacement: Option<String>,
    pub(crate) sunset: Option<String>,
    pub(crate) note: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Publishing {
    pub(crate) on_schema_fault: OnSchemaFault,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnSchemaFault {
    #[default]
    Reject,
    Warn,
    Quarantine,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IdForm {
    #[default]
    TypeId,
    Integer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    pub(crate) name: String,
    pub(crate) plural: String,
    #[serde(default)]
    pub(crate) id_form: IdForm,
    pub(crate) schema: Value,
    #[serde(default)]
    pub(crate) filters: Vec<String>,
    #[serde(default)]
    pub(crate) search: Vec<String>,
    #[serde(default)]
    pub(crate) sort: Vec<String>,
    #[serde(default)]
    pub(crate) unique: Vec<String>,
    #[serde(default)]
    pub(crate) stamps: Vec<Stamp>,
    #[serde(default)]
    pub(crate) computed: Vec<Computed>,
    #[serde(default)]
    pub(crate) server_set: Vec<String>,
    #[serde(default)]
    pub(crate) guarded: Vec<Guarded>,
    pub(crate) states: Option<States>,
    #[serde(default)]
    pub(crate) parents: Vec<Parent>,
    #[serde(default)]
    pub(crate) singleton: bool,
    #[serde(default)]
    pub(crate) initial: Map<String, Value>,
    #[serde(default)]
    pub(crate) history: Vec<History>,
    #[serde(default)]
    pub(crate) scopes: ResourceScopes,
    pub(crate) created_field: Option<String>,
    pub(crate) updated_field: Option<String>,
    #[serde(default)]
    pub(crate) emits: Emits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stamp {
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) on: Vec<Moment>,
    #[serde(default)]
    pub(crate) when: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    pub(crate) field: String,
    pub(crate) resource: String,
    pub(crate) value: Option<String>,
    pub(crate) bucket: super::metrics::Bucket,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) previous: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guarded {
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) to: Vec<Value>,
    pub(crate) scope: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Computed {
    pub(crate) field: String,
    pub(crate) text: Option<String>,
    pub(crate) sum: Option<Vec<String>>,
    pub(crate) product: Option<Vec<String>>,
    pub(crate) copy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct States {
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) initial: Vec<Value>,
    pub(crate) next: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parent {
    pub(crate) field: String,
    pub(crate) resource: String,
    #[serde(default)]
    pub(crate) on_delete: OnDelete,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnDelete {
    #[default]
    Refuse,
    Cascade,
    Keep,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ResourceScopes {
    pub(crate) read: Option<String>,
    pub(crate) write: Option<String>,
    pub(crate) delete: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Moment {
    Create,
    Update,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Emits {
    pub(crate) id_member: Option<String>,
    pub(crate) created: Option<String>,
    pub(crate) updated: Option<String>,
    pub(crate) deleted: Option<String>,
    pub(crate) transitions: Vec<Transition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Transition {
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) from: Vec<Value>,
    pub(crate) to: Value,
    #[serde(default)]
    pub(crate) at_creation: bool,
    pub(crate) event: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) base: Option<String>,
    #[serde(skip)]
    pub(crate) operation: Operation,
    pub(crate) resource: Option<String>,
    pub(crate) scope: Option<String>,
    #[serde(default)]
    pub(crate) public: bool,
    pub(crate) parent: Option<String>,
    pub(crate) member: Option<String>,
    #[serde(default)]
    pub(crate) set: Map<String, Value>,
    pub(crate) emits: Option<String>,
    pub(crate) order: Option<String>,
    pub(crate) answer: Option<Value>,
    pub(crate) status: Option<u16>,
    #[serde(default)]
    pub(crate) summary: String,
    pub(crate) writable: Option<Vec<String>>,
    pub(crate) limit: Option<u32>,
    pub(crate) max_limit: Option<u32>,
    pub(crate) total: Option<bool>,
    pub(crate) not_found: Option<String>,
    pub(crate) cost: Option<u32>,
    pub(crate) deprecated_at: Option<String>,
    pub(crate) sunset_at: Option<String>,
    pub(crate) successor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhooks {
    pub(crate) body: Body,
    pub(crate) legacy: Option<Legacy>,
    pub(crate) id_header: Option<String>,
    pub(crate) event_header: Option<String>,
    pub(crate) timestamp_header: Option<String>,
    pub(crate) signature_header: Option<String>,
    pub(crate) retry_schedule_seconds: Option<Vec<u64>>,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) test_event: Option<String>,
    pub(crate) test_data: Option<Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Body {
    #[default]
    Envelope,
    Legacy,
    DataOnly,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Legacy {
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) timestamp: String,
    pub(crate) data: String,
    #[serde(default)]
    pub(crate) constants: Map<String, Value>,
}
