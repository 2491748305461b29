//! How the authorization server is set up.

use std::time::Duration;

use access::jose::Algorithm;
use kernel::{IdRef, TenantId};
use serde::{Deserialize, Serialize};

use crate::registrations::Registration;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// How an access token looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// A random text that only this server can read, and that ends as soon as it is revoked.
    #[default]
    Opaque,
    /// A signed JWT (RFC 9068), which others can read.
    Jwt,
}

/// Settings of the authorization server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The issuer: the server's public address, without a slash at the end.
    pub issuer: String,
    /// How long a code waits for its redemption.
    pub code_lifetime: Duration,
    /// How long a request waits for a person who signs in.
    pub request_lifetime: Duration,
    /// How long a pushed request waits to be used.
    pub pushed_lifetime: Duration,
    /// How long an access token is good, where its client says nothing.
    pub access_lifetime: Duration,
    /// How long a refresh token is good without being used, where its client says nothing.
    pub refresh_lifetime: Duration,
    /// How long a grant lives at most, however often it is used.
    pub grant_lifetime: Duration,
    /// How access tokens look, where their client says nothing.
    pub token_format: TokenFormat,
    /// What signs tokens: ES256 or EdDSA.
    pub signing_algorithm: Algorithm,
    /// How long the codes of a device wait for a person.
    pub device_lifetime: Duration,
    /// Who may register clients.
    pub registration: Registration,
    /// The tenant that clients are put into that strangers register; none: strangers register none.
    pub registration_tenant: Option<IdRef<TenantId>>,
    /// The scopes that such clients may have at most; none: all of the product.
    pub registration_scopes: Option<Vec<String>>,
}

impl Config {
    /// The usual lifetimes, for a server at this public address.
    pub fn new(public_url: &str) -> Self {
        Self {
            issuer: public_url.trim_end_matches('/').to_owned(),
            code_lifetime: Duration::from_secs(MINUTE),
            request_lifetime: Duration::from_secs(30 * MINUTE),
            pushed_lifetime: Duration::from_secs(90),
            access_lifetime: Duration::from_secs(60 * MINUTE),
            refresh_lifetime: Duration::from_secs(30 * DAY),
            grant_lifetime: Duration::from_secs(365 * DAY),
            token_format: TokenFormat::Opaque,
            signing_algorithm: Algorithm::Es256,
            device_lifetime: Duration::from_secs(10 * MINUTE),
            registration: Registration::default(),
            registration_tenant: None,
            registration_scopes: None,
        }
    }
}
