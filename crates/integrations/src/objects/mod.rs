//! What a vendor's account has: its objects, their fields as they are today, how they changed, and which of ours they resemble.

mod accept;
mod describe;
mod drift;
mod forms;
mod list;
mod propose;
pub(crate) mod sql;

use connectors::ObjectSchema;
use kernel::Timestamp;
use mappings::FieldMapping;
use serde::{Deserialize, Serialize};

pub use drift::{Change, Drift};
pub use forms::form_of;

pub(crate) use accept::handle as accept;
pub(crate) use describe::handle as describe;
pub(crate) use drift::drift;
pub(crate) use list::{Objects, handle as list};

/// An object as the vendor says it is today.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DescribedObject)]
pub struct Described {
    /// Its fields.
    #[serde(flatten)]
    pub schema: ObjectSchema,
    /// Which fields of the resource type that was named they probably are: a beginning for `fieldMappings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposed_mappings: Option<Vec<FieldMapping>>,
    /// How the object changed since it was accepted; null: it did not.
    pub drift: Option<Drift>,
    /// When it was accepted: the first time that somebody looked, or when somebody said that the changes are well.
    pub accepted_at: Timestamp,
}
