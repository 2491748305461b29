//! What the feature is told at start.

use std::time::Duration;

use web::mail::Mailer;
use web::outbound::Client;

use crate::external::ProviderConfig;
use crate::webauthn::RelyingParty;

/// What a password costs to check (RFC 9106).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    /// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2 }
    }
}

/// What the feature is told at start.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where people reach this server, without a slash at the end.
    pub public_url: String,
    /// The product's name, as people read it.
    pub product: String,
    /// The language of whoever named none, as a BCP 47 tag.
    pub language: String,
    /// How e-mails are sent; none: not at all.
    pub mailer: Option<Mailer>,
    /// How long a session lives without being used.
    pub idle: Duration,
    /// How long it lives at all.
    pub absolute: Duration,
    /// What a password costs.
    pub cost: Cost,
    /// Who we are to browsers, for passkeys; none: browsers have none at our address.
    pub relying_party: Option<RelyingParty>,
    /// Other OpenID providers by which people may sign in.
    pub providers: Vec<ProviderConfig>,
    /// How other providers are asked; none: they are not.
    pub outbound: Option<Client>,
}

impl Config {
    /// With the usual lifetimes: eight hours unused, fourteen days at all.
    pub fn new(public_url: &str, product: &str) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            product: product.to_owned(),
            language: "en".to_owned(),
            mailer: None,
            idle: Duration::from_hours(8),
            absolute: Duration::from_hours(14 * 24),
            cost: Cost::default(),
            relying_party: RelyingParty::of(public_url),
            providers: Vec::new(),
            outbound: None,
        }
    }
}

/// An address of ours with a token in it. Tokens are base64url: nothing in them needs escaping.
pub(crate) fn link(public_url: &str, path: &str, token: &str) -> String {
    format!("{}{path}?token={token}", public_url.trim_end_matches('/'))
}
