//! `GET /api/v1/request-logs`.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Cursor, Error, KeyId, Page, PageRequest, Permission, Result, TenantId, Timestamp};
use serde::Deserialize;
use store::{Row, Tx, Value};
use web::{Auth, Json, Paging, Query};

use super::RequestLog;
use crate::{Usage, days};

/// A status, or all of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct StatusFilter {
    /// The lowest that fits.
    first: u16,
    /// The highest that fits.
    last: u16,
}

impl FromStr for StatusFilter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fault = || Error::field("/status", "must be a status such as 404, or a class such as 4xx");
        if let Some(class) = text.strip_suffix("xx") {
            let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class)).ok_or_else(fault)?;
            return Ok(Self { first: class * 100, last: class * 100 + 99 });
        }
        let status = text.parse().ok().filter(|status| (100..=599).contains(status)).ok_or_else(fault)?;
        Ok(Self { first: status, last: status })
    }
}

impl TryFrom<String> for StatusFilter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// Which calls are wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Only this key's.
    pub api_key_id: Option<KeyId>,
    /// Only of this route template.
    pub endpoint: Option<String>,
    /// Only of this method.
    pub method: Option<String>,
    /// Only with this status.
    pub status: Option<StatusFilter>,
    /// Only those that failed with this code.
    pub error_code: Option<String>,
    /// Only those of keys of this environment.
    pub environment: Option<String>,
    /// Only from this address.
    pub ip: Option<IpAddr>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
}

impl Usage {
    /// The calls of the caller's tenant, newest first. Those that were made in the last moments may be missing: they are on their way.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `validation_failed`.
    pub async fn request_logs(&self, caller: &Caller, filter: Filter, page: PageRequest) -> Result<Page<RequestLog>> {
        let scope = caller.allow(Permission::UsageRead)?;
        let tenant = scope.tenant();
        self.logs.read(scope, move |tx| list(tx, tenant, &filter, &page)).await
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

/// Reads one table after the other, the newest day first, until there is enough; the first table may hold rows of any day.
fn list(tx: &mut Tx<'_>, tenant: TenantId, filter: &Filter, page: &PageRequest) -> Result<Page<RequestLog>> {
    let (condition, params) = conditions(tenant, filter, page.cursor.as_ref());
    let before = page.cursor.as_ref().map(|cursor| Timestamp::from_millis(cursor.key));
    let to = [filter.to, before].into_iter().flatten().min();
    let wanted = usize::try_from(page.offset()).unwrap_or(usize::MAX).saturating_add(page.limit as usize + 1);
    let mut rows: Vec<RequestLog> = Vec::new();
    for (number, table) in days::tables(tx, filter.from, to)?.into_iter().enumerate() {
        let mut params = params.clone();
        params.push((wanted as u64).into());
        let sql = format!("SELECT {COLUMNS} FROM {table} WHERE {condition} ORDER BY at DESC, id DESC LIMIT ?{}", params.len());
        rows.extend(tx.query(&sql, &params, read)?);
        if number > 0 && rows.len() >= wanted {
            break;
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse((row.at, row.id)));
    let skipped = rows.len().min(wanted - page.limit as usize - 1);
    let rows = rows.into_iter().skip(skipped).collect();
    Ok(Page::from_rows(rows, page, None, |row| Cursor { key: row.at.millis(), id: row.id.to_string() }))
}

fn conditions(tenant: TenantId, filter: &Filter, cursor: Option<&Cursor>) -> (String, Vec<Value>) {
    let mut sql = String::from("tenant_id = ?1");
    let mut params: Vec<Value> = vec![tenant.into()];
    let mut and = |condition: &str, value: Value| {
        params.push(value);
        sql.push_str(&format!(" AND {condition} ?{}", params.len()));
    };
    let status = filter.status;
    let conditions: [(&str, Option<Value>); 11] = [
        ("client_id =", filter.client_id.map(Value::from)),
        ("key_id =", filter.api_key_id.map(Value::from)),
        ("endpoint =", filter.endpoint.as_ref().map(Value::from)),
        ("method =", filter.method.as_ref().map(|method| method.to_ascii_uppercase().into())),
        ("status >=", status.filter(|status| status.first != status.last).map(|status| status.first.into())),
        ("status <=", status.filter(|status| status.first != status.last).map(|status| status.last.into())),
        ("status =", status.filter(|status| status.first == status.last).map(|status| status.first.into())),
        ("error_code =", filter.error_code.as_ref().map(Value::from)),
        ("environment =", filter.environment.as_ref().map(Value::from)),
        ("at >=", filter.from.map(Value::from)),
        ("at <", filter.to.map(Value::from)),
    ];
    conditions.into_iter().for_each(|(condition, value)| {
        if let Some(value) = value {
            and(condition, value);
        }
    });
    if let Some(ip) = filter.ip {
        and("ip =", ip.to_canonical().to_string().into());
    }
    // What failed has an index of its own, which is asked only about what it says literally.
    if filter.error_code.is_some() || status.is_some_and(|status| status.first >= 400) {
        sql.push_str(" AND status >= 400");
    }
    if let Some(cursor) = cursor {
        let n = params.len();
        params.extend([cursor.key.into(), cursor.id.as_str().into()]);
        sql.push_str(&format!(" AND (at, id) < (?{}, ?{})", n + 1, n + 2));
    }
    (sql, params)
}

const COLUMNS: &str = "id, at, client_id, key_id, method, endpoint, query, status, duration_us, request_bytes, response_bytes, ip, user_agent, \
                       error_code, actor, environment, tags, units";

#[allow(clippy::cast_precision_loss, reason = "a duration in microseconds is far below 2^52")]
fn read(row: &Row<'_>) -> Result<RequestLog> {
    let status: u16 = row.get(7)?;
    let tags: Option<String> = row.get(16)?;
    Ok(RequestLog {
        id: row.get(0)?,
        at: row.get(1)?,
        client_id: row.get(2)?,
        api_key_id: row.get(3)?,
        method: row.get(4)?,
        endpoint: row.get(5)?,
        query: row.get(6)?,
        status,
        success: status < 400,
        response_time: row.get::<i64>(8)? as f64 / 1000.0,
        request_size: row.get(9)?,
        response_size: row.get(10)?,
        ip: row.get(11)?,
        user_agent: row.get(12)?,
        error_code: row.get(13)?,
        actor: row.get(14)?,
        environment: row.get(15)?,
        tags: tags.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        units: row.get(17)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_or_a_class() {
        assert_eq!("404".parse::<StatusFilter>().unwrap(), StatusFilter { first: 404, last: 404 });
        assert_eq!("4xx".parse::<StatusFilter>().unwrap(), StatusFilter { first: 400, last: 499 });
        for bad in ["", "4", "6xx", "x", "1000", "xx", "-1", "99"] {
            assert_eq!(bad.parse::<StatusFilter>().unwrap_err().code(), "validation_failed", "{bad}");
        }
    }
}
