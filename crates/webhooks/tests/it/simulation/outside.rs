//! The world outside: receivers with their manners, and the channel that reaches them without a socket. Time here is the injected clock's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dispatch::{AttemptError, AttemptInput, AttemptOutcome, AttemptReport, Channel, Prepared};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use kernel::time::{Clock as _, ManualClock};
use kernel::{DeliveryId, DestinationId, EventId, Result, TenantId, Timestamp};
use serde_json::Value;
use tokio::sync::watch;

use super::chance::{hash, mix};
use super::faults::Fault;

/// How a receiver behaves. What it does with a call follows from the seed, the event and the attempt's number, never from the order of calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner {
    Healthy,
    /// Refuses so many of a hundred attempts.
    Failing(u64),
    /// Works and fails by turns of so many milliseconds.
    Flapping(i64),
    /// Takes up to so many milliseconds.
    Slow(u64),
    /// Never answers so many of a hundred attempts.
    Hanging(u64),
    /// Answers so many of a hundred attempts with 429 and asks for seconds.
    Busy(u64, u64),
    /// Refuses one event in so many whatever happens.
    Poisoned(u64),
    /// Answers one attempt in so many with 410.
    Leaving(u64),
    Dead,
}

/// What a receiver said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Yes,
    No(u16),
    Later(u64),
    Gone,
    Nothing,
}

/// A call as the receiver saw it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Its place among everything that happened.
    pub(super) began: u64,
    pub(super) at: Timestamp,
    pub(super) ended: Option<u64>,
    pub(super) said: Option<Said>,
    pub(super) destination: DestinationId,
    pub(super) tenant: TenantId,
    pub(super) event: EventId,
    pub(super) scheduled: bool,
    pub(super) delivery: DeliveryId,
    pub(super) seq: i64,
    pub(super) number: u32,
    pub(super) data: Bytes,
}

#[derive(Default)]
struct State {
    manners: BTreeMap<DestinationId, (TenantId, Manner)>,
    calls: Vec<Call>,
    /// When those who wait want to go on.
    sleeping: BTreeMap<u64, Timestamp>,
    gone: Vec<DestinationId>,
    happened: u64,
}

pub(super) struct Outside {
    seed: u64,
    clock: Arc<ManualClock>,
    moved: watch::Sender<()>,
    state: Mutex<State>,
}

impl Outside {
    pub(super) fn new(seed: u64, clock: Arc<ManualClock>) -> Arc<Self> {
        Arc::new(Self { seed, clock, moved: watch::Sender::new(()), state: Mutex::default() })
    }

    /// Numbers a happening: what has a higher number came later.
    pub(super) fn mark(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.happened += 1;
        state.happened
    }

    pub(super) fn open(&self, destination: DestinationId, tenant: TenantId, manner: Manner) {
        self.state.lock().unwrap().manners.insert(destination, (tenant, manner));
    }

    /// Somebody else's webhook.
    fn strange(&self, tenant: TenantId) -> Option<DestinationId> {
        let state = self.state.lock().unwrap();
        state.manners.iter().find(|(_, (owner, _))| *owner != tenant).map(|(id, _)| *id)
    }

    /// The clock was moved.
    pub(super) fn tick(&self) {
        self.moved.send_replace(());
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }

    pub(super) fn count(&self) -> usize {
        self.state.lock().unwrap().calls.len()
    }

    pub(super) fn has_left(&self, destination: DestinationId) -> bool {
        self.state.lock().unwrap().gone.contains(&destination)
    }

    /// How many calls wait for the clock, and for when the first of them.
    pub(super) fn sleeping(&self) -> (usize, Option<Timestamp>) {
        let state = self.state.lock().unwrap();
        (state.sleeping.len(), state.sleeping.values().min().copied())
    }

    fn begin(&self, input: &AttemptInput<'_>, destination: DestinationId) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.happened += 1;
        let (began, event) = (state.happened, input.event);
        state.calls.push(Call {
            began,
            at: input.now,
            ended: None,
            said: None,
            destination,
            tenant: event.tenant,
            event: event.id.clone(),
            scheduled: event.deliver_at.is_some(),
            delivery: input.delivery,
            seq: input.seq,
            number: input.number,
            data: event.data.clone(),
        });
        began
    }

    fn end(&self, began: u64, said: Said) {
        let mut state = self.state.lock().unwrap();
        state.happened += 1;
        let ended = state.happened;
        let Some(call) = state.calls.iter_mut().rev().find(|call| call.began == began) else { return };
        (call.ended, call.said) = (Some(ended), Some(said));
        let destination = call.destination;
        if said == Said::Gone {
            state.gone.push(destination);
        }
    }

