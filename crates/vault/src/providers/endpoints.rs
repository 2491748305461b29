//! Where a vendor's endpoints are for one connection: what the list says, the login host, the data centre, the override of tests.

use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use url::Url;

use super::definition::ProviderDefinition;
use super::hosts;
use super::provider::Provider;

/// What was chosen for a connection or an app, and what the callback said. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    /// In place of the scheme, host and port of every address of the vendor's: for doubles and for gateways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base_url: Option<String>,
    /// Where people sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login_host: Option<String>,
    /// Microsoft's tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) directory: Option<String>,
    /// A description, for `custom`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) definition: Option<ProviderDefinition>,
}

/// The addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) authorize: Url,
    pub(crate) token: Url,
    pub(crate) revoke: Option<Url>,
}

impl Settings {
    /// The provider that is meant: the built-in one, or what the description says.
    pub(crate) fn provider(&self, built_in: &'static Provider) -> Provider {
        match &self.definition {
            Some(definition) if built_in.id == super::CUSTOM => definition.provider(),
            _ => built_in.clone(),
        }
    }
}

impl Endpoints {
    /// Errors: 422 `login_host_refused`, or at `/definition` and `/baseUrl`.
    pub(crate) fn of(provider: &Provider, settings: &Settings) -> Result<Self> {
        let base = settings.base_url.as_deref().map(base).transpose()?;
        let host = match &provider.login_hosts {
            Some(hosts) => hosts::login_host(hosts, settings.login_host.as_deref())?,
            None => String::new(),
        };
        let directory = directory(provider, settings.directory.as_deref())?;
        let read = |template: &str| -> Result<Url> {
            let text = template.replace("{host}", &host).replace("{directory}", &directory);
            let mut url = Url::parse(&text).map_err(|_| Error::field("/definition", format!("{text:?} is no URL")))?;
            if let Some(base) = &base {
                move_to(&mut url, base)?;
            }
            Ok(url)
        };
        if provider.token_url.is_empty() {
            return Err(Error::field("/definition", "a provider that is not built in has to be described"));
        }
        Ok(Self {
            authorize: read(&provider.authorize_url)?,
            token: read(&provider.token_url)?,
            revoke: provider.revoke.as_ref().map(|revoke| read(&revoke.url)).transpose()?,
        })
    }

    /// An address of the vendor's that is no endpoint of OAuth.
    pub(crate) fn elsewhere(settings: &Settings, text: &str) -> Option<Url> {
        let mut url = Url::parse(text).ok()?;
        if let Some(given) = settings.base_url.as_deref() {
            move_to(&mut url, &base(given).ok()?).ok()?;
        }
        Some(url)
    }
}

fn base(text: &str) -> Result<Url> {
    let fault = || Error::field("/baseUrl", "must be a scheme, a host and perhaps a port: https://sandbox.example.com");
    let url = Url::parse(text).map_err(|_| fault())?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none() && url.has_host();
    if is_bare && matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(fault()) }
}

/// Scheme, host and port of `base`, the rest of `url`.
fn move_to(url: &mut Url, base: &Url) -> Result<()> {
    let fault = || Error::field("/baseUrl", "cannot stand in place of the vendor's host");
    // The scheme first: http and https may follow each other whatever the port.
    url.set_port(None).map_err(|()| fault())?;
    url.set_scheme(base.scheme()).map_err(|()| fault())?;
    url.set_host(base.host_str()).map_err(|_| fault())?;
    url.set_port(base.port()).map_err(|()| fault())
}

fn directory(provider: &Provider, given: Option<&str>) -> Result<String> {
    let Some(usual) = &provider.directory else { return Ok(String::new()) };
    let Some(given) = given else { return Ok(usual.clone()) };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    if given.is_empty() || given.len() > 100 || given.starts_with('.') || !given.bytes().all(plain) {
        return Err(Error::field("/directory", "must be common, organizations, consumers, a domain or an id"));
    }
    Ok(given.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    #[test]
    fn everything_moves_to_the_base() {
        let settings = Settings { base_url: Some("http://127.0.0.1:9123".into()), ..Settings::default() };
        let of = |id: &str| Endpoints::of(find(id).unwrap(), &settings).unwrap();
        assert_eq!(of("hubspot").authorize.as_str(), "http://127.0.0.1:9123/oauth/authorize");
        assert_eq!(of("zoho").revoke.unwrap().as_str(), "http://127.0.0.1:9123/oauth/v2/token/revoke");
        assert_eq!(of("microsoft").token.as_str(), "http://127.0.0.1:9123/common/oauth2/v2.0/token");
        for bad in ["http://a/b", "ftp://a", "a", "https://a?b"] {
            let settings = Settings { base_url: Some(bad.into()), ..Settings::default() };
            assert!(Endpoints::of(find("zoho").unwrap(), &settings).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_directory_cannot_leave_its_segment() {
        let with = |text: &str| Settings { directory: Some(text.into()), ..Settings::default() };
        let of = |text: &str| Endpoints::of(find("microsoft").unwrap(), &with(text)).map(|endpoints| endpoints.token.to_string());
        assert_eq!(of("contoso.com").unwrap(), "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token");
        for bad in ["../x", "a/b", "", "a?b", "..", "a%2fb"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
