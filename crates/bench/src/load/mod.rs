//! The two generators. *Closed*: each caller sends its next request when the last is answered, which finds the greatest throughput.
//! *Open*: requests fall due at a fixed rate whatever the answers do, which finds the latency that real senders see.

mod closed;
mod open;

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock;
use crate::histogram::Histogram;
use crate::wire::{Reply, Wire};

pub use closed::closed;
pub use open::open;

/// What is sent, and what is made of the answers. Requests are numbered from 0.
pub trait Traffic: Send + Sync + 'static {
    /// Appends request `index`, whole, to `out`.
    fn request(&self, index: u64, out: &mut Vec<u8>);

    /// Judges the answer to request `index`, which was due at `due` and answered at `at` (both [`clock::now_ns`]): true if it is good.
    fn answered(&self, index: u64, due: u64, at: u64, reply: &Reply<'_>) -> bool {
        let _ = (index, due, at);
        (200..300).contains(&reply.status)
    }
}

/// Where a run ends, whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Requests in all.
    pub count: u64,
    /// Time in all; requests that are under way then are still awaited.
    pub time: Duration,
}

/// What a run did.
#[derive(Debug)]
pub struct Outcome {
    /// Requests with a good answer.
    pub good: u64,
    /// Requests with an answer that was not good.
    pub bad: u64,
    /// Requests without an answer: the connection failed. They are not repeated.
    pub broken: u64,
    /// From the start to the last answer.
    pub elapsed: Duration,
    /// From due to answered, good answers only. In a closed loop a request is due when its caller is free.
    pub latency: Histogram,
    /// How late requests were sent (open loop): the generator's own error, part of `latency`.
    pub lag: Histogram,
    /// The first that went wrong, for people.
    pub first_fault: Option<String>,
}

impl Outcome {
    /// Good answers a second.
    #[allow(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.good as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// An error unless every answer was good: a rate of refusals measures nothing.
    pub fn all_good(self) -> anyhow::Result<Self> {
        let fault = self.first_fault.as_deref().unwrap_or("no request was made");
        anyhow::ensure!(self.bad + self.broken == 0 && self.good > 0, "{} bad, {} broken: {fault}", self.bad, self.broken);
        Ok(self)
    }
}

#[derive(Debug, Default)]
struct Tally {
    good: AtomicU64,
    bad: AtomicU64,
    broken: AtomicU64,
    latency: Histogram,
    lag: Histogram,
    first_fault: Mutex<Option<String>>,
}

impl Tally {
    fn fault(&self, text: impl FnOnce() -> String) {
        self.first_fault.lock().expect("no holder of this lock panics").get_or_insert_with(text);
    }

    fn outcome(self, start: u64) -> Outcome {
        Outcome {
            good: self.good.into_inner(),
            bad: self.bad.into_inner(),
            broken: self.broken.into_inner(),
            elapsed: clock::since(start),
            latency: self.latency,
            lag: self.lag,
            first_fault: self.first_fault.into_inner().expect("no holder of this lock panics"),
        }
    }
}

/// One sender: a connection, made when needed, and a request buffer.
struct Caller {
    to: SocketAddr,
    wire: Option<Wire>,
    request: Vec<u8>,
}

impl Caller {
    fn new(to: SocketAddr) -> Self {
        Self { to, wire: None, request: Vec::with_capacity(4096) }
    }

    /// Sends request `index` and tallies what comes of it.
    async fn send<T: Traffic>(&mut self, traffic: &T, tally: &Tally, index: u64, due: u64) {
        self.request.clear();
        traffic.request(index, &mut self.request);
        tally.lag.record(clock::now_ns().saturating_sub(due));
        if let Err(error) = self.exchange(traffic, tally, index, due).await {
            self.wire = None;
            tally.broken.fetch_add(1, Ordering::Relaxed);
            tally.fault(|| format!("request {index}: {error}"));
            // A server that is not there must not turn this caller into a busy loop.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn exchange<T: Traffic>(&mut self, traffic: &T, tally: &Tally, index: u64, due: u64) -> io::Result<()> {
        let wire = match &mut self.wire {
            Some(wire) => wire,
            none => none.insert(Wire::connect(self.to).await?),
        };
        let reply = wire.exchange(&self.request).await?;
        let at = clock::now_ns();
        if traffic.answered(index, due, at, &reply) {
            tally.good.fetch_add(1, Ordering::Relaxed);
            tally.latency.record(at.saturating_sub(due));
        } else {
            tally.bad.fetch_add(1, Ordering::Relaxed);
            tally.fault(|| format!("request {index}: {} {}", reply.status, excerpt(reply.body)));
        }
        if reply.close {
            self.wire = None;
        }
        Ok(())
    }
}

/// The beginning of a body, for messages.
pub fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned()
}
