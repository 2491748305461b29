//! What a mapping may have.

/// Most fields of a mapping.
pub const MAX_FIELDS: usize = 250;
/// Longest name of a field, in bytes, with the dots of its path.
pub const MAX_NAME: usize = 256;
/// Deepest path: `a.b.c` has three steps.
pub const MAX_DEPTH: usize = 8;
/// Most steps of one transformer.
pub const MAX_STEPS: usize = 10;
/// Most entries of a value map, and of an `enum` rule.
pub const MAX_VALUES: usize = 1_000;
/// Longest pattern of a rule, in bytes.
pub const MAX_PATTERN: usize = 1_000;
/// Longest text that is given to a transform or comes out of one, in bytes.
pub const MAX_TEXT: usize = 256 * 1024;
/// Longest constant or default, as JSON, in bytes.
pub const MAX_CONSTANT: usize = 16 * 1024;
/// How much of a value a problem shows, in characters.
pub const MAX_SHOWN: usize = 100;
/// Records that one run of a function is given at most.
pub(crate) const SCRIPT_RECORDS: usize = 500;
/// Values that one run of a function is given at most, as JSON, in bytes: what it gives back must fit into `script::MAX_OUTPUT`.
pub(crate) const SCRIPT_BYTES: usize = 256 * 1024;
