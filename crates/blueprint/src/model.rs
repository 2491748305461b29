//! What a blueprint says, as plain data. Everything here has been validated: names exist, schemas compile, defaults are filled in.

mod endpoint;
mod jobs;
mod manage;
mod metrics;
mod resource;
mod upstream;

use serde_json::Value;

pub use endpoint::{Endpoint, Operation, Retirement};
pub use jobs::{JobExecutor, JobRecord, JobType, JobWebhook};
pub use manage::{ClientPlace, CredentialKind, MANAGED, ManageCall, Managed, ManagedClient, ManagedQuery};
pub use metrics::{Aggregate, Bucket, Condition, Figure, GroupBy, Metric, MetricAnswer, MetricSubject, Series, Span, SpanUnit};
pub use resource::{
    Computed, ComputedForm, Emits, Guarded, History, IdForm, OnDelete, Parent, Resource, ResourceScopes, Stamp, States, Transition,
};
pub use upstream::{Upstream, UpstreamCall, UpstreamHealth, UpstreamProtocol, UpstreamTarget};

/// A declared product.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// Its name: `insurance-leads`.
    pub name: String,
    /// Words for people.
    pub product: Product,
    /// How the declared API looks on the wire.
    pub style: Style,
    /// How API keys look.
    pub keys: Keys,
    /// What partners may be allowed to do.
    pub scopes: Vec<Scope>,
    /// Named sets of rate limits.
    pub tiers: Vec<Tier>,
    /// The tier of a client that names none.
    pub default_tier: String,
    /// What can happen.
    pub events: Vec<EventType>,
    /// What becomes of a publication whose `data` breaks its schema, for types that say nothing of their own.
    pub on_schema_fault: OnSchemaFault,
    /// The kinds of things.
    pub resources: Vec<Resource>,
    /// The declared REST routes.
    pub endpoints: Vec<Endpoint>,
    /// The operator's own backends, which endpoints may be answered by.
    pub upstreams: Vec<Upstream>,
    /// How webhooks look.
    pub webhooks: Webhooks,
    /// Types of work that takes longer than a request.
    pub jobs: Vec<JobType>,
    /// Figures computed from records.
    pub metrics: Vec<Metric>,
}

/// Words for people.
#[derive(Clone, Debug)]
pub struct Product {
    /// Title of the API description.
    pub title: String,
    /// One paragraph.
    pub description: String,
    /// Where partners write to.
    pub contact_email: Option<String>,
    /// The portal's word for a tenant: "Partner", "Team".
    pub tenant_word: String,
    /// Further paths that serve the docs, beside `/docs`: `/api/docs`.
    pub docs_paths: Vec<String>,
    /// The portal's words for other things, by ours: `key` → "Access key". Ours: [`crate::WORDS`].
    pub words: Vec<(String, String)>,
    /// The portal's languages, the preferred one first: `en`, `he`. Never empty.
    pub languages: Vec<String>,
}

/// How the declared API looks on the wire. Management routes keep the native form under every blueprint.
#[derive(Clone, Debug)]
pub struct Style {
    /// Base path of declared endpoints: `/api/v1`, `/api/partner-api`.
    pub base_path: String,
    /// How a success is wrapped.
    pub envelope: Envelope,
    /// How an error looks.
    pub errors: ErrorStyle,
    /// Status of a validation fault: 422 or 400.
    pub validation_status: u16,
    /// Spelling of the members that the server adds (`createdAt` or `created_at`, `nextCursor` or `next_cursor`).
    pub naming: Naming,
    /// How `X-RateLimit-Reset` is written, on every route of the product.
    pub reset: ResetFormat,
    /// Texts that replace ours, by error code (`missing_credential`, `invalid_credential`, `insufficient_scope`, `ip_not_allowed` …).
    /// `{scope}` in the text of `insufficient_scope` stands for the missing scope.
    pub error_texts: Vec<(String, String)>,
}

/// How a success is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// The object itself; lists as `{"data", "pagination"}`.
    Plain,
    /// `{"success": true, "data": …}`, lists with `pagination: {page, limit, total}`.
    Success,
}

/// How an error looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStyle {
    /// RFC 9457 `application/problem+json`.
    Problem,
    /// `{"success": false, "error": "<message>"}`.
    Success,
}

/// Spelling of members that the server adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `createdAt`
    Camel,
    /// `created_at`
    Snake,
}

/// How `X-RateLimit-Reset` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetFormat {
    /// Unix seconds.
    UnixSeconds,
    /// RFC 3339.
    Iso8601,
}

/// How API keys look.
#[derive(Clone, Debug)]
pub struct Keys {
    /// 1 to 16 characters of `[a-z0-9]`, first a letter.
    pub prefix: String,
    /// Whether clients use dual authentication unless they say otherwise.
    pub dual_auth: bool,
    /// Scopes of a key when none are named; empty: the client's.
    pub default_scopes: Vec<String>,
    /// The longest time that a key with an end may live, in days; none: any.
    pub max_lifetime_days: Option<u32>,
}

/// What partners may be allowed to do.
#[derive(Clone, Debug)]
pub struct Scope {
    /// `leads:read`.
    pub name: String,
    /// One sentence for consent pages and docs.
    pub description: String,
    /// Other scopes that it includes.
    pub implies: Vec<String>,
    /// Management permissions that it grants, by name (`webhooks.write`).
    pub grants: Vec<kernel::Permission>,
}

