//! A backend's own HTTP/1.1 connections, driven by the task of their call ([`crate::outbound::driven`]).

use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::fault::{BackendError, BackendFault, classify};
use super::outgoing::{Outgoing, Progress};
use super::target::Pace;
use crate::outbound::driven;
use crate::outbound::stream::Stream;

/// The most bytes that are buffered of an answer's head.
const HEAD: usize = 400 * 1024;

/// A connection to a backend.
pub(super) type Driven = driven::Driven<TokioIo<Stream>, Outgoing>;

/// Begins HTTP/1.1 on an open connection.
pub(super) async fn begin(stream: Stream) -> Result<Box<Driven>, BackendError> {
    Driven::begin(TokioIo::new(stream), HEAD).await.map_err(|error| classify(&error))
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(
    mut connection: Box<Driven>,
    request: Request<Outgoing>,
    pace: &Pace,
) -> Result<(Response<Incoming>, Box<Driven>), BackendError> {
    let mut watch = Watch::new(pace, request.body());
    let reused = connection.has_served();
    match connection.send(request, || Some(watch.due())).await {
        Some(Ok(response)) => Ok((response, connection)),
        Some(Err(mut failed)) => {
            let unsent = failed.take_message().map(Box::new);
            Err(BackendError { unsent, reused, ..classify(&failed.into_error()) })
        }
        None => Err(BackendError { reused, ..watch.late() }),
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
