//! The check of a bearer token.

use std::sync::Arc;

use kernel::{Error, Result, Scope};

use super::cache::Entry;
use super::presented::Presented;
use super::{Principal, load};
use crate::Access;
use crate::errors::{client_suspended, invalid_credential, tenant_suspended};

/// What stands between a right secret and admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Good,
    /// The key is switched off; it may be switched on again.
    Disabled,
    /// The key is revoked, for good.
    Revoked,
    /// The key's time is over.
    Expired,
    /// Its client is suspended.
    ClientSuspended,
    /// Its tenant is suspended.
    TenantSuspended,
}

impl Standing {
    /// What a caller of ours is told. Everything about the key itself looks the same.
    fn refusal(self) -> Option<Error> {
        match self {
            Self::Good => None,
            Self::Disabled | Self::Revoked | Self::Expired => Some(invalid_credential()),
            Self::ClientSuspended => Some(client_suspended()),
            Self::TenantSuspended => Some(tenant_suspended()),
        }
    }
}

/// A key whose secret was right.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Its holder.
    pub principal: Arc<Principal>,
    /// Whether it may be used now.
    pub standing: Standing,
}

impl Access {
    /// Who holds `bearer` (the text after `Bearer `), together with `api_secret` (`X-API-Secret`) where the client asks for dual authentication.
    ///
    /// Errors: 401 `invalid_credential` (the same for every cause), 403 `client_suspended`, 403 `tenant_suspended` (only after the secret
    /// was found right); those of the store.
    pub async fn authenticate(&self, bearer: &str, api_secret: Option<&str>) -> Result<Arc<Principal>> {
        let examined = self.examine(bearer, api_secret).await?;
        self.note_misuse(examined.as_ref());
        admit(examined)
    }

    /// The same without waiting, when the answer is known without the database: none means that [`Access::authenticate`] must be asked.
    pub fn try_authenticate_cached(&self, bearer: &str, api_secret: Option<&str>) -> Option<Result<Arc<Principal>>> {
        let examined = self.try_examine_cached(bearer, api_secret)?;
        self.note_misuse(examined.as_ref());
        Some(admit(examined))
    }

    /// Whose key `bearer` is, and whether it may be used; none: it is no key, or a secret is wrong (the two are the same in answer and time).
    pub async fn examine(&self, bearer: &str, api_secret: Option<&str>) -> Result<Option<Examined>> {
        if let Some(known) = self.try_examine_cached(bearer, api_secret) {
            return Ok(known);
        }
        let Some(presented) = self.present(bearer, api_secret) else { return Ok(None) };
        let since = self.cache.generation();
        let (which, key_id) = presented.look_up();
        let asked = key_id.clone();
        let found = self.store.read(Scope::system("access"), move |tx| super::sql::nearest(tx, which, &asked)).await?;
        let Some(found) = found else { return Ok(None) };
        let (is_asked, proves) = {
            let (its_id, hash, second, needs_second) = found.identity();
            (its_id == key_id, presented.proves(&load::digest(hash), needs_second, second.map(load::digest).as_ref()))
        };
        if !(is_asked & proves) {
            self.suspect(&found, is_asked);
            return Ok(None);
        }
        let entry = Arc::new(load::entry(found, &self.blueprint));
        self.cache.insert(presented.place(), Arc::clone(&entry), since);
        Ok(Some(self.judge(&entry)))
    }

    /// The same without waiting: none means that the database must be asked. A wrong secret of a known key is asked for there too, as an
    /// unknown key is, so that neither is answered sooner than the other.
    pub fn try_examine_cached(&self, bearer: &str, api_secret: Option<&str>) -> Option<Option<Examined>> {
        let Some(presented) = self.present(bearer, api_secret) else { return Some(None) };
        let entry = self.cache.get(presented.place())?;
        let proves = presented.proves(&entry.hash, entry.needs_secret, entry.secret_hash.as_ref());
        proves.then(|| Some(self.judge(&entry)))
    }

    fn present<'a>(&self, bearer: &'a str, api_secret: Option<&str>) -> Option<Presented<'a>> {
        Presented::read(bearer, api_secret, &self.pepper, self.imports.load(std::sync::atomic::Ordering::Relaxed))
    }

    fn judge(&self, entry: &Entry) -> Examined {
        let expired = entry.expires_at.is_some_and(|end| end <= self.ambient.now());
        let standing = match entry.standing {
            Standing::Good | Standing::ClientSuspended | Standing::TenantSuspended if expired => Standing::Expired,
            other => other,
        };
        Examined { principal: Arc::clone(&entry.principal), standing }
    }
}

fn admit(examined: Option<Examined>) -> Result<Arc<Principal>> {
    let Examined { principal, standing } = examined.ok_or_else(invalid_credential)?;
    standing.refusal().map_or(Ok(principal), Err)
}
