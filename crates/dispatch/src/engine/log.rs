//! The attempt log. It follows the state; what a crash cut off is completed from the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use kernel::{AttemptId, DeliveryId, DestinationId, EventId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, Value};
use tokio::sync::mpsc;

use super::{Engine, scope};
use crate::channel::{AttemptReport, MAX_BODY};
use crate::queue::Pending;
use crate::rollups;

/// Tries of a group before its log rows are given up; the deliveries themselves are written.
const TRIES: u32 = 8;

/// A row of the log. The journal keeps it without headers and body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Logged {
    pub(crate) id: AttemptId,
    pub(crate) delivery: DeliveryId,
    pub(crate) tenant: TenantId,
    pub(crate) destination: DestinationId,
    pub(crate) event: EventId,
    pub(crate) number: u32,
    pub(crate) started_at: i64,
    pub(crate) duration_ms: u64,
    pub(crate) status_code: Option<u16>,
    pub(crate) error_kind: Option<String>,
    pub(crate) error: Option<String>,
    #[serde(skip)]
    pub(crate) request_headers: Option<String>,
    #[serde(skip)]
    pub(crate) response_headers: Option<String>,
    #[serde(skip)]
    pub(crate) response_body: Option<String>,
}

/// Attempts of one group of outcomes, under its number in the journal.
pub(super) struct Group {
    pub(super) number: i64,
    pub(super) attempts: Vec<Logged>,
}

/// The log row of an attempt.
pub(crate) fn logged(id: AttemptId, row: &Pending, number: u32, started_at: Timestamp, report: &AttemptReport) -> Logged {
    let error = report.error.as_ref();
    Logged {
        id,
        delivery: row.id,
        tenant: row.tenant,
        destination: row.destination,
        event: row.event_id.clone(),
        number,
        started_at: started_at.millis(),
        duration_ms: u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
        status_code: report.status_code,
        error_kind: error.map(|error| error.kind.to_owned()),
        error: error.map(|error| clean(&error.text, 1000)),
        request_headers: headers(&report.request_headers),
        response_headers: headers(&report.response_headers),
        response_body: body(&report.response_body),
    }
}

/// A JSON object; a header that comes several times has its values joined by commas. None when there are none.
fn headers(map: &HeaderMap) -> Option<String> {
    if map.is_empty() {
        return None;
    }
    let mut out: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in map {
        let text = String::from_utf8_lossy(value.as_bytes());
        out.entry(name.as_str()).and_modify(|old| *old = format!("{old}, {text}")).or_insert_with(|| clean(&text, 4096));
    }
    serde_json::to_string(&out).ok()
}

fn body(bytes: &[u8]) -> Option<String> {
    let cut = &bytes[..bytes.len().min(MAX_BODY)];
    (!cut.is_empty()).then(|| clean(&String::from_utf8_lossy(cut), MAX_BODY))
}

/// Without NUL, which PostgreSQL cannot store, and at most `most` bytes.
fn clean(text: &str, most: usize) -> String {
    let mut out = text.replace('\0', "\u{fffd}");
    if out.len() > most {
        let end = (0..=most).rev().find(|end| out.is_char_boundary(*end)).unwrap_or(0);
        out.truncate(end);
    }
    out
}

const INSERT: &str = "INSERT INTO attempts (delivery_id, number, started_at, id, tenant_id, destination_id, event_id, duration_ms, status_code, \
                      error_kind, error, request_headers, response_headers, response_body) VALUES";

/// Writes rows; those that are there already stay as they are. Answers how many were new.
pub(crate) fn insert(tx: &mut Tx<'_>, attempts: &[Logged]) -> Result<u64> {
    let mut values: Vec<Value> = Vec::with_capacity(attempts.len() * 14);
    for a in attempts {
        values.extend([
            a.delivery.into(),
            a.number.into(),
            a.started_at.into(),
            a.id.into(),
            a.tenant.into(),
            a.destination.into(),
            Value::from(&a.event),
            a.duration_ms.into(),
            a.status_code.into(),
            a.error_kind.clone().into(),
            a.error.clone().into(),
            a.request_headers.clone().into(),
            a.response_headers.clone().into(),
            a.response_body.clone().into(),
        ]);
    }
    tx.insert_rows(INSERT, 14, &values, "ON CONFLICT DO NOTHING")
}

impl Engine {
    /// Writes the log for as long as the engine lives.
    pub(super) async fn write_logs(self: Arc<Self>, mut waiting: mpsc::Receiver<Group>) {
        loop {
            let mut groups = Vec::new();
            if waiting.recv_many(&mut groups, 16).await == 0 {
                return;
            }
            let numbers: Vec<i64> = groups.iter().map(|group| group.number).collect();
            let attempts: Arc<[Logged]> = groups.into_iter().flat_map(|group| group.attempts).collect();
            if self.log(&attempts).await {
                self.journal_done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(numbers);
            }
            attempts.iter().for_each(|_| self.settle_one());
        }
    }

    /// Writes rows, trying for a while; false if in vain (the journal still has them).
    pub(super) async fn log(&self, attempts: &Arc<[Logged]>) -> bool {
        let mut one_by_one = false;
        for tried in 1..=TRIES {
            let (rows, node) = (Arc::clone(attempts), self.node().id);
            match self.store.logs().write(scope(), move |tx| rollups::log(tx, node, &rows, one_by_one)).await {
                Ok(()) => return true,
                Err(error) if error.code() == rollups::OVERLAP => {
                    one_by_one = true;
                    continue;
                }
                Err(error) => tracing::warn!(?error, tried, attempts = attempts.len(), "could not write the attempt log"),
            }
            tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(tried)).await;
        }
        metrics::counter!("tradewind_attempt_log_lost_total").increment(u64::try_from(attempts.len()).unwrap_or(u64::MAX));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_a_character_and_without_nul() {
        assert_eq!(clean("a\0b", 100), "a\u{fffd}b");
        assert_eq!(clean("äöü", 3), "ä");
        let long = vec![b'x'; MAX_BODY + 1];
        assert_eq!(body(&long).unwrap().len(), MAX_BODY);
        assert_eq!(body(b""), None);
        assert!(body(&[0xff; MAX_BODY]).unwrap().len() <= MAX_BODY);
    }
}
