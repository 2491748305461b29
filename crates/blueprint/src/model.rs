//! What a blueprint says, as plain data. Everything here has been validated: names exist, schemas compile, defaults are filled in.

mod upstream;

use serde_json::Value;

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

/// How a record is named in paths and bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// `rec_…`, a string.
    TypeId,
    /// A positive integer, counted per resource type over all tenants.
    Integer,
}

/// A declared kind of thing.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Singular: `lead`. Names the type in `/records/{type}` and in `<resource>Id` of events.
    pub name: String,
    /// Plural: `leads`.
    pub plural: String,
    /// How its records are named.
    pub id_form: IdForm,
    /// JSON Schema (2020-12, type object) of the record's own members; `additionalProperties` is false unless the file says otherwise.
    /// `default` values of top-level properties are filled in on create.
    pub schema: Value,
    /// Members that a list may be filtered by, with equality: `?status=…`.
    pub filters: Vec<String>,
    /// Members that `?search=` looks in, case-insensitively.
    pub search: Vec<String>,
    /// Members that a list may be sorted by, beside creation time.
    pub sort: Vec<String>,
    /// Members whose values are unique per tenant (absent and null values are not compared).
    pub unique: Vec<String>,
    /// Members that the server sets to the present time.
    pub stamps: Vec<Stamp>,
    /// The wire name of the creation time (`createdAt`, `created_at`).
    pub created_field: String,
    /// The wire name of the time of the last change; none: not shown.
    pub updated_field: Option<String>,
    /// Events that its changes emit.
    pub emits: Emits,
}

/// A member that the server sets to the present time (RFC 3339). Callers cannot set it.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Which member.
    pub field: String,
    /// At creation.
    pub on_create: bool,
    /// At every update.
    pub on_update: bool,
}

/// Events that the changes of a resource emit, each `data` being `{"<idMember>": "<id>", …the record}`.
#[derive(Clone, Debug, Default)]
pub struct Emits {
    /// Member of `data` that carries the record's id as a string: `leadId`.
    pub id_member: String,
    /// When a record is created.
    pub created: Option<kernel::EventType>,
    /// When it changes and no transition below applies.
    pub updated: Option<kernel::EventType>,
    /// When it is deleted.
    pub deleted: Option<kernel::EventType>,
    /// When a member takes a value.
    pub transitions: Vec<Transition>,
}

/// "When `field` changes to `to`, emit `event`."
#[derive(Clone, Debug)]
pub struct Transition {
    /// Top-level member.
    pub field: String,
    /// Its new value.
    pub to: Value,
    /// What then happened.
    pub event: kernel::EventType,
}

/// What an endpoint does. Later kinds (metric, job, singleton) join here; a file that asks for one that this build does not
/// serve is refused when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Many records.
    List,
    /// One record.
    Get,
    /// A new record.
    Create,
    /// A changed record: the members sent are merged into it (RFC 7396), others stay.
    Update,
    /// A record less.
    Delete,
    /// A call that the operator's own backend answers ([`Endpoint::upstream`]).
    Upstream,
}

/// A declared REST route.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// Below the base path, with `{id}` for the record: `/leads/{id}`. The whole path is `style.base_path` + this. An upstream's may end with
    /// `/*rest`: everything below.
    pub path: String,
    /// What it does.
    pub operation: Operation,
    /// To which resource, by its name; empty for an upstream's.
    pub resource: String,
    /// Where and how it is answered, if its operation is [`Operation::Upstream`].
    pub upstream: Option<UpstreamCall>,
    /// The scope it needs; empty: any valid credential.
    pub scope: String,
    /// One sentence for the docs.
    pub summary: String,
    /// Members that a caller may write here; none: all that the schema has and no stamp sets.
    pub writable: Option<Vec<String>>,
    /// List: rows when nothing is said, and at most.
    pub limit: (u32, u32),
    /// List: whether `total` (the count of all matches) is answered, with page numbers.
    pub total: bool,
    /// Text of the 404, where the blueprint has its own.
    pub not_found: Option<String>,
    /// What a call counts in every limit and quota, at least 1.
    pub cost: u32,
    /// If it is on its way out.
    pub retirement: Option<Retirement>,
}

/// An endpoint on its way out. It works as before; its answers say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// Since (or from) which day it is deprecated: `2026-01-31`.
    pub deprecated_at: String,
    /// The day from which it may be gone.
    pub sunset_at: Option<String>,
    /// What comes after it: a path, or an https address.
    pub successor: Option<String>,
}

impl Retirement {
    /// The moment at which it is deprecated.
    pub fn since(&self) -> kernel::Timestamp {
        midnight(&self.deprecated_at)
    }

    /// The moment from which it may be gone.
    pub fn sunset(&self) -> Option<kernel::Timestamp> {
        self.sunset_at.as_deref().map(midnight)
    }
}

/// The beginning of a day, in UTC.
fn midnight(day: &str) -> kernel::Timestamp {
    kernel::Timestamp::parse(&format!("{day}T00:00:00Z")).expect("the days of a blueprint were checked when it was read")
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
