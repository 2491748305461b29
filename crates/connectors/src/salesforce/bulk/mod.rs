//! Bulk API 2.0: jobs of CSV, for many rows.

mod cells;
mod jobs;
mod load;
mod read;

pub(super) use load::load;
pub(super) use read::{Read, begin, part};
