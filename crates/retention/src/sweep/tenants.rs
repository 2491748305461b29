//! Events and deliveries, tenant by tenant.

use std::time::Duration;

use dispatch::retention as ledger;
use events::retention as log;
use kernel::id::TypedId as _;
use kernel::{DeliveryId, EventId, Result, TenantId, Timestamp};

use super::{STEP, Swept, within};
use crate::{Lifetime, Lifetimes, Retention, expunges, marks, scope};

/// A delivery can end days after it was made, so the last days are looked through again.
const LATE: Duration = Duration::from_hours(4 * 24);

impl Retention {
    pub(super) async fn sweep_tenants(&self, now: Timestamp, bound: Option<Timestamp>, swept: &mut Swept) -> Result<()> {
        let mut after = String::new();
        loop {
            let last = after.clone();
            let some = self.store.read(scope(), move |tx| access::tenants::after(tx, &last, STEP)).await?;
            let Some((last, _)) = some.last() else { return Ok(()) };
            after = last.to_string();
            for (tenant, settings) in some {
                if !self.renew().await? {
                    return Ok(());
                }
                let own = self.lifetimes.of_tenant(&settings);
                self.sweep_tenant(tenant, &own, now, bound, swept).await?;
            }
        }
    }

    async fn sweep_tenant(
        &self,
        tenant: TenantId,
        own: &Lifetimes,
        now: Timestamp,
        bound: Option<Timestamp>,
        swept: &mut Swept,
    ) -> Result<()> {
        // A tenant's shorter lifetime does not wait for an export: less is to be kept, not more.
        let until = |own: Lifetime, usual: Lifetime| within(own.cutoff(now), bound.filter(|_| own == usual));
        if let Some(before) = until(own.payloads, self.lifetimes.payloads) {
            swept.payloads += self.erase_payloads(tenant, before).await?;
        }
        if let Some(before) = until(own.answers, self.lifetimes.answers) {
            swept.answers += self.erase_answers(tenant, before).await?;
        }
        if own.attempts != self.lifetimes.attempts
            && let Some(before) = own.attempts.cutoff(now)
        {
            swept.attempts += self.delete_attempts(tenant, before).await?;
        }
        let is_usual = own.metadata == self.lifetimes.metadata;
        let rows = until(own.metadata, self.lifetimes.metadata);
        if let Some(before) = if is_usual { self.by_rows(rows) } else { rows } {
            swept.events += self.delete_events(tenant, before).await?;
            swept.deliveries += self.delete_deliveries(tenant, before).await?;
            self.delete_the_rest(tenant, before).await?;
        }
        Ok(())
    }

    /// Those of a page of events that nothing pending needs, and when the first of the others was accepted.
    async fn free(&self, tenant: TenantId, some: Vec<log::OldEvent>) -> Result<(Vec<(Timestamp, EventId)>, Option<Timestamp>)> {
        let asked: Vec<(EventId, u64)> = some.iter().map(|event| (event.id.clone(), event.deliveries)).collect();
        let pending = self.store.read(scope(), move |tx| ledger::pending_among(tx, tenant, &asked)).await?;
        let (held, free): (Vec<_>, Vec<_>) = some.into_iter().partition(|event| pending.contains(&event.id));
        Ok((free.into_iter().map(|event| (event.created_at, event.id)).collect(), held.first().map(|event| event.created_at)))
    }

    async fn erase_payloads(&self, tenant: TenantId, before: Timestamp) -> Result<u64> {
        let name = tenant.to_string();
        let mark = self.store.read(scope(), move |tx| marks::get(tx, &name, marks::PAYLOADS)).await?;
        let mut after = (mark.unwrap_or_default(), String::new());
        let (mut count, mut first_held) = (0, None);
        loop {
            let from = after.clone();
            let page = self.store.read(scope(), move |tx| log::old(tx, tenant, &from, before, STEP)).await?;
            let Some(last) = page.last() else { break };
            after = (last.created_at, last.id.to_string());
            let (free, held) = self.free(tenant, page.into_iter().filter(|event| event.has_payload).collect()).await?;
            first_held = first_held.or(held);
            // What is pending is looked at again; what stands before it is not.
            let reached = first_held.unwrap_or(after.0);
            count += self
                .store
                .write(scope(), move |tx| {
                    marks::put(tx, &tenant.to_string(), marks::PAYLOADS, reached)?;
                    tx.overwriting(|tx| log::erase(tx, tenant, &free))
                })
                .await?;
        }
        Ok(count)
    }

