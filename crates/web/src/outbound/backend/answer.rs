//! The body of a backend's answer.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::driven::Driven;
use super::idle::Idle;
use super::places::Place;
use super::target::Pace;
use crate::Tally;
use crate::outbound::driven::Alarm;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A frame, a fault, or the end.
type Next = Option<Result<Frame<Bytes>, hyper::Error>>;

/// What a log calls a call whose caller left before the answer's end.
const CLIENT_GONE: &str = "client_gone";
const TIMEOUT: &str = "upstream_timeout";
const BROKE_OFF: &str = "upstream_broke_off";
const TOO_LARGE: &str = "upstream_answer_too_large";

/// A backend's answer as it comes in, nothing of it copied. It carries its connection along, gives it back at its end, and takes it with it
/// when it is dropped before: so the backend notices a caller that left.
pub struct Answer {
    inner: Inner,
    idle: Duration,
    until: Option<Instant>,
    /// Since nothing came: when that has been too long.
    due: Option<Instant>,
    /// How many bytes may still come.
    left: u64,
    tally: Arc<Tally>,
}

enum Inner {
    Driven { body: Incoming, connection: Box<Driven>, home: Arc<Idle>, _place: Place },
    Shared { body: Incoming, alarm: Alarm, _place: Place },
    Ended,
}

impl Answer {
    pub(super) fn driven(body: Incoming, connection: Box<Driven>, home: Arc<Idle>, place: Place, pace: &Pace, tally: Arc<Tally>) -> Self {
        Self::new(Inner::Driven { body, connection, home, _place: place }, pace, tally)
    }

    pub(super) fn shared(body: Incoming, place: Place, pace: &Pace, tally: Arc<Tally>) -> Self {
        Self::new(Inner::Shared { body, alarm: Alarm::default(), _place: place }, pace, tally)
    }

    fn new(inner: Inner, pace: &Pace, tally: Arc<Tally>) -> Self {
        let mut answer = Self { inner, idle: pace.idle, until: pace.until, due: None, left: u64::MAX, tally };
        answer.finish_if_over();
        answer
    }

    /// At most so many bytes: more end the answer with an error.
    #[must_use]
    pub fn limited(mut self, limit: Option<u64>) -> Self {
        self.left = limit.unwrap_or(u64::MAX);
        self
    }

    /// The counts of the exchange.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    fn finish_if_over(&mut self) {
        let over = match &self.inner {
            Inner::Driven { body, .. } | Inner::Shared { body, .. } => body.is_end_stream(),
            Inner::Ended => false,
        };
        if over {
            self.finish();
        }
    }

    /// The whole answer has come.
    fn finish(&mut self) {
        if let Inner::Driven { mut connection, home, .. } = std::mem::replace(&mut self.inner, Inner::Ended)
            && connection.settle()
        {
            home.put(connection);
        }
        self.tally.end();
    }

    /// Nothing more will come.
    fn fail(&mut self, code: &'static str) {
        self.inner = Inner::Ended;
        self.tally.set_fault(code);
        self.tally.end();
    }

    /// The next frame; none if nothing came for too long.
    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Next>> {
        let Self { inner, idle, until, due, .. } = self;
        let mut step = |body: &mut Incoming, alarm: &mut Alarm, context: &mut Context<'_>| {
            if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
                return Poll::Ready(Some(frame));
            }
            let due = *due.get_or_insert_with(|| {
                let due = Instant::now() + *idle;
                until.map_or(due, |until| until.min(due))
            });
            if alarm.is_over(context, due) { Poll::Ready(None) } else { Poll::Pending }
        };
        match inner {
            Inner::Ended => Poll::Ready(Some(None)),
            Inner::Shared { body, alarm, .. } => step(body, alarm, context),
            Inner::Driven { body, connection, .. } => connection.turn(context, |alarm, context| step(body, alarm, context)),
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if matches!(this.inner, Inner::Ended) {
            return Poll::Ready(None);
        }
        let Some(next) = ready!(this.next(context)) else {
            this.fail(TIMEOUT);
            return Poll::Ready(Some(Err("the backend's answer stood still for too long".into())));
        };
        this.due = None;
        match next {
            None => {
                this.finish();
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                this.fail(BROKE_OFF);
                Poll::Ready(Some(Err(error.into())))
            }
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                this.tally.add_response(length);
                let Some(left) = this.left.checked_sub(length) else {
                    this.fail(TOO_LARGE);
                    return Poll::Ready(Some(Err("the backend's answer is too large".into())));
                };
                this.left = left;
                this.finish_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.inner, Inner::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Driven { body, .. } | Inner::Shared { body, .. } => body.size_hint(),
            Inner::Ended => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !matches!(self.inner, Inner::Ended) {
            self.fail(CLIENT_GONE);
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("tally", &self.tally).finish_non_exhaustive()
    }
}
