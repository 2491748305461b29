//! Signing in with another OpenID provider, which the operator has set up: OpenID Connect Core 1.0, the code flow with PKCE.
//!
//! * `provider`: what the provider says of itself, and its keys. `id_token`: what its word must say. `begin`, `finish`: the way there and
//!   back. `resolve`: whose account it is.
//!
//! What an attacker could try, and what stands against it:
//! * A code or an answer of somebody else (CSRF, code injection): `state` is good once, in the browser that began; the nonce in the token and
//!   the verifier of the code follow from it.
//! * An answer of another provider (mix-up, RFC 9700 §4.4): each has a way back of its own, the state is good on that one only, and `iss`
//!   (RFC 9207) must be the provider's.
//! * Somebody who takes an address over: the pair of issuer and subject tells who somebody is. An address only ties the two together the
//!   first time, if it is verified on both sides; and never, if the account is tied to another subject there.
//! * A session at the provider that is open since yesterday: it signs in, but counts as a fresh proof only from the time that the provider
//!   names (`auth_time`). Who has an authenticator shows its code too.

mod begin;
mod finish;
mod id_token;
mod provider;
mod resolve;

use access::people::Role;
use kernel::{IdRef, Secret, TenantId};

pub use finish::{Arrived, Callback};

pub(crate) use provider::Provider;

/// Where the way to a provider begins; its name follows, and then [`BACK`].
pub const PATH: &str = "/portal/sign-in/with";
/// Where a provider leads back to.
pub const BACK: &str = "callback";

/// Another OpenID provider.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its name in addresses: lower-case letters, digits and hyphens.
    pub slug: String,
    /// Its name as people read it: "Sign in with …".
    pub name: String,
    /// Its issuer, letter by letter as its tokens have it.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What we prove that by; none: nothing, but the code's verifier.
    pub client_secret: Option<Secret<String>>,
    /// Domains of the addresses that may sign in, in lower case; empty: any.
    pub domains: Vec<String>,
    /// What happens to people whom nobody here knows.
    pub newcomers: Newcomers,
}

/// What happens to people whom nobody here knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Newcomers {
    /// They are told so.
    #[default]
    Refused,
    /// They get an account, and become members of this tenant in this role.
    Join(IdRef<TenantId>, Role),
}

impl std::str::FromStr for Newcomers {
    type Err = kernel::Error;

    /// `off`, or a tenant and a role: `ext:acme:developer`, `ten_…:viewer`. Error: 422 `validation_failed`.
    fn from_str(text: &str) -> kernel::Result<Self> {
        if text == "off" {
            return Ok(Self::Refused);
        }
        let fault = || kernel::Error::field("", "must be off, or a tenant and a role such as ext:acme:developer");
        let (tenant, role) = text.rsplit_once(':').ok_or_else(fault)?;
        Ok(Self::Join(tenant.parse().map_err(|_| fault())?, role.parse().map_err(|_| fault())?))
    }
}

/// A provider, as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderInfo {
    /// Its name in addresses.
    pub slug: String,
    /// Its name as people read it.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
}

impl crate::People {
    /// The providers by which people may sign in, as they were set up.
    pub fn providers(&self) -> Vec<ProviderInfo> {
        let info = |one: &ProviderConfig| ProviderInfo { slug: one.slug.clone(), name: one.name.clone(), issuer: one.issuer.clone() };
        self.providers.iter().map(|provider| info(&provider.config)).collect()
    }

    /// One of them. Error: 404.
    pub(crate) fn provider(&self, slug: &str) -> kernel::Result<&Provider> {
        let found = self.providers.iter().find(|provider| provider.config.slug == slug);
        found.ok_or_else(|| kernel::Error::not_found("provider"))
    }

    /// Where a provider leads back to.
    fn way_back(&self, provider: &Provider) -> String {
        format!("{}{PATH}/{}/{BACK}", self.config.public_url, provider.config.slug)
    }
}

/// What tells a browser that goes to this provider: an answer on the way of another is none.
fn browser_at(provider: &Provider, browser: &str) -> String {
    format!("{}:{browser}", provider.config.slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomers_are_told_by_tenant_and_role() {
        assert_eq!("off".parse::<Newcomers>().unwrap(), Newcomers::Refused);
        let joining = "ext:acme:developer".parse::<Newcomers>().unwrap();
        assert_eq!(joining, Newcomers::Join("ext:acme".parse().unwrap(), Role::Developer));
        for bad in ["", "acme", "ext:acme", "ext:acme:king", ":viewer"] {
            assert!(bad.parse::<Newcomers>().is_err(), "{bad}");
        }
    }
}
