//! `conflicts.resolve`: one.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ConflictId, Error, Permission, Result, TenantId};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;

use super::{Choice, Conflict, ConflictState, sql};
use crate::ledger::{Of, dirty};
use crate::{Syncs, TOPIC_WORK, configs, runs};

/// The largest value, in bytes of JSON.
const MAX_VALUE: usize = 64 * 1024;

/// A decision.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ConflictDecision)]
pub struct Resolution {
    /// `local`, `remote`, or `value`; absent beside `value`.
    #[serde(default, alias = "choice", alias = "resolution")]
    pub choose: Option<Choice>,
    /// The value for both sides, as we store it, where neither side's is chosen.
    #[serde(default, deserialize_with = "web_value")]
    #[schema(value_type = Option<Object>)]
    pub value: Option<Value>,
}

/// A `null` that was sent is a value: it empties the field.
fn web_value<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// What was decided, checked. Errors: 422 `validation_failed`.
pub(super) fn decision(choose: Option<Choice>, value: Option<Value>) -> Result<(Choice, Option<Value>)> {
    if value.as_ref().is_some_and(|value| value.to_string().len() > MAX_VALUE || value.to_string().contains("\\u0000")) {
        return Err(Error::field("/value", "must have at most 64 KiB and no NUL"));
    }
    match (choose, value) {
        (Some(Choice::Value) | None, Some(value)) => Ok((Choice::Value, Some(value))),
        (Some(Choice::Value), None) => Err(Error::field("/value", "is needed with value")),
        (Some(_), Some(_)) => Err(Error::field("/value", "is only for the choice value")),
        (Some(choice), None) => Ok((choice, None)),
        (None, None) => Err(Error::field("/choose", "must be local, remote or value")),
    }
}

/// Stores a decision and sees to it that it is carried out. Errors: 404; 409 `conflict_resolved`.
pub(super) fn decide(tx: &mut Tx<'_>, tenant: TenantId, id: ConflictId, choice: Choice, value: Option<&Value>) -> Result<Conflict> {
    let conflict = sql::get(tx, tenant, id)?;
    let of = Of { tenant, sync: conflict.sync_id };
    configs::sql::hold(tx, of)?;
    if !sql::decide(tx, tenant, id, choice, value)? {
        return Err(Error::conflict("conflict_resolved", "The conflict is over already."));
    }
    dirty::add(tx, of, &[conflict.record_id])?;
    runs::queue_work(tx, of)?;
    tx.audit_with("conflict.resolve", id, &json!({ "choose": choice, "field": conflict.field, "record": conflict.record_id }))?;
    tx.notify(TOPIC_WORK, of);
    sql::get(tx, tenant, id)
}

impl Syncs {
    /// Decides about a conflict. It is carried out by the sync's next push, at once where it is realtime.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409 `conflict_resolved`; 422 `validation_failed`.
    pub async fn resolve_conflict(&self, caller: &Caller, id: ConflictId, resolution: Resolution) -> Result<Conflict> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        let (choice, value) = decision(resolution.choose, resolution.value)?;
        let tenant = scope.tenant();
        let decided = self.store.answer(scope, move |tx| decide(tx, tenant, id, choice, value.as_ref())).await?;
        debug_assert!(decided.status != ConflictState::Open, "it was decided");
        Ok(decided)
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<ConflictId>,
    web::Json(resolution): web::Json<Resolution>,
) -> web::Result<web::Json<Conflict>> {
    Ok(web::Json(syncs.resolve_conflict(&caller, id, resolution).await?))
}