    async fn erase_answers(&self, tenant: TenantId, before: Timestamp) -> Result<u64> {
        let mut count = 0;
        let mut after = self.start_of(tenant, marks::ANSWERS).await?;
        while let Some(page) = self.finished(tenant, &mut after, before).await? {
            let logged = page.clone();
            count += self.store.logs().write(scope(), move |tx| tx.overwriting(|tx| ledger::erase_attempts(tx, tenant, &logged))).await?;
            count += self.store.write(scope(), move |tx| tx.overwriting(|tx| ledger::erase_answers(tx, tenant, &page))).await?;
        }
        self.put_mark(tenant, marks::ANSWERS, before).await?;
        Ok(count)
    }

    async fn delete_attempts(&self, tenant: TenantId, before: Timestamp) -> Result<u64> {
        let mut count = 0;
        let mut after = self.start_of(tenant, marks::ATTEMPTS).await?;
        while let Some(page) = self.finished(tenant, &mut after, before).await? {
            count += self.store.logs().write(scope(), move |tx| ledger::delete_attempts(tx, tenant, &page)).await?;
        }
        self.put_mark(tenant, marks::ATTEMPTS, before).await?;
        Ok(count)
    }

    async fn delete_events(&self, tenant: TenantId, before: Timestamp) -> Result<u64> {
        let (mut count, mut after) = (0, (Timestamp::default(), String::new()));
        loop {
            let from = after.clone();
            let page = self.store.read(scope(), move |tx| log::old(tx, tenant, &from, before, STEP)).await?;
            let Some(last) = page.last() else { return Ok(count) };
            after = (last.created_at, last.id.to_string());
            let (free, _) = self.free(tenant, page).await?;
            count += self.store.write(scope(), move |tx| log::delete(tx, tenant, &free)).await?;
        }
    }

    async fn delete_deliveries(&self, tenant: TenantId, before: Timestamp) -> Result<u64> {
        let (mut count, mut after) = (0, DeliveryId::first_at(Timestamp::default()));
        while let Some(page) = self.finished(tenant, &mut after, before).await? {
            let logged = page.clone();
            self.store.logs().write(scope(), move |tx| ledger::delete_attempts(tx, tenant, &logged)).await?;
            count += self.store.write(scope(), move |tx| ledger::delete(tx, tenant, &page)).await?;
        }
        Ok(count)
    }

    async fn delete_the_rest(&self, tenant: TenantId, before: Timestamp) -> Result<()> {
        while self.store.write(scope(), move |tx| log::forget_groups(tx, tenant, before, STEP)).await? > 0 {}
        while self.store.logs().write(scope(), move |tx| ledger::delete_old_counts(tx, tenant, before, STEP)).await? > 0 {}
        while self.store.write(scope(), move |tx| ledger::delete_old_replayed(tx, tenant, before, STEP)).await? > 0 {}
        while self.store.write(scope(), move |tx| expunges::delete_old(tx, tenant, before, STEP)).await? > 0 {}
        for old in &self.elsewhere.old {
            let old = *old;
            while self.store.write(scope(), move |tx| old(tx, tenant, before, STEP)).await? > 0 {}
        }
        Ok(())
    }

    /// The next page of finished deliveries; none when there are none.
    async fn finished(&self, tenant: TenantId, after: &mut DeliveryId, before: Timestamp) -> Result<Option<Vec<DeliveryId>>> {
        let from = *after;
        let page = self.store.read(scope(), move |tx| ledger::finished(tx, tenant, from, before, STEP)).await?;
        let Some(last) = page.last() else { return Ok(None) };
        *after = *last;
        Ok(Some(page))
    }

    async fn start_of(&self, tenant: TenantId, what: &'static str) -> Result<DeliveryId> {
        let mark = self.store.read(scope(), move |tx| marks::get(tx, &tenant.to_string(), what)).await?;
        Ok(DeliveryId::first_at(mark.map_or_else(Timestamp::default, |at| at.minus(LATE))))
    }

    async fn put_mark(&self, tenant: TenantId, what: &'static str, at: Timestamp) -> Result<()> {
        self.store.write(scope(), move |tx| marks::put(tx, &tenant.to_string(), what, at)).await
    }
}
