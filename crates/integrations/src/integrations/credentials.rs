//! What an integration signs in with: read, sealed, made into a header.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use connectors::Auth;
use http::HeaderName;
use kernel::{Ambient, Error, IntegrationId, Result, Secret};
use serde::{Deserialize, Serialize};
use store::Sealer;

/// Longest credential, in bytes.
const MAX_CREDENTIAL: usize = 8 * 1024;
/// Under this name stands what a vendor signs its calls with.
const WEBHOOK_SECRET: &str = "webhookSecret";
/// Names under which one token may be given.
const TOKENS: &[&str] = &["apiKey", "accessToken", "apiToken", "token"];
/// Pairs of names that are user and password.
const PAIRS: &[(&str, &str)] =
    &[("username", "password"), ("accountSid", "authToken"), ("keyId", "keySecret"), ("clientId", "clientSecret")];

/// Under this name the origin is sealed beside them: no credential has it.
const ORIGIN: &str = "@origin";

/// Credentials by name, and the origin that they were given for.
#[derive(Clone, Default)]
pub(crate) struct Credentials(BTreeMap<String, Plain>, Option<String>);

/// A secret that is written into what is sealed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Plain(String);

impl Credentials {
    /// Reads credentials as the connector wants them.
    ///
    /// Errors: 422 at `/credentials`.
    pub(crate) fn read(given: BTreeMap<String, String>, auth: &Auth) -> Result<Self> {
        for (name, value) in &given {
            let at = || format!("/credentials/{name}");
            if !names(auth).contains(&name.as_str()) {
                let known = names(auth).join(", ");
                return Err(Error::field(at(), format!("is not a credential of this connector; it takes {known}")));
            }
            let is_plain = (1..=MAX_CREDENTIAL).contains(&value.len()) && !value.chars().any(char::is_control);
            if !is_plain {
                return Err(Error::field(at(), format!("must have 1 to {MAX_CREDENTIAL} bytes and no control characters")));
            }
        }
        let credentials = Self(given.into_iter().map(|(name, value)| (name, Plain(value))).collect(), None);
        if matches!(auth, Auth::Basic) && !credentials.names().iter().all(|name| name == WEBHOOK_SECRET) && credentials.pair().is_none() {
            return Err(Error::field("/credentials", "must have username and password"));
        }
        Ok(credentials)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// For calls to this origin only; `None`: where calls go is not known yet, so they go nowhere.
    pub(crate) fn bound(self, origin: Option<String>) -> Self {
        Self(self.0, origin)
    }

    /// The origin that they were given for.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.1.as_deref()
    }

    /// Whether somebody can sign in with them.
    pub(crate) fn sign_in(&self, auth: &Auth) -> bool {
        match auth {
            Auth::None => true,
            Auth::Basic => self.pair().is_some(),
            Auth::OAuth2 { .. } | Auth::ApiKey { .. } => self.token().is_some(),
        }
    }

    /// What a vendor signs its calls with, if the vendor chose it.
    pub(crate) fn webhook_secret(&self) -> Option<Secret<String>> {
        self.0.get(WEBHOOK_SECRET).map(|secret| Secret::new(secret.0.clone()))
    }

    /// Every value, for masking.
    pub(crate) fn values(&self) -> Vec<Secret<String>> {
        self.0.values().map(|secret| Secret::new(secret.0.clone())).collect()
    }

    fn token(&self) -> Option<(&str, &str)> {
        TOKENS.iter().find_map(|name| self.0.get(*name).map(|secret| (*name, secret.0.as_str())))
    }

    fn pair(&self) -> Option<(&str, &str)> {
        PAIRS.iter().find_map(|(user, password)| Some((self.0.get(*user)?.0.as_str(), self.0.get(*password)?.0.as_str())))
    }

    pub(crate) fn seal(&self, sealer: &Sealer, id: IntegrationId) -> Result<Vec<u8>> {
        let mut members = self.0.clone();
        members.extend(self.1.clone().map(|origin| (ORIGIN.to_owned(), Plain(origin))));
        let plain = serde_json::to_vec(&members).map_err(Error::internal)?;
        sealer.seal(&context(id), &plain)
    }

    pub(crate) fn open(sealer: &Sealer, id: IntegrationId, sealed: &[u8]) -> Result<Self> {
        let mut members: BTreeMap<String, Plain> = serde_json::from_slice(&sealer.open(&context(id), sealed)?).map_err(Error::internal)?;
        let origin = members.remove(ORIGIN).map(|origin| origin.0);
        Ok(Self(members, origin))
    }
}

