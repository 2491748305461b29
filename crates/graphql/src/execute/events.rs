//! A subscription's source: the tenant's events, in order, from a place on.
//!
//! It reads by the operation that `GET /events/poll` calls. Between two readings the credential is judged anew: one that was revoked, or that
//! may see events no longer, ends the subscription.

use std::sync::Arc;
use std::time::Duration;

use ::events::{Events, PollQuery, PolledEvent};
use access::Access;
use kernel::{Caller, Result, Secret, TenantId};

/// How long one reading waits for events, in seconds.
const WAIT_SECONDS: u64 = 20;
/// Between two readings that find nothing, at least.
const BREATH: Duration = Duration::from_millis(250);
/// Events of one reading.
const MOST: u32 = 50;

/// What a subscription asks for.
pub(crate) struct Wish {
    /// Types and patterns; none: all.
    pub(crate) types: Option<Vec<String>>,
    /// From where on; none: with what comes.
    pub(crate) cursor: Option<String>,
}

/// Who reads, and how it can be asked again whether it may.
pub(crate) struct Reader {
    /// Who.
    pub(crate) caller: Caller,
    /// The credential as it was sent; none where it cannot be judged again.
    pub(crate) credential: Option<(Secret<String>, Option<Secret<String>>)>,
    /// Who judges.
    pub(crate) access: Arc<Access>,
    /// The tenant that was named.
    pub(crate) tenant: Option<TenantId>,
}

/// The events that a subscription asks for.
pub(crate) struct Feed {
    events: Arc<Events>,
    reader: Reader,
    types: Option<String>,
    cursor: String,
    waiting: std::vec::IntoIter<PolledEvent>,
}

/// Begins to read: from `cursor` on, or with what comes.
///
/// Errors: 403 `insufficient_scope`, 422 for a bad type, 400 `malformed_cursor`, 429 `too_many_streams`.
pub(crate) async fn feed(events: &Arc<Events>, reader: Reader, wish: Wish) -> Result<Feed> {
    let Wish { types, cursor } = wish;
    let types = types.map(|types| types.join(","));
    let query = PollQuery { cursor, event_types: types.clone(), start: ::events::Start::Latest, ..PollQuery::default() };
    let first = events.poll(&reader.caller, query, MOST).await?;
    let cursor = first.cursor.unwrap_or_default();
    Ok(Feed { events: Arc::clone(events), reader, types, cursor, waiting: first.data.into_iter() })
}

impl Feed {
    /// The next event; waits for it.
    ///
    /// Errors: 401 and 403 when the credential is good no longer; those of the store.
    pub(crate) async fn next(&mut self) -> Result<PolledEvent> {
        loop {
            if let Some(event) = self.waiting.next() {
                return Ok(event);
            }
            self.judge().await?;
            let query = PollQuery {
                cursor: Some(self.cursor.clone()),
                event_types: self.types.clone(),
                wait_seconds: WAIT_SECONDS,
                ..PollQuery::default()
            };
            let begun = tokio::time::Instant::now();
            let found = self.events.poll(&self.reader.caller, query, MOST).await?;
            if found.data.is_empty() && begun.elapsed() < BREATH {
                // There was no place to wait, or something about the credential changed: not as fast as it goes.
                tokio::time::sleep(BREATH).await;
            }
            self.cursor = found.cursor.unwrap_or_else(|| self.cursor.clone());
            self.waiting = found.data.into_iter();
        }
    }

    /// Who reads.
    pub(crate) fn caller(&self) -> &Caller {
        &self.reader.caller
    }

    async fn judge(&mut self) -> Result<()> {
        let Some((bearer, secret)) = &self.reader.credential else { return Ok(()) };
        let principal = self.reader.access.authenticate(bearer.reveal(), secret.as_ref().map(|secret| secret.reveal().as_str())).await?;
        let caller = principal.caller().acting_for(self.reader.tenant)?;
        self.reader.caller = match self.reader.caller.request() {
            Some(request) => caller.in_request(Arc::clone(request)),
            None => caller,
        };
        Ok(())
    }
}
