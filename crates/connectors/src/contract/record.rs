//! A vendor's record.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A record as the vendor has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemoteRecord {
    /// The vendor's id, in one form (Salesforce: 18 characters).
    pub id: String,
    /// The fields that were asked for, by the vendor's names, as JSON says them. A field that has no value is `null`; one that was not
    /// asked for, or that this answer does not carry, is absent.
    pub fields: Map<String, Value>,
    /// When the vendor says that it was last changed.
    pub modified_at: Option<Timestamp>,
    /// It is in the vendor's bin.
    pub deleted: bool,
    /// It was merged into the record with this id and lives there on.
    pub merged_into: Option<String>,
}
