//! The JSON Schema of manifests, for editors: completion, and marks under what is wrong while a file is written. What it cannot tell (whether a
//! setting is declared, whether the parts fit together) is the checker's business.

use serde_json::Value;

const TEXT: &str = include_str!("../../../../docs/connector.schema.json");

/// The schema (draft-07, which every editor reads). A file names it in its first line: `#:schema connector.schema.json`.
pub fn editor_schema() -> Value {
    serde_json::from_str(TEXT).expect("the schema is part of the program, and a test reads it")
}
