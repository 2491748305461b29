//! `jobs.lease`: a long poll. Who finds nothing waits for a notice that jobs became ready; nobody asks the database again and again.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use futures_util::future::select_all;
use kernel::{Caller, Error, Permission, Result, TenantId};
use store::Tx;
use tokio::time::Instant;

use super::sql::{self, Taker};
use super::{Lease, LeaseRequest, Leased, MAX_LEASED, MAX_TYPES, MAX_WAIT, Token};
use crate::catalogue::{self, Kind};
use crate::mirror::{self, Standing};
use crate::wakes::Wake;
use crate::{Jobs, lanes};

/// What is looked for.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) kinds: Vec<Arc<Kind>>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) most: u32,
    pub(crate) worker: Option<String>,
    /// In place of the types' own.
    pub(crate) lease: Option<Duration>,
}

impl Jobs {
    /// Leases jobs. A service key that names no tenant leases for all tenants. An empty answer means that nothing came in the time.
    ///
    /// Errors: 403 `insufficient_scope`; 422 `unknown_job_type`, `validation_failed`.
    pub async fn lease(self: &Arc<Self>, caller: &Caller, request: LeaseRequest) -> Result<Leased> {
        caller.require(Permission::JobsWork)?;
        let wait = request.wait_seconds.unwrap_or(0);
        let most = request.max.unwrap_or(1);
        if wait > MAX_WAIT {
            return Err(Error::field("/waitSeconds", format!("must be 0 to {MAX_WAIT}")));
        }
        if !(1..=MAX_LEASED).contains(&most) {
            return Err(Error::field("/max", format!("must be 1 to {MAX_LEASED}")));
        }
        if let Some(worker) = &request.worker {
            kernel::text::line("/worker", worker, 1, 100)?;
        }
        let kinds = self.asked(&request.types)?;
        let ask = Ask { kinds, tenant: caller.tenant(), most, worker: request.worker, lease: None };
        let data = self.wait_for(&ask, Instant::now() + Duration::from_secs(wait.into())).await?;
        Ok(Leased { data })
    }

    fn asked(&self, types: &[String]) -> Result<Vec<Arc<Kind>>> {
        if types.len() > MAX_TYPES {
            return Err(Error::field("/types", format!("must have at most {MAX_TYPES} items")));
        }
        if types.is_empty() {
            return Ok(self.catalogue.all().filter(|kind| kind.is_leased()).map(Arc::clone).collect());
        }
        let mut kinds: Vec<Arc<Kind>> = Vec::new();
        for (i, name) in types.iter().enumerate() {
            let at = format!("/types/{i}");
            let kind = self.catalogue.find(name).ok_or_else(|| catalogue::unknown(&at, &self.catalogue))?;
            if !kind.is_leased() {
                return Err(Error::field(at, "is done by the host, which is called for each job: its jobs are not leased"));
            }
            if !kinds.iter().any(|known| known.name() == name) {
                kinds.push(Arc::clone(kind));
            }
        }
        Ok(kinds)
    }

    /// The first that can be had until `until`.
    pub(crate) async fn wait_for(self: &Arc<Self>, ask: &Ask, until: Instant) -> Result<Vec<Lease>> {
        let wakes: Vec<Arc<Wake>> = ask.kinds.iter().map(|kind| self.wakes.of(kind.name())).collect();
        if wakes.is_empty() {
            return Ok(Vec::new());
        }
        loop {
            // Before the look, so that what becomes ready during it is not missed.
            let mut notices: Vec<_> =
                wakes.iter().map(|wake| Box::pin(if ask.tenant.is_some() { wake.bound.notified() } else { wake.any.notified() })).collect();
            notices.iter_mut().for_each(|notice| {
                notice.as_mut().enable();
            });
            let taken = self.take(ask, &wakes).await?;
            if !taken.is_empty() || Instant::now() >= until || self.closed.is_cancelled() {
                return Ok(taken);
            }
            tokio::select! {
                _ = select_all(notices) => {}
                () = tokio::time::sleep_until(until) => {}
                () = self.closed.cancelled() => {}
            }
        }
    }

    async fn take(self: &Arc<Self>, ask: &Ask, wakes: &[Arc<Wake>]) -> Result<Vec<Lease>> {
        if !wakes.iter().any(|wake| wake.is_likely()) && !self.any_ready(ask).await? {
            return Ok(Vec::new());
        }
        wakes.iter().for_each(|wake| wake.begin_look());
        let (jobs, asked) = (Arc::clone(self), ask.clone());
        let taken = self.store.write(crate::scope(), move |tx| jobs.take_in(tx, &asked)).await;
        if taken.is_err() {
            wakes.iter().for_each(|wake| wake.found());
        }
        let taken = taken?;
        let is_shown = |name: &str| ask.kinds.iter().any(|kind| kind.name() == name && mirror::is_shown(kind));
        let shown: Vec<_> = taken.iter().filter(|lease| is_shown(&lease.kind)).map(|lease| (lease.tenant_id, lease.id)).collect();
        // Before whoever asked has them: no end is told before it.
        self.mirror(shown, Standing::Processing).await;
        Ok(taken)
    }

    async fn any_ready(&self, ask: &Ask) -> Result<bool> {
        let (names, tenant) = (ask.kinds.iter().map(Arc::clone).collect::<Vec<_>>(), ask.tenant);
        self.store
            .read(crate::scope(), move |tx| {
                for kind in &names {
                    if sql::first(tx, kind.name(), tenant)?.is_some() {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
            .await
    }

    fn take_in(&self, tx: &mut Tx<'_>, ask: &Ask) -> Result<Vec<Lease>> {
        let mut taken = Vec::new();
        for kind in in_order(tx, ask)? {
            let most = ask.most.saturating_sub(u32::try_from(taken.len()).unwrap_or(u32::MAX));
            let most = lanes::free(tx, kind, most)?;
            if most == 0 {
                continue;
            }
            let length = ask.lease.unwrap_or(Duration::from_millis(kind.declared.lease_ms));
            let (until, nonce) = (tx.now().plus(length), Token::nonce(tx.ambient()));
            let taker = Taker { tenant: ask.tenant, worker: ask.worker.as_deref(), nonce: &nonce, until };
            let found = sql::take(tx, kind.name(), most, &taker)?;
            self.keeper.look_by(Some(until).filter(|_| !found.is_empty()));
            if !found.is_empty() {
                // Also if whoever asked has gone away meanwhile.
                let wake = self.wakes.of(kind.name());
                tx.after_commit(move || wake.found());
            }
            taken.extend(found);
        }
        Ok(taken)
    }
}

/// The type whose next job is the most urgent first.
fn in_order<'a>(tx: &mut Tx<'_>, ask: &'a Ask) -> Result<Vec<&'a Kind>> {
    if let [only] = ask.kinds.as_slice() {
        return Ok(vec![only]);
    }
    let mut ranked: Vec<(i64, &Kind)> = Vec::new();
    for kind in &ask.kinds {
        ranked.extend(sql::first(tx, kind.name(), ask.tenant)?.map(|rank| (rank, kind.as_ref())));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    Ok(ranked.into_iter().map(|(_, kind)| kind).collect())
}

pub(crate) async fn handle(
    State(jobs): State<Arc<Jobs>>,
    web::Auth(caller): web::Auth,
    web::Json(request): web::Json<LeaseRequest>,
) -> web::Result<web::Json<Leased>> {
    Ok(web::Json(jobs.lease(&caller, request).await?))
}
