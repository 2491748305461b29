//! Lines for billing: what each client, key and endpoint used in an hour, each told once.
//!
//! Calls are counted by meter (tenant, hour, client, key, method, endpoint) in the transaction that logs them. When an hour has been over for
//! [`GRACE_MS`], what its meters have beyond the lines that tell of them becomes a line, with the next number. Lines stand in the state, where a
//! commit is on disk before it is answered, and are never changed: what comes later to a meter that was told is a line of kind `correction`. A
//! consumer that keeps the last number it has seen gets each line once; one that asks again from the same number gets the same lines.

mod close;
mod export;
mod line;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use kernel::{NodeId, Permission, Result};
use serde_json::json;
use store::{Tx, Value};
use web::{Access, Api, Endpoint, Parameter};

use crate::Usage;
use crate::rollups::{Counted, Leaf};

pub use export::{Export, ExportFormat, ExportQuery};
pub use line::{Line, LineKind};

/// An hour is told when it has been over for so long, in milliseconds.
pub const GRACE_MS: i64 = 300_000;
/// How often hours that are over are looked for.
const EVERY: Duration = Duration::from_secs(60);
/// Columns of a meter.
const COLUMNS: usize = 13;

type Meter = (String, i64, String, String, &'static str, Arc<str>);

/// A group's meters, as rows. Calls of nobody are not billed.
pub(crate) fn values(leaves: &HashMap<Leaf, Counted>, node: NodeId) -> Vec<Value> {
    let mut meters: BTreeMap<Meter, Counted> = BTreeMap::new();
    for (leaf, counted) in leaves {
        let Some(tenant) = leaf.tenant else { continue };
        let text = |id: Option<String>| id.unwrap_or_default();
        let (client, key) = (text(leaf.client.map(|id| id.to_string())), text(leaf.key.map(|id| id.to_string())));
        let meter = (tenant.to_string(), leaf.hour, client, key, leaf.method, Arc::clone(&leaf.endpoint));
        meters.entry(meter).or_default().merge(counted);
    }
    let mut out = Vec::with_capacity(meters.len() * COLUMNS);
    for ((tenant, hour, client, key, method, endpoint), counted) in meters {
        out.extend([tenant.into(), hour.into(), client.into(), key.into(), method.into(), (&*endpoint).into(), node.into()]);
        out.extend([counted.requests, counted.succeeded, counted.units, counted.request_bytes, counted.response_bytes].map(Value::from));
        out.push(1_i64.into());
    }
    out
}

/// Adds them. To be run on the logs.
pub(crate) fn count(tx: &mut Tx<'_>, values: &[Value]) -> Result<()> {
    let into = "INSERT INTO usage_meters (tenant_id, hour, client_id, key_id, method, endpoint, node, requests, succeeded, units, \
                request_bytes, response_bytes, is_open) VALUES";
    let add = "ON CONFLICT (tenant_id, hour, client_id, key_id, method, endpoint, node) DO UPDATE SET \
               requests = usage_meters.requests + excluded.requests, succeeded = usage_meters.succeeded + excluded.succeeded, \
               units = usage_meters.units + excluded.units, request_bytes = usage_meters.request_bytes + excluded.request_bytes, \
               response_bytes = usage_meters.response_bytes + excluded.response_bytes, is_open = 1";
    tx.insert_rows(into, COLUMNS, values, add).map(drop)
}

/// Tells of hours that are over, for as long as anybody else holds the feature.
pub(crate) async fn close_regularly(usage: Weak<Usage>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(usage) = usage.upgrade() else { return };
        if let Err(error) = usage.close_hours().await {
            tracing::warn!(?error, "usage: lines for billing could not be made; it is tried again in a minute");
        }
    }
}

pub(crate) fn routes(usage: &Arc<Usage>) -> Api {
    let export = Endpoint::get("/api/v1/usage/export", "usage.export")
        .tag("Usage")
        .summary("Lines for billing, each once, as NDJSON or CSV")
        .needs(Access::Permission(Permission::UsageRead))
        .query(&[("cursor", "Only lines after this number: the last answer's Tradewind-Next-Cursor. Absent: from the first line")])
        .parameter(
            Parameter::new("limit", "Lines in the answer (default 1000, most 10000)")
                .schema(json!({"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000})),
        )
        .parameter(Parameter::new("format", "ndjson (default) or csv").schema(json!({"enum": ["ndjson", "csv"], "default": "ndjson"})))
        .describe("One JSON object a line; the header Tradewind-Next-Cursor tells where to go on.")
        .answers_media(200, "application/x-ndjson")
        .answers_media(200, "text/csv");
    Api::new().route(export, export::handle, Arc::clone(usage))
}
