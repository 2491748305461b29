//! The other OpenID provider by which people may sign in, as it was set up.

use anyhow::Context as _;
use kernel::{Error, Secret};
use people::external::{Newcomers, ProviderConfig};

/// Its name in addresses.
const SLUG: &str = "oidc";

/// As given: every value may be absent.
#[derive(Clone, Debug, Default)]
pub struct ProviderSettings {
    /// Its issuer; none: there is no other provider.
    pub issuer: Option<String>,
    /// What it calls us.
    pub client_id: Option<String>,
    /// What we prove that by.
    pub client_secret: Option<Secret<String>>,
    /// Its name on the button.
    pub name: Option<String>,
    /// Domains of the addresses that may sign in; none: any.
    pub domains: Vec<String>,
    /// What happens to people whom nobody knows: `off`, or a tenant and a role.
    pub newcomers: Option<String>,
}

impl ProviderSettings {
    /// Errors: 422 for what is missing or cannot be read.
    pub(crate) fn config(&self) -> anyhow::Result<Vec<ProviderConfig>> {
        let Some(issuer) = self.issuer.clone() else {
            if self.client_id.is_some() || self.client_secret.is_some() {
                let text = "TRADEWIND_OIDC_CLIENT_ID and TRADEWIND_OIDC_CLIENT_SECRET need TRADEWIND_OIDC_ISSUER: whose they are.";
                return Err(Error::invalid("missing_oidc_issuer", text).into());
            }
            return Ok(Vec::new());
        };
        let missing =
            || Error::invalid("missing_oidc_client_id", "TRADEWIND_OIDC_ISSUER needs TRADEWIND_OIDC_CLIENT_ID: what it calls us.");
        let client_id = self.client_id.clone().ok_or_else(missing)?;
        let url = url::Url::parse(&issuer).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.query().is_none());
        let url = url.ok_or_else(|| Error::invalid("invalid_oidc_issuer", "TRADEWIND_OIDC_ISSUER must be the address of a provider."))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let newcomers = self.newcomers.as_deref().map(str::parse::<Newcomers>).transpose().context("TRADEWIND_OIDC_NEWCOMERS")?;
        Ok(vec![ProviderConfig {
            slug: SLUG.to_owned(),
            name: self.name.clone().unwrap_or(host),
            issuer,
            client_id,
            client_secret: self.client_secret.clone(),
            domains: self.domains.iter().map(|domain| domain.trim().trim_start_matches('@').to_lowercase()).collect(),
            newcomers: newcomers.unwrap_or_default(),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> ProviderSettings {
        ProviderSettings {
            issuer: Some("https://id.example.com".into()),
            client_id: Some("us".into()),
            domains: vec![" @Example.COM".into()],
            ..ProviderSettings::default()
        }
    }

    #[test]
    fn what_is_not_said_has_a_usual_value() {
        assert!(ProviderSettings::default().config().unwrap().is_empty());
        let made = given().config().unwrap().remove(0);
        assert_eq!((made.slug.as_str(), made.name.as_str(), made.newcomers), ("oidc", "id.example.com", Newcomers::Refused));
        assert_eq!(made.domains, ["example.com"]);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for bad in [
            ProviderSettings { issuer: None, ..given() },
            ProviderSettings { client_id: None, ..given() },
            ProviderSettings { issuer: Some("id.example.com".into()), ..given() },
            ProviderSettings { newcomers: Some("everybody".into()), ..given() },
        ] {
            assert!(bad.config().is_err(), "{bad:?}");
        }
    }
}
