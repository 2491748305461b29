//! A tenant's own schema: type definitions that select and rename what the blueprint declares, and the limits of its operations.
//!
//! Table: `graphql_schemas`, one row a tenant; none: the blueprint's schema and the usual limits. Change notices: topic `graphql_schema`, key
//! the tenant's id.

mod get;
mod lifecycle;
mod objections;
mod put;
pub(crate) mod sdl;
mod sql;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use crate::documents::cost::Bounds;

pub(crate) use get::handle as get;
pub use lifecycle::GraphqlLifecycle;
pub use objections::objections;
pub(crate) use put::handle as put;
pub(crate) use sql::find;

/// The topic of change notices; the key is the tenant's id.
pub(crate) const TOPIC: &str = "graphql_schema";
/// Depth when nothing is said.
pub const DEFAULT_DEPTH: u32 = 15;
/// Deepest that may be allowed.
pub const MAX_DEPTH: u32 = 50;
/// Complexity when nothing is said.
pub const DEFAULT_COMPLEXITY: u64 = 10_000;
/// Most that may be allowed.
pub const MAX_COMPLEXITY: u64 = 100_000;

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// SDL; empty: the blueprint's schema.
    pub(crate) type_defs: String,
    /// The limits.
    pub(crate) bounds: Bounds,
    /// When it was last changed.
    pub(crate) updated_at: Timestamp,
}

/// A tenant's schema as it is shown.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GraphqlSchema {
    /// The tenant's own type definitions (SDL); null: the blueprint's schema is served.
    pub type_defs: Option<String>,
    /// The deepest operation.
    pub depth_limit: u32,
    /// The dearest operation: see docs/graphql.md for what counts.
    pub complexity_limit: u64,
    /// Whether the schema itself can be asked for.
    pub introspection: bool,
    /// When it was last changed; null: never.
    pub updated_at: Option<Timestamp>,
    /// The schema that is served, as SDL; empty while there are faults.
    pub schema: String,
    /// Why `typeDefs` cannot be served since the product changed, each with line and column; operations are refused until it is set anew. Empty:
    /// all is well.
    #[serde(default)]
    pub faults: Vec<String>,
}

/// A tenant's schema as it is sent. What is absent is as if it had never been set.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraphqlSchemaInput {
    /// Type definitions (SDL), at most 64 KiB: `@resource(name:)` on types, `@field(path:)` on fields. Null or empty: the blueprint's schema.
    #[serde(default)]
    pub type_defs: Option<String>,
    /// 1 to 50; default 15.
    #[serde(default)]
    pub depth_limit: Option<u32>,
    /// 1 to 100,000; default 10,000.
    #[serde(default)]
    pub complexity_limit: Option<u64>,
    /// Default: true.
    #[serde(default)]
    pub introspection: Option<bool>,
}

/// The limits when nothing is said.
pub(crate) fn usual() -> Bounds {
    Bounds { depth: DEFAULT_DEPTH, complexity: DEFAULT_COMPLEXITY, introspection: true }
}
