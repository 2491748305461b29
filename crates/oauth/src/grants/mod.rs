//! What an authorization turned into: a family of tokens that ends as a whole.
//!
//! Its row has the hash of the refresh token that is good now; each use puts another in its place, in one statement, so that of many uses at
//! once exactly one wins. What was used up is kept as long as the grant: shown again, by a thief or by whom it was stolen from, it ends
//! the grant with all its tokens (RFC 9700 §4.14.2).

mod begin;
mod end;
mod refresh;
pub(crate) mod sql;

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use begin::NewGrant;

/// How and when a person signed in, for `auth_time`, `amr` and `nonce` of OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// When it was proven who it is.
    pub at: Timestamp,
    /// How (RFC 8176): `pwd`, `otp`, `hwk`, …
    pub methods: Vec<String>,
    /// What the client sent to find in its id_token.
    pub nonce: Option<String>,
}
