//! The credential of a call.

use std::sync::{Arc, Mutex, PoisonError};

use connectors::{Fault, Renewal};
use http::{HeaderName, HeaderValue};
use kernel::{Error, Kind, OauthTokenId, Secret, TenantScope};
use url::Url;

use super::address::refused;
use crate::Integrations;
use crate::integrations::{CREDENTIALS_BOUND, NOT_ITS_API, SEND_AGAIN, TOKEN_BASE_REFUSED, origin_of};

/// How calls are signed.
pub(crate) enum Signing {
    /// A token of the vault, and where the account is as the token says.
    Vault(OauthTokenId),
    /// A fixed header, and the only origin that it goes to.
    Fixed(HeaderName, Secret<String>, Option<String>),
    /// No credential is needed.
    None,
    /// One is needed, and there is none.
    Missing,
}

/// A credential for one call.
pub(super) struct Signed {
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    pub(super) base: Option<String>,
    pub(super) reach: Reach,
    pub(super) generation: u64,
}

/// Where a credential may go.
pub(super) enum Reach {
    Anywhere,
    /// The origin that it was given for; none: nowhere.
    Origin(Option<String>),
    /// The API of a token: provider and base.
    Api(String, Option<String>),
}

impl Reach {
    /// Error: [`Fault::Refused`].
    pub(super) fn check(&self, url: &Url) -> Result<(), Fault> {
        match self {
            Self::Anywhere => Ok(()),
            Self::Origin(origin) if origin.as_deref() == Some(origin_of(url).as_str()) => Ok(()),
            Self::Origin(_) => Err(refused(CREDENTIALS_BOUND, SEND_AGAIN)),
            Self::Api(provider, base) if vault::is_of_api(provider, base.as_deref(), url) => Ok(()),
            Self::Api(..) => Err(refused(TOKEN_BASE_REFUSED, NOT_ITS_API)),
        }
    }
}

impl Signing {
    pub(super) async fn sign(&self, integrations: &Arc<Integrations>, scope: &TenantScope) -> Result<Signed, Fault> {
        let (header, reach) = match self {
            Self::None => (None, Reach::Anywhere),
            Self::Missing => return Err(Fault::Unauthorized { message: "the integration has no credential: connect it first".to_owned() }),
            Self::Fixed(name, value, origin) => (Some((name.clone(), sensitive(value.reveal())?)), Reach::Origin(origin.clone())),
            Self::Vault(token) => {
                let held = integrations.parts.vault.held(scope, *token).await.map_err(|error| fault(&error))?;
                let header = Some((http::header::AUTHORIZATION, sensitive(held.authorization().reveal())?));
                let reach = Reach::Api(held.provider, held.base_url.clone());
                return Ok(Signed { header, base: held.base_url, reach, generation: held.generation });
            }
        };
        Ok(Signed { header, base: None, reach, generation: 0 })
    }

    pub(super) async fn renew(&self, integrations: &Arc<Integrations>, scope: &TenantScope, generation: u64) -> Result<Renewal, Fault> {
        let Self::Vault(token) = self else { return Ok(Renewal::Refused) };
        match integrations.parts.vault.renew(scope, *token, generation).await {
            Ok(_) => Ok(Renewal::Renewed),
            Err(error) => Err(fault(&error)),
        }
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, Fault> {
    let unusable = |_| Fault::Unauthorized { message: "the credential has characters that no header may have".to_owned() };
    let mut value = HeaderValue::from_str(text).map_err(unusable)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What the vault says, as what is to be done.
fn fault(error: &Error) -> Fault {
    match (error.kind(), error.wait()) {
        (Kind::NotFound | Kind::Conflict, _) => Fault::Unauthorized { message: error.detail().to_owned() },
        (_, Some(after)) => Fault::RateLimited { after: Some(after) },
        _ => Fault::Unavailable { message: error.detail().to_owned() },
    }
}

/// Every secret of a call, to take it out of what is shown.
pub(super) fn secrets(header: Option<&(HeaderName, HeaderValue)>) -> Vec<String> {
    let text = header.and_then(|(_, value)| value.to_str().ok()).unwrap_or_default();
    let last = text.rsplit(' ').next().unwrap_or_default();
    [text, last].into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// A place for what somebody wants to see.
pub(super) fn put<T>(place: &Mutex<Option<T>>, value: T) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}
