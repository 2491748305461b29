//! Everything that is counted, for as long as the process lives.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use access::{Principal, Tiers};
use kernel::{Ambient, Result, Secret, Timestamp};
use store::Store;

use super::lease::LASTS_MS;
use super::limiter::Limiter;
use super::quotas::{Book, Taken};
use super::resolve::{Known, Resolved};
use super::shared::{Shared, SharedState};
use super::strangers::Strangers;
use super::{Charge, Decision, Limits, Period, Quota};

/// How often what quotas have used is written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How often rows of long ago are forgotten, in writings.
const FORGET_EVERY: u64 = 6 * 3600;

/// How to count.
#[derive(Clone, Debug)]
pub struct CounterOptions {
    /// Redis or Valkey, by which limits hold across nodes (`TRADEWIND_REDIS_URL`). None: in this process.
    pub redis_url: Option<Secret<String>>,
    /// How long a question to it may take before it counts as away. Default: 250 ms.
    pub redis_timeout: Duration,
    /// How many failed authentications an address has in a minute, all of which may come at once; 0: any number. Default: 120.
    pub failures_per_minute: u32,
}

impl Default for CounterOptions {
    fn default() -> Self {
        Self { redis_url: None, redis_timeout: Duration::from_millis(250), failures_per_minute: 120 }
    }
}

/// The counters of limits, of quotas and of strangers. They outlive a gate, which is made anew when the blueprint changes.
pub struct Counters {
    store: Store,
    ambient: Ambient,
    known: Known,
    limiter: Limiter,
    quotas: Book,
    shared: Option<Arc<Shared>>,
    /// Credentials of which something is set aside at the shared server.
    aside: Mutex<Vec<(Arc<str>, Arc<Limits>)>>,
    pub(crate) strangers: Strangers,
}

impl Counters {
    /// Starts the tasks that write quotas and keep the shared server. Needs a tokio runtime.
    ///
    /// Error: 422 `validation_failed` for a Redis URL that is none. A server that is away is none.
    pub fn start(store: &Store, ambient: Ambient, options: &CounterOptions) -> Result<Arc<Self>> {
        let shared = options.redis_url.as_ref().map(|url| Shared::new(url, options.redis_timeout)).transpose()?.map(Arc::new);
        if let Some(shared) = &shared {
            tokio::spawn(Shared::keep(Arc::downgrade(shared), ambient.clone()));
        }
        let counters = Arc::new(Self {
            store: store.clone(),
            ambient,
            known: Known::default(),
            limiter: Limiter::default(),
            quotas: Book::default(),
            shared,
            aside: Mutex::default(),
            strangers: Strangers::new(options.failures_per_minute),
        });
        tokio::spawn(write_regularly(Arc::downgrade(&counters)));
        if counters.shared.is_some() {
            tokio::spawn(return_regularly(Arc::downgrade(&counters)));
        }
        Ok(counters)
    }

    /// Whether no other node has seen what has this name, which is remembered for so long. Without a shared server, or while it is away, what
    /// this node knows by itself decides.
    pub(crate) async fn is_first_anywhere(&self, name: &[u8; 16], memory: Duration) -> bool {
        match self.shared.as_ref().filter(|shared| shared.is_up()) {
            Some(shared) => shared.is_first(name, memory).await.unwrap_or(true),
            None => true,
        }
    }

    /// How the shared server is doing.
    pub fn shared_state(&self) -> SharedState {
        match &self.shared {
            None => SharedState::Unused,
            Some(shared) if shared.is_up() => SharedState::Up,
            Some(_) => SharedState::Away,
        }
    }

    /// Writes what is only in memory, and gives back what is set aside. For an orderly stop.
    pub async fn flush(&self) -> Result<()> {
        let later = u64::try_from(self.ambient.now().millis()).unwrap_or(0).saturating_add(2 * LASTS_MS);
        self.give_back(later).await;
        self.quotas.flush(&self.store).await
    }

    /// Decides about a request of `cost` by `principal` at `now`, and counts it if it is admitted. None: nothing limits the principal.
    ///
    /// Waits only where a quota is not known yet, or the shared server must be asked. Errors: those of the store.
    pub async fn charge(&self, principal: &Principal, tiers: &Arc<Tiers>, cost: u64, now: Timestamp) -> Result<Option<Charge>> {
        let Some(resolved) = self.known.of(principal, tiers).filter(|resolved| !resolved.is_unlimited()) else { return Ok(None) };
        let mut quotas = [None; super::MAX_QUOTAS];
        if let Some(refused) = self.take_quotas(&resolved, cost, now, &mut quotas).await? {
            let mut decision = self.look(&principal.limit_id, &resolved, now);
            (decision.admitted, decision.quotas, decision.refused) = (false, quotas, Some(refused));
            return Ok(Some(Charge::new(resolved, decision, now)));
        }
        let Some(limits) = resolved.limits.clone() else {
            let decision = Decision { admitted: true, quotas, ..Decision::default() };
            return Ok(Some(Charge::new(resolved, decision, now)));
        };
        let mut decision = self.decide(&principal.limit_id, &limits, cost, now).await;
        if !decision.admitted {
            for (quota, left) in resolved.quotas.iter().zip(&mut quotas) {
                self.quotas.refund(quota, cost);
                *left = left.map(|(left, reset)| (left + cost, reset));
            }
        }
        decision.quotas = quotas;
        Ok(Some(Charge::new(resolved, decision, now)))
    }

