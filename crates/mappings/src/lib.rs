//! Fields here and fields there.
//!
//! Purpose: a [`MappingInput`] is compiled once into a [`Mapping`], which is applied to records either way: transforms, value maps, types,
//! defaults, then rules. Pure: the same records give the same result, and nothing is read or written.
//!
//! Tables, events: none.
//!
//! Invariants:
//! * A record with a [`Problem`] is not sent; the problem says rule and field.
//! * What comes out stays what it is: mapping back and there again changes nothing more.
//! * A tenant's function is run once for a slice of records, never once per record.
//! * Everything is bounded: fields, names, depth, steps, values, texts, what a function is given.

mod apply;
mod bounds;
mod compile;
mod forms;
mod input;
mod mapping;
mod path;
mod problem;
mod rules;
mod scripts;
mod transforms;
mod value_map;

pub use bounds::{MAX_CONSTANT, MAX_DEPTH, MAX_FIELDS, MAX_NAME, MAX_PATTERN, MAX_SHOWN, MAX_STEPS, MAX_TEXT, MAX_VALUES};
pub use forms::Form;
pub use input::{Direction, FieldMapping, MappingInput, Policy, RulesInput, TransformInput, Unmapped};
pub use mapping::{Field, Key, Mapped, Mapping, Pair};
pub use path::{get, nest, set};
pub use problem::{Problem, UNAVAILABLE};
pub use scripts::Scripts;
