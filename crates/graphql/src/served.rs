//! A schema that is served: the model, its validator, its limits, and the documents that were validated against it.
//!
//! The blueprint's schema is made once. A tenant's own is made when the tenant first asks after a change, and replaced as a whole: an operation
//! that runs keeps the one that it began with.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use kernel::Result;
use moka::sync::Cache;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::documents::cost::{Bounds, Cost};
use crate::documents::{self, Document, cost};
use crate::dynamic::Validator;
use crate::failure::Failure;
use crate::model::Model;

/// Bytes of texts whose documents are kept for one schema.
const KEPT_BYTES: u64 = 1024 * 1024;
/// Longest text whose document is kept.
const KEPT_LENGTH: usize = 16 * 1024;

/// A schema that is served.
pub(crate) struct Served {
    /// What there is.
    pub(crate) model: Model,
    /// The same for validation.
    pub(crate) validator: Validator,
}

/// A schema with the limits of the tenant that asks.
#[derive(Clone)]
pub(crate) struct Offer {
    /// The schema.
    pub(crate) served: Arc<Served>,
    /// The limits.
    pub(crate) bounds: Bounds,
    /// Why the tenant's own type definitions cannot be served any more: then nothing is, since what their clients ask for means something else,
    /// or nothing, in another schema.
    pub(crate) faults: Arc<[String]>,
    documents: Cache<[u8; 32], Document>,
}

impl Offer {
    /// A schema with limits; documents are kept for it from now on.
    ///
    /// Error: internal, if the schema is none.
    pub(crate) fn new(model: Model, bounds: Bounds) -> Result<Self> {
        let validator = Validator::new(&model)?;
        let weight = |_: &[u8; 32], document: &Document| u32::try_from(weight(document)).unwrap_or(u32::MAX);
        let documents = Cache::builder().max_capacity(KEPT_BYTES).weigher(weight).build();
        Ok(Self { served: Arc::new(Served { model, validator }), bounds, faults: Arc::from([]), documents })
    }

    /// The same schema with other limits.
    #[must_use]
    pub(crate) fn bounded(&self, bounds: Bounds) -> Self {
        Self { bounds, ..self.clone() }
    }

    /// In place of type definitions that have these faults.
    #[must_use]
    pub(crate) fn outdated(self, faults: Vec<String>) -> Self {
        Self { faults: faults.into(), ..self }
    }

    /// Error: `graphql_schema_outdated`, with what is wrong.
    pub(crate) fn check(&self) -> std::result::Result<(), Failure> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let text = "The product has changed since this tenant's own GraphQL schema was set, and the schema does not fit it any more; see faults. \
                    Set it anew: PUT /api/v1/graphql-schema, where an empty body brings the product's own.";
        Err(Failure::new("graphql_schema_outdated", text).with("faults", self.faults.to_vec()))
    }

    /// The document of a text, measured for these variables and valid.
    ///
    /// Errors: `graphql_syntax_error`, `graphql_validation_failed`, `unknown_operation`, and those of [`cost::measure`].
    pub(crate) async fn document(
        &self,
        text: &str,
        operation: Option<&str>,
        variables: &Map<String, Value>,
    ) -> std::result::Result<(Document, Cost), Vec<Failure>> {
        let key: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let known = self.documents.get(&key);
        let is_known = known.is_some();
        let document = match known {
            Some(document) => document,
            None => Arc::new(documents::parse(text).map_err(one)?),
        };
        let chosen = documents::operation(&document, operation).map_err(one)?;
        let cost = cost::measure(&self.served.model, &document, &chosen.node, variables, self.bounds).map_err(one)?;
        if !is_known {
            let faults = self.served.validator.faults(&document, operation).await;
            if !faults.is_empty() {
                return Err(faults);
            }
            if text.len() <= KEPT_LENGTH {
                self.documents.insert(key, Arc::clone(&document));
            }
        }
        Ok((document, cost))
    }
}

fn one(failure: Failure) -> Vec<Failure> {
    vec![failure]
}

/// About the bytes of the text that a document was made of.
fn weight(document: &ExecutableDocument) -> usize {
    fn of(set: &async_graphql::parser::types::SelectionSet) -> usize {
        use async_graphql::parser::types::Selection;
        let each = set.items.iter().map(|item| match &item.node {
            Selection::Field(field) => 24 + field.node.arguments.len() * 24 + of(&field.node.selection_set.node),
            Selection::InlineFragment(fragment) => 16 + of(&fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => 16,
        });
        each.sum()
    }
    let operations = document.operations.iter().map(|(_, operation)| 32 + of(&operation.node.selection_set.node));
    let fragments = document.fragments.values().map(|fragment| 32 + of(&fragment.node.selection_set.node));
    operations.chain(fragments).sum()
}