/// A named set of rate limits. An absent limit does not bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// `basic`.
    pub name: String,
    /// Requests in any minute.
    pub per_minute: Option<u32>,
    /// Requests in any hour.
    pub per_hour: Option<u32>,
    /// Requests in any day.
    pub per_day: Option<u32>,
    /// How many of the minute's requests may come at once; absent: all of them.
    pub burst: Option<u32>,
    /// What a client of this tier may use up in a month, by all its keys.
    pub monthly_quota: Option<MonthlyQuota>,
    /// Other windows for keys of one environment; an environment that is not named has the tier's own.
    pub environments: Vec<EnvironmentLimits>,
}

impl Tier {
    /// The windows that bind a key of `environment` (`production`, `staging`, `development`).
    pub fn windows(&self, environment: &str) -> Windows {
        let own = Windows { per_minute: self.per_minute, per_hour: self.per_hour, per_day: self.per_day, burst: self.burst };
        match self.environments.iter().find(|one| one.environment == environment) {
            Some(one) => one.windows.over(own),
            None => own,
        }
    }
}

/// Limits in windows. An absent one does not bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Requests in any minute.
    pub per_minute: Option<u32>,
    /// Requests in any hour.
    pub per_hour: Option<u32>,
    /// Requests in any day.
    pub per_day: Option<u32>,
    /// How many of the minute's requests may come at once; absent: all of them.
    pub burst: Option<u32>,
}

impl Windows {
    /// These, and where one is absent that of `base`.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        Self {
            per_minute: self.per_minute.or(base.per_minute),
            per_hour: self.per_hour.or(base.per_hour),
            per_day: self.per_day.or(base.per_day),
            burst: self.burst.or(base.burst),
        }
    }
}

/// A tier's windows for keys of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentLimits {
    /// `production`, `staging` or `development`.
    pub environment: String,
    /// Each that is given takes the place of the tier's.
    pub windows: Windows,
}

/// What may be used up between one refill and the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MonthlyQuota {
    /// The sum of the costs of requests, at least 1.
    pub limit: u64,
    /// The day of the month (1 to 31, UTC) on which it is whole again; in a shorter month its last day.
    pub refill_day: u8,
}

/// A type of event.
#[derive(Clone, Debug)]
pub struct EventType {
    /// `lead.created`.
    pub name: kernel::EventType,
    /// One sentence.
    pub description: String,
    /// JSON Schema (2020-12) of `data`, of the version that a publication has when it names none ([`EventType::default_version`]).
    pub schema: Value,
    /// An example of `data` that satisfies the schema, of the same version.
    pub example: Value,
    /// Every version, the newest first; never empty.
    pub versions: Vec<EventVersion>,
    /// The version that a publication has when it names none: as the file says, or the newest that is not deprecated, or the newest.
    pub default_version: u32,
    /// If the type as a whole is not to be used any more.
    pub deprecated: Option<Deprecation>,
    /// Only tenants whose `settings.features` name this see, publish and subscribe to the type; none: everyone.
    pub feature: Option<String>,
    /// What becomes of a publication whose `data` breaks its schema.
    pub on_schema_fault: OnSchemaFault,
    /// Other names that are understood where a type is named: by publishers and by subscriptions. What is stored and sent has [`EventType::name`].
    pub aliases: Vec<kernel::EventType>,
}

/// One version of an event type's payload.
#[derive(Clone, Debug)]
pub struct EventVersion {
    /// From 1.
    pub version: u32,
    /// JSON Schema (2020-12) of `data`.
    pub schema: Value,
    /// An example of `data` that satisfies the schema.
    pub example: Value,
    /// If this version is not to be used any more.
    pub deprecated: Option<Deprecation>,
}

/// Not to be used any more, though it still works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since which day: `2026-01-31`.
    pub since: String,
    /// What to use in its place: another declared type.
    pub replacement: Option<kernel::EventType>,
    /// The day from which it may be gone.
    pub sunset: Option<String>,
    /// Words for people.
    pub note: Option<String>,
}

/// What becomes of a publication whose `data` breaks its schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSchemaFault {
    /// 422, and nothing is stored.
    #[default]
    Reject,
    /// It is accepted and delivered; the event shows what is wrong.
    Warn,
    /// It is accepted and kept apart until somebody releases or discards it.
    Quarantine,
}

/// How webhooks look.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// The body.
    pub body: BodyForm,
    /// Header with the delivery's event id, beside Standard Webhooks' own: `X-Webhook-Id`.
    pub id_header: Option<String>,
    /// Header with the event type: `X-Webhook-Event`, `X-TPX-Event`.
    pub event_header: Option<String>,
    /// Header with the attempt's time, RFC 3339: `X-Webhook-Timestamp`.
    pub timestamp_header: Option<String>,
    /// Header with the legacy signature `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<raw body>">`, keyed by the secret as shown.
    pub signature_header: Option<String>,
    /// Waits before each retry in milliseconds; its length is the number of retries. None: the native schedule.
    pub retry_schedule_ms: Option<Vec<u64>>,
    /// Time-out of an attempt in milliseconds.
    pub timeout_ms: u64,
    /// The type of a test delivery: `test.webhook`.
    pub test_event: kernel::EventType,
    /// `data` of a test delivery.
    pub test_data: Value,
}

/// The body of a delivery.
#[derive(Clone, Debug)]
pub enum BodyForm {
    /// `{"id", "type", "timestamp", "data"}`.
    Envelope,
    /// The same four under other names, and constant members after them.
    Legacy {
        /// Name for `id`.
        id: String,
        /// Name for `type`.
        event_type: String,
        /// Name for `timestamp`.
        timestamp: String,
        /// Name for `data`.
        data: String,
        /// Members with fixed values: `version: "1.0"`.
        constants: Vec<(String, Value)>,
    },
    /// `data` alone.
    DataOnly,
}
