//! Handing credentials out, and renewing them.
//!
//! # Why no grant is lost
//!
//! A refresh token that rotates is good once; shown a second time it ends the whole grant, with everything that came of it. So:
//!
//! * **One writer.** Whoever renews claims the row first (`claim_epoch`, `claim_until`), in a transaction of its own; everybody else, on whatever
//!   server, waits for the row's next generation. A claim ends by itself, so a server that dies takes nothing with it.
//! * **Stored before it is used.** The new tokens are committed before anybody gets them. They are stored whatever became of the claim, as long as
//!   nobody else stored any: what the vendor has just made is the best that there is.
//! * **A failure is not believed before the row was read again**: another writer's success looks like our failure.
//! * **A lost answer is asked for again, with the same token, at once.** If the vendor never saw it, that is right; if it did, vendors that
//!   forgive (a grace time) forgive soon. Only a definite refusal ends a grant.
//! * **Nobody's impatience cancels an exchange**: it runs in a task of its own.

mod api;
mod cache;
mod claim;
mod count;
mod held;
mod outcome;
mod renew;

use std::sync::Arc;

use kernel::{Error, Kind, OauthTokenId, Result, TenantScope};

use crate::Vault;
use crate::tokens::{self, Status};

pub(crate) use api::{api_base, keep_alive_at};
pub(crate) use cache::{Cache, Loaded};
pub(crate) use count::Uses;
pub use held::{Held, is_of_api};
pub(crate) use outcome::needs_a_person;
pub(crate) use renew::Locks;

impl Vault {
    /// The credential, renewed in advance if it is about to end. Counts the use under the scope's actor.
    ///
    /// Errors: 404; 409 `oauth_token_reauth_required`, when somebody has to connect again; 503 `oauth_token_unavailable` when the vendor could
    /// not be asked for a new one, or not so soon (with `retry_after`).
    pub async fn held(self: &Arc<Self>, scope: &TenantScope, id: OauthTokenId) -> Result<Held> {
        let loaded = self.loaded(scope, id).await?;
        if loaded.status == Status::ReauthRequired {
            return Err(reauth_required(&loaded.provider));
        }
        let now = self.ambient.now();
        let good = if loaded.is_fresh(now) {
            loaded
        } else {
            match self.renewed(scope, id, loaded.held.generation, false).await {
                Ok(renewed) => renewed,
                // It could not be renewed in advance; it is good still.
                Err(error) if error.kind() == Kind::Unavailable && loaded.is_alive(self.ambient.now()) => loaded,
                Err(error) => return Err(error),
            }
        };
        self.uses.add(scope, id, now);
        Ok(good.held.clone())
    }

    /// A credential newer than `generation`, which the vendor did not take (401). If there is one already it is answered; else it is renewed once,
    /// by one writer over all servers.
    ///
    /// Errors: as [`Vault::held`].
    pub async fn renew(self: &Arc<Self>, scope: &TenantScope, id: OauthTokenId, generation: u64) -> Result<Held> {
        let renewed = self.renewed(scope, id, generation, false).await?;
        self.uses.add(scope, id, self.ambient.now());
        Ok(renewed.held.clone())
    }

    /// The token as it is stored, from memory where nobody changed it.
    async fn loaded(&self, scope: &TenantScope, id: OauthTokenId) -> Result<Arc<Loaded>> {
        let tenant = scope.tenant();
        if let Some(known) = self.cache.get(tenant, id) {
            return Ok(known);
        }
        let since = self.cache.since();
        let own = TenantScope::system(crate::PART, tenant);
        let read = move |tx: &mut store::Tx<'_>| {
            let row = tokens::get_row(tx, tenant, id)?;
            Loaded::read(tx, row)
        };
        let loaded = Arc::new(self.store.read(own, read).await?);
        self.cache.put(since, id, &loaded);
        Ok(loaded)
    }
}

/// 409.
pub(crate) fn reauth_required(provider: &str) -> Error {
    let detail = format!(
        "The connection to {provider} has ended at the vendor. Somebody has to connect again: POST /api/v1/oauth-tokens/{{id}}/reconnect."
    );
    Error::conflict("oauth_token_reauth_required", detail)
}

/// 503.
pub(crate) fn unavailable(provider: &str, why: &str) -> Error {
    Error::unavailable("oauth_token_unavailable", format!("The token at {provider} cannot be renewed now: {why}. It is tried again."))
}
