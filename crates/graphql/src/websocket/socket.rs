//! One socket: its messages in order, its operations side by side.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use http::request::Parts;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::messages::{self, Close, Heard};
use super::operations::{self, Origin, Said, Voice};
use crate::routes::Doors;

/// How long a client may take to send `connection_init`.
const INIT: Duration = Duration::from_secs(5);
/// A ping is sent after so much silence; twice that without any sign closes the socket.
const SILENCE: Duration = Duration::from_secs(25);
/// How long a client may take to accept a message.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the end of a socket may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// Messages that wait for the socket.
const WAITING: usize = 32;
/// Operations of one socket at once.
const MAX_OPERATIONS: usize = 50;

/// A socket under way.
struct Connection {
    doors: Doors,
    origin: Origin,
    socket: WebSocket,
    is_welcome: bool,
    /// Operations by the client's ids, each with our number.
    running: HashMap<String, (u64, AbortHandle)>,
    begun: u64,
    out: mpsc::Sender<Said>,
    heard_at: Instant,
}

/// Serves a socket to its end.
pub(super) async fn serve(doors: Doors, parts: Parts, socket: WebSocket) {
    let (out, waiting) = mpsc::channel(WAITING);
    let spoken = socket.protocol().is_some();
    let mut connection = Connection {
        origin: Origin::new(&parts),
        doors,
        socket,
        is_welcome: false,
        running: HashMap::new(),
        begun: 0,
        out,
        heard_at: Instant::now(),
    };
    let why = if spoken { connection.run(waiting).await } else { Some(Close::Protocol) };
    for (_, running) in connection.running.values() {
        running.abort();
    }
    if let Some(why) = why {
        let (code, reason) = why.frame();
        let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // Whether it arrives or not, the socket ends here.
        let _ = tokio::time::timeout(PATIENCE, connection.socket.send(frame)).await;
    }
    // Both sides say that they close (RFC 6455 §7.1.2): ours is written, and theirs read, before the connection goes.
    let _ = tokio::time::timeout(GOODBYE, async { while let Some(Ok(_)) = connection.socket.recv().await {} }).await;
}

/// Waits for the server to stop.
async fn stopped(closing: &mut watch::Receiver<bool>) {
    // Without a sender there is no server any more.
    let _ = closing.wait_for(|closing| *closing).await;
}

impl Connection {
    /// Until it ends: with what the client is told, or with nothing if it has gone.
    async fn run(&mut self, mut waiting: mpsc::Receiver<Said>) -> Option<Close> {
        let mut closing = self.doors.graphql.closing();
        let begun = Instant::now();
        loop {
            let limit = if self.is_welcome { Instant::now() + SILENCE } else { begun + INIT };
            tokio::select! {
                biased;
                () = stopped(&mut closing) => return Some(Close::GoingAway),
                message = self.socket.recv() => {
                    let text = match message {
                        Some(Ok(Message::Text(text))) => text,
                        Some(Ok(Message::Binary(_))) => return Some(Close::Invalid),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                            self.heard_at = Instant::now();
                            continue;
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                    };
                    self.heard_at = Instant::now();
                    if let Err(why) = self.hear(text.as_str()).await {
                        return why;
                    }
                }
                Some(said) = waiting.recv() => {
                    // What an operation said that the client has ended since is not sent.
                    if self.running.get(&said.id).is_some_and(|(number, _)| *number == said.number) {
                        if said.is_last {
                            self.running.remove(&said.id);
                        }
                        self.say(said.text).await.ok()?;
                    }
                }
                () = tokio::time::sleep_until(limit) => {
                    if !self.is_welcome {
                        return Some(Close::Late);
                    }
                    if self.heard_at.elapsed() > 2 * SILENCE {
                        return None;
                    }
                    let ping = self.socket.send(Message::Ping(bytes::Bytes::new()));
                    tokio::time::timeout(PATIENCE, ping).await.ok()?.ok()?;
                }
            }
        }
    }

    /// Heeds a message. Error: the socket ends, with this.
    async fn hear(&mut self, text: &str) -> Result<(), Option<Close>> {
        match Heard::read(text).ok_or(Some(Close::Invalid))? {
            Heard::Init(_) if self.is_welcome => Err(Some(Close::TooMany)),
            Heard::Init(payload) => {
                self.origin.told(&payload);
                if !operations::is_welcome(&self.doors, &self.origin).await {
                    return Err(Some(Close::Forbidden));
                }
                self.is_welcome = true;
                self.say(messages::ack()).await
            }
            Heard::Ping => self.say(messages::pong()).await,
            Heard::Pong => Ok(()),
            Heard::Complete(id) => {
                if let Some((_, running)) = self.running.remove(&id) {
                    running.abort();
                }
                Ok(())
            }
            Heard::Subscribe(..) if !self.is_welcome => Err(Some(Close::Unauthorized)),
            Heard::Subscribe(id, params) => {
                if self.running.contains_key(&id) {
                    return Err(Some(Close::Taken));
                }
                if self.running.len() >= MAX_OPERATIONS {
                    return Err(Some(Close::TooMany));
                }
                self.begun += 1;
                let voice = Voice { id: id.clone(), number: self.begun, out: self.out.clone() };
                let operation = operations::run(self.doors.clone(), self.origin.clone(), params, voice);
                self.running.insert(id, (self.begun, tokio::spawn(operation).abort_handle()));
                Ok(())
            }
        }
    }

    async fn say(&mut self, text: String) -> Result<(), Option<Close>> {
        match tokio::time::timeout(PATIENCE, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(None),
        }
    }
}
