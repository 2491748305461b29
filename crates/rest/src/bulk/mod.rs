//! Many records in one request: batch, export, import. The same for the generic routes and for declared endpoints.

mod batch;
mod csv;
mod export;
mod import;
mod lines;
mod once;

pub(crate) use batch::{BATCH_BODY, Batch, batch_answer, batch_body};
pub(crate) use csv::{write_line as write_csv_line, write_record as write_csv_record};
pub(crate) use export::{EXPORT, export};
pub(crate) use import::{IMPORT_BODY, Import};
pub(crate) use once::{KEY, Once};

use kernel::Error;
use serde_json::Value;

/// An item's error.
pub(crate) fn problem(error: &Error) -> Value {
    web::problem_value(error, None)
}
