//! `GET /api/v1/audit-log`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Page, PageRequest, Permission, RequestId, Result, Scope, Timestamp};
use serde::Deserialize;
use store::audit::AuditFilter;

use super::Entry;
use crate::Audit;

/// Which acts are wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EntryFilter {
    /// Only what this one did.
    pub actor: Option<String>,
    /// Only this act, or all on a kind of object (`key.*`).
    pub action: Option<String>,
    /// Only what was done to this object.
    pub object: Option<String>,
    /// Only what this request did.
    pub request_id: Option<RequestId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

impl Audit {
    /// The acts in the caller's tenant, the newest first; for the operator who names no tenant, all acts in all tenants and its own.
    ///
    /// Errors: 403 `insufficient_scope`, 403 `operator_only`.
    pub async fn list(&self, caller: &Caller, filter: EntryFilter, page: PageRequest) -> Result<Page<Entry>> {
        let scope: Scope = match caller.tenant() {
            Some(_) => caller.allow(Permission::AuditRead)?.into(),
            None => caller.operate()?.into(),
        };
        let wanted = AuditFilter {
            tenant: scope.tenant(),
            is_operators: false,
            from: filter.from,
            to: filter.to,
            actor: filter.actor,
            action: filter.action,
            object: filter.object,
            request: filter.request_id,
        };
        let rows = self.store.read(scope, move |tx| {
            let rows = store::audit::list(tx, &wanted, &page)?;
            Ok(Page::from_rows(rows, &page, None, store::audit::AuditRow::cursor))
        });
        Ok(rows.await?.map(Entry::of))
    }
}

pub(super) async fn handle(
    State(audit): State<Arc<Audit>>,
    web::Auth(caller): web::Auth,
    web::Query(filter): web::Query<EntryFilter>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Entry>>> {
    Ok(web::Json(audit.list(&caller, filter, page).await?))
}
