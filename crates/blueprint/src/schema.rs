//! Compiled JSON Schema, draft 2020-12.

use std::fmt;
use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, Validator};
use kernel::FieldError;
use serde_json::Value;

mod bounds;
mod message;

pub(crate) use message::short;

/// Most faults that one check reports.
pub(crate) const MAX_ERRORS: usize = 20;
/// Steps back that one match of a `pattern` may take.
const MAX_BACKTRACKS: usize = 10_000;
/// Largest compiled `pattern` in bytes.
const MAX_PATTERN_SIZE: usize = 256 * 1024;

/// A compiled JSON Schema. Cheap to clone. Compiling is slow (milliseconds): keep the result.
///
/// `format` is asserted, not only noted. References stay inside the schema: `#/$defs/<name>`.
#[derive(Clone)]
pub struct Schema(Arc<Validator>);

impl Schema {
    /// Compiles a schema. Its size, depth and the number of subschemas after references are followed are bounded, so that a check costs
    /// no more than the value is large.
    ///
    /// # Errors
    /// A sentence for the author of the schema, beginning with the place of the fault as a JSON pointer where there is one.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        bounds::check(schema)?;
        let patterns =
            PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKS).size_limit(MAX_PATTERN_SIZE).dfa_size_limit(MAX_PATTERN_SIZE);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_pattern_options(patterns)
            .build(schema)
            .map_err(|error| message::of_schema(&error))?;
        Ok(Self(Arc::new(validator)))
    }

    /// Everything that is wrong with `value`, at most 20 faults; empty: nothing. `prefix` is the JSON pointer of `value` in the
    /// request (`/data`, or nothing). A missing or unknown member is named by the pointer that it has or would have.
    pub fn check(&self, value: &Value, prefix: &str) -> Vec<FieldError> {
        if self.0.is_valid(value) {
            return Vec::new();
        }
        let mut faults = Vec::new();
        for error in self.0.iter_errors(value).take(MAX_ERRORS) {
            message::of_value(&error, prefix, &mut faults);
        }
        faults.truncate(MAX_ERRORS);
        faults
    }

    /// Whether `value` satisfies the schema; faster than [`Schema::check`] when it does not.
    pub fn accepts(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}
