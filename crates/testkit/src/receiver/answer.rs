//! What a receiver answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::sync::watch;

/// An answer, or the lack of one.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A whole response.
    Respond {
        /// Its status.
        status: StatusCode,
        /// Its headers.
        headers: HeaderMap,
        /// Its body.
        body: Bytes,
    },
    /// The request is recorded at once; the answer waits until the gate is open.
    Held(Gate, Box<Answer>),
    /// A slow receiver: the answer comes after this time.
    After(Duration, Box<Answer>),
    /// Never answers; the connection stays open until the client leaves.
    Hang,
    /// Closes the connection without an answer.
    Drop,
}

impl Answer {
    /// An empty response. Panics if `status` is not between 100 and 999.
    pub fn status(status: u16) -> Self {
        Self::Respond {
            status: StatusCode::from_u16(status).unwrap_or_else(|e| panic!("{status}: {e}")),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// The same with one more header. Panics on anything but a response.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let Self::Respond { headers, .. } = &mut self else { panic!("only a response has headers") };
        let name: HeaderName = name.parse().unwrap_or_else(|e| panic!("{name:?}: {e}"));
        let value: HeaderValue = value.parse().unwrap_or_else(|e| panic!("{value:?}: {e}"));
        headers.append(name, value);
        self
    }

    /// The same with this body. Panics on anything but a response.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        let Self::Respond { body, .. } = &mut self else { panic!("only a response has a body") };
        *body = bytes.into();
        self
    }

    /// The same, once `gate` is open.
    #[must_use]
    pub fn held(self, gate: &Gate) -> Self {
        Self::Held(gate.clone(), Box::new(self))
    }

    /// The same, `delay` later.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self::After(delay, Box::new(self))
    }
}

/// Closed until it is opened. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A closed one.
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets everything through, what waits and what comes.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Closes it again for what comes.
    pub fn close(&self) {
        self.0.send_replace(false);
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        // The sender lives in `self`, so the channel is not closed.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}
