//! Going on with runs.

use std::sync::Arc;

use dispatch::retention as ledger;
use events::{Envelope, Filter, Forget, Stretch, retention as log};
use kernel::{DeliveryId, Event, EventId, Result, Timestamp};
use serde_json::json;

use super::sql::{self, Open};
use super::{Phase, Selector, copies};
use crate::{Retention, lease, scope};

const LEASE: store::Lease = lease("retention.expunges");

/// Events looked at in one step.
const PAGE: u32 = 100;

/// What a selector looks for, read.
enum Wanted {
    Event(EventId),
    Filter(Filter),
    Key(String),
}

impl Wanted {
    fn of(selector: &Selector) -> Result<Self> {
        Ok(match selector {
            Selector::Event { id, .. } => Self::Event(id.clone()),
            Selector::Path { path, value } => Self::Filter(Filter::parse(&json!({ path.as_str(): value }))?),
            Selector::OrderingKey { key } => Self::Key(key.clone()),
        })
    }

    fn matches(&self, event: &Event) -> bool {
        match self {
            Self::Event(id) => event.id == *id,
            Self::Filter(filter) => !event.data.is_empty() && filter.accepts(&Envelope::new(event)),
            Self::Key(key) => event.ordering_key.as_ref() == Some(key),
        }
    }
}

impl Retention {
    /// Goes on with every run until it has ended. Does nothing while another server is at it.
    pub async fn expunge_all(&self) -> Result<()> {
        let mut erased = false;
        loop {
            let holder = self.dispatch.node().id;
            if !self.store.write(scope(), move |tx| LEASE.take(tx, holder)).await? {
                return Ok(());
            }
            let Some(run) = self.store.read(scope(), sql::next).await? else { break };
            erased |= !run.dry_run;
            self.step(run).await?;
        }
        if erased {
            self.store.scrub().await?;
        }
        Ok(())
    }

    /// A page of a run, or its end.
    async fn step(&self, run: Open) -> Result<()> {
        match run.phase {
            Phase::Events => self.step_events(run).await,
            Phase::Done => self.finish(run).await,
            Phase::Held | Phase::Calls | Phase::Records => {
                let forget = self.forget(&run);
                let look = move |tx: &mut store::Tx<'_>| {
                    let Some(forget) = forget else { return sql::turn(tx, &run) };
                    let looked = tx.overwriting(|tx| copies::look(tx, &run, forget, PAGE))?;
                    sql::look(tx, &run, looked.last.as_deref(), looked.found)
                };
                self.store.write(scope(), look).await
            }
        }
    }

    /// What looks through the rows of this phase, if anything does.
    fn forget(&self, run: &Open) -> Option<Forget> {
        let is_path = matches!(run.selector, Selector::Path { .. });
        match run.phase {
            Phase::Held => Some(copies::held),
            Phase::Calls => self.elsewhere.calls.filter(|_| is_path),
            Phase::Records => self.elsewhere.records.filter(|_| is_path && run.with_records),
            Phase::Events | Phase::Done => None,
        }
    }

    async fn step_events(&self, run: Open) -> Result<()> {
        let wanted = Wanted::of(&run.selector)?;
        let page = self.page(&run).await?;
        let Some(last) = page.last().map(|event| (event.created_at, event.id.to_string())) else {
            return self.store.write(scope(), move |tx| sql::turn(tx, &run)).await;
        };
        let examined = page.len() as u64;
        let found: Vec<(Timestamp, EventId)> =
            page.iter().filter(|event| wanted.matches(event)).map(|event| (event.created_at, event.id.clone())).collect();
        if run.dry_run || found.is_empty() {
            let counts = [examined, found.len() as u64, 0];
            return self.store.write(scope(), move |tx| sql::advance(tx, &run, &last, counts)).await.map(drop);
        }
        let deliveries = self.end_pending(&run, found.clone()).await?;
        let (tenant, logged) = (run.tenant, deliveries.clone());
        self.store.logs().write(scope(), move |tx| tx.overwriting(|tx| ledger::expunge_attempts(tx, tenant, &logged))).await?;
        let counts = [examined, found.len() as u64, deliveries.len() as u64];
        let erase = move |tx: &mut store::Tx<'_>| {
            tx.overwriting(|tx| {
                ledger::expunge(tx, tenant, &deliveries)?;
                found.iter().try_for_each(|(_, id)| ledger::expunge_journal(tx, tenant, id))?;
                log::expunge(tx, tenant, &found)?;
                sql::advance(tx, &run, &last, counts)
            })
        };
        self.store.write(scope(), erase).await.map(drop)
    }

    async fn page(&self, run: &Open) -> Result<Vec<Arc<Event>>> {
        let (tenant, (at, id)) = (run.tenant, run.reached.clone());
        let one = matches!(run.selector, Selector::Event { .. });
        if one && !id.is_empty() {
            return Ok(Vec::new());
        }
        if let Selector::Event { id, at } = &run.selector {
            let key = (tenant, id.clone(), *at);
            return self.store.read(scope(), move |tx| events::retention::one(tx, &key)).await;
        }
        let after = if id.is_empty() { None } else { Some((at, id.parse()?)) };
        let stretch = Stretch { from: at, to: run.until, after, limit: PAGE };
        self.store.read(scope(), move |tx| events::walk(tx, tenant, &stretch)).await
    }

    /// Ends what is pending of these events; answers all their deliveries.
    async fn end_pending(&self, run: &Open, found: Vec<(Timestamp, EventId)>) -> Result<Vec<DeliveryId>> {
        let (dispatch, tenant) = (Arc::clone(&self.dispatch), run.tenant);
        let scope = kernel::TenantScope::system("retention", tenant);
        let end = move |tx: &mut store::Tx<'_>| {
            let mut all = Vec::new();
            for (_, id) in &found {
                dispatch.cancel_event(tx, tenant, id)?;
                all.extend(ledger::of_event(tx, tenant, id)?);
            }
            Ok(all)
        };
        self.store.write(scope, end).await
    }

    async fn finish(&self, run: Open) -> Result<()> {
        let scope = kernel::TenantScope::system("retention", run.tenant);
        let finish = move |tx: &mut store::Tx<'_>| {
            if sql::finish(tx, &run)? {
                tx.audit("expunge.finish", run.id)?;
            }
            Ok(())
        };
        self.store.write(scope, finish).await
    }
}
