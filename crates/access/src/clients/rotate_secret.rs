//! `POST /api/v1/api-clients/{id}/rotate-secret`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result};
use serde::Deserialize;

use super::{ClientWithSecret, Stored, sql};
use crate::credentials::Purpose;
use crate::{Access, clients, scopes};

/// Longest overlap in seconds: 30 days.
const MAX_OVERLAP: u64 = 30 * 86_400;

/// How a client's secret is replaced.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateClientSecret {
    /// How long the old secret works on: 0 (usual: it ends at once) to 2,592,000.
    #[serde(default)]
    pub overlap_seconds: u64,
}

impl Access {
    /// Gives a confidential client a new secret; the old one works on for the overlap.
    ///
    /// Errors: 422 `validation_failed`, 403 `insufficient_scope`, 404, 409 `client_not_confidential`, 422 `scope_exceeds_client` when the client has more than the caller.
    pub async fn rotate_client_secret(
        self: &Arc<Self>,
        caller: &Caller,
        reference: IdRef<ClientId>,
        how: RotateClientSecret,
    ) -> Result<ClientWithSecret> {
        if how.overlap_seconds > MAX_OVERLAP {
            return Err(Error::field("/overlapSeconds", format!("must be at most {MAX_OVERLAP}")));
        }
        let scope = caller.allow(Permission::ClientsWrite)?;
        let (access, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                let client = sql::hold(tx, tenant, &reference)?;
                scopes::within_caller(&caller, &scopes::of_client(&access.blueprint, client.fields.scopes.as_deref()))?;
                if !client.fields.confidential {
                    return Err(Error::conflict("client_not_confidential", "This client is public: it has no secret."));
                }
                let secret = access.new_client_secret();
                let now = tx.now();
                let hash = access.pepper.hash(Purpose::ClientSecret, &secret);
                match how.overlap_seconds {
                    0 => sql::set_secret(tx, tenant, client.id, Some(hash), now)?,
                    seconds => sql::replace_secret(tx, tenant, client.id, hash, now.plus(Duration::from_secs(seconds)), now)?,
                }
                tx.audit_with("client.rotate_secret", client.id, &serde_json::json!({"overlapSeconds": how.overlap_seconds}))?;
                tx.notify(clients::TOPIC, client.id);
                let client = Stored { updated_at: now, ..client }.show(&access.blueprint);
                Ok(ClientWithSecret { client, client_secret: Some(secret) })
            })
            .await
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(reference): web::Path<IdRef<ClientId>>,
    how: Option<web::Json<RotateClientSecret>>,
) -> web::Result<web::Json<ClientWithSecret>> {
    let how = how.map_or_else(RotateClientSecret::default, |how| how.0);
    Ok(web::Json(access.rotate_client_secret(&caller, reference, how).await?))
}
