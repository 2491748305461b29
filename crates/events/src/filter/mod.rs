//! Filters: which events of a type somebody wants, as data. Webhooks and sources have them.
//!
//! A filter is an object. Its members all must hold:
//!
//! * `"data.status": "WON"`: the value at the path equals this one;
//! * `"data.amount": {"$gte": 100, "$lt": 500}`: it satisfies every operator (`$eq $ne $gt $gte $lt $lte $in $exists $startsWith`);
//! * `"$and": […]`, `"$or": […]`, `"$not": {…}`: of filters.
//!
//! Paths begin at the envelope (`id`, `type`, `timestamp`, `data`) and go through objects by name and through arrays by number.
//! Numbers and texts can be ordered, each among themselves; a comparison between others is false. A path that leads nowhere satisfies
//! `$exists: false`, `$ne` and nothing else.

mod evaluate;
mod parse;
mod path;

use serde_json::Value;

pub use evaluate::Envelope;
pub use path::Path;

/// A filter, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(Vec<String>, Test),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Eq(Value),
    Ne(Value),
    Gt(Value),
    Gte(Value),
    Lt(Value),
    Lte(Value),
    In(Vec<Value>),
    Exists(bool),
    StartsWith(String),
}

impl Filter {
    /// Reads a filter. Errors: 422 `validation_failed`, with pointers that begin with `/filter`.
    pub fn parse(value: &Value) -> kernel::Result<Self> {
        parse::filter(value).map(Self)
    }

    /// Whether an event passes.
    pub fn accepts(&self, envelope: &Envelope<'_>) -> bool {
        evaluate::holds(&self.0, envelope)
    }
}
