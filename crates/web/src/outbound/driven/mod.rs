//! An HTTP/1.1 connection that is driven by whoever waits for its answer.
//!
//! Usually a connection is a task, and a request is a message to it and one back. Here the connection is polled in the task of the request,
//! together with the answer that it brings and the bodies that it carries. What these wake each other for goes by a [`Bell`]. An idle
//! connection is polled by nobody: that the other side closed it is found when it is looked at ([`Driven::is_fit`]).

mod alarm;
mod bell;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper::rt::{Read, Write};
use tokio::time::Instant;

pub(crate) use self::alarm::Alarm;
use self::bell::Bell;

/// So often a poll goes round before others have their turn.
const ROUNDS: usize = 16;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What came of a request: an answer's head, or the failure, with the request if nothing of it was sent; none if its time was over.
pub(crate) type Sent<B> = Option<Result<Response<Incoming>, TrySendError<Request<B>>>>;

/// A connection over `I` for requests with bodies `B`; see the module.
pub(crate) struct Driven<I, B>
where
    I: Read + Write,
    B: Body + 'static,
{
    sender: SendRequest<B>,
    /// None once it has ended.
    connection: Option<Connection<I, B>>,
    bell: Arc<Bell>,
    ring: Waker,
    alarm: Alarm,
    idle_since: Instant,
    served: bool,
}

impl<I, B> Driven<I, B>
where
    I: Read + Write + Unpin,
    B: Body + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    /// Begins HTTP/1.1 on an open connection; `head`: the most bytes of an answer's head.
    pub(crate) async fn begin(io: I, head: usize) -> hyper::Result<Box<Self>> {
        let (sender, connection) = Builder::new().max_buf_size(head).handshake(io).await?;
        let bell = Arc::new(Bell::default());
        let ring = Waker::from(Arc::clone(&bell));
        let (connection, alarm, idle_since) = (Some(connection), Alarm::default(), Instant::now());
        Ok(Box::new(Self { sender, connection, bell, ring, alarm, idle_since, served: false }))
    }

    fn drive(&mut self, context: &mut Context<'_>) {
        // What it ended with is told to whoever waits for the answer or its body.
        if self.connection.as_mut().is_some_and(|connection| Pin::new(connection).poll(context).is_ready()) {
            self.connection = None;
        }
    }

    /// Polls the connection and then `step`, as long as one has something for the other.
    pub(crate) fn turn<T>(&mut self, context: &mut Context<'_>, mut step: impl FnMut(&mut Alarm, &mut Context<'_>) -> Poll<T>) -> Poll<T> {
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

    /// Sends a request and waits for the head of its answer, no longer than `due` says at the time; none: for ever.
    pub(crate) async fn send(&mut self, request: Request<B>, mut due: impl FnMut() -> Option<Instant>) -> Sent<B> {
        let mut answer = pin!(self.sender.try_send_request(request));
        poll_fn(|context| {
            self.turn(context, |alarm, context| match answer.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                Poll::Pending if due().is_some_and(|due| alarm.is_over(context, due)) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
        })
        .await
    }

    /// The next frame of an answer's body; none at its end.
    pub(crate) async fn frame(&mut self, body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
        poll_fn(|context| self.turn(context, |_, context| Pin::new(&mut *body).poll_frame(context))).await
    }

    /// Whether it has served a request before this one.
    pub(crate) fn has_served(&self) -> bool {
        self.served
    }

    /// Whether it can take a request now. To be asked of one that lay idle.
    pub(crate) fn is_fit(&mut self, idle_time: Duration) -> bool {
        self.idle_since.elapsed() < idle_time && self.is_ready()
    }

    /// Looks whether the connection has come to rest after an answer; then it may serve again.
    pub(crate) fn settle(&mut self) -> bool {
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
