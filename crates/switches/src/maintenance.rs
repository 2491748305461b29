//! Maintenance: partners are answered 503; operators, health, metrics and deliveries go on.

use std::time::Duration;

use kernel::{Error, Result, Timestamp, text};
use serde::{Deserialize, Serialize};
use store::{Store, Tx};

use crate::{read as value_of, write};

const NAME: &str = "maintenance";
/// Longest text for partners, in characters.
const MAX_MESSAGE: usize = 500;
/// Longest time that `Retry-After` may name: a day.
const MAX_RETRY: Duration = Duration::from_secs(86_400);

/// Maintenance that is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Maintenance {
    /// Since when.
    pub since: Timestamp,
    /// What `Retry-After` says, in seconds.
    pub retry_after_seconds: u64,
    /// What partners are told, if not the usual.
    pub message: Option<String>,
}

impl Maintenance {
    /// What partners are answered: 503 `maintenance`.
    pub fn refusal(&self) -> Error {
        let usual = "The API is being maintained. Try again when Retry-After says; nothing that was accepted before is lost.";
        let text = self.message.clone().unwrap_or_else(|| usual.to_owned());
        Error::unavailable("maintenance", text).retry_after(Duration::from_secs(self.retry_after_seconds))
    }
}

/// Switches maintenance on (for `retry_after`, with a text for partners) or off. Effective on every node within a second. Switching on again
/// changes text and time, and keeps since when.
///
/// Error: 422 `validation_failed` for a text that is empty, has line breaks or is too long, or a time of less than a second or more than a day.
pub async fn switch_maintenance(store: &Store, on: Option<(Duration, Option<String>)>) -> Result<Option<Maintenance>> {
    if let Some((retry_after, message)) = &on {
        if *retry_after < Duration::from_secs(1) || *retry_after > MAX_RETRY {
            return Err(Error::field("/retryAfter", "must be from a second to a day"));
        }
        message.as_ref().map_or(Ok(()), |message| text::line("/message", message, 1, MAX_MESSAGE))?;
    }
    store
        .write(crate::operator()?, move |tx| {
            let present = read(tx)?;
            let Some((retry_after, message)) = on else {
                write(tx, NAME, "null")?;
                tx.audit("maintenance.off", NAME)?;
                return Ok(None);
            };
            let since = present.map_or_else(|| tx.now(), |present| present.since);
            let next = Maintenance { since, retry_after_seconds: retry_after.as_secs(), message };
            write(tx, NAME, &serde_json::to_string(&next).map_err(Error::internal)?)?;
            tx.audit("maintenance.on", NAME)?;
            Ok(Some(next))
        })
        .await
}

pub(crate) fn read(tx: &mut Tx<'_>) -> Result<Option<Maintenance>> {
    let text = value_of(tx, NAME)?;
    text.map_or(Ok(None), |text| serde_json::from_str(&text).map_err(Error::internal))
}
