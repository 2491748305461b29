//! From a text to what may be executed: scanned, parsed, measured, validated; kept, so that the same text is not parsed and validated twice.
//!
//! Whatever arrives passes [`scan`] before anything recursive looks at it, and [`cost`] before the rules of validation, whose work grows
//! faster than the document.

pub(crate) mod coerce;
pub(crate) mod cost;
pub(crate) mod scan;

use std::sync::Arc;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use async_graphql::{Positioned, parser};

use crate::failure::Failure;

/// A parsed document.
pub(crate) type Document = Arc<ExecutableDocument>;

/// Parses a text that was scanned. The messages of the parser show lines of the text: ours does not.
pub(crate) fn parse(text: &str) -> Result<ExecutableDocument, Failure> {
    scan::check(text)?;
    parser::parse_query(text).map_err(|error| {
        let place = error.positions().next();
        let said = match &error {
            parser::Error::Syntax { .. } => "The document is not GraphQL: there is a syntax error here.".to_owned(),
            parser::Error::RecursionLimitExceeded => return too_deep(),
            parser::Error::MissingOperation => "The document has no operation.".to_owned(),
            parser::Error::MultipleOperations { .. } => "An operation without a name must be the only one.".to_owned(),
            parser::Error::OperationDuplicated { .. } => "Two operations have the same name.".to_owned(),
            parser::Error::FragmentDuplicated { .. } => "Two fragments have the same name.".to_owned(),
            _ => "The document is not GraphQL.".to_owned(),
        };
        let failure = Failure::new("graphql_syntax_error", said);
        match place {
            Some(place) => failure.at(place),
            None => failure,
        }
    })
}

/// What nests deeper than any limit allows.
pub(crate) fn too_deep() -> Failure {
    Failure::new("query_too_deep", "The document nests too deeply. Ask for less at once.")
}

/// The operation that is to be executed.
pub(crate) fn operation<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Result<&'d Positioned<OperationDefinition>, Failure> {
    let unknown = || Failure::new("unknown_operation", "The document has no operation of this name: see operationName.");
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Single(_), Some(_)) => Err(unknown()),
        (DocumentOperations::Multiple(all), Some(name)) => all.get(name).ok_or_else(unknown),
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => all.values().next().ok_or_else(unknown),
        (DocumentOperations::Multiple(_), None) => {
            Err(Failure::new("unknown_operation", "The document has several operations: say which in operationName."))
        }
    }
}
