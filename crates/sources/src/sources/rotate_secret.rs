//! `sources.rotate_secret`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, Secret, SourceId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::{Row, get_row, secrets, sql};
use crate::{Sources, TOPIC};

/// Longest overlap: 30 days.
const MAX_OVERLAP: u64 = 30 * 86_400;
/// Overlap when nothing is said: a day, as long as vendors go on sending what the old secret signed.
const OVERLAP: u64 = 86_400;

/// How a secret is replaced.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotateSourceSecret {
    /// For how long the old secret is good too: 0 to 2592000 seconds, by default a day.
    pub overlap_seconds: Option<u64>,
    /// The new secret, where the vendor makes it; by default one is made.
    pub secret: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotatedSourceSecret {
    /// The new secret, this once, if we made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
    /// Until when the old one is good too.
    pub previous_valid_until: Timestamp,
}

impl Sources {
    /// Replaces a source's secret. Until the overlap is over, calls signed by either are good.
    ///
    /// Errors: 404; 422 `validation_failed`, `invalid_webhook_secret`.
    pub async fn rotate_secret(self: &Arc<Self>, caller: &Caller, id: SourceId, input: RotateSourceSecret) -> Result<RotatedSourceSecret> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let overlap = input.overlap_seconds.unwrap_or(OVERLAP);
        if overlap > MAX_OVERLAP {
            return Err(Error::field("/overlapSeconds", format!("must be 0 to {MAX_OVERLAP}")));
        }
        let given = input.secret.map(Secret::new);
        let sources = Arc::clone(self);
        self.store.answer(scope, move |tx| sources.rotate(tx, tenant, id, given, Duration::from_secs(overlap))).await
    }

    fn rotate(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        id: SourceId,
        given: Option<Secret<String>>,
        overlap: Duration,
    ) -> Result<RotatedSourceSecret> {
        let now = tx.now();
        let row = Row { updated_at: now, ..get_row(tx, tenant, id)? };
        let (secret, shown) = self.next_secret(&row, given)?;
        let kept = sql::secrets(tx, tenant, id)?.replaced(secret, now, overlap);
        sql::update(tx, tenant, &row, &kept)?;
        tx.audit("source.rotate_secret", id)?;
        tx.notify(TOPIC, id);
        Ok(RotatedSourceSecret { secret: shown, previous_valid_until: now.plus(overlap) })
    }

    /// The given secret, or a new one and its text to be shown.
    fn next_secret(&self, row: &Row, given: Option<Secret<String>>) -> Result<(Secret<String>, Option<String>)> {
        if let Some(given) = given {
            let secret = Secret::new(secrets::normal(row.provider, given.reveal().clone()));
            row.provider.check_secret(secret.reveal(), &row.settings)?;
            return Ok((secret, None));
        }
        let made = secrets::generate(row.provider, &row.settings, &self.ambient)
            .ok_or_else(|| Error::field("/secret", "must be given: it is the public key that SendGrid shows"))?;
        let shown = made.reveal().clone();
        Ok((made, Some(shown)))
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SourceId>,
    input: Option<web::Json<RotateSourceSecret>>,
) -> web::Result<web::Json<RotatedSourceSecret>> {
    let input = input.map(|web::Json(input)| input).unwrap_or_default();
    Ok(web::Json(sources.rotate_secret(&caller, id, input).await?))
}
