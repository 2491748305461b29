//! Making a record once, at a vendor that would make it as often as it is asked.
//!
//! Under a lock: look by search, which may be some seconds behind; look among the latest changes, which are not; then make. The lock holds in
//! this process. That no two nodes run one sync at the same time is the engine's affair.

use std::collections::HashMap;
use std::time::Duration;

use kernel::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;

use super::Pipedrive;
use crate::{Fault, Outcome, PageAsk, RemoteRecord, Session, Span, Write};

/// How far back the latest changes are looked through: several times what search was ever seen to be behind.
const LATEST: Duration = Duration::from_mins(1);
/// Most pages of them. With more changes than these in a minute, search is all there is.
const PAGES: usize = 2;
/// Locks: two values that share one wait for each other, no more.
const LOCKS: usize = 64;

/// A lock for each value, more or less.
#[derive(Debug)]
pub(super) struct Locks(Vec<Mutex<()>>);

impl Default for Locks {
    fn default() -> Self {
        Self((0..LOCKS).map(|_| Mutex::default()).collect())
    }
}

impl Locks {
    fn of(&self, key: &str) -> &Mutex<()> {
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        &self.0[usize::try_from(hash % LOCKS as u64).unwrap_or(0)]
    }
}

/// What one write of many has made so far.
pub(super) struct Made<'a> {
    pipedrive: &'a Pipedrive,
    session: &'a Session,
    object: &'a str,
    /// Ids by field and value.
    made: HashMap<(String, String), String>,
}

impl<'a> Made<'a> {
    pub(super) fn new(pipedrive: &'a Pipedrive, session: &'a Session, object: &'a str) -> Self {
        Self { pipedrive, session, object, made: HashMap::new() }
    }

    /// Makes it, unless there is one with this value. An error concerns all.
    pub(super) async fn once(&mut self, field: &str, value: &Value, write: &Write) -> Result<Outcome, Fault> {
        let Some(text) = plain(value) else { return self.pipedrive.one(self.session, self.object, write).await };
        let key = (field.to_owned(), text);
        let _guard = self.pipedrive.locks.of(&format!("{}\0{field}\0{}", self.object, key.1)).lock().await;
        if let Some(id) = self.made.get(&key) {
            return Ok(Outcome::Exists { id: Some(id.clone()) });
        }
        let looked = match self.pipedrive.found(self.session, self.object, field, value, &[field.to_owned()]).await {
            Ok(found) => Ok(found.into_iter().next()),
            // It cannot be searched by: the latest changes are all there is.
            Err(Fault::Refused { code, .. }) if code == "not_supported" => Ok(None),
            Err(fault) => Err(fault),
        };
        let found = match looked {
            Ok(None) => self.lately(field, value).await,
            looked => looked,
        };
        let outcome = match found {
            Ok(Some(record)) => return Ok(Outcome::Exists { id: Some(record.id) }),
            Ok(None) => self.pipedrive.one(self.session, self.object, write).await?,
            // Nothing was made: it is not known whether it is there.
            Err(fault) if matches!(fault, Fault::Refused { .. } | Fault::NotFound { .. } | Fault::Stale { .. }) => {
                return Ok(Outcome::Failed(fault));
            }
            Err(Fault::Lost { message }) => return Err(Fault::Unavailable { message }),
            Err(fault) => return Err(fault),
        };
        if let Outcome::Created(record) = &outcome {
            self.made.insert(key, record.id.clone());
        }
        Ok(outcome)
    }

    /// The record with this value among the latest changes.
    async fn lately(&self, field: &str, value: &Value) -> Result<Option<RemoteRecord>, Fault> {
        let since: Timestamp = self.session.ambient.now().minus(LATEST);
        let fields = [field.to_owned()];
        let mut token: Option<String> = None;
        for _ in 0..PAGES {
            let span = Span::Since(since.to_string());
            let ask = PageAsk { object: self.object, span, fields: &fields, filter: None, token: token.as_deref() };
            let page = self.pipedrive.read_page(self.session, ask).await?;
            if let Some(record) = page.records.into_iter().find(|record| !record.deleted && has(record, field, value)) {
                return Ok(Some(record));
            }
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        Ok(None)
    }
}

/// A value by which can be looked.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a record has the value: texts as search compares them, without regard to case.
pub(super) fn has(record: &RemoteRecord, field: &str, value: &Value) -> bool {
    let own = record.fields.get(field).and_then(plain);
    own.is_some() && own == plain(value)
}
