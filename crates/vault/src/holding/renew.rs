//! Renewing, from the claim to the stored token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use kernel::{Error, OauthTokenId, Result, TenantScope};
use tokio::time::Instant;

use super::cache::Loaded;
use super::claim::{Job, Step, claim};
use super::outcome::{self, Found};
use super::{reauth_required, unavailable};
use crate::Vault;
use crate::exchange::{Exchange, Exchanged, Grant, Granted, Refusal};
use crate::providers::Endpoints;

/// Tries of one renewal. With their time-out and pauses they end well before the claim does.
const TRIES: u32 = 3;
/// The pause after the first; doubled after each.
const PAUSE: Duration = Duration::from_millis(250);
/// How long somebody waits for another's renewal, in all.
const PATIENCE: Duration = Duration::from_secs(75);
/// Notices of changes wake those who wait; this is for notices that were lost.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Tries to store what a vendor has made: there is no second copy of it.
const STORE_TRIES: u32 = 8;

/// One renewal of a token at a time in this process: the others wait here, not at the database.
#[derive(Default)]
pub(crate) struct Locks(Mutex<HashMap<OauthTokenId, Weak<tokio::sync::Mutex<()>>>>);

impl Locks {
    fn of(&self, id: OauthTokenId) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&id).and_then(Weak::upgrade) {
            return known;
        }
        if all.len() >= 1024 {
            all.retain(|_, lock| lock.strong_count() > 0);
        }
        let lock = Arc::default();
        all.insert(id, Arc::downgrade(&lock));
        lock
    }
}

impl Vault {
    /// The token in a generation above `generation`. In a task of its own, so that whoever loses patience cancels no exchange.
    pub(crate) async fn renewed(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: OauthTokenId,
        generation: u64,
        force: bool,
    ) -> Result<Arc<Loaded>> {
        let (vault, scope) = (Arc::clone(self), scope.clone());
        self.tasks.spawn(async move { vault.wait_for_newer(&scope, id, generation, force).await }).await.map_err(Error::internal)?
    }

    async fn wait_for_newer(self: &Arc<Self>, scope: &TenantScope, id: OauthTokenId, generation: u64, force: bool) -> Result<Arc<Loaded>> {
        let lock = self.locks.of(id);
        let _turn = lock.lock().await;
        let (tenant, until) = (scope.tenant(), Instant::now() + PATIENCE);
        loop {
            // Before looking: what changes while we look wakes us.
            let change = self.changed.notified();
            if let Some(known) = self.cache.get(tenant, id).filter(|known| known.held.generation > generation) {
                return Ok(known);
            }
            let (vault, since) = (Arc::clone(self), self.cache.since());
            match self.store.write(scope, move |tx| claim(&vault, tx, tenant, id, generation, force)).await? {
                Step::Newer(loaded) => return Ok(self.keep(since, id, *loaded)),
                Step::Refused(error) => return Err(error),
                Step::Claimed(job) => {
                    if let Some(loaded) = self.work(scope, *job).await? {
                        return Ok(loaded);
                    }
                }
                Step::Busy => {}
            }
            if Instant::now() >= until {
                return Err(unavailable("the vendor", "another server has been at it for long"));
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, change).await;
        }
    }

    fn keep(&self, since: u64, id: OauthTokenId, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        self.cache.put(since, id, &loaded);
        loaded
    }

    /// Renews what was claimed. None: another has claimed it since, so that what we learnt says nothing.
    async fn work(self: &Arc<Self>, scope: &TenantScope, job: Job) -> Result<Option<Arc<Loaded>>> {
        let (id, provider) = (job.row.id, job.row.provider.clone());
        let job = Arc::new(job);
        let asked_at = self.ambient.now();
        let (found, error) = match self.asked(&job).await {
            Ok(granted) => (self.stored(scope, &job, Arc::new(granted), asked_at).await?, None),
            Err(Failed::Dead(refusal)) => {
                let (vault, job) = (Arc::clone(self), Arc::clone(&job));
                let found = self.store.write(scope, move |tx| outcome::dead(&vault, tx, &job, &refusal)).await?;
                (found, Some(reauth_required(&provider)))
            }
            Err(Failed::Now(why)) => {
                let (vault, job, error) = (Arc::clone(self), Arc::clone(&job), unavailable(&provider, &why));
                let found = self.store.write(scope, move |tx| outcome::failed(&vault, tx, &job, &why)).await?;
                (found, Some(error))
            }
        };
        match (found, error) {
            (Found::Good(loaded), _) => Ok(Some(self.keep(self.cache.since(), id, *loaded))),
            (Found::Settled, Some(error)) => Err(error),
            (Found::Settled | Found::Another, _) => Ok(None),
        }
    }

    /// Asks the vendor, several times if need be, always with the same token.
    async fn asked(&self, job: &Job) -> std::result::Result<Granted, Failed> {
        let internal = |error: Error| Failed::Now(error.detail().to_owned());
        let Some(token) = &job.sealed.refresh else { return Err(Failed::Now("there is no refresh token".to_owned())) };
        let endpoints = Endpoints::of(&job.provider, &job.row.settings).map_err(internal)?;
        let exchange = Exchange { client: &self.outbound, provider: &job.provider, endpoints: &endpoints, app: &job.app };
        let mut last = String::new();
        for n in 0..TRIES {
            if n > 0 {
                tokio::time::sleep(PAUSE * 2_u32.pow(n - 1)).await;
            }
            match exchange.show(&Grant::Refresh { token }).await.map_err(internal)? {
                Exchanged::Granted(granted) => return Ok(*granted),
                Exchanged::Dead(refusal) => return Err(Failed::Dead(refusal)),
                Exchanged::Refused(refusal) | Exchanged::Slow(refusal) => return Err(Failed::Now(refusal.text())),
                Exchanged::Unavailable(why) | Exchanged::Lost(why) => last = why,
            }
        }
        Err(Failed::Now(last))
    }

    /// Stores what the vendor made, and does not give up soon.
    async fn stored(
        self: &Arc<Self>,
        scope: &TenantScope,
        job: &Arc<Job>,
        granted: Arc<Granted>,
        asked_at: kernel::Timestamp,
    ) -> Result<Found> {
        let mut tries = 1;
        loop {
            let (vault, job, granted) = (Arc::clone(self), Arc::clone(job), Arc::clone(&granted));
            match self.store.write(scope, move |tx| outcome::renewed(&vault, tx, &job, &granted, asked_at)).await {
                Err(error) if tries < STORE_TRIES => {
                    tracing::warn!(?error, "new tokens could not be stored; it is tried again");
                    tokio::time::sleep(PAUSE * 2_u32.pow(tries)).await;
                    tries += 1;
                }
                settled => return settled,
            }
        }
    }
}

/// Why there are no new tokens.
enum Failed {
    /// The grant is over.
    Dead(Refusal),
    /// It may work later.
    Now(String),
}
