//! `GET /api/v1/usage/export`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use kernel::{Caller, Error, Permission, Result, Scope, Timestamp};
use serde::Deserialize;
use store::Value;
use web::{Auth, Query};

use super::{Line, LineKind, close, line};
use crate::Usage;

const DEFAULT_LIMIT: u32 = 1000;
const MAX_LIMIT: u32 = 10_000;

/// Which lines are wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportQuery {
    /// Only lines after this number.
    pub cursor: Option<i64>,
    /// Most lines; 1 to 10,000.
    pub limit: Option<u32>,
    /// How they are written.
    pub format: ExportFormat,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// One JSON object a line.
    #[default]
    Ndjson,
    /// A table with a head.
    Csv,
}

/// Lines, and where to go on.
#[derive(Clone, Debug)]
pub struct Export {
    /// In the order of their numbers.
    pub lines: Vec<Line>,
    /// To be sent as `cursor` the next time: the number of the last line, or what was sent if there is none.
    pub next_cursor: i64,
    /// Every hour before this has been told; later corrections aside.
    pub closed_until: Timestamp,
}

impl Usage {
    /// The tenant's lines after a number; all tenants' for the operator who names none.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `validation_failed`.
    pub async fn export(&self, caller: &Caller, query: ExportQuery) -> Result<Export> {
        let (scope, tenant) = match caller.tenant() {
            Some(tenant) => (Scope::from(caller.allow(Permission::UsageRead)?), Some(tenant)),
            None => (caller.operate()?.into(), None),
        };
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Error::field("/limit", format!("must be a whole number from 1 to {MAX_LIMIT}")));
        }
        let after = query.cursor.unwrap_or(0);
        if after < 0 {
            return Err(Error::field("/cursor", "must be the number of a line, or 0"));
        }
        // What is open is looked up first: a line that is made meanwhile makes the answer better, not wrong.
        let oldest = "SELECT MIN(hour) FROM usage_meters WHERE is_open = 1";
        let open =
            self.logs.read(Scope::system("usage"), move |tx| tx.query_one(oldest, &[], |row| row.get::<Option<Timestamp>>(0))).await?;
        let until = close::closed_until(self.ambient.now());
        let lines = self.store.read(scope, move |tx| {
            let mut params: Vec<Value> = vec![after.into(), limit.into()];
            params.extend(tenant.map(Value::from));
            let own = if tenant.is_some() { "tenant_id = ?3 AND " } else { "" };
            let sql = format!("SELECT {} FROM usage_lines WHERE {own}sequence > ?1 ORDER BY sequence LIMIT ?2", line::COLUMNS);
            tx.query(&sql, &params, line::read)
        });
        let lines = lines.await?;
        let next_cursor = lines.last().map_or(after, |line| line.sequence);
        Ok(Export { lines, next_cursor, closed_until: open.map_or(until, |open| open.min(until)) })
    }
}

pub(super) async fn handle(State(usage): State<Arc<Usage>>, Auth(caller): Auth, Query(query): Query<ExportQuery>) -> web::Result<Response> {
    let export = usage.export(&caller, query).await?;
    let (media, body) = match query.format {
        ExportFormat::Ndjson => ("application/x-ndjson", ndjson(&export.lines)?),
        ExportFormat::Csv => ("text/csv; charset=utf-8", csv(&export.lines)),
    };
    let headers = [
        ("content-type", media.to_owned()),
        ("tradewind-next-cursor", export.next_cursor.to_string()),
        ("tradewind-closed-until", export.closed_until.to_string()),
    ];
    Ok((headers, body).into_response())
}

fn ndjson(lines: &[Line]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut body, line).map_err(Error::internal)?;
        body.push(b'\n');
    }
    Ok(body)
}

/// RFC 4180. Nothing in a line is a caller's text: a method, a route's template, ids and numbers need neither quotation marks nor a guard against
/// formulas, but for a comma in a template.
fn csv(lines: &[Line]) -> Vec<u8> {
    let mut out = String::from(
        "sequence,kind,tenantId,hour,clientId,apiKeyId,method,endpoint,requests,successfulRequests,units,requestBytes,responseBytes\r\n",
    );
    for line in lines {
        let kind = if line.kind == LineKind::Correction { "correction" } else { "count" };
        let or_nothing = |id: Option<String>| id.unwrap_or_default();
        let (client, key) = (or_nothing(line.client_id.map(|id| id.to_string())), or_nothing(line.api_key_id.map(|id| id.to_string())));
        let Line {
            sequence, tenant_id, hour, method, endpoint, requests, successful_requests, units, request_bytes, response_bytes, ..
        } = line;
        out.push_str(&format!(
            "{sequence},{kind},{tenant_id},{hour},{client},{key},{method},\"{}\",{requests},{successful_requests},{units},{request_bytes},{response_bytes}\r\n",
            endpoint.replace('"', "\"\"")
        ));
    }
    out.into_bytes()
}
