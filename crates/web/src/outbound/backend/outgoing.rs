//! The body of a request to a backend.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use axum::body::Body as AxumBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::fault::BodyFault;
use crate::Tally;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body on its way to a backend: nothing, bytes, or the caller's own as it comes in. Nothing is copied.
#[derive(Debug)]
pub struct Outgoing(Kind);

#[derive(Debug)]
enum Kind {
    Empty,
    Full(Option<Bytes>),
    Stream(Box<Stream>),
}

#[derive(Debug)]
struct Stream {
    body: AxumBody,
    /// How many bytes may still come.
    left: u64,
    tally: Arc<Tally>,
    progress: Arc<Progress>,
}

/// How far a streamed body is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Frames that have passed.
    frames: AtomicU64,
    ended: AtomicBool,
}

impl Progress {
    pub(super) fn now(&self) -> (u64, bool) {
        (self.frames.load(Relaxed), self.ended.load(Relaxed))
    }
}

impl Outgoing {
    /// No body.
    pub fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// These bytes.
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::empty() } else { Self(Kind::Full(Some(bytes))) }
    }

    /// The caller's body as it comes in, at most `limit` bytes, counted in `tally`. A body that is known to be empty is none.
    pub fn stream(body: AxumBody, limit: Option<u64>, tally: Arc<Tally>) -> Self {
        if body.is_end_stream() {
            return Self::empty();
        }
        Self(Kind::Stream(Box::new(Stream { body, left: limit.unwrap_or(u64::MAX), tally, progress: Arc::default() })))
    }

    /// The same once more, if that can be had: a streamed body is gone once it was sent.
    pub fn again(&self) -> Option<Self> {
        match &self.0 {
            Kind::Empty => Some(Self::empty()),
            Kind::Full(Some(bytes)) => Some(Self::full(bytes.clone())),
            Kind::Full(None) | Kind::Stream(_) => None,
        }
    }

    pub(super) fn progress(&self) -> Option<Arc<Progress>> {
        match &self.0 {
            Kind::Stream(stream) => Some(Arc::clone(&stream.progress)),
            Kind::Empty | Kind::Full(_) => None,
        }
    }
}

impl Stream {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            self.progress.ended.store(true, Relaxed);
            return Poll::Ready(None);
        };
        let Ok(frame) = frame else { return Poll::Ready(Some(Err(BodyFault::BrokeOff.into()))) };
        if let Some(data) = frame.data_ref() {
            let length = data.len() as u64;
            self.tally.add_request(length);
            self.progress.frames.fetch_add(1, Relaxed);
            let Some(left) = self.left.checked_sub(length) else { return Poll::Ready(Some(Err(BodyFault::TooLarge.into()))) };
            self.left = left;
        }
        if self.body.is_end_stream() {
            self.progress.ended.store(true, Relaxed);
        }
        Poll::Ready(Some(Ok(frame)))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Stream(stream) => stream.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.is_none(),
            Kind::Stream(stream) => stream.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Stream(stream) => stream.body.size_hint(),
        }
    }
}
