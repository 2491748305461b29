//! `expunges.create` and `events.expunge`.

use std::sync::Arc;

use axum::extract::State;
use events::Filter;
use kernel::{Caller, Error, EventId, Permission, Result, TenantScope};
use serde_json::{Value, json};

use super::{Expunge, ExpungeInput, Selector, sql};
use crate::Retention;

impl Retention {
    /// Begins to erase what a subject's events say. Errors: 403 `insufficient_scope`, 422 `validation_failed`.
    pub async fn expunge(&self, caller: &Caller, input: ExpungeInput) -> Result<Expunge> {
        let scope = caller.allow(Permission::EventsErase)?;
        let (dry_run, with_records) = (input.dry_run, input.records);
        let selector = selector(input)?;
        self.begin(scope, move |_| Ok(selector), dry_run, with_records).await
    }

    /// Begins to erase what one event says. Errors: 403 `insufficient_scope`, 404.
    pub async fn expunge_event(&self, caller: &Caller, id: EventId) -> Result<Expunge> {
        let scope = caller.allow(Permission::EventsErase)?;
        let tenant = scope.tenant();
        let find = move |tx: &mut store::Tx<'_>| {
            let at = events::accepted_at(tx, tenant, &id)?.ok_or_else(|| Error::not_found("event"))?;
            Ok(Selector::Event { id, at })
        };
        self.begin(scope, find, false, false).await
    }

    async fn begin(
        &self,
        scope: TenantScope,
        find: impl FnOnce(&mut store::Tx<'_>) -> Result<Selector> + Send + 'static,
        dry_run: bool,
        with_records: bool,
    ) -> Result<Expunge> {
        let tenant = scope.tenant();
        let made = self
            .store
            .answer(scope, move |tx| {
                let selector = find(tx)?;
                let made = sql::insert(tx, tenant, &selector, dry_run, with_records)?;
                // Which events: that is what is to be forgotten.
                tx.audit_with("expunge.create", made.id, &json!({"kind": made.kind, "dryRun": dry_run, "records": with_records}))?;
                Ok(made)
            })
            .await?;
        self.wanted.notify_one();
        Ok(made)
    }
}

fn selector(input: ExpungeInput) -> Result<Selector> {
    match (input.path, input.value, input.ordering_key) {
        (Some(path), Some(value), None) => {
            if !path.starts_with("data.") {
                return Err(Error::field("/path", "must lead into the payload: data.customerId"));
            }
            if !matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)) {
                return Err(Error::field("/value", "must be a text, a number or a boolean"));
            }
            Filter::parse(&json!({ path.as_str(): value })).map_err(|_| Error::field("/path", "is no path: write data.customerId"))?;
            Ok(Selector::Path { path, value })
        }
        (None, None, Some(_)) if input.records => Err(Error::field("/records", "goes with path and value: records have no ordering key")),
        (None, None, Some(key)) => Ok(Selector::OrderingKey { key }),
        _ => Err(Error::field("", "must have path and value, or orderingKey")),
    }
}

pub(crate) async fn handle(
    State(retention): State<Arc<Retention>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<ExpungeInput>,
) -> web::Result<web::Accepted<Expunge>> {
    Ok(web::Accepted(retention.expunge(&caller, input).await?))
}

pub(crate) async fn handle_event(
    State(retention): State<Arc<Retention>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<EventId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Accepted<Expunge>> {
    Ok(web::Accepted(retention.expunge_event(&caller, id).await?))
}
