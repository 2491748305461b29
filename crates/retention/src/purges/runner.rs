//! Going on with purges.

use std::time::Duration;

use dispatch::{purge, retention as ledger};
use kernel::id::TypedId as _;
use kernel::{DeliveryId, Result, Timestamp};
use store::Tx;

use super::sql::{self, Open};
use crate::{Retention, lease, scope};

const LEASE: store::Lease = lease("retention.purges");

/// Rows in one step.
const STEP: u32 = 200;
/// Rows of the log of attempts that are looked at in one step: it is not in the order of tenants.
const LOOK: u32 = 2000;
/// What ended while the first pass went on is found by the second one.
const PASSES: i64 = 2;
/// Later than anything of a tenant that is gone.
const LATER: Duration = Duration::from_hours(48);

impl Retention {
    /// Goes on with every purge until nothing is left. Does nothing while another server is at it.
    pub async fn purge_all(&self) -> Result<()> {
        loop {
            let holder = self.dispatch.node().id;
            if !self.store.write(scope(), move |tx| LEASE.take(tx, holder)).await? {
                return Ok(());
            }
            match self.store.read(scope(), sql::next).await? {
                Some(open) => self.purge_step(open).await?,
                None => return Ok(()),
            }
        }
    }

    /// A page of deliveries with their attempts; after the last one, everything else, and the next pass or the end.
    async fn purge_step(&self, open: Open) -> Result<()> {
        let (tenant, client) = (open.tenant, open.client);
        let page = self.store.read(scope(), move |tx| purge::page(tx, tenant, client, open.place, STEP)).await?;
        if let Some(last) = page.last {
            let ids = page.ids;
            let logged = ids.clone();
            self.store.logs().write(scope(), move |tx| ledger::delete_attempts(tx, tenant, &logged)).await?;
            let delete = move |tx: &mut Tx<'_>| {
                ledger::delete(tx, tenant, &ids)?;
                sql::advance(tx, &open, open.pass, last)
            };
            return self.store.write(scope(), delete).await;
        }
        while self.store.write(scope(), move |tx| purge::some(tx, tenant, client, STEP)).await? > 0 {}
        if client.is_none() {
            self.purge_rest(&open).await?;
        }
        let first = DeliveryId::first_at(Timestamp::default());
        let next = move |tx: &mut Tx<'_>| {
            if open.pass + 1 < PASSES { sql::advance(tx, &open, open.pass + 1, first) } else { sql::finish(tx, &open) }
        };
        self.store.write(scope(), next).await
    }

    async fn purge_rest(&self, open: &Open) -> Result<()> {
        let (tenant, until) = (open.tenant, self.ambient.now().plus(LATER));
        let steps = std::iter::once(events::retention::purge_some as super::Step).chain(self.elsewhere.purge.iter().copied());
        for step in steps {
            while self.store.write(scope(), move |tx| step(tx, tenant, STEP)).await? > 0 {}
        }
        let logs = self.store.logs();
        while logs.write(scope(), move |tx| ledger::delete_old_counts(tx, tenant, until, STEP)).await? > 0 {}
        let named = tenant.to_string();
        loop {
            let named = named.clone();
            if logs.write(scope(), move |tx| usage::retention::delete_old(tx, &named, until, STEP)).await? == 0 {
                break;
            }
        }
        if open.pass + 1 < PASSES {
            return Ok(());
        }
        // Attempts of deliveries that were pending: the log finds them by their delivery only.
        let mut after = Some(String::new());
        while let Some(from) = after {
            after = logs.write(scope(), move |tx| purge::attempts(tx, tenant, &from, LOOK)).await?;
        }
        Ok(())
    }
}
