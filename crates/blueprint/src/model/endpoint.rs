//! The declared REST routes.

use serde_json::Value;

use super::{ManageCall, Style, UpstreamCall};
use crate::answer::Answer;

/// What an endpoint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Many records.
    List,
    /// One record, or one member of it.
    Get,
    /// A new record.
    Create,
    /// A changed record: the members sent are merged into it (RFC 7396), others stay.
    Update,
    /// A record, or one member of it, sent anew.
    Replace,
    /// A record less.
    Delete,
    /// Many creations, changes and deletions in one request, with a result for each.
    Batch,
    /// All records as CSV or NDJSON, streamed.
    Export,
    /// Records from CSV or NDJSON, with a result for each line.
    Import,
    /// Whether the service is well, and that the credential works.
    Health,
    /// Figures of records ([`Endpoint::metric`]).
    Metric,
    /// A new job ([`Endpoint::jobs`] names its type).
    Job,
    /// How a job stands, of one of the types [`Endpoint::jobs`]; empty: of any.
    JobStatus,
    /// Many new jobs of one type, with a result for each.
    JobBatch,
    /// An operation of the native API under names of the product's own ([`Endpoint::manage`]).
    Manage,
    /// A call that the operator's own backend answers ([`Endpoint::upstream`]).
    Upstream,
}

impl Operation {
    /// Whether it works on records of [`Endpoint::resource`].
    pub fn is_of_records(self) -> bool {
        use Operation::{Batch, Create, Delete, Export, Get, Import, List, Replace, Update};
        matches!(self, List | Get | Create | Update | Replace | Delete | Batch | Export | Import)
    }
}

/// A declared REST route.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// Below the base path, with `{id}` for the record: `/leads/{id}`. [`Endpoint::full_path`] is the whole. An upstream's may end with
    /// `/*rest`: everything below.
    pub path: String,
    /// The base path in place of the product's (`style.base_path`).
    pub base: Option<String>,
    /// Whether it answers without a credential, below `/public/{tenant}`: for the tenant with that slug.
    pub public: bool,
    /// What it does.
    pub operation: Operation,
    /// To which resource, by its name; empty for an upstream's.
    pub resource: String,
    /// The parent that the path's first placeholder names, by its resource type; only its children are seen or made here.
    pub parent: Option<String>,
    /// The only member that it reads or replaces.
    pub member: Option<String>,
    /// Members that it sets by itself, whatever is sent; the text `{now}` stands for the time.
    pub set: Vec<(String, Value)>,
    /// An event that every call of it emits beside those of the change.
    pub emits: Option<kernel::EventType>,
    /// The order of a list when the caller names none: member, and whether largest first.
    pub order: Option<(String, bool)>,
    /// The metric, by its name; empty unless the operation is [`Operation::Metric`].
    pub metric: String,
    /// The types of jobs, by their names.
    pub jobs: Vec<String>,
    /// What it asks of the native API, if its operation is [`Operation::Manage`].
    pub manage: Option<Box<ManageCall>>,
    /// Where and how it is answered, if its operation is [`Operation::Upstream`].
    pub upstream: Option<UpstreamCall>,
    /// The scope it needs; empty: any valid credential.
    pub scope: String,
    /// One sentence for the docs.
    pub summary: String,
    /// Members that a caller may write here; none: all that the schema has and neither the server nor the operator sets.
    pub writable: Option<Vec<String>>,
    /// List: rows when nothing is said, and at most.
    pub limit: (u32, u32),
    /// List: whether `total` (the count of all matches) is answered, with page numbers.
    pub total: bool,
    /// Text of the 404, where the blueprint has its own.
    pub not_found: Option<String>,
    /// What is answered, in place of the envelope.
    pub answer: Option<Answer>,
    /// The status of a success, in place of the usual one.
    pub status: Option<u16>,
    /// What a call counts in every limit and quota, at least 1.
    pub cost: u32,
    /// If it is on its way out.
    pub retirement: Option<Retirement>,
}

impl Endpoint {
    /// The whole path: the base path, then its own; `/public/{tenant}` and its own, if it is public.
    pub fn full_path(&self, style: &Style) -> String {
        if self.public {
            return format!("/public/{{tenant}}{}", self.path);
        }
        format!("{}{}", self.base.as_ref().unwrap_or(&style.base_path), self.path)
    }
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