    /// What is said to this attempt, and after how many milliseconds.
    fn decide(&self, input: &AttemptInput<'_>) -> (u64, Said) {
        let manner = self.state.lock().unwrap().manners.get(&input.destination.id).map_or(Manner::Healthy, |(_, manner)| *manner);
        let event = hash(input.event.id.as_str());
        let lot = mix(&[self.seed, event, u64::from(input.number), u64::try_from(input.seq).unwrap_or(0)]);
        let of_hundred = lot % 100;
        let whole = u64::try_from(input.timeout.as_millis()).unwrap_or(0);
        match manner {
            Manner::Failing(percent) if of_hundred < percent => (lot % 3, Said::No(500)),
            Manner::Flapping(period) if self.clock.now().millis().div_euclid(period) % 2 == 0 => (0, Said::No(503)),
            Manner::Slow(most) => (lot % most.max(1), Said::Yes),
            Manner::Hanging(percent) if of_hundred < percent => (whole, Said::Nothing),
            Manner::Busy(percent, seconds) if of_hundred < percent => (0, Said::Later(seconds)),
            Manner::Poisoned(every) if mix(&[self.seed, event]).is_multiple_of(every.max(1)) => (0, Said::No(400)),
            Manner::Leaving(every) if lot.is_multiple_of(every.max(1)) => (0, Said::Gone),
            Manner::Dead => (0, Said::No(500)),
            _ => (0, Said::Yes),
        }
    }

    /// Until the clock is `ms` further on.
    async fn pass(self: &Arc<Self>, began: u64, ms: u64) {
        let until = self.clock.now().plus(Duration::from_millis(ms));
        self.state.lock().unwrap().sleeping.insert(began, until);
        let _bed = Asleep(Arc::clone(self), began);
        let mut moved = self.moved.subscribe();
        while self.clock.now() < until {
            if moved.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Takes a sleeper out of the list, also when a crash takes it away.
struct Asleep(Arc<Outside>, u64);

impl Drop for Asleep {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().sleeping.remove(&self.1);
    }
}

/// The way there.
pub(super) struct Wire {
    pub(super) outside: Arc<Outside>,
    pub(super) fault: Option<Fault>,
}

impl Channel for Wire {
    fn name(&self) -> &'static str {
        dispatch::http::NAME
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async { Ok(config.clone()) })
    }

    fn prepare(&self, _: &Value) -> Result<Prepared> {
        Ok(Prepared::new(()))
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(async move {
            let lot = hash(input.event.id.as_str());
            if self.fault == Some(Fault::Swallow) && lot.is_multiple_of(5) {
                return report(Said::Yes, 0);
            }
            let strange = (self.fault == Some(Fault::Cross) && lot.is_multiple_of(5)).then(|| self.outside.strange(input.event.tenant));
            let began = self.outside.begin(input, strange.flatten().unwrap_or(input.destination.id));
            if self.fault == Some(Fault::Double) && lot.is_multiple_of(5) {
                let second = self.outside.begin(input, input.destination.id);
                self.outside.end(second, Said::Yes);
            }
            let (ms, said) = self.outside.decide(input);
            if ms > 0 {
                self.outside.pass(began, ms).await;
            }
            self.outside.end(began, said);
            if self.fault == Some(Fault::Deny) && said == Said::Yes && lot.is_multiple_of(5) {
                return report(Said::No(500), ms);
            }
            report(said, ms)
        })
    }
}

fn report(said: Said, ms: u64) -> AttemptReport {
    let retry = AttemptOutcome::Retry { after: None };
    let (outcome, status_code, error) = match said {
        Said::Yes => (AttemptOutcome::Delivered, Some(200), None),
        Said::No(status) => (retry, Some(status), Some("status")),
        Said::Later(seconds) => (AttemptOutcome::Retry { after: Some(Duration::from_secs(seconds)) }, Some(429), Some("status")),
        Said::Gone => (AttemptOutcome::Gone, Some(410), Some("status")),
        Said::Nothing => (retry, None, Some("timeout")),
    };
    AttemptReport {
        outcome,
        status_code,
        error: error.map(|kind| AttemptError { kind, text: format!("{said:?}") }),
        duration: Duration::from_millis(ms),
        request_headers: HeaderMap::new(),
        response_headers: HeaderMap::new(),
        response_body: Bytes::from_static(b"said"),
    }
}
