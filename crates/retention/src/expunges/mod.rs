//! Expunging: erasing at once everything that an event says, or that the events of a subject say.
//!
//! A run is durable. It goes through the tenant's events in the order of their acceptance, in pages; a page is three steps, each of which can be
//! repeated: what is pending ends as cancelled; the log of attempts is cleaned; events, deliveries and the journal are cleaned and the place is
//! noted. An event that was cleaned halfway still matches, so that a run that was interrupted does the page again.

mod copies;
mod create;
mod get;
mod runner;
mod sql;

use kernel::{EventId, ExpungeId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use create::{handle as create, handle_event as create_for_event};
pub(crate) use get::handle as get;
pub(crate) use sql::delete_old;

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
    /// Delete records too that have this value at this path (with `path` only; `data.customerId` is the record's `customerId`). Nobody is told
    /// of their deletion: an event about it would say again what is to be forgotten.
    pub records: bool,
    /// Only count them.
    pub dry_run: bool,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExpungeProgress)]
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
    /// Publications that were kept apart because they broke their schema: found, and gone unless it only counts.
    pub quarantined_events: u64,
    /// Calls that inbound sources kept: likewise.
    pub calls: u64,
    /// Records: likewise.
    pub records: u64,
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

/// What a run looks through, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Events with their deliveries and attempts.
    Events,
    /// Publications that are kept apart.
    Held,
    /// Calls that sources keep.
    Calls,
    /// Records, if that was asked for.
    Records,
    /// Everything has been looked through.
    Done,
}

impl Phase {
    const ALL: [Self; 5] = [Self::Events, Self::Held, Self::Calls, Self::Records, Self::Done];

    /// Its name; of those between the first and the last it is the column that counts what was found.
    fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Held => "held",
            Self::Calls => "calls",
            Self::Records => "records",
            Self::Done => "done",
        }
    }

    fn next(self) -> Self {
        let after = Self::ALL.into_iter().skip_while(|phase| *phase != self).nth(1);
        after.unwrap_or(Self::Done)
    }
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
