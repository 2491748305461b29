//! What a list is asked for, as plain data: every front door (REST, GraphQL, export, agents) makes one of these.

mod condition;
mod filter;
mod parse;

use kernel::PageRequest;

pub(crate) use condition::{Binder, Columns, Condition, Test, stored};
pub use filter::{Filter, MAX_TERMS, MAX_VALUES, Op, Operand, Term};
pub use parse::unknown_operator;

/// What a list is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// What must hold of every record; by default nothing. Only members that the resource type declares as filters, and its creation time.
    pub filter: Filter,
    /// Text that a searchable member must contain, whatever the case.
    pub search: Option<String>,
    /// The order; none: newest first.
    pub sort: Option<Sort>,
    /// The members to show, by their wire names; none: all. It changes nothing about what is read: apply it with
    /// [`crate::ResourceType::wire_of`].
    pub fields: Option<Vec<String>>,
    /// Which part: a limit with a cursor or a page.
    pub page: PageRequest,
    /// Whether to count all matches. That reads all of them.
    pub total: bool,
}

impl Query {
    /// The same, of those records only for which `filter` holds too.
    #[must_use]
    pub fn and(mut self, filter: Filter) -> Self {
        self.filter = self.filter.and(filter);
        self
    }
}

/// An order: by a declared member, or by the creation time under its wire name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The member.
    pub field: String,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// `score`: smallest first; `-score`: largest first.
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix('-') {
            Some(field) => Self { field: field.to_owned(), descending: true },
            None => Self { field: text.to_owned(), descending: false },
        }
    }
}
