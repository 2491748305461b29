//! Blueprints: a product declared as data.
//!
//! * [`model`]: what a blueprint says, once validated. The other crates read only this.
//! * [`parse`], [`load`], [`builtin`]: from a TOML text to a [`Blueprint`], or to every [`Fault`] of the text at once.
//! * [`compare`]: what a new version of a blueprint breaks for those who rely on the old one.
//! * [`read_toml`], [`typed`], [`nearest`], [`Faults`]: reading a file that people write, with the place of every fault; connectors' manifests
//!   are read by them too.
//! * [`Schema`]: a compiled JSON Schema (2020-12) with bounded cost and errors that a person understands.
//!
//! Invariants: whatever the text, reading it ends with a value or with faults, never with a panic; a [`Blueprint`] that exists
//! names only things that it declares, and its schemas compile. The file format is described in `docs/blueprints.md`.

pub mod answer;
mod article;
mod check;
mod compare;
mod editor;
mod fault;
mod file;
mod load;
pub mod model;
mod query;
mod schema;
mod suggest;

pub use article::with_article;
pub use compare::{Finding, Reliance, Verdict, compare, compare_schemas};
pub use editor::editor_schema;
pub use fault::{Fault, Faults};
pub use file::{Lines, read_toml, typed};
pub use load::{LoadError, builtin, load, read_regular, text};
pub use model::Blueprint;
pub use schema::Schema;
pub use suggest::nearest;

/// Largest blueprint file in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// Things of ours that a product may have a word of its own for (`product.words`), in the singular.
pub const WORDS: &[&str] = &["client", "key", "webhook", "delivery", "integration", "user", "event", "record", "job", "scope", "tier"];

/// Languages of the portal.
pub const LANGUAGES: &[&str] = &["en", "he"];

/// Reads a blueprint from its TOML text. `origin` (a file name, a built-in name) is shown in the faults.
///
/// # Errors
/// Every fault of the text, each with its place and, where a name was probably mistyped, with a suggestion. Faults of the form (a
/// member that is unknown, missing or of the wrong type) hide those of the meaning, because names cannot be resolved then.
pub fn parse(text: &str, origin: &str) -> Result<Blueprint, Faults> {
    let document = file::read(text).map_err(|faults| Faults::new(origin, faults))?;
    check::blueprint(document.content, &document.lines).map_err(|faults| Faults::new(origin, faults))
}
