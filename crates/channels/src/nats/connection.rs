//! One connection: introduced, then shared by all publications of a destination; answers find their way by the inbox's last word.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use web::outbound::{Peer, Security, Stream};

use super::Login;
use super::wire::{self, Info, Reply, Said};
use crate::broker::Way;
use crate::fault::Fault;

/// Frames that wait to be written.
const WAITING: usize = 128;
/// The one subscription: our inboxes.
const SUBSCRIPTION: u8 = 1;

type Answer = oneshot::Sender<Result<Reply, Fault>>;

/// An open connection. Dropping it closes it.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    frames: mpsc::Sender<Bytes>,
    inbox: String,
    next: AtomicU64,
    max_payload: usize,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: HashMap<String, Answer>,
    /// Why nothing more will come.
    ended: Option<Fault>,
}

impl Connection {
    /// Opens and introduces; the caller bounds the time.
    pub(super) async fn open(way: &Way, peer: &Peer, login: &Login, limit: Duration) -> Result<Self, Fault> {
        let stream = way.client.open(peer, limit).await?;
        let mut reader = BufReader::new(stream);
        let info = match said(&mut reader).await? {
            Said::Info(info) => info,
            Said::Error(text) => return Err(refused(&text)),
            _ => return Err(Fault::broken("protocol", "the server does not introduce itself")),
        };
        let mut stream = reader.into_inner();
        // A server that asks for TLS gets it, whatever the address says.
        let secure = peer.security == Security::Later || info.tls_required;
        if secure {
            if !info.tls_required && !info.tls_available {
                return Err(Fault::broken("tls", "the server does not offer TLS"));
            }
            stream = way.client.secure(stream, &peer.host, limit).await?;
        }
        if !info.headers {
            return Err(Fault::broken("protocol", "the server does not take headers; JetStream needs NATS 2.2 or later"));
        }
        let connect = introduction(&info, login, secure)?;
        Self::introduce(way, stream, &connect, &info).await
    }

    async fn introduce(way: &Way, stream: Stream, connect: &Value, info: &Info) -> Result<Self, Fault> {
        let (read, mut write) = tokio::io::split(stream);
        let inbox = format!("_INBOX.{}", inbox_word(way));
        let hello = format!("CONNECT {connect}\r\nSUB {inbox}.* {SUBSCRIPTION}\r\nPING\r\n");
        let lost = |error: std::io::Error| Fault::broken("connect", format!("the connection broke: {error}"));
        write.write_all(hello.as_bytes()).await.map_err(lost)?;
        write.flush().await.map_err(lost)?;
        let mut reader = BufReader::new(read);
        loop {
            match said(&mut reader).await? {
                Said::Pong => break,
                Said::Error(text) => return Err(refused(&text)),
                Said::Ping => write.write_all(b"PONG\r\n").await.map_err(lost)?,
                _ => {}
            }
        }
        let shared = Arc::new(Shared::default());
        let (frames, waiting) = mpsc::channel(WAITING);
        let reading = tokio::spawn(listen(reader, Arc::clone(&shared), frames.clone()));
        let writing = tokio::spawn(speak(write, waiting, Arc::clone(&shared)));
        let max_payload = if info.max_payload == 0 { usize::MAX } else { info.max_payload };
        Ok(Self { shared, frames, inbox, next: AtomicU64::new(0), max_payload, tasks: [reading, writing] })
    }

