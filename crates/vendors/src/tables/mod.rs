//! Rows as a CRM keeps them: created, changed, deleted, merged, and seen by its search a little later.

mod fields;
mod row;
mod table;

pub use fields::Fields;
pub use row::{Gone, How, Row, Version};
pub use table::{Change, Table};
