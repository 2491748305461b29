//! Expunging: erasing at once everything that an event says, or that the events of a subject say.
//!
//! A run is durable. It goes through the tenant's events in the order of their acceptance, in pages; a page is three steps, each of which can be
//! repeated: what is pending ends as cancelled; the log of attempts is cleaned; events, deliveries and the journal are cleaned and the place is
//! noted. An event that was cleaned halfway still matches, so that a run that was interrupted does the page again.

mod create;
mod get;
mod runner;
mod sql;

use kernel::{EventId, ExpungeId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use create::{handle as create, handle_event as create_for_event};
pub(crate) use get::handle as get;

/// What is to be expunged: exactly one of `path` with `value`, and `orderingKey`.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExpungeInput {
    /// Events whose payload has this value at this path: `data.customerId`.
    pub path: Option<String>,
    /// The value: a text, a number or a boolean.
    #[schema(value_type = Object)]
    pub value: Option<Value>,
    /// Events with this ordering key.
    pub ordering_key: Option<String>,
    /// Only count them.
    pub dry_run: bool,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    /// It goes on by itself.
    Running,
    /// It has come to its end.
    Done,
}

/// A run. It does not say what it looks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expunge {
    /// Its id.
    pub id: ExpungeId,
    /// By what: `event`, `path` or `orderingKey`.
    pub kind: String,
    /// Whether it only counts.
    pub dry_run: bool,
    /// How far it is.
    pub state: Progress,
    /// Events that it has looked at.
    pub examined: u64,
    /// Events that it found, and erased unless it only counts.
    pub matched: u64,
    /// Deliveries of those.
    pub deliveries: u64,
    /// When it was asked for. Events that were accepted later are not looked at.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What a run looks for; sealed in its row.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Selector {
    Event { id: EventId, at: Timestamp },
    Path { path: String, value: Value },
    OrderingKey { key: String },
}

impl Selector {
    fn kind(&self) -> &'static str {
        match self {
            Self::Event { .. } => "event",
            Self::Path { .. } => "path",
            Self::OrderingKey { .. } => "orderingKey",
        }
    }
}

fn context(id: ExpungeId) -> String {
    format!("expunges.selector:{id}")
}
