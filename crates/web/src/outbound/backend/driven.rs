//! An HTTP/1.1 connection that is driven by whoever waits for its answer.
//!
//! Usually a connection is a task, and a call is a message to it and one back. Here the connection is polled in the task of the call,
//! together with the answer that it brings and the bodies that it carries. What these wake each other for goes by a [`Bell`].

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::alarm::Alarm;
use super::bell::Bell;
use super::fault::{BackendError, BackendFault, classify};
use super::outgoing::{Outgoing, Progress};
use super::target::Pace;
use crate::outbound::stream::Stream;

/// So often a poll goes round before others have their turn.
const ROUNDS: usize = 16;

/// See the module.
pub(super) struct Driven {
    sender: SendRequest<Outgoing>,
    /// None once it has ended.
    connection: Option<Connection<TokioIo<Stream>, Outgoing>>,
    bell: Arc<Bell>,
    ring: Waker,
    pub(super) alarm: Alarm,
    idle_since: Instant,
    served: bool,
}

impl Driven {
    /// Begins HTTP/1.1 on an open connection.
    pub(super) async fn begin(stream: Stream) -> Result<Box<Self>, BackendError> {
        let begun = Builder::new().handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| classify(&error))?;
        let bell = Arc::new(Bell::default());
        let ring = Waker::from(Arc::clone(&bell));
        let connection = Some(connection);
        Ok(Box::new(Self { sender, connection, bell, ring, alarm: Alarm::default(), idle_since: Instant::now(), served: false }))
    }

    fn drive(&mut self, context: &mut Context<'_>) {
        // What it ended with is told to whoever waits for the answer or its body.
        if self.connection.as_mut().is_some_and(|connection| Pin::new(connection).poll(context).is_ready()) {
            self.connection = None;
        }
    }

    /// Polls the connection and then `step`, as long as one has something for the other.
    pub(super) fn turn<T>(&mut self, context: &mut Context<'_>, mut step: impl FnMut(&mut Alarm, &mut Context<'_>) -> Poll<T>) -> Poll<T> {
        self.bell.begin(context.waker());
        let ring = self.ring.clone();
        let mut inner = Context::from_waker(&ring);
        for _ in 0..ROUNDS {
            self.drive(&mut inner);
            if let Poll::Ready(found) = step(&mut self.alarm, &mut inner) {
                self.bell.done();
                return Poll::Ready(found);
            }
            if self.bell.rest() {
                return Poll::Pending;
            }
        }
        self.bell.yield_now();
        Poll::Pending
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        mut self: Box<Self>,
        request: Request<Outgoing>,
        pace: &Pace,
    ) -> Result<(Response<Incoming>, Box<Self>), BackendError> {
        let mut watch = Watch::new(pace, request.body());
        let mut answer = pin!(self.sender.try_send_request(request));
        let outcome = poll_fn(|context| {
            self.turn(context, |alarm, context| match answer.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending if alarm.is_over(context, watch.due()) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
        })
        .await;
        let reused = self.served;
        match outcome {
            Some(Ok(response)) => Ok((response, self)),
            Some(Err(mut failed)) => {
                let unsent = failed.take_message().map(Box::new);
                Err(BackendError { unsent, reused, ..classify(&failed.into_error()) })
            }
            None => Err(BackendError { reused, ..watch.late() }),
        }
    }

    /// Whether it can take a request now. To be asked of one that lay idle.
    pub(super) fn is_fit(&mut self, idle_time: Duration) -> bool {
        self.idle_since.elapsed() < idle_time && self.is_ready()
    }

    /// Looks whether the connection has come to rest after an answer; then it may serve again.
    pub(super) fn settle(&mut self) -> bool {
        self.served = true;
        self.idle_since = Instant::now();
        let ready = self.is_ready();
        self.bell.forget();
        ready
    }

    fn is_ready(&mut self) -> bool {
        let nobody = Waker::noop();
        let outcome = self.turn(&mut Context::from_waker(nobody), |_, _| Poll::<()>::Pending);
        debug_assert!(outcome.is_pending());
        self.connection.is_some() && self.sender.is_ready()
    }
}

/// Until when the head of an answer must have come: that depends on how the request's body goes on.
pub(super) struct Watch<'a> {
    pace: &'a Pace,
    progress: Option<Arc<Progress>>,
    seen: (u64, bool),
    moved: Instant,
}

impl<'a> Watch<'a> {
    pub(super) fn new(pace: &'a Pace, body: &Outgoing) -> Self {
        Self { pace, progress: body.progress(), seen: (0, false), moved: Instant::now() }
    }

    pub(super) fn due(&mut self) -> Instant {
        let mut sending = false;
        if let Some(progress) = &self.progress {
            let now = progress.now();
            if now != self.seen {
                (self.seen, self.moved) = (now, Instant::now());
            }
            sending = !now.1;
        }
        self.pace.bounded(self.moved + if sending { self.pace.idle } else { self.pace.first_byte })
    }

    pub(super) fn late(&self) -> BackendError {
        if self.progress.is_some() && !self.seen.1 {
            // A caller that sends no more must not count against the backend: it would be ejected for everybody.
            return BackendError::new(BackendFault::RequestBrokeOff, "the request's body stood still for too long");
        }
        BackendError::new(BackendFault::Timeout, "the answer did not begin in time")
    }
}
