//! Writing many.

use serde_json::{Map, Value};

use super::{Fault, RemoteRecord};

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// What.
    pub act: WriteAct,
    /// The fields to set, by the vendor's names; `null` empties one. Nothing for a deletion.
    pub fields: Map<String, Value>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteAct {
    /// Make it. With `unique` (a field that the vendor keeps unique, and the value that `fields` has there) making it twice ends with one:
    /// the connector uses the vendor's upsert or reads the refusal as [`Outcome::Exists`].
    Create {
        /// The unique field, if the sync has one.
        unique: Option<(String, Value)>,
    },
    /// Change the one with this id.
    Update {
        /// The vendor's id.
        id: String,
    },
    /// Delete the one with this id.
    Delete {
        /// The vendor's id.
        id: String,
    },
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was made. The record as the vendor has it now, where the answer says so; else only its id.
    Created(RemoteRecord),
    /// It was changed.
    Updated(RemoteRecord),
    /// It is gone (or was already).
    Deleted,
    /// It was not made: one with this unique value is there.
    Exists {
        /// The vendor's id of that one, where the vendor says so.
        id: Option<String>,
    },
    /// It was not changed: there is none with this id; it may have been merged into another.
    Gone {
        /// Where it lives on.
        merged_into: Option<String>,
    },
    /// It was not done, for this reason.
    Failed(Fault),
    /// It may have been done: the answer was lost. The engine looks before it tries again.
    Unknown(Fault),
}
