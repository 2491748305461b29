//! HTTP/2: one connection to a backend carries many calls, and a task of its own drives it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use http::uri::{Authority, Parts, Scheme};
use http::{Request, Response, Uri, header};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::address::BackendAddress;
use super::driven::Watch;
use super::fault::{BackendError, classify};
use super::outgoing::Outgoing;
use super::target::Pace;
use crate::outbound::driven::Alarm;
use crate::outbound::stream::Stream;

/// A connection that is silent for so long is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

/// The connection to one backend, if there is one.
#[derive(Default)]
pub(super) struct Shared {
    open: Mutex<Option<SendRequest<Outgoing>>>,
    /// Held while a connection is opened: the others wait for it.
    pub(super) opening: tokio::sync::Mutex<()>,
}

impl Shared {
    /// The connection, if it is there and can be used.
    pub(super) fn get(&self) -> Option<SendRequest<Outgoing>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(SendRequest::is_closed) {
            *open = None;
        }
        open.clone()
    }

    /// Begins HTTP/2 on an open connection.
    pub(super) async fn begin(&self, stream: Stream) -> Result<SendRequest<Outgoing>, BackendError> {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(Some(PING)).keep_alive_timeout(PING).adaptive_window(true);
        let begun = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| classify(&error))?;
        tokio::spawn(async move {
            // What it ended with is told to the calls that were under way.
            let _ = connection.await;
        });
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender.clone());
        Ok(sender)
    }
}

/// Sends a request over HTTP/2 and waits for the head of its answer.
pub(super) async fn send(
    mut sender: SendRequest<Outgoing>,
    mut request: Request<Outgoing>,
    address: &BackendAddress,
    pace: &Pace,
) -> Result<Response<Incoming>, BackendError> {
    let host = request.headers_mut().remove(header::HOST);
    let authority = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok()).unwrap_or_else(|| address.authority.clone());
    let mut parts = Parts::default();
    parts.scheme = Some(if address.secure { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(authority);
    parts.path_and_query = request.uri().path_and_query().cloned();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = http::Version::HTTP_2;
    let mut watch = Watch::new(pace, request.body());
    let mut alarm = Alarm::default();
    if sender.ready().await.is_err() {
        let ended = BackendError::new(super::BackendFault::BrokeOff, "the connection has just ended");
        return Err(BackendError { reused: true, ..ended.unsent(request) });
    }
    let mut answer = pin!(sender.try_send_request(request));
    let outcome = poll_fn(|context| match answer.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending if alarm.is_over(context, watch.due()) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match outcome.await {
        Some(Ok(response)) => Ok(response),
        Some(Err(mut failed)) => {
            let unsent = failed.take_message().map(Box::new);
            let reused = unsent.is_some();
            Err(BackendError { unsent, reused, ..classify(&failed.into_error()) })
        }
        None => Err(watch.late()),
    }
}
