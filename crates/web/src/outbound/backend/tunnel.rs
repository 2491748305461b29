//! A connection that stops being HTTP: WebSocket (RFC 6455). After the 101 bytes go both ways, unread.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode, header};
use hyper::client::conn::http1::Builder;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::Answer;
use super::fault::{BackendError, BackendFault, classify};
use super::outgoing::Outgoing;
use super::places::{Holder, Place};
use super::target::{Backend, Pace};
use crate::Tally;

/// What a backend said to a request for an upgrade.
pub enum Tunnel {
    /// 101: its head, and what [`tunnel`] goes on with.
    Open(Response<()>, Box<Ends>),
    /// Anything else: an ordinary answer.
    Refused(Response<Answer>),
}

/// The backend's end of a tunnel.
pub struct Ends {
    backend: OnUpgrade,
    place: Place,
}

/// Whether a request asks to change to another protocol on its connection.
pub fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    let names = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    headers.contains_key(header::UPGRADE)
        && names.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("upgrade"))
}

impl Backend {
    /// Asks for an upgrade on a connection of its own. The request has `Connection` and `Upgrade` and no body.
    pub async fn upgrade(&self, request: Request<Outgoing>, who: Holder, pace: &Pace, tally: Arc<Tally>) -> Result<Tunnel, BackendError> {
        let place = self.place(who).await?;
        let opened = match self.connector.open(&self.address, true).await {
            Ok(opened) => opened,
            Err(failed) => return Err(failed.unsent(request)),
        };
        let begun = Builder::new().handshake(TokioIo::new(opened.stream)).await;
        let (mut sender, connection) = begun.map_err(|error| classify(&error))?;
        tokio::spawn(async move {
            let _ = connection.with_upgrades().await;
        });
        let due = pace.bounded(Instant::now() + pace.first_byte);
        let late = |_| Err(BackendError::new(BackendFault::Timeout, "the answer did not begin in time"));
        let answer = async { sender.send_request(request).await.map_err(|error| classify(&error)) };
        let mut response = tokio::time::timeout_at(due, answer).await.unwrap_or_else(late)?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Tunnel::Refused(response.map(|body| Answer::shared(body, place, pace, tally))));
        }
        let backend = hyper::upgrade::on(&mut response);
        Ok(Tunnel::Open(response.map(drop), Box::new(Ends { backend, place })))
    }
}

/// The limits of a tunnel.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// The longest silence.
    pub idle: Duration,
    /// When it ends at the latest.
    pub until: Option<Instant>,
    /// It ends when this turns true: the server stops.
    pub closing: watch::Receiver<bool>,
}

/// Carries bytes both ways until one side ends or `bounds` say so. `request` is the caller's, which must be
/// answered with the 101 now. Counted in `tally`, which ends with the tunnel.
pub fn tunnel<B>(request: &mut Request<B>, ends: Ends, bounds: Bounds, tally: Arc<Tally>) {
    let client = hyper::upgrade::on(request);
    tokio::spawn(async move {
        if let Err(code) = carry(client, ends, bounds, &tally).await {
            tally.set_fault(code);
        }
        tally.end();
    });
}

async fn carry(client: OnUpgrade, ends: Ends, mut bounds: Bounds, tally: &Arc<Tally>) -> Result<(), &'static str> {
    let Ends { backend, place: _place } = ends;
    let both = async { tokio::join!(client, backend) };
    let (client, backend) = tokio::time::timeout(bounds.idle, both).await.map_err(|_| "upstream_timeout")?;
    let client = client.map_err(|_| "client_gone")?;
    let backend = backend.map_err(|_| "upstream_broke_off")?;
    let moved = Arc::new(AtomicU64::new(0));
    let mut client = Counted { inner: TokioIo::new(client), moved: Arc::clone(&moved), tally: Arc::clone(tally), add: Tally::add_request };
    let mut backend =
        Counted { inner: TokioIo::new(backend), moved: Arc::clone(&moved), tally: Arc::clone(tally), add: Tally::add_response };
    tokio::select! {
        // A side that breaks off is how most WebSockets end.
        _ = tokio::io::copy_bidirectional(&mut client, &mut backend) => Ok(()),
        () = stands_still(&moved, bounds.idle, bounds.until) => Err("upstream_timeout"),
        // Whoever could say so may be gone as well: that is the same.
        _ = bounds.closing.wait_for(|closing| *closing) => Ok(()),
    }
}

/// Returns when nothing has moved for too long, or the time is over.
async fn stands_still(moved: &AtomicU64, idle: Duration, until: Option<Instant>) {
    let mut seen = moved.load(Ordering::Relaxed);
    loop {
        let due = Instant::now() + idle;
        tokio::time::sleep_until(until.map_or(due, |until| until.min(due))).await;
        let now = moved.load(Ordering::Relaxed);
        if now == seen || until.is_some_and(|until| until <= Instant::now()) {
            return;
        }
        seen = now;
    }
}

/// Counts what is read.
struct Counted<T> {
    inner: T,
    moved: Arc<AtomicU64>,
    tally: Arc<Tally>,
    add: fn(&Tally, u64),
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.inner).poll_read(context, buffer);
        let read = (buffer.filled().len() - before) as u64;
        if read > 0 {
            this.moved.fetch_add(1, Ordering::Relaxed);
            (this.add)(&this.tally, read);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}
