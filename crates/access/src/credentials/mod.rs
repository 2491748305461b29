//! From a bearer token to who it belongs to.
//!
//! The hot path is [`crate::Access::try_authenticate_cached`]: parse, find by key id, compare an HMAC, look at the clock. It allocates nothing.
//! A key that is not cached is read once by its id ([`crate::Access::authenticate`]), in one indexed statement. Expiry is checked at every
//! call; status changes arrive as change notices, which drop what they are about (see `cache.rs`).
//!
//! What cannot be told apart, neither by answer nor by time: an id that nobody has, a wrong secret, a wrong second secret. All of them cost
//! the same keyed hashes (they depend on the request alone, `presented.rs`) and the same read (`sql.rs`): a wrong secret is never answered
//! from the cache.

mod attached;
mod authenticate;
mod cache;
mod endpoint_pattern;
mod load;
mod of_client;
mod pepper;
mod presented;
mod principal;
mod sql;
mod suspicion;
mod token_entry;
mod touch;

pub use attached::Attached;
pub use authenticate::{Examined, Standing};
pub use endpoint_pattern::EndpointPattern;
pub use of_client::KeyHolder;
pub use principal::Principal;

pub(crate) use cache::Cache;
pub(crate) use pepper::{Pepper, Purpose};
pub(crate) use presented::{fingerprint, foreign_key_id, hex, sha256_hex};
pub(crate) use sql::has_imports;
pub(crate) use touch::Touches;
