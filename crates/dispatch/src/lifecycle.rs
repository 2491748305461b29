//! What goes when a tenant, a client or an event goes: at once what is needed to do anything, so that nothing is sent any more. What was
//! logged, and what is pending, goes afterwards in bounded steps (`purge`).

use std::sync::Arc;

use kernel::{ClientId, EventId, Result, TenantId};
use store::{Lifecycle, Store, Subject, Tx, Value};

use crate::destinations::TOPIC;
use crate::queue::slips::{self, Which};
use crate::{engine, signing_keys};

/// This crate's part in the life of tenants. The log's rows go right after the commit, since the log may be another file.
pub struct DispatchLifecycle {
    store: Store,
    runtime: tokio::runtime::Handle,
}

impl DispatchLifecycle {
    /// Must be called on a tokio runtime.
    pub fn new(store: Store) -> Arc<Self> {
        Arc::new(Self { store, runtime: tokio::runtime::Handle::current() })
    }

    /// Removes log rows after the commit. A row that a dying server leaves goes with its day's retention.
    fn purge_log(&self, tx: &mut Tx<'_>, sql: &'static str, params: Vec<Vec<Value>>) {
        let (logs, runtime) = (self.store.logs(), self.runtime.clone());
        tx.after_commit(move || {
            runtime.spawn(async move {
                let purged = logs.write(engine::scope(), move |tx| params.iter().try_for_each(|params| tx.exec(sql, params).map(drop)));
                if let Err(error) = purged.await {
                    tracing::error!(?error, "could not purge the attempt log");
                }
            });
        });
    }

    fn purge_client(&self, tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<()> {
        slips::spill(tx, Which::Tenant(tenant))?;
        let of_client: Vec<Value> = vec![tenant.into(), client.into()];
        let ids: Vec<kernel::DestinationId> =
            tx.query("SELECT id FROM destinations WHERE tenant_id = ?1 AND client_id = ?2", &of_client, |row| row.get(0))?;
        // In the order in which publishing and outcomes lock rows, so that none of them waits for another in a circle.
        for sql in [
            "DELETE FROM destination_seqs WHERE tenant_id = ?1 AND client_id = ?2",
            "DELETE FROM signature_acceptances WHERE tenant_id = ?1 AND destination_id IN \
             (SELECT id FROM destinations WHERE tenant_id = ?1 AND client_id = ?2)",
            "DELETE FROM destinations WHERE tenant_id = ?1 AND client_id = ?2",
        ] {
            tx.exec(sql, &of_client)?;
        }
        ids.iter().for_each(|id| tx.notify(TOPIC, id));
        let params: Vec<Vec<Value>> = ids.into_iter().map(|id| vec![tenant.into(), id.into()]).collect();
        self.purge_log(tx, "DELETE FROM attempt_rollups WHERE tenant_id = ?1 AND destination_id = ?2", params);
        Ok(())
    }

    fn purge_tenant(&self, tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
        slips::spill(tx, Which::Tenant(tenant))?;
        let ids: Vec<kernel::DestinationId> =
            tx.query("SELECT id FROM destinations WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))?;
        for sql in [
            "DELETE FROM destination_seqs WHERE tenant_id = ?1",
            "DELETE FROM signature_acceptances WHERE tenant_id = ?1",
            "DELETE FROM signing_keys WHERE tenant_id = ?1",
            "DELETE FROM destinations WHERE tenant_id = ?1",
        ] {
            tx.exec(sql, &[tenant.into()])?;
        }
        ids.iter().for_each(|id| tx.notify(TOPIC, id));
        tx.notify(signing_keys::TOPIC, tenant);
        Ok(())
    }

    fn purge_event(&self, tx: &mut Tx<'_>, tenant: TenantId, event: &EventId) -> Result<()> {
        slips::spill(tx, Which::Tenant(tenant))?;
        let params: Vec<Value> = vec![tenant.into(), event.into()];
        for sql in [
            "DELETE FROM queue WHERE tenant_id = ?1 AND event_id = ?2",
            "DELETE FROM deliveries WHERE tenant_id = ?1 AND event_id = ?2",
            "DELETE FROM replayed WHERE tenant_id = ?1 AND event_id = ?2",
        ] {
            tx.exec(sql, &params)?;
        }
        self.purge_log(tx, "DELETE FROM attempts WHERE tenant_id = ?1 AND event_id = ?2", vec![params]);
        Ok(())
    }
}

impl Lifecycle for DispatchLifecycle {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        match subject {
            Subject::Tenant => self.purge_tenant(tx, tenant),
            Subject::Client(client) => self.purge_client(tx, tenant, *client),
            Subject::Event(event) => self.purge_event(tx, tenant, event),
        }
    }
}
