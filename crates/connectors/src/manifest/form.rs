//! The members of a manifest as they are written, one struct a table. Templates are still texts here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Category, FieldKind};

/// What stands at the top, beside the lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Top {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) category: Category,
    pub(super) version: String,
    pub(super) base_url: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) auth: Auth,
    #[serde(default)]
    pub(super) errors: Errors,
}

/// [`crate::Auth`], with what most vendors have left out.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Auth {
    #[serde(rename = "oauth2")]
    OAuth2 {
        provider: String,
    },
    ApiKey {
        #[serde(default = "authorization")]
        header: String,
        #[serde(default = "bearer")]
        prefix: String,
    },
    Basic,
    None,
}

fn authorization() -> String {
    "Authorization".to_owned()
}

fn bearer() -> String {
    "Bearer ".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) label: Option<String>,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) required: bool,
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) options: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) window: Window,
    pub(super) max: Option<u64>,
    pub(super) seconds: Option<u32>,
    pub(super) limit_header: Option<String>,
    pub(super) remaining_header: Option<String>,
    pub(super) reset_header: Option<String>,
    #[serde(default)]
    pub(super) reset: Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Window {
    Burst,
    Daily,
}

/// How a header, or a rule, says when a budget is full again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reset {
    #[default]
    Seconds,
    Unix,
    UnixMs,
    UtcDay,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Errors {
    pub(super) code: Vec<String>,
    pub(super) message: Vec<String>,
    pub(super) field: Vec<String>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    #[serde(default)]
    pub(super) status: Vec<u16>,
    #[serde(default)]
    pub(super) code: Vec<String>,
    pub(super) contains: Option<String>,
    pub(super) when: Option<Condition>,
    pub(super) header: Option<HeaderBelow>,
    pub(super) means: Meaning,
    pub(super) after_seconds: Option<u64>,
    pub(super) after_header: Option<String>,
    pub(super) until: Option<Until>,
    pub(super) id: Option<String>,
}

/// A member of an answer that must have a value.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) pointer: String,
    pub(super) equals: Value,
}

/// A header whose number must be below another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderBelow {
    pub(super) name: String,
    pub(super) below: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Meaning {
    Unauthorized,
    Forbidden,
    RateLimited,
    Exhausted,
    NotFound,
    Refused,
    Duplicate,
    Stale,
    Unavailable,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Until {
    UtcDay,
    Hour,
    Month,
}

/// A request; its members stand beside those of the operation that it is part of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: Option<String>,
    pub(super) path: String,
    #[serde(default)]
    pub(super) query: Map<String, Value>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Value>,
    pub(super) cost: Option<u32>,
    pub(super) repeatable: Option<bool>,
}

/// The members of [`Request`].
pub(super) const REQUEST: &[&str] = &["method", "path", "query", "headers", "body", "cost", "repeatable"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    pub(super) answer: Option<String>,
}

/// What an object says of itself, without its operations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) label: Option<String>,
    #[serde(default = "slash_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) fields_at: Option<Vec<String>>,
    #[serde(default)]
    pub(super) absent_is_null: bool,
    #[serde(default)]
    pub(super) dotted: bool,
    pub(super) modified_at: Option<String>,
    #[serde(default)]
    pub(super) time: TimeForm,
    pub(super) deleted_when: Option<Condition>,
    pub(super) merged_into: Option<String>,
    pub(super) unique_field: Option<String>,
    #[serde(default)]
    pub(super) lag_seconds: u32,
    pub(super) batch: Option<u32>,
}

fn slash_id() -> String {
    "/id".to_owned()
}

/// How a vendor writes times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TimeForm {
    #[default]
    Rfc3339,
    /// Without fractions: some refuse them.
    Rfc3339Seconds,
    Unix,
    UnixMs,
}