fn context(id: IntegrationId) -> String {
    format!("integrations.credentials:{id}")
}

fn names(auth: &Auth) -> Vec<&'static str> {
    let mut names = match auth {
        Auth::OAuth2 { .. } | Auth::ApiKey { .. } => TOKENS.to_vec(),
        Auth::Basic => PAIRS.iter().flat_map(|(user, password)| [*user, *password]).collect(),
        Auth::None => Vec::new(),
    };
    names.push(WEBHOOK_SECRET);
    names
}

/// The header by which credentials sign in. `None`: none is needed, or there is none to sign in with.
pub(crate) fn sign(credentials: &Credentials, auth: &Auth) -> Option<(HeaderName, Secret<String>)> {
    let header = |name: &str, value: String| Some((HeaderName::try_from(name).ok()?, Secret::new(value)));
    match auth {
        Auth::None => None,
        Auth::Basic => {
            let (user, password) = credentials.pair()?;
            header("authorization", format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
        }
        Auth::ApiKey { header: name, prefix } => header(name, format!("{prefix}{}", credentials.token()?.1)),
        Auth::OAuth2 { provider } => match (provider.as_str(), credentials.token()?) {
            // Pipedrive's personal tokens are no bearer tokens.
            ("pipedrive", ("apiToken", token)) => header("x-api-token", token.to_owned()),
            ("zoho", (_, token)) => header("authorization", format!("Zoho-oauthtoken {token}")),
            (_, (_, token)) => header("authorization", format!("Bearer {token}")),
        },
    }
}

/// What proves a vendor's calls to an integration's own address: ours, made with it. 43 characters: Zoho takes fifty at most.
pub(crate) struct Inbound;

impl Inbound {
    pub(crate) fn make(ambient: &Ambient) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(ambient.bytes::<32>()))
    }

    pub(crate) fn seal(secret: &Secret<String>, sealer: &Sealer, id: IntegrationId) -> Result<Vec<u8>> {
        sealer.seal(&Self::context(id), secret.reveal().as_bytes())
    }

    pub(crate) fn open(sealer: &Sealer, id: IntegrationId, sealed: &[u8]) -> Result<Secret<String>> {
        let plain = sealer.open(&Self::context(id), sealed)?;
        String::from_utf8(plain).map(Secret::new).map_err(Error::internal)
    }

    fn context(id: IntegrationId) -> String {
        format!("integrations.inbound:{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(auth: &Auth, pairs: &[(&str, &str)]) -> Option<(String, String)> {
        let given = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let credentials = Credentials::read(given, auth).unwrap();
        let (name, value) = sign(&credentials, auth)?;
        Some((name.to_string(), value.reveal().clone()))
    }

    #[test]
    fn credentials_become_the_header_that_the_vendor_reads() {
        let oauth = |provider: &str| Auth::OAuth2 { provider: provider.to_owned() };
        let said = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(header(&oauth("hubspot"), &[("accessToken", "t")]), said("authorization", "Bearer t"));
        assert_eq!(header(&oauth("zoho"), &[("accessToken", "t")]), said("authorization", "Zoho-oauthtoken t"));
        assert_eq!(header(&oauth("pipedrive"), &[("apiToken", "t")]), said("x-api-token", "t"));
        assert_eq!(header(&Auth::Basic, &[("username", "u"), ("password", "p")]), said("authorization", "Basic dTpw"));
        assert_eq!(header(&Auth::Basic, &[("accountSid", "u"), ("authToken", "p")]), said("authorization", "Basic dTpw"));
        let key = Auth::ApiKey { header: "X-Key".to_owned(), prefix: "k=".to_owned() };
        assert_eq!(header(&key, &[("apiKey", "t")]), said("x-key", "k=t"));
        assert_eq!(header(&Auth::None, &[("webhookSecret", "s")]), None);
    }

    #[test]
    fn a_credential_that_the_connector_does_not_take_is_named() {
        for (auth, name, value) in [(Auth::Basic, "apiKey", "x"), (Auth::None, "token", "x"), (Auth::Basic, "username", "x\r\ny")] {
            let given = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            let Err(error) = Credentials::read(given, &auth) else { panic!("{name}") };
            assert_eq!(error.fields()[0].pointer, format!("/credentials/{name}"));
        }
        let half = BTreeMap::from([("username".to_owned(), "u".to_owned())]);
        assert!(Credentials::read(half, &Auth::Basic).is_err());
    }
}
