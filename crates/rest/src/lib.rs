//! The REST face of records, and the documentation of everything.
//!
//! * [`declared`]: the endpoints that the blueprint declares, in its style: envelope, spelling, texts of errors.
//! * [`generic`]: `/api/v1/records/{resourceType}`, in the native style, for every resource type.
//! * [`docs`]: `/docs` and `/docs/openapi.json`, also where the blueprint puts them; [`openapi`] is the document itself.
//! * [`home`]: one page at `/` that says where the docs are.
//!
//! No tables, no events: the rules are in `records`, and what is here only speaks HTTP. The OpenAPI document is made of the list of all
//! endpoints, those of other features included, so it cannot say anything that is not served.

mod declared;
mod docs;
mod document;
mod error_form;
mod generic;
mod home;
mod list_query;
mod shapes;

pub use declared::declared;
pub use docs::{DocsConfig, asyncapi, docs, openapi};
pub use error_form::error_form;
pub use generic::generic;
pub use home::home;
