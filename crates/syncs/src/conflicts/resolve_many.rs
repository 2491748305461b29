//! `conflicts.resolve_many`: in bulk.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ConflictId, Error, Permission, Result, SyncConfigId};
use serde::{Deserialize, Serialize};

use super::resolve::decide;
use super::sql::{self, Narrow};
use super::{Choice, ConflictState};
use crate::Syncs;

/// Most conflicts of one request.
const MOST: u32 = 500;

/// A decision about many.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ConflictDecisions)]
pub struct Resolutions {
    /// `local` or `remote`.
    #[serde(alias = "choice", alias = "resolution")]
    pub choose: Choice,
    /// These; at most 500.
    #[serde(default)]
    pub ids: Option<Vec<ConflictId>>,
    /// Or those of this sync that are open; 500 of them, if there are more.
    #[serde(default)]
    pub sync_id: Option<SyncConfigId>,
    /// Of those only those of this field of ours.
    #[serde(default)]
    pub field: Option<String>,
}

/// How many were decided.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ConflictsDecided)]
pub struct Decided {
    /// How many.
    pub resolved: u64,
}

impl Syncs {
    /// Decides about many conflicts at once; those that are over already are passed over.
    ///
    /// Errors: 403 `insufficient_scope`; 404 for an id that is not the tenant's; 422 `validation_failed`.
    pub async fn resolve_conflicts(&self, caller: &Caller, many: Resolutions) -> Result<Decided> {
        let scope = caller.allow(Permission::SyncsWrite)?;
        if many.choose == Choice::Value {
            return Err(Error::field("/choose", "must be local or remote for many at once"));
        }
        if many.ids.is_some() == many.sync_id.is_some() {
            return Err(Error::field("/ids", "send either ids or syncId"));
        }
        if many.ids.as_ref().is_some_and(|ids| ids.len() > MOST as usize) {
            return Err(Error::field("/ids", "must name at most 500 conflicts"));
        }
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                let ids = match many.ids {
                    Some(ids) => ids,
                    None => {
                        let narrow = Narrow { sync: many.sync_id, record: None, state: Some(ConflictState::Open) };
                        let open = sql::list(tx, tenant, &narrow, "cfl_~", MOST, 0)?.into_iter();
                        open.filter(|one| many.field.as_ref().is_none_or(|field| *field == one.field)).map(|one| one.id).collect()
                    }
                };
                let mut resolved = 0;
                for id in ids {
                    match decide(tx, tenant, id, many.choose, None) {
                        Ok(_) => resolved += 1,
                        Err(error) if error.code() == "conflict_resolved" => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(Decided { resolved })
            })
            .await
    }
}

pub(crate) async fn handle(
    State(syncs): State<Arc<Syncs>>,
    web::Auth(caller): web::Auth,
    web::Json(many): web::Json<Resolutions>,
) -> web::Result<web::Json<Decided>> {
    Ok(web::Json(syncs.resolve_conflicts(&caller, many).await?))
}
