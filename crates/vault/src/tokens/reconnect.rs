//! `oauth_tokens.reconnect`, and the link by which a person does it.
//!
//! A link names tenant, token and end, sealed: nobody else can make one, and nothing has to be stored. Whoever opens it within a week is sent to
//! the vendor, and what comes back takes the place of the token's grant, if it is of the same account.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Caller, OauthConnectionId, OauthTokenId, Permission, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Sealer;

use super::get_row;
use crate::Vault;

const CONTEXT: &str = "oauth_tokens.reconnect";
/// How long a link opens.
const LINK_LIFE: Duration = Duration::from_hours(24 * 7);

/// How to connect again.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OauthTokenReconnect)]
pub struct Reconnect {
    /// The connection that was begun.
    pub connection_id: OauthConnectionId,
    /// Where to send the person now; good until `expiresAt`.
    pub authorize_url: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// A link for an e-mail: it begins anew whenever it is opened within a week.
    pub reconnect_url: String,
}

/// The last part of a link.
fn link(sealer: &Sealer, tenant: TenantId, id: OauthTokenId, now: Timestamp) -> Result<String> {
    let text = format!("{tenant} {id} {}", now.plus(LINK_LIFE).millis());
    Ok(URL_SAFE_NO_PAD.encode(sealer.seal(CONTEXT, text.as_bytes())?))
}

/// Reads one; `None` for whatever is none, and for one that is too old.
pub(crate) fn read_link(sealer: &Sealer, text: &str, now: Timestamp) -> Option<(TenantId, OauthTokenId)> {
    if text.len() > 512 {
        return None;
    }
    let opened = String::from_utf8(sealer.open(CONTEXT, &URL_SAFE_NO_PAD.decode(text).ok()?).ok()?).ok()?;
    let mut parts = opened.split(' ');
    let (tenant, id) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let until = Timestamp::from_millis(parts.next()?.parse().ok()?);
    (now < until).then_some((tenant, id))
}

impl Vault {
    /// Begins to connect again. Errors: 403 `insufficient_scope`; 404; 409 `oauth_app_missing`.
    pub async fn reconnect(self: &Arc<Self>, caller: &Caller, id: OauthTokenId) -> Result<Reconnect> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let tenant = scope.tenant();
        let (row, sealed) =
            self.store.read(scope.clone(), move |tx| Ok((get_row(tx, tenant, id)?, super::sql::sealed(tx, tenant, id)?))).await?;
        let reconnect_url = self.reconnect_url(tenant, id)?;
        let start = self.again(&row, &sealed).await?;
        let connection = self.begin(scope, start).await?;
        Ok(Reconnect {
            connection_id: connection.id,
            authorize_url: connection.authorize_url.unwrap_or_default(),
            expires_at: connection.expires_at,
            reconnect_url,
        })
    }

    /// A link that begins to connect again.
    pub(crate) fn reconnect_url(&self, tenant: TenantId, id: OauthTokenId) -> Result<String> {
        Ok(format!("{}/oauth/reconnect/{}", self.public_url, link(self.store.sealer(), tenant, id, self.ambient.now())?))
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<OauthTokenId>,
) -> web::Result<web::Json<Reconnect>> {
    Ok(web::Json(vault.reconnect(&caller, id).await?))
}
