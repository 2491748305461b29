//! `oauth_tokens.delete`: disconnecting. Here it is over with the answer; the vendor is asked to end the grant right after, and again until it
//! has ([`crate::keeper`]).

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, OauthTokenId, Permission, Result};
use store::Tx;

use super::{Revocation, Row, Status, get_row, sql};
use crate::{TOPIC, Vault, report};

impl Vault {
    /// Disconnects. Errors: 403 `insufficient_scope`, 404.
    pub async fn delete(self: &Arc<Self>, caller: &Caller, id: OauthTokenId) -> Result<()> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let (tenant, vault) = (scope.tenant(), Arc::clone(self));
        self.store
            .answer(scope, move |tx| {
                let row = get_row(tx, tenant, id)?;
                disconnect(&vault, tx, row, "disconnected")?;
                tx.audit("oauth_token.delete", id)
            })
            .await?;
        self.revoke_soon(tenant, id);
        Ok(())
    }
}

/// Ends a token here and leaves the vendor's part to the keeper.
fn disconnect(vault: &Vault, tx: &mut Tx<'_>, mut row: Row, reason: &str) -> Result<()> {
    let (sealed, generation, now) = (sql::sealed(tx, row.tenant, row.id)?, row.generation, tx.now());
    row.status = Status::Revoked;
    row.reason = Some(reason.to_owned());
    row.revocation = Some(Revocation::Pending);
    row.due_at = Some(now);
    row.failures = 0;
    // Whoever is renewing it now finds another generation, and that it is over.
    row.generation += 1;
    row.updated_at = now;
    sql::update(tx, &row, &sealed, generation)?;
    tx.notify(TOPIC, row.id);
    report::tell(vault, tx, &row, events::OAUTH_TOKEN_REVOKED)
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<OauthTokenId>,
) -> web::Result<web::NoContent> {
    vault.delete(&caller, id).await?;
    Ok(web::NoContent)
}
