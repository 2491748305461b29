//! What fields are asked of, and what they lead to.

use std::sync::Arc;

use ::events::PolledEvent;
use kernel::Cursor;
use records::Record;
use serde_json::Value;

/// An object of an answer in the making.
#[derive(Clone)]
pub(super) enum Thing {
    /// The root of an operation.
    Root,
    /// A record.
    Record(Arc<Record>),
    /// An object inside of a record.
    Inside(Arc<Value>),
    /// A part of a list.
    Listed(Arc<Listed>),
    /// One of a list, by its place there.
    Edge(Arc<Listed>, usize),
    /// How a list goes on.
    Page(Arc<Listed>),
    /// The root of a subscription's answer.
    Happened(Arc<PolledEvent>),
    /// An event.
    Event(Arc<PolledEvent>),
    /// What was deleted: its id.
    Deleted(String),
}

/// A part of a list.
pub(super) struct Listed {
    /// The records with their places.
    pub(super) edges: Vec<(Arc<Record>, Cursor)>,
    /// What its cursors are bound to.
    pub(super) bound: u32,
    /// Whether there are more after them.
    pub(super) has_next: bool,
    /// Whether there are more before them.
    pub(super) has_previous: bool,
    /// How many match in all, if that was asked for.
    pub(super) total: Option<u64>,
}

/// What a field leads to, before its objects are executed.
pub(super) enum Raw {
    /// Nothing.
    Null,
    /// It failed, which has been told.
    Failed,
    /// One object.
    One(Thing),
    /// Many.
    Many(Vec<Raw>),
}

/// The same when its objects wait in a row to be executed.
pub(super) enum Placed {
    Null,
    Failed,
    One,
    Many(Vec<Placed>),
}

impl Raw {
    /// Puts the objects at the end of `row`.
    pub(super) fn place(self, way: &Way, row: &mut Vec<(Thing, Way)>) -> Placed {
        match self {
            Self::Null => Placed::Null,
            Self::Failed => Placed::Failed,
            Self::One(thing) => {
                row.push((thing, way.clone()));
                Placed::One
            }
            Self::Many(items) => Placed::Many(items.into_iter().enumerate().map(|(n, item)| item.place(&way.index(n), row)).collect()),
        }
    }
}

impl From<Option<Thing>> for Raw {
    fn from(found: Option<Thing>) -> Self {
        found.map_or(Self::Null, Self::One)
    }
}

/// The way to a place in an answer: shared, so that a list of a thousand costs a step for each.
#[derive(Clone, Default)]
pub(super) struct Way(Option<Arc<Step>>);

struct Step {
    before: Way,
    here: Here,
}

enum Here {
    Key(Box<str>),
    Index(usize),
}

impl Way {
    pub(super) fn root() -> Self {
        Self(None)
    }

    pub(super) fn key(&self, key: &str) -> Self {
        Self(Some(Arc::new(Step { before: self.clone(), here: Here::Key(key.into()) })))
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(Some(Arc::new(Step { before: self.clone(), here: Here::Index(index) })))
    }

    /// As it stands in an error.
    pub(super) fn path(&self) -> Vec<Value> {
        let mut out = Vec::new();
        let mut at = &self.0;
        while let Some(step) = at {
            out.push(match &step.here {
                Here::Key(key) => Value::from(key.as_ref()),
                Here::Index(index) => Value::from(*index),
            });
            at = &step.before.0;
        }
        out.reverse();
        out
    }
}
