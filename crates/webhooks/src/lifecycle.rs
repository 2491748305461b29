//! A client that is made with an address gets a subscription to everything; what goes takes its subscriptions along.

use std::sync::Arc;

use kernel::{ClientId, Result, TenantId};
use store::{Lifecycle, Subject, Tx};

use crate::subscriptions::{self, sql};
use crate::{Webhooks, replays};

/// The feature's part in the life of tenants and clients: the binary puts it among the lifecycles.
pub struct WebhooksLifecycle(pub Arc<Webhooks>);

impl Lifecycle for WebhooksLifecycle {
    fn client_created(&self, tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<()> {
        match access::clients::webhook_url(tx, tenant, client)? {
            Some(url) => subscriptions::subscribe(&self.0, tx, tenant, client, url),
            None => Ok(()),
        }
    }

    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        replays::purge(tx, tenant, subject)?;
        let client = match subject {
            Subject::Tenant => None,
            Subject::Client(client) => Some(*client),
            Subject::Event(_) => return Ok(()),
        };
        // Their destinations are dispatch's to purge.
        for id in sql::ids(tx, tenant, client)? {
            self.0.forget(tx, tenant, id)?;
        }
        Ok(())
    }
}
