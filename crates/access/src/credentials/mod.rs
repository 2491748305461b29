//! From a bearer token to who it belongs to.
//!
//! The hot path is [`crate::Access::try_authenticate_cached`]: parse, find by key id, compare an HMAC, look at the clock. It allocates nothing.
//! A key that is not cached is read once by its id ([`crate::Access::authenticate`]). Expiry is checked at every call; status changes arrive
//! as change notices, which drop what they are about (see `cache.rs`).

mod authenticate;
mod cache;
mod endpoint_pattern;
mod load;
mod pepper;
mod principal;
mod sql;
mod touch;

pub use endpoint_pattern::EndpointPattern;
pub use principal::Principal;

pub(crate) use cache::Cache;
pub(crate) use pepper::{Pepper, Purpose};
pub(crate) use touch::Touches;
