//! Webhooks out: in order, signed when they are sent, tried again when they are refused, and spoiled on demand.
//!
//! They go to loopback addresses only. Without a server (a double that is asked directly) they wait until somebody takes them.

mod send;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use kernel::Ambient;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::faults::{Kind, Plan};

/// Messages that wait at most; the oldest go first when there are more.
const WAITING: usize = 100_000;
/// Attempts that are remembered.
const KEPT: usize = 10_000;

/// Header fields for a body that is sent to a URL at a time (milliseconds): signatures, mostly.
pub type Sign = Arc<dyn Fn(&str, &[u8], i64) -> Vec<(&'static str, String)> + Send + Sync>;

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A body of its own.
    Whole(Bytes),
    /// A part of a JSON array: parts for one URL that wait together are sent together, at most 100.
    Part(Value),
}

/// One webhook.
#[derive(Clone)]
pub struct Message {
    /// Where to.
    pub url: String,
    /// What.
    pub content: Content,
    /// Header fields besides the media type.
    pub sign: Sign,
    /// The media type.
    pub content_type: &'static str,
    /// Whether an answer of status 2xx with this body was the right one.
    pub accepted: fn(&[u8]) -> bool,
}

impl Message {
    /// JSON whose receipt any 2xx confirms.
    pub fn json(url: &str, content: Content, sign: Sign) -> Self {
        Self { url: url.to_owned(), content, sign, content_type: "application/json", accepted: |_| true }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("url", &self.url).field("content", &self.content).finish_non_exhaustive()
    }
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Where to.
    pub url: String,
    /// The body.
    pub body: String,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
    /// Which try it was, from 0.
    pub attempt: u32,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Message>,
    attempts: VecDeque<Attempt>,
    busy: usize,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    came: Notify,
    ambient: Ambient,
    faults: Plan,
    /// The pause before the second try; it doubles.
    pause: Mutex<Duration>,
}

/// The queue of webhooks. Clones are one queue.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Shared>);

impl Outbox {
    pub(crate) fn new(ambient: Ambient, faults: Plan) -> Self {
        let pause = Mutex::new(Duration::from_millis(500));
        Self(Arc::new(Shared { state: Mutex::default(), came: Notify::new(), ambient, faults, pause }))
    }

    /// Puts a webhook into the queue, unless it gets lost.
    pub fn post(&self, message: Message) {
        if self.0.faults.strikes_webhook(Kind::LostWebhooks) {
            return;
        }
        let twice = self.0.faults.strikes_webhook(Kind::DuplicateWebhooks);
        {
            let mut state = self.state();
            if twice {
                state.waiting.push_back(message.clone());
            }
            state.waiting.push_back(message);
            while state.waiting.len() > WAITING {
                state.waiting.pop_front();
            }
        }
        self.0.came.notify_one();
    }

    /// How long it waits before the second try; the pause doubles with each further one. By the machine's clock.
    pub fn set_pause(&self, pause: Duration) {
        *self.0.pause.lock().expect("no holder of this lock panics") = pause;
    }

    /// What waits, taken out of the queue: for doubles without a server.
    pub fn take(&self) -> Vec<Message> {
        self.state().waiting.drain(..).collect()
    }

    /// The latest tries, the oldest first.
    pub fn attempts(&self) -> Vec<Attempt> {
        self.state().attempts.iter().cloned().collect()
    }

    /// Whether nothing waits, is under way or is to be tried again.
    pub fn is_idle(&self) -> bool {
        let state = self.state();
        state.waiting.is_empty() && state.busy == 0
    }

    pub(crate) fn start(&self) -> JoinHandle<()> {
        tokio::spawn(send::run(self.clone()))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().expect("no holder of this lock panics")
    }

    fn note(&self, attempt: Attempt) {
        let mut state = self.state();
        if state.attempts.len() == KEPT {
            state.attempts.pop_front();
        }
        state.attempts.push_back(attempt);
    }
}
