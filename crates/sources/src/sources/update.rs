//! `sources.update` (PATCH).

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result, Secret, SourceId, TenantId};
use store::Tx;

use super::{Row, Secrets, Source, SourcePatch, get_row, input, secrets, sql};
use crate::{Sources, TOPIC};

impl Sources {
    /// Changes a source; calls that come afterwards see it. Its provider stays.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 422 `validation_failed`, `invalid_webhook_secret`.
    pub async fn update(self: &Arc<Self>, caller: &Caller, id: SourceId, patch: SourcePatch) -> Result<Source> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let (tenant, sources) = (scope.tenant(), Arc::clone(self));
        self.store.answer(scope, move |tx| sources.change(tx, tenant, id, patch)).await
    }

    fn change(&self, tx: &mut Tx<'_>, tenant: TenantId, id: SourceId, mut patch: SourcePatch) -> Result<Source> {
        let row = get_row(tx, tenant, id)?;
        let secret = patch.secret.take().map(|secret| Secret::new(secrets::normal(row.provider, secret)));
        let (kept, before) = (sql::secrets(tx, tenant, id)?, row.clone());
        let before = Source::of(before, &kept, self.url(id), tx.now());
        let row = Row { updated_at: tx.now(), ..patched(row, patch) };
        input::check(&row)?;
        let secrets = match secret {
            None => kept,
            Some(secret) => {
                row.provider.check_secret(secret.reveal(), &row.settings)?;
                tx.audit("source.replace_secret", id)?;
                Secrets::of(Some(secret))
            }
        };
        // Settings say how a secret's text is read, so a kept one must still be readable.
        for text in secrets.valid(tx.now()) {
            row.provider.check_secret(text, &row.settings)?;
        }
        sql::update(tx, tenant, &row, &secrets)?;
        let now = row.updated_at;
        let source = Source::of(row, &secrets, self.url(id), now);
        tx.audit_change("source.update", id, &before, &source)?;
        tx.notify(TOPIC, id);
        Ok(source)
    }
}

fn patched(row: Row, patch: SourcePatch) -> Row {
    Row {
        name: patch.name.apply(row.name),
        description: patch.description.apply(row.description),
        events: patch.events.change().map_or(row.events, Option::unwrap_or_default),
        filter: patch.filter.apply(row.filter),
        settings: patch.settings.change().map_or(row.settings, Option::unwrap_or_default),
        response: patch.response.apply(row.response),
        enabled: patch.enabled.unwrap_or(row.enabled),
        ..row
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SourceId>,
    web::Json(patch): web::Json<SourcePatch>,
) -> web::Result<web::Json<Source>> {
    Ok(web::Json(sources.update(&caller, id, patch).await?))
}
