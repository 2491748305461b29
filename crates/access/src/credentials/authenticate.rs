//! The check of a bearer token.

use std::sync::Arc;

use kernel::{Result, Scope};

use super::cache::{Entry, Standing};
use super::{Principal, Purpose, load};
use crate::Access;
use crate::errors::{client_suspended, invalid_credential, tenant_suspended};
use crate::keys::token::{self, Token};

impl Access {
    /// Who holds `bearer` (the text after `Bearer `), together with `api_secret` (`X-API-Secret`) where the client asks for dual authentication.
    ///
    /// Errors: 401 `invalid_credential` (the same for every cause), 403 `client_suspended`, 403 `tenant_suspended` (only after the secret
    /// was found right); those of the store.
    pub async fn authenticate(&self, bearer: &str, api_secret: Option<&str>) -> Result<Arc<Principal>> {
        if let Some(answer) = self.try_authenticate_cached(bearer, api_secret) {
            return answer;
        }
        let token = token::parse(bearer).map_err(|_| invalid_credential())?;
        let since = self.cache.generation();
        let (which, key_id) = (token.which(), token.key_id.to_owned());
        let row = self.store.read(Scope::system("access"), move |tx| super::sql::find(tx, which, &key_id)).await?;
        let entry = Arc::new(load::entry(row.ok_or_else(invalid_credential)?, &self.blueprint));
        self.cache.insert(&token, Arc::clone(&entry), since);
        self.admit(&entry, &token, api_secret)
    }

    /// The same without waiting, when the answer is known without the database: none means that [`Access::authenticate`] must be asked.
    pub fn try_authenticate_cached(&self, bearer: &str, api_secret: Option<&str>) -> Option<Result<Arc<Principal>>> {
        let Ok(token) = token::parse(bearer) else { return Some(Err(invalid_credential())) };
        let entry = self.cache.get(&token)?;
        Some(self.admit(&entry, &token, api_secret))
    }

    /// The secret first, so that nothing about a key shows to someone who does not hold it.
    fn admit(&self, entry: &Entry, token: &Token<'_>, api_secret: Option<&str>) -> Result<Arc<Principal>> {
        if !self.pepper.matches(Purpose::Token, token.text, &entry.hash) || !self.secret_fits(entry, api_secret) {
            return Err(invalid_credential());
        }
        if entry.expires_at.is_some_and(|end| end <= self.ambient.now()) {
            return Err(invalid_credential());
        }
        match entry.standing {
            Standing::Good => Ok(Arc::clone(&entry.principal)),
            Standing::Ended => Err(invalid_credential()),
            Standing::ClientSuspended => Err(client_suspended()),
            Standing::TenantSuspended => Err(tenant_suspended()),
        }
    }

    /// Under dual authentication a key without a second secret (made before the client asked for it) is refused.
    fn secret_fits(&self, entry: &Entry, api_secret: Option<&str>) -> bool {
        if !entry.needs_secret {
            return true;
        }
        match (&entry.secret_hash, api_secret) {
            (Some(hash), Some(secret)) if secret.len() <= token::MAX_LEN => self.pepper.matches(Purpose::KeySecret, secret, hash),
            _ => false,
        }
    }
}
