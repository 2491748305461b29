//! Ending a grant at the vendor, after it was disconnected here.

use std::sync::Arc;

use kernel::{OauthTokenId, Result, TenantId, TenantScope, Timestamp};
use serde_json::json;
use store::Tx;

use crate::apps::app_of;
use crate::exchange::{App, Exchange, Revoked};
use crate::providers::{self, Endpoints};
use crate::tokens::{Revocation, Row, Sealed, Status, revocation_pause, sql};
use crate::{PART, Vault};

/// Tries before it is given up: about a day and a half.
const MOST_TRIES: u32 = 12;

impl Vault {
    /// Begins to revoke right after the commit, without anybody waiting.
    pub(crate) fn revoke_soon(self: &Arc<Self>, tenant: TenantId, id: OauthTokenId) {
        let vault = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = vault.revoke(tenant, id).await {
                tracing::warn!(?error, token = %id, "a grant could not be revoked at the vendor; it is tried again");
            }
        });
    }

    /// One try. Nothing for a token that is not there, or done with.
    pub(crate) async fn revoke(self: &Arc<Self>, tenant: TenantId, id: OauthTokenId) -> Result<()> {
        let scope = TenantScope::system(PART, tenant);
        let found = self.store.read(&scope, move |tx| pending(tx, tenant, id)).await?;
        let Some((row, sealed, app)) = found else { return Ok(()) };
        let outcome = self.asked_to_revoke(&row, &sealed, app).await?;
        self.store.write(&scope, move |tx| settle(tx, row, sealed, &outcome)).await
    }

    async fn asked_to_revoke(&self, row: &Row, sealed: &Sealed, app: Option<App>) -> Result<Revoked> {
        let (built_in, Some(access)) = (providers::named(&row.provider)?, &sealed.access) else { return Ok(Revoked::Done) };
        let provider = row.settings.provider(built_in);
        // What nobody described has no place to ask.
        let Ok(endpoints) = Endpoints::of(&provider, &row.settings) else { return Ok(Revoked::Unsupported) };
        let app = app.unwrap_or_else(|| App { client_id: row.client_id.clone().unwrap_or_default(), client_secret: None });
        let exchange = Exchange { client: &self.outbound, provider: &provider, endpoints: &endpoints, app: &app };
        exchange.revoke(access, sealed.refresh.as_ref()).await
    }
}

fn pending(tx: &mut Tx<'_>, tenant: TenantId, id: OauthTokenId) -> Result<Option<(Row, Sealed, Option<App>)>> {
    let is_pending = |row: &Row| row.status == Status::Revoked && row.revocation == Some(Revocation::Pending);
    let Some(row) = sql::get(tx, tenant, id)?.filter(is_pending) else { return Ok(None) };
    let sealed = sql::sealed(tx, tenant, id)?;
    let app = app_of(tx, &row, &sealed)?;
    Ok(Some((row, sealed, app)))
}

fn settle(tx: &mut Tx<'_>, before: Row, sealed: Sealed, outcome: &Revoked) -> Result<()> {
    let (now, generation, failures) = (tx.now(), before.generation, before.failures + 1);
    let (revocation, why) = match outcome {
        Revoked::Done => (Revocation::Done, None),
        Revoked::Unsupported => (Revocation::Unsupported, None),
        Revoked::Failed(why) if failures >= MOST_TRIES => (Revocation::Failed, Some(why)),
        Revoked::Failed(why) => (Revocation::Pending, Some(why)),
    };
    let is_over = revocation != Revocation::Pending;
    let row = Row {
        revocation: Some(revocation),
        due_at: (!is_over).then(|| now.plus(revocation_pause(failures))),
        failures,
        claim_until: Timestamp::from_millis(0),
        updated_at: now,
        ..before
    };
    // What nobody needs any more is not kept.
    let sealed = if is_over { Sealed::default() } else { sealed };
    // Another token may have come in since, of a renewal that was under way: then that one is to be ended.
    if !sql::update(tx, &row, &sealed, generation)? {
        return Ok(());
    }
    tx.audit_with("oauth_token.revoke", row.id, &json!({"provider": row.provider, "outcome": revocation.as_str(), "error": why}))
}
