//! A mapping as it is written.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::forms::Form;

/// Which way a field goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MappingDirection)]
pub enum Direction {
    /// Both ways.
    Both,
    /// From our record to the vendor's.
    ToRemote,
    /// From the vendor's record to ours.
    ToLocal,
}

/// Who wins where both sides changed a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConflictPolicy)]
pub enum Policy {
    /// Ours.
    Local,
    /// The vendor's.
    Remote,
    /// The one that was changed last.
    Newest,
    /// Nobody, until somebody decides.
    #[default]
    Manual,
}

/// The fields of one sync, or of one preview.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MappingInput {
    /// The fields; at most 250.
    pub field_mappings: Vec<FieldMapping>,
    /// Which way fields go that say `bidirectional: false` and no `direction`; absent: to the vendor. A sync that only pulls says `to_local`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_way: Option<Direction>,
    /// Who wins where fields do not say so themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_resolution: Option<Policy>,
    /// For telephone numbers without a country's code: `DE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_country: Option<String>,
}

/// One field here and one there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FieldMapping {
    /// Our field: `email`, `address.city`. Absent only beside a `constant` for the vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_field: Option<String>,
    /// The vendor's field, by the name that its API uses (custom fields by their code). Absent only beside a `constant` for us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_field: Option<String>,
    /// What happens to a value on its way: a named transform, a JavaScript function, or a list of both. On the way to the vendor; for a field
    /// that only comes from there, on that way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformer: Option<TransformInput>,
    /// What happens on the way back; absent: the inverse of `transformer` where there is one, else nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_local: Option<TransformInput>,
    /// Whether the field goes both ways; absent: yes. `direction` says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bidirectional: Option<bool>,
    /// Which way the field goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Instead of an empty value: for the vendor, or for us where the field only comes from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub default: Option<Value>,
    /// The same for a field that goes both ways, on its way to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub default_local: Option<Value>,
    /// Always this value; with exactly one of `localField` and `remoteField`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub constant: Option<Value>,
    /// Our values (as texts) and the vendor's for them: `{"new": "Open - Not Contacted"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub value_map: Option<Map<String, Value>>,
    /// What happens to a value that `valueMap` does not have; absent: `refuse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmapped: Option<Unmapped>,
    /// Several of our values may mean one of the vendor's; on the way back the first of them is taken.
    #[serde(default, skip_serializing_if = "is_false")]
    pub value_map_one_way: bool,
    /// What our field holds; values that come are converted to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_type: Option<Form>,
    /// What the vendor's field holds; values that go are converted to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_type: Option<Form>,
    /// Who wins where both sides changed this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_resolution: Option<Policy>,
    /// Records of both sides that are not linked yet belong together when they agree in this field; one field of a mapping at most.
    #[serde(default, skip_serializing_if = "is_false")]
    pub key: bool,
    /// What must hold of the value that is about to be written: there, or here where the field only comes from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate: Option<RulesInput>,
    /// The same for a field that goes both ways, on its way to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_local: Option<RulesInput>,
}

/// What happens to a value that a value map does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UnmappedValues)]
pub enum Unmapped {
    /// The record is not sent.
    #[default]
    Refuse,
    /// It goes as it is.
    Keep,
    /// Nothing goes: `null`, or the default.
    Empty,
}

/// A transform as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = Transformer)]
pub enum TransformInput {
    /// The name of a transform without options (`trim`), or a JavaScript function (`v => v.trim()`).
    Text(String),
    /// Several, in this order.
    #[schema(value_type = Vec<Value>)] // A schema that contains itself has no end.
    Steps(Vec<TransformInput>),
    /// `{"name": "split", "separator": ";"}`, or `{"javascript": "v => …"}`.
    #[schema(value_type = Object)]
    Options(Map<String, Value>),
}

/// What must hold of a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ValidationRules)]
pub struct RulesInput {
    /// There is a value: not `null`, not an empty text or list.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// A regular expression that is found in the text (`^` and `$` anchor it). No look-around, no back-references; linear time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The smallest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The shortest text in characters, or the fewest items of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// The longest text in characters, or the most items of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// One of these values; of a list, each item.
    #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub one_of: Option<Vec<Value>>,
    /// An e-mail address.
    #[serde(default, skip_serializing_if = "is_false")]
    pub email: bool,
    /// A JavaScript function: `true` where the value is good, else `false` or a text that says what is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
