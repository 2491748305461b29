//! `events.stream`: events as they are committed, as server-sent events (WHATWG HTML §9.2).
//!
//! Each message has the place after it as its `id`, so that a client which was cut off goes on where it was (`Last-Event-ID`). A task per
//! connection reads from the database and hands few, bounded pieces to the connection; one that does not take a piece in time is cut off
//! and can resume. Nothing is queued in memory for a slow reader: what it has not read is in the database.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use kernel::{Caller, Error, Permission, Result, TenantScope};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::Events;
use crate::ahead::Found;
use crate::consumers::Start;
use crate::interest::Interest;
use crate::position::Position;
use crate::wakes::{Kindred, Seat};

/// Pieces that wait for a connection.
const PIECES: usize = 2;
/// Events of one piece.
const PIECE: usize = 64;
/// Between two looks of one connection, so that a busy tenant costs a look now and then and not one a commit.
const BREATH: Duration = Duration::from_millis(15);

/// How streams behave.
#[derive(Clone, Copy, Debug)]
pub struct StreamOptions {
    /// A comment is sent after so much silence.
    pub heartbeat: Duration,
    /// A connection that takes nothing for so long is cut off.
    pub patience: Duration,
    /// A stream ends after so long, and the client comes back with its `Last-Event-ID`: its credential is judged again.
    pub age: Duration,
    /// Streams of one tenant on this node, and polls of it that wait.
    pub per_tenant: usize,
}

impl Default for StreamOptions {
    fn default() -> Self {
        let (heartbeat, patience) = (Duration::from_secs(15), Duration::from_secs(10));
        Self { heartbeat, patience, age: Duration::from_secs(300), per_tenant: 64 }
    }
}

/// What to stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StreamQuery {
    /// Types and patterns, separated by commas.
    pub event_types: Option<String>,
    /// Where to go on; the header `Last-Event-ID` goes before it.
    pub cursor: Option<String>,
    /// Where to begin without either; by default with what comes.
    pub start: Option<Start>,
}

/// A stream that begins.
struct Feed {
    events: Arc<Events>,
    scope: TenantScope,
    interest: Interest,
    from: Position,
    seat: Seat,
    pieces: mpsc::Sender<Bytes>,
}

impl Events {
    /// Opens a stream: pieces of `text/event-stream`, until the client goes, is too slow, or the server stops.
    ///
    /// Errors: 403; 400 `malformed_cursor`; 422 for a bad type; 429 `too_many_streams`; 503 `shutting_down`.
    pub async fn stream(self: &Arc<Self>, caller: &Caller, last: Option<&str>, query: StreamQuery) -> Result<mpsc::Receiver<Bytes>> {
        let scope = caller.allow(Permission::EventsRead)?;
        let interest = Interest::new(caller, query.event_types.as_deref())?;
        let seat = self.wakes.sit(caller, scope.tenant(), Kindred::Stream)?;
        let from = match last.filter(|last| !last.is_empty()).or(query.cursor.as_deref()) {
            Some(cursor) => Position::decode(cursor)?,
            None => {
                let (tenant, start) = (scope.tenant(), query.start.unwrap_or(Start::Latest));
                self.store.read(&scope, move |tx| start.position(tx, tenant)).await?
            }
        };
        let (pieces, taken) = mpsc::channel(PIECES);
        let feed = Feed { events: Arc::clone(self), scope, interest, from, seat, pieces };
        tokio::spawn(feed.run(self.streams));
        Ok(taken)
    }
}

impl Feed {
    async fn run(mut self, options: StreamOptions) {
        let begun = Instant::now();
        // The place at once: a client that is cut off before the first event resumes here.
        let mut sent = self.from.clone();
        if !self.send(format!("retry: 1000\nid: {}\n\n", sent.encode()), options).await {
            return;
        }
        let mut spoke = Instant::now();
        while !self.seat.is_over() && begun.elapsed() < options.age {
            self.seat.look();
            let found = match self.events.look(&self.scope, self.from.clone(), &self.interest, PIECE).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(?error, "a stream ends: its events could not be read");
                    return;
                }
            };
            let Found { events, next, more, .. } = found;
            self.from = next;
            if !events.is_empty() {
                let mut piece = String::new();
                for (place, event) in &events {
                    // An event that was read from storage is JSON; a message is one line of it.
                    let json = serde_json::to_string(event).unwrap_or_default();
                    let _ = write!(piece, "id: {}\nevent: {}\ndata: {}\n\n", place.encode(), event.event_type, one_line(&json));
                    sent = place.clone();
                }
                if !self.send(piece, options).await {
                    return;
                }
                spoke = Instant::now();
            }
            if more {
                continue;
            }
            let silence = options.heartbeat.saturating_sub(spoke.elapsed());
            if silence.is_zero() {
                // What was passed over need not be looked at again after a break.
                let place = if self.from > sent { format!("id: {}\n", self.from.encode()) } else { String::new() };
                sent = self.from.clone();
                if !self.send(format!(": still here\n{place}\n"), options).await {
                    return;
                }
                spoke = Instant::now();
                continue;
            }
            if !self.pause(silence.min(options.age.saturating_sub(begun.elapsed())), found.held).await {
                return;
            }
        }
        self.send(": come back with Last-Event-ID\n\n".to_owned(), options).await;
    }

    /// Waits for something to look at. False: the client has gone.
    async fn pause(&mut self, limit: Duration, held: bool) -> bool {
        tokio::time::sleep(BREATH.min(limit)).await;
        let limit = if held { limit.min(BREATH) } else { limit };
        let gone = self.pieces.clone();
        tokio::select! {
            () = gone.closed() => false,
            () = self.seat.wait(limit) => true,
        }
    }

    /// Hands a piece over. False: the client has gone or is too slow.
    async fn send(&self, piece: String, options: StreamOptions) -> bool {
        let sent = self.pieces.send_timeout(piece.into(), options.patience);
        tokio::select! {
            // First: where there is room, a piece goes out even when the server stops.
            biased;
            sent = sent => match sent {
                Ok(()) => true,
                Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                    tracing::info!(tenant = %self.scope.tenant(), "a stream is cut off: its reader takes nothing");
                    false
                }
                Err(mpsc::error::SendTimeoutError::Closed(_)) => false,
            },
            // A slow reader does not hold up the end of the server.
            () = self.seat.closed() => false,
        }
    }
}

/// JSON has line breaks between its tokens only, where a space says the same; in a message they would end the line.
fn one_line(json: &str) -> std::borrow::Cow<'_, str> {
    if json.contains(['\n', '\r']) { json.replace(['\n', '\r'], " ").into() } else { json.into() }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Query(query): web::Query<StreamQuery>,
    headers: HeaderMap,
) -> web::Result<Response> {
    let last = headers.get("last-event-id").map(HeaderValue::to_str).transpose();
    let last = last.map_err(|_| Error::malformed("malformed_cursor", "Last-Event-ID is not one of ours."))?;
    let pieces = events.stream(&caller, last, query).await?;
    let body = futures_util::stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((Ok::<Bytes, Infallible>(piece), pieces))
    });
    let mut response = Response::new(Body::from_stream(body));
    let fields = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    for (name, value) in fields {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // Proxies that buffer answers would hold events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(one_line("{\"a\":\r\n 1}"), "{\"a\":   1}");
        assert_eq!(one_line("{}"), "{}");
    }
}
