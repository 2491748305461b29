//! `GET /api/v1/request-logs`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Cursor, KeyId, Page, PageRequest, Permission, Result, TenantId, Timestamp};
use serde::Deserialize;
use store::{Row, Tx, Value};
use web::{Auth, Json, Paging, Query};

use super::RequestLog;
use crate::Usage;

/// Which calls are wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only this key's.
    pub api_key_id: Option<KeyId>,
    /// Only of this route template.
    pub endpoint: Option<String>,
    /// Only with this status.
    pub status: Option<u16>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

impl Usage {
    /// The calls of the caller's tenant, newest first. Needs `usage.read`.
    pub async fn request_logs(&self, caller: &Caller, filter: Filter, page: PageRequest) -> Result<Page<RequestLog>> {
        let scope = caller.allow(Permission::UsageRead)?;
        let tenant = scope.tenant();
        self.store().read(scope, move |tx| list(tx, tenant, &filter, &page)).await
    }
}

pub(super) async fn handle(
    State(usage): State<Arc<Usage>>,
    Auth(caller): Auth,
    Query(filter): Query<Filter>,
    Paging(page): Paging,
) -> web::Result<Json<Page<RequestLog>>> {
    Ok(Json(usage.request_logs(&caller, filter, page).await?))
}

fn list(tx: &mut Tx<'_>, tenant: TenantId, filter: &Filter, page: &PageRequest) -> Result<Page<RequestLog>> {
    let mut sql = String::from(
        "SELECT id, at, client_id, key_id, method, endpoint, query, status, duration_us, request_bytes, response_bytes, ip, user_agent, error_code \
         FROM request_logs WHERE tenant_id = ?1",
    );
    let mut params: Vec<Value> = vec![tenant.into()];
    let mut and = |condition: &str, value: Value| {
        params.push(value);
        sql.push_str(&format!(" AND {condition} ?{}", params.len()));
    };
    if let Some(client) = filter.client_id {
        and("client_id =", client.into());
    }
    if let Some(key) = filter.api_key_id {
        and("key_id =", key.into());
    }
    if let Some(endpoint) = &filter.endpoint {
        and("endpoint =", endpoint.into());
    }
    if let Some(status) = filter.status {
        and("status =", status.into());
    }
    if let Some(from) = filter.from {
        and("at >=", from.into());
    }
    if let Some(to) = filter.to {
        and("at <", to.into());
    }
    if let Some(cursor) = &page.cursor {
        let n = params.len();
        params.extend([cursor.key.into(), cursor.id.as_str().into()]);
        sql.push_str(&format!(" AND (at, id) < (?{}, ?{})", n + 1, n + 2));
    }
    params.extend([(i64::from(page.limit) + 1).into(), Value::from(page.offset())]);
    sql.push_str(&format!(" ORDER BY at DESC, id DESC LIMIT ?{} OFFSET ?{}", params.len() - 1, params.len()));
    let rows = tx.query(&sql, &params, read)?;
    Ok(Page::from_rows(rows, page, None, |row| Cursor { key: row.at.millis(), id: row.id.to_string() }))
}

#[allow(clippy::cast_precision_loss, reason = "a duration in microseconds is far below 2^52")]
fn read(row: &Row<'_>) -> Result<RequestLog> {
    Ok(RequestLog {
        id: row.get(0)?,
        at: row.get(1)?,
        client_id: row.get(2)?,
        api_key_id: row.get(3)?,
        method: row.get(4)?,
        endpoint: row.get(5)?,
        query: row.get(6)?,
        status: row.get(7)?,
        response_time: row.get::<i64>(8)? as f64 / 1000.0,
        request_size: row.get(9)?,
        response_size: row.get(10)?,
        ip: row.get(11)?,
        user_agent: row.get(12)?,
        error_code: row.get(13)?,
    })
}
