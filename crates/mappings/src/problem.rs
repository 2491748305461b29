//! What is wrong with a mapping, or with a record under it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bounds::MAX_SHOWN;

/// The rule of a problem that is ours: functions cannot be run at the moment. The same record may pass later.
pub const UNAVAILABLE: &str = "javascript_unavailable";

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MappingProblem)]
pub struct Problem {
    /// Which rule, transform or conversion: `required`, `pattern`, `phone_e164`, `javascript`, `number`.
    pub rule: String,
    /// Of a mapping: the JSON pointer of the faulty member, `/fieldMappings/2/transformer`. Of a record: the field that would be written.
    pub field: String,
    /// What is wrong and what is asked for, for people.
    pub message: String,
    /// The value that is meant, as JSON, cut to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Problem {
    /// A problem without a value.
    pub fn new(rule: impl Into<String>, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { rule: rule.into(), field: field.into(), message: message.into(), value: None }
    }

    /// With the value that is meant.
    #[must_use]
    pub fn with(mut self, value: &Value) -> Self {
        self.value = Some(shown(value));
        self
    }

    /// Whether the same record may pass later without anybody doing anything.
    pub fn passes(&self) -> bool {
        self.rule == UNAVAILABLE
    }
}

/// A value as a problem shows it: bounded.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
