//! `POST /api/v1/api-keys/{id}/claim`: the secrets of a successor that was made after a leak, when nobody was there to take them.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, KeyId, Permission, Result};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::create::NewSecrets;
use super::{Stored, restrictions, sql};
use crate::Access;

/// The secrets of a key, this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedKey {
    /// The key.
    pub id: KeyId,
    /// What goes after `Authorization: Bearer`.
    pub key: String,
    /// What goes into `X-API-Secret`, under dual authentication.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
}

impl Access {
    /// Gives the secrets of a key that wait to be fetched, once.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 409 `nothing_to_claim`, 422 `scope_exceeds_client` when the key holds more than the caller.
    pub async fn claim_key(self: &Arc<Self>, caller: &Caller, id: KeyId) -> Result<ClaimedKey> {
        let scope = caller.allow(Permission::KeysWrite)?;
        let (access, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                let (key, client) = sql::hold(tx, tenant, id)?;
                access.check_reach(&caller, &client, &key)?;
                restrictions::check_target(tx, &caller, &key)?;
                let sealed = sql::take_waiting(tx, tenant, id)?.ok_or_else(|| {
                    Error::conflict("nothing_to_claim", "This key's text was shown when it was made, or fetched before; it is shown once.")
                })?;
                tx.audit("key.claim", id)?;
                let opened = tx.sealer().open(&context(&key), &sealed)?;
                serde_json::from_slice(&opened).map_err(Error::internal)
            })
            .await
    }
}

/// Seals the secrets of `key` until they are fetched.
pub(super) fn seal(tx: &Tx<'_>, key: &Stored, secrets: NewSecrets<'_>) -> Result<Vec<u8>> {
    let claimed = ClaimedKey { id: key.id, key: secrets.token.to_owned(), secret: secrets.second.map(str::to_owned) };
    tx.sealer().seal(&context(key), &serde_json::to_vec(&claimed).map_err(Error::internal)?)
}

fn context(key: &Stored) -> String {
    format!("api_keys/{}/{}/waiting", key.tenant, key.id)
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<KeyId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<ClaimedKey>> {
    Ok(web::Json(access.claim_key(&caller, id).await?))
}
