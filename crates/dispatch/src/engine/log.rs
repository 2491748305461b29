//! The attempt log. It follows the state; what a crash cut off is completed from the journal.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use kernel::{AttemptId, DeliveryId, DestinationId, EventId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, Value};
use tokio::sync::mpsc;

use super::{Engine, scope};
use crate::channel::{AttemptOutcome, AttemptReport, MAX_BODY};
use crate::queue::Pending;
use crate::rollups;

/// Most bytes of a header's value that are kept.
const HEADER: usize = 4096;
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
    /// It was not to be sent: logged, but in no count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_skipped: bool,
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
        is_skipped: matches!(report.outcome, AttemptOutcome::Skipped(_)),
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
    // Written straight: it is done twice for each attempt, and names and values seldom need more than their quotes.
    let mut out = String::with_capacity(map.len() * 48);
    out.push('{');
    for name in map.keys() {
        out.push_str(if out.len() > 1 { ",\"" } else { "\"" });
        // A header's name is a token (RFC 9110 §5.1): nothing in it is to be escaped.
        out.push_str(name.as_str());
        out.push_str("\":");
        let mut values = map.get_all(name).iter();
        let first = values.next().map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
        match values.next() {
            None => quote(&mut out, cut(&first, HEADER)),
            Some(second) => {
                let more = values.map(|value| String::from_utf8_lossy(value.as_bytes()));
                let second = String::from_utf8_lossy(second.as_bytes());
                let joined = more.fold(format!("{first}, {second}"), |joined, next| joined + ", " + &next);
                quote(&mut out, cut(&joined, HEADER));
            }
        }
    }
    out.push('}');
    Some(out)
}

/// Appends a JSON string.
fn quote(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

fn body(bytes: &[u8]) -> Option<String> {
    let cut = &bytes[..bytes.len().min(MAX_BODY)];
    (!cut.is_empty()).then(|| clean(&String::from_utf8_lossy(cut), MAX_BODY))
}

/// Without NUL, which PostgreSQL cannot store, and at most `most` bytes.
fn clean(text: &str, most: usize) -> String {
    cut(&text.replace('\0', "\u{fffd}"), most).to_owned()
}

/// At most `most` bytes of it, whole characters.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
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
    fn headers_are_json() {
        let mut map = HeaderMap::new();
        assert_eq!(headers(&map), None);
        for (name, value) in [("a", &b"1"[..]), ("b", b"say \"x\" \\ y"), ("c", b"\xff\t"), ("a", b"2"), ("a", b"3")] {
            map.append(name, http::HeaderValue::from_bytes(value).unwrap());
        }
        let text = headers(&map).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, serde_json::json!({ "a": "1, 2, 3", "b": "say \"x\" \\ y", "c": "\u{fffd}\t" }));
        map.insert("a", http::HeaderValue::from_str(&"x".repeat(HEADER + 1)).unwrap());
        assert!(headers(&map).unwrap().len() < text.len() + HEADER);
    }

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