    /// Publishes and waits for the answer.
    pub(super) async fn request(&self, subject: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Reply, Fault> {
        let inbox = format!("{}.{}", self.inbox, self.next.fetch_add(1, Ordering::Relaxed));
        let frame = wire::publish(subject, &inbox, headers, body);
        if frame.len() > self.max_payload {
            return Err(Fault::too_large(format!("the server takes messages of at most {} bytes", self.max_payload)));
        }
        let (answer, answered) = oneshot::channel();
        // If this attempt is given up, its place goes too.
        let _place = self.shared.wait_at(inbox, answer)?;
        self.frames.send(frame.into()).await.map_err(|_| self.shared.why())?;
        answered.await.unwrap_or_else(|_| Err(self.shared.why()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A place among those that wait for an answer.
struct WaitPlace<'a> {
    shared: &'a Shared,
    inbox: String,
}

impl Drop for WaitPlace<'_> {
    fn drop(&mut self) {
        self.shared.lock().waiting.remove(&self.inbox);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_at(&self, inbox: String, answer: Answer) -> Result<WaitPlace<'_>, Fault> {
        let mut state = self.lock();
        if let Some(fault) = &state.ended {
            return Err(fault.clone());
        }
        state.waiting.insert(inbox.clone(), answer);
        drop(state);
        Ok(WaitPlace { shared: self, inbox })
    }

    fn answer(&self, inbox: &str, answer: Result<Reply, Fault>) {
        if let Some(waiting) = self.lock().waiting.remove(inbox) {
            // Whoever has given up meanwhile needs no answer.
            let _ = waiting.send(answer);
        }
    }

    /// The same for all who wait.
    fn answer_all(&self, fault: &Fault) {
        let waiting = std::mem::take(&mut self.lock().waiting);
        for (_, answer) in waiting {
            let _ = answer.send(Err(fault.clone()));
        }
    }

    fn end(&self, fault: &Fault) {
        self.lock().ended.get_or_insert_with(|| fault.clone());
        self.answer_all(fault);
    }

    fn why(&self) -> Fault {
        self.lock().ended.clone().unwrap_or_else(|| Fault::broken("connect", "the connection was closed"))
    }
}

/// Hands out what comes until the connection ends.
async fn listen(mut reader: BufReader<ReadHalf<Stream>>, shared: Arc<Shared>, frames: mpsc::Sender<Bytes>) {
    let fault = loop {
        match said(&mut reader).await {
            Ok(Said::Message { subject, reply }) => shared.answer(&subject, Ok(reply)),
            Ok(Said::Ping) => {
                if frames.send(Bytes::from_static(b"PONG\r\n")).await.is_err() {
                    break shared.why();
                }
            }
            // The server goes on after this one, but it does not say which publication it means.
            Ok(Said::Error(text)) if text.starts_with("Permissions Violation") => shared.answer_all(&denied(&text)),
            Ok(Said::Error(text)) => break refused(&text),
            Ok(Said::Info(_) | Said::Pong | Said::Other) => {}
            Err(fault) => break fault,
        }
    };
    shared.end(&fault);
}

async fn speak(mut write: WriteHalf<Stream>, mut frames: mpsc::Receiver<Bytes>, shared: Arc<Shared>) {
    while let Some(frame) = frames.recv().await {
        let mut written = write.write_all(&frame).await;
        // What waits goes out together.
        while let (Ok(()), Ok(frame)) = (&written, frames.try_recv()) {
            written = write.write_all(&frame).await;
        }
        if written.is_ok() {
            written = write.flush().await;
        }
        if let Err(error) = written {
            return shared.end(&Fault::broken("connect", format!("the connection broke: {error}")));
        }
    }
}

async fn said<R: tokio::io::AsyncBufRead + Unpin>(reader: &mut R) -> Result<Said, Fault> {
    wire::read(reader).await.map_err(|error| {
        let kind = if error.kind() == std::io::ErrorKind::InvalidData { "protocol" } else { "connect" };
        Fault::broken(kind, format!("the connection ended: {error}"))
    })
}

fn refused(text: &str) -> Fault {
    let lower = text.to_ascii_lowercase();
    let about_us = lower.contains("authorization") || lower.contains("authentication");
    Fault::broken(if about_us { "credentials" } else { "rejected" }, format!("the server said: {text}"))
}

fn denied(text: &str) -> Fault {
    Fault::rejected("credentials", format!("the server said: {text}"))
}

fn introduction(info: &Info, login: &Login, tls: bool) -> Result<Value, Fault> {
    let mut connect = json!({
        "verbose": false, "pedantic": false, "tls_required": tls, "name": "tradewind", "lang": "rust", "version": env!("CARGO_PKG_VERSION"),
        "protocol": 1, "echo": false, "headers": true, "no_responders": true,
    });
    match login {
        Login::None => {}
        Login::User(user, password) => {
            connect["user"] = json!(user);
            connect["pass"] = json!(password);
        }
        Login::Token(token) => connect["auth_token"] = json!(token),
        Login::Nkey(key, jwt) => {
            let nonce = info.nonce.as_deref().ok_or_else(|| Fault::broken("credentials", "the server does not ask for a key"))?;
            let broken = || Fault::broken("credentials", "the key cannot sign");
            connect["sig"] = json!(key.sign(nonce).ok_or_else(broken)?);
            match jwt {
                Some(jwt) => connect["jwt"] = json!(jwt),
                None => connect["nkey"] = json!(key.public().ok_or_else(broken)?),
            }
        }
    }
    Ok(connect)
}

/// A word that nobody else's inbox has.
fn inbox_word(way: &Way) -> String {
    way.ambient.bytes::<12>().iter().map(|byte| format!("{byte:02x}")).collect()
}
