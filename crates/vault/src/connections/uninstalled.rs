//! `oauth_connections.uninstalled`: Pipedrive tells that a person removed the app: `DELETE` on the callback address, proven by the app's id and
//! secret in Basic authentication. What it tells of has ended already; what is left is to say so.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use kernel::{Error, Kind, OauthTokenId, Result, Scope, TenantId, TenantScope};
use serde::Deserialize;
use store::Tx;
use subtle::ConstantTimeEq as _;

use crate::apps::app_of;
use crate::tokens::{self, Status};
use crate::{PART, Vault, holding};

const PROVIDER: &str = "pipedrive";

/// Largest body of what Pipedrive tells.
pub(crate) const MAX_TOLD: usize = 16 * 1024;

/// What Pipedrive sends. More members may come.
#[derive(Deserialize)]
pub(crate) struct Uninstalled {
    company_id: i64,
    user_id: i64,
}

impl Vault {
    /// Errors: 401 `invalid_credential`; 400 `malformed_json`, also without a content type: what a vendor sends is not ours to choose.
    async fn uninstalled(self: &Arc<Self>, headers: &HeaderMap, body: Body) -> Result<()> {
        let refused = || Error::unauthenticated("invalid_credential", "This call does not prove that it comes from the vendor.");
        let (client_id, secret) = basic(headers).ok_or_else(refused)?;
        let body = web::read_body(body, MAX_TOLD).await?;
        let told: Uninstalled = serde_json::from_slice(&body)
            .map_err(|_| Error::malformed("malformed_json", "The body must be JSON with company_id and user_id."))?;
        let account = format!("{}:{}", told.company_id, told.user_id);
        // The call names an account, and its tokens are whose they are.
        let proven = self.store.read(Scope::system(PART), move |tx| proven(tx, &account, &client_id, &secret)).await?;
        if proven.is_empty() {
            return Err(refused());
        }
        for (tenant, id) in proven {
            let vault = Arc::clone(self);
            let end = move |tx: &mut Tx<'_>| match tokens::get_row(tx, tenant, id) {
                Ok(row) if row.status != Status::ReauthRequired => holding::needs_a_person(&vault, tx, row, "uninstalled"),
                Ok(_) => Ok(()),
                Err(error) if error.kind() == Kind::NotFound => Ok(()),
                Err(error) => Err(error),
            };
            self.store.write(TenantScope::system(PART, tenant), end).await?;
        }
        Ok(())
    }
}

/// The account's tokens whose app has this id and this secret.
fn proven(tx: &mut Tx<'_>, account: &str, client_id: &str, secret: &str) -> Result<Vec<(TenantId, OauthTokenId)>> {
    let mut found = Vec::new();
    for row in tokens::sql::of_account(tx, PROVIDER, account)? {
        let sealed = tokens::sql::sealed(tx, row.tenant, row.id)?;
        let Some(app) = app_of(tx, &row, &sealed)?.filter(|app| app.client_id == client_id) else { continue };
        let held = app.client_secret.as_ref().map(|secret| secret.reveal().as_bytes()).unwrap_or_default();
        if !held.is_empty() && bool::from(held.ct_eq(secret.as_bytes())) {
            found.push((row.tenant, row.id));
        }
    }
    Ok(found)
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

pub(crate) async fn handle(State(vault): State<Arc<Vault>>, headers: HeaderMap, body: Body) -> web::Result<web::NoContent> {
    vault.uninstalled(&headers, body).await?;
    Ok(web::NoContent)
}