    /// What was used of a quota, by all nodes, and in which period. Errors: those of the store.
    pub(crate) async fn used(&self, quota: &Quota, now: Timestamp) -> Result<(u64, Period)> {
        self.quotas.used(&self.store, quota, now).await
    }

    /// Counts in every quota, or in none; the refusal, if one is used up.
    async fn take_quotas(
        &self,
        resolved: &Resolved,
        cost: u64,
        now: Timestamp,
        left: &mut [Option<(u64, u64)>],
    ) -> Result<Option<(&'static str, u64)>> {
        let mut refused: Option<(&'static str, u64)> = None;
        for (at, (quota, slot)) in resolved.quotas.iter().zip(&mut *left).enumerate() {
            let mut taken = self.quotas.take(quota, now, cost);
            if let Taken::Unknown(period) = taken {
                self.quotas.load(&self.store, quota, period, now).await?;
                taken = self.quotas.take(quota, now, cost);
            }
            match taken {
                Taken::Counted(rest, reset) => *slot = Some((rest, reset)),
                Taken::Full(rest, reset) => {
                    *slot = Some((rest, reset));
                    refused = Some((quota.name, reset));
                    resolved.quotas[..at].iter().for_each(|before| self.quotas.refund(before, cost));
                    break;
                }
                // The period ended between reading and counting: the next request finds the new one.
                Taken::Unknown(_) => {}
            }
        }
        Ok(refused)
    }

    async fn decide(&self, id: &Arc<str>, limits: &Arc<Limits>, cost: u64, now: Timestamp) -> Decision {
        let ours = u64::try_from(now.millis()).unwrap_or(0);
        let Some(shared) = &self.shared else { return self.limiter.decide(id, limits, ours, cost) };
        let at = shared.time(ours);
        if !shared.is_up() {
            return self.limiter.with(id, limits, at, |state| state.decide_alone(limits, at, cost));
        }
        let mut question = None;
        let decided = self.limiter.with(id, limits, at, |state| {
            let decided = state.decide_from_share(limits, at, cost);
            if decided.is_none() {
                question = Some(state.question(at, cost));
            }
            decided
        });
        let question = match (decided, question) {
            (Some(decision), _) => return decision,
            (None, question) => question.unwrap_or_default(),
        };
        match shared.ask(id, limits, &question, ours).await {
            Some(answer) => {
                let at = shared.time(ours);
                let (decision, list) = self.limiter.with(id, limits, at, |state| state.settle(limits, at, cost, &answer));
                if list {
                    self.aside.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::clone(id), Arc::clone(limits)));
                }
                decision
            }
            None => self.limiter.with(id, limits, at, |state| {
                state.unanswered(limits, &question);
                state.decide_alone(limits, at, cost)
            }),
        }
    }

    /// What there is to tell without counting anything.
    fn look(&self, id: &Arc<str>, resolved: &Resolved, now: Timestamp) -> Decision {
        let Some(limits) = &resolved.limits else { return Decision::default() };
        let ours = u64::try_from(now.millis()).unwrap_or(0);
        let at = self.shared.as_ref().map_or(ours, |shared| shared.time(ours));
        self.limiter.with(id, limits, at, |state| state.tell(limits, at, 0, None))
    }

    /// Gives back what is set aside and was not used in its time.
    async fn give_back(&self, now: u64) {
        let Some(shared) = self.shared.as_ref().filter(|shared| shared.is_up()) else { return };
        let listed = std::mem::take(&mut *self.aside.lock().unwrap_or_else(PoisonError::into_inner));
        let mut again = Vec::new();
        for (id, limits) in listed {
            let at = shared.time(now);
            let (question, watch) = self.limiter.with_known(&id, |state| state.overdue(at)).unwrap_or((None, false));
            if let Some(question) = question {
                let answer = shared.ask(&id, &limits, &question, self.now()).await;
                self.limiter.with_known(&id, |state| match &answer {
                    Some(answer) => drop(state.settle(&limits, shared.time(self.now()), 0, answer)),
                    None => state.unanswered(&limits, &question),
                });
            }
            if watch {
                again.push((id, limits));
            }
        }
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).extend(again);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.ambient.now().millis()).unwrap_or(0)
    }
}

async fn write_regularly(counters: Weak<Counters>) {
    let mut ticks = tokio::time::interval(WRITE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for round in 0_u64.. {
        ticks.tick().await;
        let Some(counters) = counters.upgrade() else { return };
        if let Err(error) = counters.quotas.flush(&counters.store).await {
            tracing::warn!(?error, "what quotas have used could not be written; it is kept");
        }
        if round % FORGET_EVERY == FORGET_EVERY / 2
            && let Err(error) = counters.quotas.forget(&counters.store, counters.ambient.now()).await
        {
            tracing::warn!(?error, "old rows of quotas could not be removed");
        }
    }
}

async fn return_regularly(counters: Weak<Counters>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(LASTS_MS));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(counters) = counters.upgrade() else { return };
        counters.give_back(counters.now()).await;
    }
}
