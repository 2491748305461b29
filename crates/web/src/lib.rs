//! HTTP plumbing of Tradewind, in both directions. No feature lives here and no table.
//!
//! Inwards: a feature describes each route as an [`Endpoint`], pairs it with a handler in an [`Api`], and the binary turns the merged
//! list into a router ([`Api::into_router`]), where `gate` wraps each route. The same list drives the OpenAPI document ([`openapi`]).
//! Handlers take their input by the extractors ([`Json`], [`RawJson`], [`Query`], [`Paging`], [`Path`], [`Auth`]) and answer by
//! [`Json`], [`Created`], [`Accepted`], [`NoContent`] or a [`Failure`], which is rendered by the endpoint's [`ErrorForm`].
//!
//! Outwards: [`outbound`] is the only HTTP client of the system; it connects to no address that its policy refuses. [`signature`] signs
//! and verifies webhooks.
//!
//! Invariants: whatever arrives from outside ends in a documented problem, never in a panic or a half-read body; every answer carries
//! `X-Request-Id`; no connection is opened to an address that was not vetted.

mod api;
mod auth;
mod body;
mod deprecation;
mod endpoint;
mod failure;
mod finish;
pub mod html;
mod identity;
mod inner;
mod json;
mod json_text;
pub mod mail;
mod note;
pub mod openapi;
pub mod outbound;
mod paging;
mod parameters;
mod patch;
mod path;
mod preflight;
mod problem;
mod proxies;
mod query;
mod readings;
mod respond;
mod retry_after;
pub mod signature;
mod tally;
mod windows;

pub use api::Api;
pub use auth::Auth;
pub use body::{DEFAULT_BODY_LIMIT, read_body};
pub use deprecation::Deprecation;
pub use endpoint::{Access, Endpoint, Parameter, Shape};
pub use failure::{Failure, Result};
pub use identity::{PeerAddress, ProxyAddress, REQUEST_ID_HEADER, RequestIdentity};
pub use inner::Inner;
pub use json::{Json, Nothing, RawJson};
pub use note::{ActedFor, ErrorCode, RequestNote, RouteTemplate};
pub use paging::Paging;
pub use patch::Patch;
pub use path::{Path, Path2, Path3};
pub use preflight::Origins;
pub use problem::{ErrorForm, RenderError, problem, problem_value, render, status, title};
pub use proxies::{ForwardedHeader, TrustedProxies};
pub use query::Query;
pub use readings::{Readings, readings};
pub use respond::{Accepted, Created, NoContent};
pub use retry_after::{http_date, retry_after};
pub use tally::Tally;
pub use windows::{Windows, network};