/// An object's operations, in the order of [`super::model::Object`].
pub(super) const OPERATIONS: &[&str] =
    &["list", "get", "get_many", "search", "create", "update", "upsert", "delete", "deleted", "schema", "fields", "watch", "unwatch"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    pub(super) records: String,
    pub(super) total: Option<String>,
    #[serde(default)]
    pub(super) pages: Pages,
    #[serde(default)]
    pub(super) overlap_seconds: Option<u32>,
    #[serde(default)]
    pub(super) filters: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pages {
    #[serde(rename = "type", default)]
    pub(super) kind: PageKind,
    pub(super) next: Option<String>,
    pub(super) more: Option<String>,
    pub(super) size: Option<u32>,
    pub(super) first: Option<u64>,
    pub(super) overlap: Option<u32>,
    pub(super) max: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PageKind {
    /// Everything comes at once.
    #[default]
    None,
    /// The answer has a token for the next page.
    Token,
    /// How many records were read.
    Offset,
    /// Pages are numbered.
    Number,
    /// The answer has the next page's address.
    Link,
    /// RFC 8288: `Link: <…>; rel="next"`.
    LinkHeader,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Get {
    #[serde(default)]
    pub(super) record: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GetMany {
    pub(super) records: String,
    pub(super) max: Option<usize>,
    pub(super) from: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    pub(super) fields: Vec<String>,
    pub(super) records: String,
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) partial: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Write {
    pub(super) record: Option<String>,
    pub(super) id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Upsert {
    pub(super) by: String,
    pub(super) record: Option<String>,
    pub(super) id: Option<String>,
    pub(super) created: Option<Condition>,
    pub(super) created_status: Option<u16>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deleted {
    pub(super) records: String,
    #[serde(default = "slash_id")]
    pub(super) id: String,
    pub(super) at: Option<String>,
    pub(super) merged_into: Option<String>,
    #[serde(default)]
    pub(super) pages: Pages,
    pub(super) overlap_seconds: Option<u32>,
    pub(super) reaches_days: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schema {
    pub(super) records: String,
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) kinds: BTreeMap<String, FieldKind>,
    pub(super) required: Option<String>,
    pub(super) read_only: Option<String>,
    pub(super) unique: Option<String>,
    pub(super) custom: Option<String>,
    pub(super) options: Option<String>,
    pub(super) option: Option<String>,
    #[serde(default)]
    pub(super) pages: Pages,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: Option<String>,
    pub(super) kind: FieldKind,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) read_only: bool,
    #[serde(default)]
    pub(super) unique: bool,
    #[serde(default)]
    pub(super) custom: bool,
    #[serde(default)]
    pub(super) options: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watch {
    #[serde(default = "slash_id")]
    pub(super) id: String,
    pub(super) expires_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    pub(super) proof: Proof,
    pub(super) header: Option<String>,
    #[serde(default)]
    pub(super) prefix: String,
    #[serde(default)]
    pub(super) encoding: Encoding,
    pub(super) timestamp_header: Option<String>,
    pub(super) tolerance_seconds: Option<u32>,
    #[serde(default)]
    pub(super) signed: Signed,
    #[serde(default)]
    pub(super) events: String,
    pub(super) object: String,
    #[serde(default)]
    pub(super) objects: BTreeMap<String, String>,
    #[serde(default = "slash_id")]
    pub(super) id: String,
    pub(super) action: Option<String>,
    #[serde(default)]
    pub(super) deleted: Vec<String>,
    pub(super) merged_into: Option<String>,
    pub(super) at: Option<String>,
    #[serde(default)]
    pub(super) time: TimeForm,
    pub(super) account: Option<String>,
}

/// What proves that a call is the vendor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Proof {
    /// HMAC-SHA256 under the secret, in a header.
    HmacSha256,
    /// The secret itself, in a header.
    Token,
    /// The secret as the password of RFC 7617.
    Basic,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Encoding {
    #[default]
    Hex,
    Base64,
}

/// What is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Signed {
    #[default]
    Body,
    /// The time's text, a point, the body.
    TimestampDotBody,
}
