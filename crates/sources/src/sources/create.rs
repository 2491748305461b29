//! `sources.create`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, Secret, TenantId};
use store::Tx;

use super::{MAX_PER_TENANT, Row, Secrets, Source, SourceInput, input, secrets, sql};
use crate::{Sources, TOPIC};

impl Sources {
    /// Makes a source. A secret that we make is in this answer only.
    ///
    /// Errors: 403 `insufficient_scope`; 409 `too_many_sources`; 422 `validation_failed`, `invalid_webhook_secret`.
    pub async fn create(self: &Arc<Self>, caller: &Caller, input: SourceInput) -> Result<Source> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        let now = self.ambient.now();
        let given = input.secret.map(|secret| Secret::new(secrets::normal(input.provider, secret)));
        let row = Row {
            id: self.ambient.id(),
            provider: input.provider,
            name: input.name,
            description: input.description,
            enabled: input.enabled.unwrap_or(true),
            events: input.events.unwrap_or_default(),
            filter: input.filter,
            settings: input.settings.unwrap_or_default(),
            response: input.response,
            created_at: now,
            updated_at: now,
        };
        input::check(&row)?;
        if let Some(secret) = &given {
            row.provider.check_secret(secret.reveal(), &row.settings)?;
        }
        let made = given.is_none().then(|| secrets::generate(row.provider, &row.settings, &self.ambient)).flatten();
        let sources = Arc::clone(self);
        self.store.answer(scope, move |tx| sources.insert(tx, tenant, row, given, made)).await
    }

    fn insert(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        row: Row,
        given: Option<Secret<String>>,
        made: Option<Secret<String>>,
    ) -> Result<Source> {
        if sql::count(tx, tenant)? >= MAX_PER_TENANT {
            return Err(Error::conflict("too_many_sources", format!("A tenant has at most {MAX_PER_TENANT} sources.")));
        }
        let shown = made.as_ref().map(|secret| secret.reveal().clone());
        let secrets = Secrets::of(given.or(made));
        sql::insert(tx, tenant, &row, &secrets)?;
        let (url, now) = (self.url(row.id), row.created_at);
        let source = Source::of(row, &secrets, url, now);
        tx.audit_change("source.create", source.id, &(), &source)?;
        tx.notify(TOPIC, source.id);
        Ok(Source { secret: shown, ..source })
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<SourceInput>,
) -> web::Result<web::Created<Source>> {
    let body = sources.create(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/sources/{}", body.id), body })
}
