//! The REST face of records, and the documentation of everything.
//!
//! * [`declared`]: the endpoints that the blueprint declares, in its style: envelope, spelling, texts of errors.
//! * [`generic`]: `/api/v1/records/{resourceType}`, in the native style, for every resource type.
//! * [`Docs`]: `/docs` and all below it, also where the blueprint puts them; [`openapi`] is the document itself.
//! * [`home`]: one page at `/` that says where the docs are.
//! * [`RestEndpoints`]: endpoints that tenants declare at run time.
//!
//! Table: `rest_endpoints`. No events: the rules are in `records`, and what is here only speaks HTTP. The OpenAPI document is made of the list of all
//! endpoints, those of other features included, so it cannot say anything that is not served.

mod bulk;
mod conditions;
mod declared;
mod docs;
mod document;
mod error_form;
mod generic;
mod home;
mod list_query;
mod rest_endpoints;
mod shapes;

pub use declared::{declared, declared_jobs, declared_publicly, metrics, unserved};
pub use docs::{Docs, DocsConfig, Reader, Readers, Reading, asyncapi, openapi};
pub use error_form::error_form;
pub use generic::generic;
pub use home::home;
pub use rest_endpoints::objections;
pub use rest_endpoints::{MAX_PER_TENANT, RestEndpoint, RestEndpointInput, RestEndpoints, RestMethod, RestOperation, RestOperationType};

/// This crate's tables.
pub const MIGRATIONS: &[store::Migration] = &[store::Migration {
    feature: "rest",
    version: 1,
    home: store::Home::State,
    sql: include_str!("../migrations/0001_rest_endpoints.sql"),
}];
