//! Functions run here: a few workers, each busy with one run at a time.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::answer::Transformed;
use crate::fault::{Fault, FaultKind};
use crate::function::Function;
use crate::limits::{HARD_LIMIT, MAX_INPUT, START_LIMIT};
use crate::offences::Offences;
use crate::peer::{Kind, Peer};
use crate::turns::{Party, Turns};
use crate::wire::{self, Ask, Question};

/// What a run takes for the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What `Date.now()` says, in Unix milliseconds.
    pub now_ms: i64,
    /// What `Math.random()` begins with.
    pub seed: u32,
}

/// Runs functions. Cheap to clone; clones share their workers, which are started when they are needed and end with the last clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    kind: Kind,
    turns: Arc<Turns>,
    idle: Mutex<Vec<Peer>>,
    offences: Offences,
}

impl Engine {
    /// With up to `workers` processes of `program`, which must call [`crate::work`] when it is given these arguments.
    pub fn processes(program: PathBuf, arguments: Vec<String>, workers: usize) -> Self {
        Self::new(Kind::Process(program, arguments), workers)
    }

    /// With up to `workers` threads: for tests and tools. A run inside a built-in operation that the engine cannot interrupt keeps its thread.
    pub fn threads(workers: usize) -> Self {
        Self::new(Kind::Thread, workers)
    }

    fn new(kind: Kind, workers: usize) -> Self {
        let turns = Turns::new(workers);
        Self(Arc::new(Inner { kind, turns, idle: Mutex::default(), offences: Offences::default() }))
    }

    /// Whether the source gives a function. What stands outside of it is run, as before every call.
    pub async fn check(&self, function: &Function) -> Result<(), Fault> {
        self.ask(Ask::Check, Party::CHECKS, function, "", Moment { now_ms: 0, seed: 0 }).await.map(drop)
    }

    /// Transforms a request, given as a JSON object `{id, type, timestamp, method, url, headers, body}`, when it is the party's turn.
    pub async fn transform(&self, party: Party, function: &Function, request: &str, moment: Moment) -> Result<Transformed, Fault> {
        let answer = self.ask(Ask::Transform, party, function, request, moment).await?;
        Transformed::read(&answer)
    }

    /// Applies the function to the members of a JSON array; the result as JSON (`null` for `undefined`).
    pub async fn call(&self, party: Party, function: &Function, arguments: &str, moment: Moment) -> Result<String, Fault> {
        self.ask(Ask::Call, party, function, arguments, moment).await
    }

    async fn ask(&self, ask: Ask, party: Party, function: &Function, input: &str, moment: Moment) -> Result<String, Fault> {
        if input.len() > MAX_INPUT {
            return Err(Fault::new(FaultKind::Shape, format!("the input is larger than {} MB", MAX_INPUT / (1024 * 1024))));
        }
        let key = function.key();
        self.0.offences.check(key, Instant::now())?;
        let frame = Question { ask, key, now_ms: moment.now_ms, seed: moment.seed, source: function.source(), input }.to_frame();
        let mut place = self.0.turns.take(party, key).await?;
        // Something may have become known against it while it waited.
        self.0.offences.check(key, Instant::now())?;
        let mut peer = self.0.peer().await?;
        match tokio::time::timeout(HARD_LIMIT, peer.ask(&frame)).await {
            Ok(Ok(answer)) => {
                if !wire::says_goodbye(&answer) {
                    lock(&self.0.idle).push(peer);
                }
                let (took, answer) = wire::read_answer(answer);
                place.ran(took);
                self.0.offences.note(key, &answer, Instant::now());
                return answer;
            }
            Ok(Err(error)) => tracing::warn!(%error, "a script worker ended in the middle of a run"),
            Err(_) => tracing::warn!("a script worker did not come to an end and was killed"),
        }
        place.ran(HARD_LIMIT);
        self.0.offences.worst(key, Instant::now());
        Err(Fault::time())
    }
}

impl Inner {
    /// An idle worker, or a new one.
    async fn peer(&self) -> Result<Peer, Fault> {
        loop {
            let idle = lock(&self.idle).pop();
            let Some(mut peer) = idle else { break };
            if !peer.has_ended() {
                return Ok(peer);
            }
        }
        let failed = |error: &dyn fmt::Display| {
            tracing::error!(%error, "a script worker could not be started");
            Fault::unavailable()
        };
        let kind = self.kind.clone();
        let started = tokio::task::spawn_blocking(move || Peer::start(&kind)).await.map_err(|error| failed(&error))?;
        let mut peer = started.and_then(Peer::adopt).map_err(|error| failed(&error))?;
        let hello = Question { ask: Ask::Hello, key: [0; 16], now_ms: 0, seed: 0, source: "", input: "" }.to_frame();
        match tokio::time::timeout(START_LIMIT, peer.ask(&hello)).await {
            Ok(Ok(_)) => Ok(peer),
            Ok(Err(error)) => Err(failed(&error)),
            Err(error) => Err(failed(&error)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("kind", &self.0.kind).finish_non_exhaustive()
    }
}
